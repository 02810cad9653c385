//! Get and list.

use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::call::{Call, Outcome};
use super::negotiate::Form;
use super::selector::Selector;
use super::table;
use crate::error::{CauseReason, Fault, Reason, Status};
use crate::server::presented;
use crate::store::{ListQuery, StoreError};

/// Objects looked at in one go while a selector is filling a page.
const SCAN: usize = 500;

/// Where a list goes on. Opaque to clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Continue {
    /// The first page's version, repeated on all: a watch from there replays whatever changed between the pages.
    /// 0 once that version is lost.
    version: u64,
    namespace: String,
    name: String,
}

impl Continue {
    fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(json!(self).to_string())
    }

    fn decode(token: &str) -> Result<Self, Status> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok();
        bytes
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .ok_or_else(|| Status::bad_request("continue key is not valid"))
    }
}

/// GET of an object or of its status.
pub(crate) async fn get(call: &Call) -> Result<Response, Status> {
    let live = call.existing().await?;
    let object = presented(&call.kind, live.object, live.revision);
    call.respond(Outcome {
        code: StatusCode::OK,
        object,
        warnings: Vec::new(),
    })
}

/// GET of a collection.
pub(crate) async fn list(call: &Call) -> Result<Response, Status> {
    let selector = Selector::of(&call.query, &call.kind)?;
    let limit = call.query.number("limit")?.filter(|limit| *limit > 0);
    let limit = limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let mut token = call
        .query
        .get("continue")
        .map(Continue::decode)
        .transpose()?;
    if let Some(token) = token.as_mut().filter(|token| token.version > 0) {
        check_reach(call, token).await?;
    }
    let mut after = token
        .as_ref()
        .map(|token| (token.namespace.clone(), token.name.clone()));
    let mut version = token.map_or(0, |token| token.version);
    let (mut objects, mut next, mut remaining) = (Vec::new(), None, 0);
    loop {
        let wanted = limit.map(|limit| limit - objects.len());
        let scan = match wanted {
            Some(wanted) if !selector.is_everything() => Some(wanted.max(SCAN)),
            wanted => wanted,
        };
        let query = ListQuery {
            resource: call.kind.resource(),
            namespace: call.info.namespace.clone(),
            after: after.take(),
            limit: scan,
        };
        let page = call
            .server
            .store
            .list(&query)
            .await
            .map_err(|error| call.refused("", error))?;
        if version == 0 {
            version = page.revision;
            check_version(call, version)?;
        }
        let (scanned, behind) = (page.items.len(), page.remaining);
        for (index, stored) in page.items.into_iter().enumerate() {
            if selector.matches(&stored.object) {
                let position = (stored.key.namespace.clone(), stored.key.name.clone());
                objects.push(presented(&call.kind, stored.object, stored.revision));
                after = Some(position);
            } else {
                after = Some((stored.key.namespace, stored.key.name));
            }
            let left = (scanned - index - 1) as u64 + behind;
            if limit.is_some_and(|limit| objects.len() >= limit) {
                (next, remaining) = (after.take().filter(|_| left > 0), left);
                break;
            }
        }
        if behind == 0 || next.is_some() || limit.is_some_and(|limit| objects.len() >= limit) {
            break;
        }
    }
    let token = next.map(|(namespace, name)| {
        Continue {
            version,
            namespace,
            name,
        }
        .encode()
    });
    // With a selector nobody knows how many of the rest would match.
    let remaining = selector
        .is_everything()
        .then_some(remaining)
        .filter(|remaining| *remaining > 0);
    respond_list(call, objects, version, token, remaining)
}

/// Answers with a list, in the form that was agreed on.
pub(super) fn respond_list(
    call: &Call,
    objects: Vec<Value>,
    version: u64,
    token: Option<String>,
    remaining: Option<u64>,
) -> Result<Response, Status> {
    let mut metadata = Map::new();
    metadata.insert("resourceVersion".into(), json!(version.to_string()));
    if let Some(token) = token {
        metadata.insert("continue".into(), json!(token));
        if let Some(remaining) = remaining {
            metadata.insert("remainingItemCount".into(), json!(remaining));
        }
    }
    let body = match call.accept.form {
        Form::Table => call.table(&objects, metadata, true)?,
        Form::Partial => {
            json!({"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1",
            "metadata": metadata, "items": objects.iter().map(table::partial).collect::<Vec<_>>()})
        }
        Form::Object => {
            json!({"kind": format!("{}List", call.kind.kind), "apiVersion": call.kind.api_version(),
            "metadata": metadata, "items": objects})
        }
    };
    Ok(call.accept.respond(StatusCode::OK, &body))
}

/// Whether the list may be as new as it is: `resourceVersion` and `resourceVersionMatch`.
fn check_version(call: &Call, newest: u64) -> Result<(), Status> {
    let wanted = call.query.number("resourceVersion")?;
    let matching = call.query.get("resourceVersionMatch");
    match (wanted, matching) {
        (None, Some(_)) => {
            let message =
                "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided";
            let fault = Fault::new(
                "resourceVersionMatch",
                CauseReason::FieldValueForbidden,
                message,
            );
            Err(Status::invalid(
                "meta.k8s.io",
                "ListOptions",
                "",
                vec![fault],
            ))
        }
        (_, Some(other)) if !matches!(other, "Exact" | "NotOlderThan") => Err(Status::bad_request(
            format!("resourceVersionMatch: {other:?} is none of Exact, NotOlderThan"),
        )),
        (Some(wanted), _) if wanted > newest => Err(too_large(wanted, newest)),
        // Old versions are not kept; only the newest one can be had exactly.
        (Some(wanted), Some("Exact")) if wanted != newest => Err(Status::expired(wanted, newest)),
        _ => Ok(()),
    }
}

fn too_large(wanted: u64, newest: u64) -> Status {
    let message = format!("Too large resource version: {wanted}, current: {newest}");
    let cause = Fault::new(
        "",
        CauseReason::ResourceVersionTooLarge,
        "Too large resource version",
    );
    Status::new(Reason::Timeout, message)
        .with_causes(vec![cause])
        .retry_after(1)
}

/// Whether a watch from the token's version would still be possible; if not, a list that went on would promise too much.
async fn check_reach(call: &Call, token: &Continue) -> Result<(), Status> {
    let namespace = call.info.namespace.as_deref();
    match call
        .server
        .store
        .changes(&call.kind.resource(), namespace, token.version, 1)
        .await
    {
        Ok(_) => Ok(()),
        Err(StoreError::Compacted { .. }) => {
            let fresh = Continue {
                version: 0,
                ..token.clone()
            };
            let message = "The provided continue parameter is too old to display a consistent list result. You can \
                start a new list without the continue parameter, or use the continue token in this response to go on \
                with a list that may be inconsistent.";
            Err(Status::new(Reason::Expired, message).with_continue(fresh.encode()))
        }
        Err(error) => Err(call.refused("", error)),
    }
}
