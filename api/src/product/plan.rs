//! `POST /api/v1/plan?namespace=`: the plan for an environment that is written but not applied.

use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};

use crate::access::Attributes;
use crate::auth::Identity;
use crate::error::{Reason, Status};
use crate::kubernetes::access;
use crate::kubernetes::body::Body;
use crate::kubernetes::negotiate::Accept;
use crate::plan::PlanError;
use crate::server::Server;
use crate::store::Key;

const GROUP: &str = "mirage.dev";
const VERSION: &str = "v1alpha1";
const RESOURCE: &str = "environments";

/// Validates the environment as an apply would, and asks for its plan.
pub(crate) async fn plan(
    server: &Server,
    identity: &Identity,
    namespace: &str,
    body: &Body,
) -> Result<Response, Status> {
    let planner = server.planner.as_ref().ok_or_else(|| {
        Status::new(
            Reason::ServiceUnavailable,
            "this server has no planner: it serves the API only",
        )
    })?;
    let kind = server
        .registry
        .find(GROUP, VERSION, RESOURCE)
        .ok_or_else(Status::unknown_path)?;
    let mut object = if body.media_type().is_empty() {
        body.yaml()?
    } else {
        body.object()?
    }
    .value;
    let Some(name) = object["metadata"]["name"].as_str().map(str::to_owned) else {
        return Err(Status::bad_request("metadata.name is required"));
    };
    let asked = Attributes {
        verb: "get",
        group: GROUP,
        resource: RESOURCE,
        namespace,
        name: &name,
        ..Attributes::default()
    };
    access::check(server, identity, &asked).await?;
    object["metadata"]["namespace"] = json!(namespace);
    let faults = kind.admit(&mut object).faults;
    if !faults.is_empty() {
        return Err(Status::invalid(&kind.group, &kind.kind, &name, faults));
    }
    let live = server
        .store
        .get(&Key::new(kind.resource(), namespace, &name))
        .await
        .map_err(|error| Status::from_store(kind, &name, error))?;
    let previous: Option<Value> = live.map(|live| live.object.into_value());
    // Another environment than the stored one may point anywhere on Railway: that needs the right to apply it.
    let verb = match &previous {
        None => Some("create"),
        Some(previous) if previous["spec"] != object["spec"] => Some("patch"),
        Some(_) => None,
    };
    if let Some(verb) = verb {
        access::check(server, identity, &Attributes { verb, ..asked }).await?;
    }
    if let Some(uid) = previous
        .as_ref()
        .and_then(|previous| previous["metadata"].get("uid"))
    {
        object["metadata"]["uid"] = uid.clone();
    }
    match planner.plan(object, previous).await {
        Ok(change) => Ok(Accept::JSON.respond(StatusCode::OK, &json!(change))),
        Err(PlanError::Invalid(message)) => {
            Err(Status::new(Reason::Invalid, message).about(GROUP, "Environment", &name))
        }
        Err(PlanError::Unavailable(message)) => {
            Err(Status::new(Reason::ServiceUnavailable, message).retry_after(5))
        }
    }
}
