//! The endpoints below `/_simulator`.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::time::Duration;

use crate::edit::DashboardEdit;
use crate::fault::{Fault, FaultId};
use crate::quirk::quirks;
use crate::request::json_answer;
use crate::simulator::Simulator;

/// What `advance` and the fault endpoints take besides a fault.
#[derive(serde::Deserialize)]
struct Seconds {
    seconds: f64,
}

#[derive(serde::Deserialize)]
struct Which {
    id: FaultId,
}

fn ok(body: &impl serde::Serialize) -> Response<Bytes> {
    match serde_json::to_value(body) {
        Ok(body) => json_answer(StatusCode::OK, &body),
        Err(error) => failed(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

fn failed(status: StatusCode, message: &str) -> Response<Bytes> {
    json_answer(status, &json!({"error": message}))
}

fn read<T: DeserializeOwned>(request: &Request<Bytes>) -> Result<T, Box<Response<Bytes>>> {
    serde_json::from_slice(request.body())
        .map_err(|error| Box::new(failed(StatusCode::BAD_REQUEST, &error.to_string())))
}

/// A parameter of the query string.
fn parameter(request: &Request<Bytes>, name: &str) -> Option<String> {
    let query = request.uri().query()?;
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

pub(crate) async fn respond(simulator: &Simulator, request: &Request<Bytes>) -> Response<Bytes> {
    match routed(simulator, request).await {
        Ok(answer) => answer,
        Err(answer) => *answer,
    }
}

async fn routed(
    simulator: &Simulator,
    request: &Request<Bytes>,
) -> Result<Response<Bytes>, Box<Response<Bytes>>> {
    let on = |name: &str| parameter(request, name).is_some_and(|value| value != "0");
    Ok(match (request.method(), request.uri().path()) {
        (&Method::GET, "/_simulator/requests") if on("log") => ok(&simulator.log()),
        (&Method::GET, "/_simulator/requests") => ok(&simulator.requests()),
        (&Method::POST, "/_simulator/requests/reset") => {
            simulator.reset_requests();
            ok(&json!({}))
        }
        (&Method::GET, "/_simulator/inventory") if on("values") => {
            ok(&simulator.inventory_with_values())
        }
        (&Method::GET, "/_simulator/inventory") => ok(&simulator.inventory()),
        (&Method::GET, "/_simulator/quirks") => ok(&quirks()),
        (&Method::GET, "/_simulator/clock") => ok(&json!({"now": simulator.now()})),
        (&Method::POST, "/_simulator/advance") => {
            let Seconds { seconds } = read(request)?;
            let time = Duration::try_from_secs_f64(seconds)
                .map_err(|error| Box::new(failed(StatusCode::BAD_REQUEST, &error.to_string())))?;
            simulator.advance(time);
            ok(&json!({"now": simulator.now()}))
        }
        (&Method::POST, "/_simulator/edit") => {
            let edit: DashboardEdit = read(request)?;
            simulator.edit(edit).map_err(|error| {
                Box::new(failed(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string()))
            })?;
            ok(&json!({}))
        }
        (&Method::GET, "/_simulator/faults") => ok(&reports(simulator)),
        (&Method::POST, "/_simulator/faults") => {
            let fault: Fault = read(request)?;
            ok(&json!({"id": simulator.inject(fault)}))
        }
        (&Method::DELETE, "/_simulator/faults") => {
            match parameter(request, "id").and_then(|id| id.parse().ok()) {
                Some(id) => {
                    simulator.remove_fault(FaultId(id));
                }
                None => simulator.clear_faults(),
            }
            ok(&json!({}))
        }
        (&Method::GET, "/_simulator/faults/held") => {
            let id = parameter(request, "id")
                .and_then(|id| id.parse().ok())
                .ok_or_else(|| Box::new(failed(StatusCode::BAD_REQUEST, "which fault? ?id=…")))?;
            let patience = parameter(request, "wait")
                .and_then(|seconds| seconds.parse().ok())
                .unwrap_or(0);
            // Real seconds: the one who asks lives outside.
            let wait = Duration::from_secs(patience);
            let _ = tokio::time::timeout(wait, simulator.until_held(FaultId(id))).await;
            ok(&json!({"held": simulator.held(FaultId(id))}))
        }
        (&Method::POST, "/_simulator/faults/release") => {
            let Which { id } = read(request)?;
            ok(&json!({"released": simulator.release(id)}))
        }
        _ => failed(StatusCode::NOT_FOUND, "no such control endpoint"),
    })
}

fn reports(simulator: &Simulator) -> Value {
    simulator
        .faults()
        .into_iter()
        .map(|report| {
            let held = simulator.held(report.id);
            let mut report = serde_json::to_value(report).unwrap_or_default();
            report["held"] = json!(held);
            report
        })
        .collect()
}
