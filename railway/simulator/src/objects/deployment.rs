//! Deployments, their steps and their logs.

use serde_json::{Value, json};

use super::{Answer, unknown};
use crate::config::defaults;
use crate::engine::{Context, Entity, Resolved};
use crate::lifecycle::deploy;
use crate::objects::environment::derived_id;
use crate::state::{Deployment, DeploymentStatus as Status, LogLine, World};

pub(super) fn deployment(context: &Context<'_>, id: &str, name: &str) -> Answer {
    let world = context.world.borrow();
    let found = world.deployment(id)?;
    Ok(match name {
        "id" => found.id.clone().into(),
        "status" => <&str>::from(found.status).into(),
        "statusUpdatedAt" => world.iso(found.status_since).into(),
        "createdAt" => world.iso(found.created).into(),
        "updatedAt" => world.iso(found.updated).into(),
        "serviceId" => found.service.clone().into(),
        "environmentId" => found.environment.clone().into(),
        "projectId" => found.project.clone().into(),
        "environment" => Resolved::Entity(Entity::Environment(found.environment.clone())),
        "service" => Resolved::Entity(Entity::Service(found.service.clone())),
        "canRedeploy" => (!found.status.is_progressing()).into(),
        "canRollback" => deploy::can_roll_back(&world, found).into(),
        "deploymentStopped" => found.stopped.into(),
        "snapshotId" => derived_id(&[id, "snapshot"]).into(),
        "creator" | "diagnosis" => Value::Null.into(),
        "sockets" => json!([]).into(),
        "suggestAddServiceDomain" => false.into(),
        "url" | "staticUrl" => url(&world, found).into(),
        "instances" => instances(found).into(),
        "meta" => meta(found).into(),
        _ => return unknown("Deployment", name),
    })
}

fn url(world: &World, deployment: &Deployment) -> Option<String> {
    let instance = world
        .instance(&deployment.environment, &deployment.service)
        .ok()?;
    instance
        .custom_domains
        .keys()
        .chain(instance.service_domains.keys())
        .next()
        .cloned()
}

fn instances(deployment: &Deployment) -> Value {
    let status = match deployment.status {
        Status::Success if deployment.stopped => "EXITED",
        Status::Success => "RUNNING",
        Status::Sleeping => "STOPPED",
        Status::Crashed => "CRASHED",
        Status::Deploying => "INITIALIZING",
        Status::Removing => "REMOVING",
        Status::Removed => "REMOVED",
        _ => return json!([]),
    };
    let replicas = deployment.config.as_object().map_or(1, defaults::replicas);
    (0..replicas)
        .map(|n| json!({"id": derived_id(&[&deployment.id, &n.to_string()]), "status": status}))
        .collect()
}

/// Carries what was deployed; never a variable.
fn meta(deployment: &Deployment) -> Value {
    let config = deployment
        .config
        .as_object()
        .map(defaults::fill)
        .unwrap_or_default();
    let mut meta = json!({
        "serviceManifest": {"build": config.get("build"), "deploy": config.get("deploy")},
        "image": deployment.image(),
        "repo": deployment.repo(),
        "reason": "deploy",
    });
    if deployment.repo().is_some() {
        meta["branch"] = config["source"]["branch"].clone();
        meta["commitHash"] = json!(deployment.commit);
        meta["commitMessage"] = json!("Simulated commit");
        meta["commitAuthor"] = json!("developer");
    }
    meta
}

/// The entries of `deploymentEvents`.
pub(crate) fn steps(world: &World, deployment: &Deployment) -> Vec<Entity> {
    deployment
        .steps
        .iter()
        .map(|step| {
            Entity::Record(json!({
                "id": step.id,
                "step": step.step,
                "createdAt": world.iso(step.created),
                "completedAt": step.completed.map(|at| world.iso(at)),
                "payload": {
                    "error": step.error,
                    "durationMs": step.completed.map(|at| at - step.created),
                },
            }))
        })
        .collect()
}

/// A line as the log queries show it.
pub(crate) fn log_line(world: &World, deployment: &Deployment, line: &LogLine) -> Value {
    json!({
        // Nanoseconds, as the real ones have.
        "timestamp": format!("{:.9}", world.date(line.at)),
        "message": line.message,
        "severity": line.severity,
        "attributes": [{"key": "level", "value": format!("\"{}\"", line.severity)}],
        "tags": {
            "projectId": deployment.project,
            "environmentId": deployment.environment,
            "serviceId": deployment.service,
            "deploymentId": deployment.id,
            "deploymentInstanceId": derived_id(&[&deployment.id, "0"]),
            "snapshotId": derived_id(&[&deployment.id, "snapshot"]),
        },
    })
}
