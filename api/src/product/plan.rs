//! `POST /api/v1/plan?namespace=`: the plan for an environment that is written but not applied.

use axum::response::Response;
use http::StatusCode;
use serde_json::json;

use super::stored::{self, ENVIRONMENTS};
use super::written::{self, Written};
use crate::auth::Identity;
use crate::error::Status;
use crate::kubernetes::body::Body;
use crate::kubernetes::negotiate::Accept;
use crate::server::Server;

/// Validates the environment as an apply would, and asks for its plan.
pub(crate) async fn plan(
    server: &Server,
    identity: &Identity,
    namespace: &str,
    body: &Body,
) -> Result<Response, Status> {
    let planner = written::planner(server)?;
    let kind = stored::kind(server, ENVIRONMENTS)?;
    let Written {
        name,
        object,
        previous,
    } = written::read(server, identity, kind, (namespace, None), body).await?;
    match planner.plan(object, previous).await {
        Ok(change) => Ok(Accept::JSON.respond(StatusCode::OK, &json!(change))),
        Err(error) => Err(written::unplanned(error, kind, &name)),
    }
}
