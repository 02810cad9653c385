//! `GET /api/v1/environments/{namespace}/{name}/running`: what the services of an environment run.

use axum::response::Response;
use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use crate::access::Attributes;
use crate::auth::Identity;
use crate::error::{Reason, Status};
use crate::kubernetes::access;
use crate::kubernetes::negotiate::Accept;
use crate::plan::{PlanError, RunningService};
use crate::server::Server;
use crate::store::Key;

const GROUP: &str = "mirage.dev";
const VERSION: &str = "v1alpha1";
const RESOURCE: &str = "environments";

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
    let planner = server.planner.as_ref().ok_or_else(|| {
        Status::new(
            Reason::ServiceUnavailable,
            "this server knows no Railway: it serves the API only",
        )
    })?;
    let kind = server
        .registry
        .find(GROUP, VERSION, RESOURCE)
        .ok_or_else(Status::unknown_path)?;
    let asked = Attributes {
        verb: "get",
        group: GROUP,
        resource: RESOURCE,
        namespace,
        name,
        ..Attributes::default()
    };
    access::check(server, identity, &asked).await?;
    let stored = server
        .store
        .get(&Key::new(kind.resource(), namespace, name))
        .await
        .map_err(|error| Status::from_store(kind, name, error))?;
    let Some(stored) = stored else {
        return Err(Status::new(
            Reason::NotFound,
            format!("environments.mirage.dev \"{name}\" not found"),
        )
        .about(GROUP, "Environment", name));
    };
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
        Err(PlanError::Invalid(message)) => {
            Err(Status::new(Reason::Invalid, message).about(GROUP, "Environment", name))
        }
        Err(PlanError::Unavailable(message)) => {
            Err(Status::new(Reason::ServiceUnavailable, message).retry_after(5))
        }
    }
}
