//! Faults and quirks that change a good answer.

use serde_json::{Value, json};

use super::Call;
use crate::engine::Prepared;
use crate::fault::FaultKind;
use crate::quirk::Quirk;
use crate::refusal::Refusal;
use crate::state::World;

pub(super) fn distort(body: &mut Value, call: &Call, world: &World) {
    if world.has(Quirk::TcpProxiesNull) {
        for (key, _) in call
            .prepared
            .fields
            .iter()
            .filter(|(_, name)| name == "tcpProxies")
        {
            if body["data"][key.as_str()] == json!([]) {
                body["data"][key.as_str()] = Value::Null;
            }
        }
    }
    for strike in &call.strikes {
        match &strike.kind {
            FaultKind::PartialData => partial(body, &call.prepared),
            FaultKind::UnknownDeploymentStatus { status } => {
                rename_status(&mut body["data"], status)
            }
            _ => {}
        }
    }
}

fn partial(body: &mut Value, prepared: &Prepared) {
    let Some((key, _)) = prepared.fields.last() else {
        return;
    };
    let error = json!({
        "message": Refusal::Problem.to_string(),
        "path": [key],
        "extensions": {"code": "INTERNAL_SERVER_ERROR"},
    });
    if prepared.fields.len() > 1 {
        body["data"][key.as_str()] = Value::Null;
    } else {
        body["data"] = Value::Null;
    }
    match body["errors"].as_array_mut() {
        Some(errors) => errors.push(error),
        None => body["errors"] = json!([error]),
    }
}

fn rename_status(value: &mut Value, status: &str) {
    match value {
        Value::Object(map) => {
            let is_deployment = map.contains_key("deploymentStopped")
                || map.contains_key("statusUpdatedAt")
                || map.contains_key("canRedeploy");
            for (key, inner) in map.iter_mut() {
                if key == "status" && is_deployment {
                    *inner = json!(status);
                } else if matches!(
                    key.as_str(),
                    "latestDeployment" | "activeDeployments" | "deployment"
                ) {
                    rename_deployments(inner, status);
                } else {
                    rename_status(inner, status);
                }
            }
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| rename_status(item, status)),
        _ => {}
    }
}

fn rename_deployments(value: &mut Value, status: &str) {
    match value {
        Value::Object(map) => {
            if let Some(slot) = map.get_mut("status") {
                *slot = json!(status);
            }
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| rename_deployments(item, status)),
        _ => {}
    }
}
