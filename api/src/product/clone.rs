//! `POST /api/v1/environments/{id}/clone`, and `clone-preview`, which says what it would do and does nothing.

use std::sync::Arc;

use axum::response::Response;
use http::StatusCode;
use mirage_specs::{
    CopyOptions,
    copy::{Copied, InvalidShortForm, Obstacle},
    environment::ProjectRef,
};
use serde_json::json;

use super::stored::{self, ENVIRONMENTS, GROUP};
use super::{creation, lookup};
use crate::access::Attributes;
use crate::audit::Origin;
use crate::auth::Identity;
use crate::copy::CopyError;
use crate::error::{CauseReason, Fault, Reason, Status};
use crate::kubernetes::access;
use crate::kubernetes::body::Body;
use crate::kubernetes::negotiate::Accept;
use crate::kubernetes::request::Query;
use crate::plan::PlanError;
use crate::server::Server;
use crate::store::Stored;

/// Who owns the fields of what is made here.
const MANAGER: &str = "mirage-clone";

/// Who asks, and for what.
pub(crate) struct Asked<'a> {
    pub(crate) server: &'a Arc<Server>,
    pub(crate) identity: Identity,
    pub(crate) origin: Arc<Origin>,
    pub(crate) id: String,
}

/// Makes the copy: one write, and from then on the object's own reconcile.
pub(crate) async fn clone(asked: Asked<'_>, options: CopyOptions) -> Result<Response, Status> {
    let (source, copied) = work_out(&asked, &options).await?;
    if !copied.refusals.is_empty() {
        return Err(refused(&options.name, &copied.refusals));
    }
    let Asked {
        server,
        identity,
        origin,
        ..
    } = asked;
    let namespace = target_namespace(&source, &options);
    let object = creation::created(
        server,
        &identity,
        &origin,
        MANAGER,
        ENVIRONMENTS,
        namespace,
        copied.object,
    )
    .await?;
    let mut answer = lookup::named(&object);
    answer["source"] = lookup::named(&source.object.to_value());
    answer["object"] = object;
    answer["difference"] = json!(copied.difference);
    answer["notes"] = json!(copied.notes);
    Ok(Accept::JSON.respond(StatusCode::CREATED, &answer))
}

/// The copy as it would be made, with its plan; what would be refused is part of the answer.
pub(crate) async fn preview(asked: Asked<'_>, options: CopyOptions) -> Result<Response, Status> {
    let (source, mut copied) = work_out(&asked, &options).await?;
    let namespace = target_namespace(&source, &options);
    let server = asked.server;
    if server.namespace(namespace).await?.is_none() {
        copied.refusals.push(Obstacle::new(
            "namespace",
            format!("there is no namespace {namespace:?}; make it first"),
        ));
    }
    let kind = stored::kind(server, ENVIRONMENTS)?;
    let there = stored::find(server, kind, namespace, &options.name).await?;
    if there.is_some() {
        let message = format!(
            "there is an Environment {:?} in namespace {namespace:?} already; choose another name",
            options.name
        );
        copied.refusals.push(Obstacle::new("name", message));
    }
    let planned = match &server.planner {
        Some(planner) if copied.refusals.is_empty() => {
            Some(planner.plan(copied.object.clone(), None).await)
        }
        _ => None,
    };
    let mut answer = json!({
        "source": lookup::named(&source.object.to_value()),
        "object": copied.object,
        "difference": copied.difference,
        "notes": copied.notes,
        "refusals": copied.refusals,
    });
    match planned {
        Some(Ok(change)) => {
            answer["plan"] = change.plan;
            answer["lines"] = json!(change.lines);
            answer["requests"] = json!(change.requests);
        }
        Some(Err(PlanError::Invalid(why) | PlanError::Unavailable(why))) => {
            answer["lines"] = json!([format!("no plan: {why}")]);
        }
        None => {}
    }
    Ok(Accept::JSON.respond(StatusCode::OK, &answer))
}

/// Looks the source up, asks for the right to make the copy, and has it worked out.
async fn work_out(asked: &Asked<'_>, options: &CopyOptions) -> Result<(Stored, Copied), Status> {
    let Asked {
        server,
        identity,
        id,
        ..
    } = asked;
    let copier = server.copier.get().ok_or_else(|| {
        Status::new(
            Reason::ServiceUnavailable,
            "the controllers work copies out, and they do not act in this server: ask the one whose controllers do",
        )
    })?;
    let source = lookup::environment(server, identity, id).await?;
    let create = Attributes {
        verb: "create",
        group: GROUP,
        resource: ENVIRONMENTS,
        namespace: target_namespace(&source, options),
        ..Attributes::default()
    };
    // Also for a preview: another project, and so another place on Railway, may be looked into for it.
    access::check(server, identity, &create).await?;
    let copied = copier.copy(source.object.to_value(), options).await;
    let copied = copied.map_err(|error| match error {
        CopyError::Invalid(message) => {
            Status::new(Reason::Invalid, message).about(GROUP, "Environment", &source.key.name)
        }
        CopyError::Unavailable(message) => {
            Status::new(Reason::ServiceUnavailable, message).retry_after(5)
        }
    })?;
    Ok((source, copied))
}

fn target_namespace<'a>(source: &'a Stored, options: &'a CopyOptions) -> &'a str {
    options
        .namespace
        .as_deref()
        .unwrap_or(&source.key.namespace)
}

/// 422 with a cause for each obstacle.
fn refused(name: &str, refusals: &[Obstacle]) -> Status {
    let faults = refusals
        .iter()
        .map(|refusal| {
            Fault::new(
                &refusal.field,
                CauseReason::FieldValueInvalid,
                &refusal.message,
            )
        })
        .collect();
    Status::invalid(GROUP, "Environment", name, faults)
}

/// Options as a body; without one they are those of the query.
pub(crate) fn options_of(body: &Body, query: &Query) -> Result<CopyOptions, Status> {
    if body.is_empty() {
        return options_of_query(query);
    }
    let given = if body.media_type().is_empty() {
        body.yaml()?
    } else {
        body.object()?
    };
    // Serde's words name the field and, for a variable of a wrong form, never its value.
    serde_json::from_value(given.value)
        .map_err(|error| Status::bad_request(format!("the options of the copy: {error}")))
}

/// Options as a query: lists with commas, and the short forms of the command line, each as often as wanted.
fn options_of_query(query: &Query) -> Result<CopyOptions, Status> {
    let text = |key: &str| query.get(key).map(str::to_owned);
    let list = |key: &str| -> Vec<String> {
        let all = query.all(key).flat_map(|names| names.split(','));
        all.filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let mut options = CopyOptions {
        name: text("name").unwrap_or_default(),
        namespace: text("namespace"),
        project: match (text("project"), text("projectId")) {
            (None, None) => None,
            (name, id) => Some(ProjectRef { name, id }),
        },
        environment_type: parsed(query, "type")?,
        ttl: parsed(query, "ttl")?,
        include: list("include"),
        exclude: list("exclude"),
        prefix: text("prefix"),
        suffix: text("suffix"),
        on_failure: parsed(query, "onFailure")?.unwrap_or_default(),
        timeout: parsed(query, "timeout")?,
        force: query.flag("force")?,
        ..CopyOptions::default()
    };
    let short = |key: &'static str| {
        move |error: InvalidShortForm| Status::bad_request(format!("{key}: {error}"))
    };
    for given in query.all("set") {
        options.set(given).map_err(short("set"))?;
    }
    for given in query.all("unset") {
        options.unset(given);
    }
    for given in query.all("replicas") {
        options.replicas(given).map_err(short("replicas"))?;
    }
    for given in query.all("cpu") {
        options.cpu(given).map_err(short("cpu"))?;
    }
    for given in query.all("memory") {
        options.memory(given).map_err(short("memory"))?;
    }
    Ok(options)
}

fn parsed<T>(query: &Query, key: &str) -> Result<Option<T>, Status>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    query
        .get(key)
        .map(|text| {
            text.parse()
                .map_err(|error| Status::bad_request(format!("{key}: {text:?}: {error}")))
        })
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_says_what_a_body_says() {
        let query = Query::parse(Some(
            "name=copy&project=shop&type=staging&ttl=3d&include=web,api&exclude=db&set=A=1&set=web.B=x%26y&unset=web.C\
             &replicas=web=2&memory=web=512Mi&prefix=pr-&onFailure=keep&force",
        ));
        let body: CopyOptions = serde_json::from_value(json!({
            "name": "copy", "project": {"name": "shop"}, "type": "staging", "ttl": "3d",
            "include": ["web", "api"], "exclude": ["db"], "variables": {"A": "1"},
            "services": {"web": {"variables": {"B": "x&y", "C": null}, "replicas": 2, "limits": {"memory": "512Mi"}}},
            "prefix": "pr-", "onFailure": "keep", "force": true,
        }))
        .unwrap();
        assert_eq!(options_of(&Body::default(), &query).unwrap(), body);
    }

    #[test]
    fn a_slip_in_a_query_is_told_by_its_key() {
        for (query, hint) in [
            ("type=production", "type:"),
            ("ttl=3", "ttl:"),
            ("onFailure=maybe", "onFailure:"),
            ("replicas=web", "replicas:"),
        ] {
            let status = options_of(&Body::default(), &Query::parse(Some(query))).unwrap_err();
            assert!(status.to_string().starts_with(hint), "{status}");
        }
    }
}
