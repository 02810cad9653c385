//! `GET /api/v1/environments/{namespace}/{name}/running`: what the services of an environment run.

use axum::response::Response;
use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::stored::{self, ENVIRONMENTS};
use super::written;
use crate::auth::Identity;
use crate::error::Status;
use crate::kubernetes::negotiate::Accept;
use crate::plan::RunningService;
use crate::server::Server;

/// The answer.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Running {
    environment_id: Option<String>,
    railway_environment_id: Option<String>,
    services: Vec<RunningService>,
}

/// Asks Railway after the newest deployment of each service.
pub(crate) async fn running(
    server: &Server,
    identity: &Identity,
    namespace: &str,
    name: &str,
) -> Result<Response, Status> {
    let planner = written::planner(server)?;
    let kind = stored::kind(server, ENVIRONMENTS)?;
    let stored = stored::readable(server, identity, kind, namespace, name).await?;
    let object = stored.object.into_value();
    let text = |path: &str| {
        object
            .pointer(path)
            .and_then(|value| value.as_str())
            .map(str::to_owned)
    };
    let (environment_id, railway_environment_id) =
        (text("/metadata/uid"), text("/status/railway/environmentId"));
    match planner.running(object).await {
        Ok(services) => Ok(Accept::JSON.respond(
            StatusCode::OK,
            &serde_json::json!(Running {
                environment_id,
                railway_environment_id,
                services,
            }),
        )),
        Err(error) => Err(written::unplanned(error, kind, name)),
    }
}
