//! An object that a request brings to be judged, not to be stored.

use serde_json::{Value, json};

use super::stored::{GROUP, asked, find};
use crate::auth::Identity;
use crate::error::{Reason, Status};
use crate::kinds::Kind;
use crate::kubernetes::access;
use crate::kubernetes::body::Body;
use crate::plan::{PlanError, Planner};
use crate::server::Server;

/// The object as written, and the stored one of its name.
pub(super) struct Written {
    pub(super) name: String,
    pub(super) object: Value,
    pub(super) previous: Option<Value>,
}

/// Reads and validates the body as an apply would. `name` is what the path calls it; without one the object says.
///
/// # Errors
/// 400 and 422 for what an apply would refuse, and 403 without the right to apply it: another object than the stored one may
/// point anywhere on Railway and at any Secret of the namespace.
pub(super) async fn read(
    server: &Server,
    identity: &Identity,
    kind: &Kind,
    (namespace, name): (&str, Option<&str>),
    body: &Body,
) -> Result<Written, Status> {
    let mut object = if body.media_type().is_empty() {
        body.yaml()?
    } else {
        body.object()?
    }
    .value;
    let written = object["metadata"]["name"].as_str().map(str::to_owned);
    let name = match (written, name) {
        (None, None) => return Err(Status::bad_request("metadata.name is required")),
        (None, Some(path)) => path.to_owned(),
        (Some(written), Some(path)) if written != path => {
            return Err(Status::bad_request(format!(
                "metadata.name is {written:?}, and the path says {path:?}"
            )));
        }
        (Some(written), _) => written,
    };
    access::check(server, identity, &asked("get", kind, namespace, &name)).await?;
    if object["metadata"].is_object() {
        object["metadata"]["namespace"] = json!(namespace);
        object["metadata"]["name"] = json!(name);
    }
    let faults = kind.admit(None, &mut object).faults;
    if !faults.is_empty() {
        return Err(Status::invalid(&kind.group, &kind.kind, &name, faults));
    }
    let previous = find(server, kind, namespace, &name).await?;
    let previous = previous.map(|stored| stored.object.into_value());
    let verb = match &previous {
        None => Some("create"),
        Some(previous) if previous["spec"] != object["spec"] => Some("patch"),
        Some(_) => None,
    };
    if let Some(verb) = verb {
        access::check(server, identity, &asked(verb, kind, namespace, &name)).await?;
    }
    if let Some(uid) = previous
        .as_ref()
        .and_then(|previous| previous["metadata"].get("uid"))
    {
        object["metadata"]["uid"] = uid.clone();
    }
    Ok(Written {
        name,
        object,
        previous,
    })
}

/// Who plans.
///
/// # Errors
/// 503 when this server serves the API only.
pub(super) fn planner(server: &Server) -> Result<&dyn Planner, Status> {
    server.planner.as_deref().ok_or_else(|| {
        Status::new(
            Reason::ServiceUnavailable,
            "this server has no planner: it serves the API only",
        )
    })
}

/// Why there is no plan, as an answer.
pub(super) fn unplanned(error: PlanError, kind: &Kind, name: &str) -> Status {
    match error {
        PlanError::Invalid(message) => {
            Status::new(Reason::Invalid, message).about(GROUP, &kind.kind, name)
        }
        PlanError::Unavailable(message) => {
            Status::new(Reason::ServiceUnavailable, message).retry_after(5)
        }
    }
}
