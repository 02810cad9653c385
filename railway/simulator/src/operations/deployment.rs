//! Deployments: listed, started, stopped.

use serde_json::Value;

use super::service::is_deployable;
use super::{Handled, input, optional, text};
use crate::engine::{Context, Entity, Resolved};
use crate::lifecycle::{deploy, environment, run};
use crate::objects::{Answer, Arguments, deployment_steps};
use crate::refusal::Refusal;
use crate::state::{Deployment, DeploymentStatus as Status, Id, World};

pub(super) fn query(context: &Context<'_>, name: &str, arguments: &Arguments) -> Handled {
    let id = text(arguments, "id");
    Some(match name {
        "deployment" => {
            permitted(context, id).map(|_| Resolved::Entity(Entity::Deployment(id.to_owned())))
        }
        "deployments" => list(context, &input(arguments)),
        "deploymentEvents" => permitted(context, id)
            .map(|found| Resolved::Page(deployment_steps(&context.world.borrow(), &found))),
        _ => return None,
    })
}

pub(super) fn mutation(context: &Context<'_>, name: &str, arguments: &Arguments) -> Handled {
    let id = text(arguments, "id");
    let environment = text(arguments, "environmentId");
    let service = text(arguments, "serviceId");
    Some(match name {
        "serviceInstanceDeployV2" => {
            let commit = optional(arguments, "commitSha").map(str::to_owned);
            start(context, environment, service, commit).map(Into::into)
        }
        "serviceInstanceDeploy" => {
            let commit = optional(arguments, "commitSha").map(str::to_owned);
            start(context, environment, service, commit).map(|_| true.into())
        }
        "serviceInstanceRedeploy" => redeploy_latest(context, environment, service),
        "deploymentRedeploy" => permitted(context, id).and_then(|found| {
            let id = redeploy(context, &found)?;
            Ok(Resolved::Entity(Entity::Deployment(id)))
        }),
        "deploymentRollback" => permitted(context, id).and_then(|found| rollback(context, &found)),
        "deploymentRestart" => act(context, id, |status| status.is_active(), run::restart),
        "deploymentStop" => act(context, id, Status::is_active, run::retire),
        "deploymentCancel" => act(context, id, Status::is_progressing, |world, id| {
            run::set(world, id, Status::Removed);
        }),
        "deploymentRemove" => act(
            context,
            id,
            |status| !matches!(status, Status::Removing | Status::Removed),
            run::retire,
        ),
        "deploymentApprove" => act(
            context,
            id,
            |status| status == Status::NeedsApproval,
            run::approve,
        ),
        _ => return None,
    })
}

/// The deployment, if the caller may touch it.
pub(super) fn permitted(context: &Context<'_>, id: &str) -> Result<Deployment, Refusal> {
    let world = context.world.borrow();
    let found = world.deployment(id)?.clone();
    context.grant.may_environment(&world, &found.environment)?;
    Ok(found)
}

fn list(context: &Context<'_>, input: &Arguments) -> Answer {
    let world = context.world.borrow();
    let environment = optional(input, "environmentId");
    let project = optional(input, "projectId");
    let service = optional(input, "serviceId");
    match (environment, project) {
        (Some(environment), _) => context.grant.may_environment(&world, environment)?,
        (None, Some(project)) => context.grant.may_project(&world, project)?,
        (None, None) => return Err(Refusal::Problem),
    }
    let deleted = super::flag(input, "includeDeleted");
    let status = |key: &str| -> Option<Vec<&str>> {
        let list = input.get("status")?.get(key)?.as_array()?;
        Some(list.iter().filter_map(Value::as_str).collect())
    };
    let (within, outside) = (status("in"), status("notIn"));
    let mut all: Vec<&Deployment> = world
        .environments
        .values()
        .filter(|found| environment.is_none_or(|id| found.id == id))
        .filter(|found| project.is_none_or(|id| found.project == id))
        .flat_map(|found| found.instances.values())
        .filter(|found| service.is_none_or(|id| found.service == id))
        .flat_map(|found| &found.deployments)
        .filter(|found| {
            let name: &str = found.status.into();
            // A status that is asked for by name is shown even when it counts as deleted.
            let asked = within.as_ref().is_some_and(|list| list.contains(&name));
            (deleted || asked || found.status != Status::Removed)
                && within.as_ref().is_none_or(|list| list.contains(&name))
                && outside.as_ref().is_none_or(|list| !list.contains(&name))
        })
        .collect();
    all.sort_by_key(|found| std::cmp::Reverse((found.created, &found.id)));
    Ok(Resolved::Page(
        all.into_iter()
            .map(|found| Entity::Deployment(found.id.clone()))
            .collect(),
    ))
}

fn start(
    context: &Context<'_>,
    place: &str,
    service: &str,
    commit: Option<String>,
) -> Result<Id, Refusal> {
    let mut world = context.world.borrow_mut();
    context.grant.may_environment(&world, place)?;
    world.instance(place, service)?;
    if !is_deployable(&world, place, service) {
        return Err(Refusal::Problem);
    }
    environment::deploy_service(&mut world, place, service, commit)
}

fn redeploy_latest(context: &Context<'_>, place: &str, service: &str) -> Answer {
    let latest = {
        let world = context.world.borrow();
        context.grant.may_environment(&world, place)?;
        world
            .instance(place, service)?
            .deployments
            .last()
            .cloned()
            .ok_or(Refusal::NotFound("Deployment"))?
    };
    redeploy(context, &latest)?;
    Ok(true.into())
}

fn redeploy(context: &Context<'_>, old: &Deployment) -> Result<Id, Refusal> {
    if old.status.is_progressing() {
        return Err(Refusal::StillBuilding);
    }
    let mut world = context.world.borrow_mut();
    let start = deploy::Start {
        commit: old.commit.clone(),
        ..deploy::Start::default()
    };
    deploy::begin(
        &mut world,
        &old.project,
        &old.environment,
        &old.service,
        start,
    )
}

/// Restores the image and the variables of then, as a new deployment (Railway docs).
fn rollback(context: &Context<'_>, old: &Deployment) -> Answer {
    let mut world = context.world.borrow_mut();
    if !deploy::can_roll_back(&world, old) {
        return Err(Refusal::Input(
            "This deployment can no longer be rolled back to".to_owned(),
        ));
    }
    let start = deploy::Start {
        commit: old.commit.clone(),
        config: Some(old.config.clone()),
        ..deploy::Start::default()
    };
    deploy::begin(
        &mut world,
        &old.project,
        &old.environment,
        &old.service,
        start,
    )?;
    Ok(true.into())
}

fn act(
    context: &Context<'_>,
    id: &str,
    possible: impl Fn(Status) -> bool,
    change: impl Fn(&mut World, &str),
) -> Answer {
    let found = permitted(context, id)?;
    if !possible(found.status) {
        return Err(Refusal::Problem);
    }
    change(&mut context.world.borrow_mut(), id);
    Ok(true.into())
}
