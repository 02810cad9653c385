//! Starting deployments, alone or as an ordered batch.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

use crate::config::references::{Reference, references_of};
use crate::refusal::Refusal;
use crate::state::{Deployment, DeploymentStatus, Event, Id, World};

/// Deploys those of the services that have a source, referenced ones first (Railway docs: deployment dependencies).
/// Services of the batch that reference each other in a circle go in parallel.
pub(crate) fn batch(world: &mut World, environment: &str, services: &[Id]) -> Vec<Id> {
    let Ok(found) = world.environment(environment) else {
        return Vec::new();
    };
    let deployable: Vec<Id> = services
        .iter()
        .filter(|id| found.instances.contains_key(*id) && has_source(found.service_config(id)))
        .cloned()
        .collect();
    let project = found.project.clone();
    let mut names = BTreeMap::new();
    for id in &deployable {
        if let Some(service) = world.services.get(id) {
            names.insert(service.name.to_lowercase(), id.clone());
        }
    }
    let mut needs: BTreeMap<Id, BTreeSet<Id>> = BTreeMap::new();
    for id in &deployable {
        let references = references_of(found.service_config(id));
        let others = references
            .into_iter()
            .filter_map(|reference| match reference {
                Reference::Service { service, .. } => names.get(&service.to_lowercase()).cloned(),
                _ => None,
            })
            .filter(|other| other != id)
            .collect();
        needs.insert(id.clone(), others);
    }
    let order = acyclic(&deployable, &mut needs);
    let mut started: BTreeMap<Id, Id> = BTreeMap::new();
    let mut deployments = Vec::new();
    for service in order {
        let waits_for = needs
            .get(&service)
            .into_iter()
            .flatten()
            .filter_map(|other| started.get(other).cloned())
            .collect();
        let start = Start {
            waits_for,
            ..Start::default()
        };
        if let Ok(id) = begin(world, &project, environment, &service, start) {
            started.insert(service, id.clone());
            deployments.push(id);
        }
    }
    deployments
}

/// Drops needs that lie on a circle and returns an order in which needs come first.
fn acyclic(services: &[Id], needs: &mut BTreeMap<Id, BTreeSet<Id>>) -> Vec<Id> {
    let reaches = |needs: &BTreeMap<Id, BTreeSet<Id>>, from: &Id, to: &Id| {
        let mut open = vec![from.clone()];
        let mut seen = BTreeSet::new();
        while let Some(id) = open.pop() {
            for next in needs.get(&id).into_iter().flatten() {
                if next == to {
                    return true;
                }
                if seen.insert(next.clone()) {
                    open.push(next.clone());
                }
            }
        }
        false
    };
    let whole = needs.clone();
    for (id, others) in needs.iter_mut() {
        others.retain(|other| !reaches(&whole, other, id));
    }
    let mut order: Vec<Id> = Vec::new();
    while order.len() < services.len() {
        let before = order.len();
        for id in services {
            let ready = needs[id].iter().all(|other| order.contains(other));
            if ready && !order.contains(id) {
                order.push(id.clone());
            }
        }
        if order.len() == before {
            break;
        }
    }
    order
}

/// Whether there is anything to deploy.
pub(crate) fn has_source(config: &serde_json::Map<String, Value>) -> bool {
    config.get("source").is_some_and(|source| {
        ["image", "repo"].iter().any(|key| {
            source
                .get(key)
                .and_then(Value::as_str)
                .is_some_and(|s| !s.is_empty())
        })
    })
}

/// How a deployment is started.
#[derive(Debug, Default)]
pub(crate) struct Start {
    pub(crate) waits_for: Vec<Id>,
    pub(crate) commit: Option<String>,
    /// Settings of an earlier deployment instead of the present ones.
    pub(crate) config: Option<Value>,
}

/// Starts one deployment.
pub(crate) fn begin(
    world: &mut World,
    project: &str,
    environment: &str,
    service: &str,
    start: Start,
) -> Result<Id, Refusal> {
    let workspace = world.project(project)?.workspace.clone();
    if world.workspaces.get(&workspace).is_some_and(|w| w.halted) {
        return Err(Refusal::Input(
            "Usage limit reached: raise the limit to deploy again".to_owned(),
        ));
    }
    let found = world.environment(environment)?;
    let config = start
        .config
        .unwrap_or_else(|| Value::Object(found.service_config(service).clone()));
    if !config.as_object().is_some_and(has_source) {
        return Err(Refusal::NotFound("Deployment"));
    }
    let name = world.service(service)?.name.clone();
    let now = world.now;
    let ending = {
        let World { faults, random, .. } = world;
        faults
            .ending(now, random, &[name.as_str(), service, environment])
            .unwrap_or_default()
    };
    let id = world.uuid();
    let commit = start.commit.or_else(|| {
        config["source"]["repo"]
            .as_str()
            .map(|_| world.random.text(40, "0123456789abcdef"))
    });
    let deployment = Deployment {
        id: id.clone(),
        environment: environment.to_owned(),
        service: service.to_owned(),
        project: project.to_owned(),
        status: DeploymentStatus::Initializing,
        created: now,
        updated: now,
        status_since: now,
        stopped: false,
        config,
        commit,
        image_gone: false,
        ending,
        waits_for: start.waits_for,
        steps: Vec::new(),
        build_logs: Vec::new(),
        deploy_logs: Vec::new(),
    };
    let superseded: Vec<Id> = world
        .instance(environment, service)?
        .deployments
        .iter()
        .filter(|old| old.status.is_progressing())
        .map(|old| old.id.clone())
        .collect();
    for old in superseded {
        let old = world.deployment_mut(&old)?;
        old.status = DeploymentStatus::Removed;
        old.status_since = now;
        old.updated = now;
    }
    forget_oldest(world, environment, service)?;
    world
        .deployments
        .insert(id.clone(), (environment.to_owned(), service.to_owned()));
    world
        .instance_mut(environment, service)?
        .deployments
        .push(deployment);
    if world.has(crate::quirk::Quirk::EtagMovesOnDeploy) {
        let found = world.environment_mut(environment)?;
        found.etag_salt += 1;
        found.etag = crate::config::etag::etag(&found.config, found.etag_salt);
    }
    let span = world.rules.timing.initializing;
    let due = world.later(span);
    world.agenda.plan(
        due,
        Event::Deployment {
            id: id.clone(),
            to: DeploymentStatus::Queued,
        },
    );
    Ok(id)
}

/// Whether Railway still has the image of a deployment that ran, and so can go back to it (Railway docs: image retention).
pub(crate) fn can_roll_back(world: &World, deployment: &Deployment) -> bool {
    let kept_hours = world
        .project(&deployment.project)
        .ok()
        .and_then(|project| world.workspaces.get(&project.workspace))
        .map_or(0, |workspace| workspace.plan.image_retention_hours());
    let ran = matches!(
        deployment.status,
        DeploymentStatus::Removed | DeploymentStatus::Removing | DeploymentStatus::Success
    );
    ran && !deployment.image_gone
        && world.now - deployment.created < kept_hours.saturating_mul(3_600_000)
}

/// How many deployments of an instance are remembered: a long-lived world must not grow without end.
const REMEMBERED: usize = 50;

fn forget_oldest(world: &mut World, environment: &str, service: &str) -> Result<(), Refusal> {
    let instance = world.instance_mut(environment, service)?;
    if instance.deployments.len() < REMEMBERED {
        return Ok(());
    }
    let oldest = instance
        .deployments
        .iter()
        .position(|deployment| deployment.status == DeploymentStatus::Removed);
    if let Some(place) = oldest {
        let forgotten = instance.deployments.remove(place);
        world.deployments.remove(&forgotten.id);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_come_first_and_circles_are_cut() {
        let services: Vec<Id> = ["web", "api", "db", "a", "b"].map(str::to_owned).to_vec();
        let mut needs: BTreeMap<Id, BTreeSet<Id>> = BTreeMap::new();
        let set = |items: &[&str]| items.iter().map(|s| (*s).to_owned()).collect();
        needs.insert("web".into(), set(&["api"]));
        needs.insert("api".into(), set(&["db"]));
        needs.insert("db".into(), set(&[]));
        needs.insert("a".into(), set(&["b", "db"]));
        needs.insert("b".into(), set(&["a"]));
        let order = acyclic(&services, &mut needs);
        let place = |name: &str| order.iter().position(|id| id == name).unwrap();
        assert!(place("db") < place("api") && place("api") < place("web"));
        assert!(needs["b"].is_empty() && needs["a"] == set(&["db"]));
        assert_eq!(order.len(), 5);
    }
}
