//! `GET /api/v1/environments/{id}/clones` and `/lineage`: what was copied from what, as far as it is known.
//!
//! Each copy carries its ancestors with it ([`Origin`]), so those that were deleted since are known as long as one of their
//! descendants is there.

use std::collections::BTreeMap;

use axum::response::Response;
use http::StatusCode;
use mirage_specs::copy::{Ancestor, Origin};
use serde_json::{Value, json};

use super::lookup;
use crate::auth::Identity;
use crate::error::Status;
use crate::kubernetes::negotiate::Accept;
use crate::server::Server;
use crate::store::Stored;

/// The copies that were made from an environment and are there.
pub(crate) async fn clones(
    server: &Server,
    identity: &Identity,
    id: &str,
) -> Result<Response, Status> {
    let source = lookup::environment(server, identity, id).await?;
    let uid = uid(&source);
    let mut clones = Vec::new();
    for stored in lookup::all(server).await? {
        let is_direct = origin(&stored).is_some_and(|origin| {
            let parent = origin.ancestors.first();
            parent.is_some_and(|parent| parent.environment_id == uid)
        });
        if is_direct && lookup::may_see(server, identity, &stored).await {
            clones.push(shown(&stored));
        }
    }
    let mut answer = lookup::named(&source.object.to_value());
    answer["clones"] = json!(clones);
    Ok(Accept::JSON.respond(StatusCode::OK, &answer))
}

/// Ancestors, the nearest first, and descendants, each with what it was made from.
pub(crate) async fn lineage(
    server: &Server,
    identity: &Identity,
    id: &str,
) -> Result<Response, Status> {
    let subject = lookup::environment(server, identity, id).await?;
    let uid = uid(&subject);
    let mut visible: BTreeMap<String, Stored> = BTreeMap::new();
    for stored in lookup::all(server).await? {
        let is_related = origin(&stored).is_some_and(|origin| is_ancestor(&origin, &uid))
            || origin(&subject).is_some_and(|origin| is_ancestor(&origin, &self::uid(&stored)));
        if is_related && lookup::may_see(server, identity, &stored).await {
            visible.insert(self::uid(&stored), stored);
        }
    }
    let ancestors: Vec<Value> = origin(&subject)
        .map(|origin| origin.ancestors)
        .unwrap_or_default()
        .iter()
        .map(|ancestor| match visible.get(&ancestor.environment_id) {
            Some(stored) => shown(stored),
            None => remembered(ancestor),
        })
        .collect();
    let mut answer = lookup::named(&subject.object.to_value());
    answer["ancestors"] = json!(ancestors);
    answer["descendants"] = json!(descendants(&uid, &visible));
    Ok(Accept::JSON.respond(StatusCode::OK, &answer))
}

/// Everything that was made from `uid`, also what is only remembered by what was made from it in turn.
fn descendants(uid: &str, visible: &BTreeMap<String, Stored>) -> Vec<Value> {
    let mut found: BTreeMap<(String, String), Value> = BTreeMap::new();
    for stored in visible.values() {
        let Some(origin) = origin(stored).filter(|origin| is_ancestor(origin, uid)) else {
            continue;
        };
        // From the copy up to the one that is asked about, each with its parent.
        let mut child = shown(stored);
        for parent in &origin.ancestors {
            child["parentId"] = json!(parent.environment_id);
            let key = |value: &Value| {
                let text = |field: &str| value[field].as_str().unwrap_or_default().to_owned();
                (text("name"), text("environmentId"))
            };
            let exists = child["exists"] == true;
            let known = found.entry(key(&child)).or_insert_with(|| child.clone());
            if exists {
                *known = child.clone();
            }
            if parent.environment_id == uid {
                break;
            }
            child = match visible.get(&parent.environment_id) {
                Some(stored) => shown(stored),
                None => remembered(parent),
            };
        }
    }
    found.into_values().collect()
}

fn origin(stored: &Stored) -> Option<Origin> {
    let annotations = &stored.object["metadata"]["annotations"];
    let annotations: BTreeMap<String, String> = serde_json::from_value(annotations.clone()).ok()?;
    Origin::of(&annotations)
}

fn is_ancestor(origin: &Origin, uid: &str) -> bool {
    origin
        .ancestors
        .iter()
        .any(|ancestor| ancestor.environment_id == uid)
}

fn uid(stored: &Stored) -> String {
    let uid = stored.object["metadata"]["uid"].as_str();
    uid.unwrap_or_default().to_owned()
}

fn shown(stored: &Stored) -> Value {
    let mut value = lookup::named(&stored.object.to_value());
    value["phase"] = stored.object["status"]["phase"].clone();
    value["createdAt"] = stored.object["metadata"]["creationTimestamp"].clone();
    value["exists"] = json!(true);
    value
}

/// One that is not there any more, or not for this caller.
fn remembered(ancestor: &Ancestor) -> Value {
    let mut value = json!(ancestor);
    value["exists"] = json!(false);
    value
}
