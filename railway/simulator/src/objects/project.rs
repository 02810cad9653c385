//! Projects and what exists once in each.

use serde_json::{Value, json};

use super::{Answer, Arguments, unknown};
use crate::engine::{Context, Entity, Resolved};
use crate::state::World;

/// A project's listed environments, oldest first.
pub(crate) fn environments(
    context: &Context<'_>,
    world: &World,
    id: &str,
    arguments: &Arguments,
) -> Vec<Entity> {
    let Ok(project) = world.project(id) else {
        return Vec::new();
    };
    let ephemeral = arguments.get("isEphemeral").and_then(Value::as_bool);
    let mut all: Vec<Entity> = project
        .environments
        .iter()
        .filter_map(|id| world.environments.get(id))
        .filter(|environment| context.mutation || environment.visible_at <= world.now)
        .filter(|environment| ephemeral.is_none_or(|wanted| environment.is_ephemeral == wanted))
        .map(|environment| Entity::Environment(environment.id.clone()))
        .collect();
    if arguments.get("sort") == Some(&json!("desc")) {
        all.reverse();
    }
    all
}

pub(super) fn project(
    context: &Context<'_>,
    id: &str,
    name: &str,
    arguments: &Arguments,
) -> Answer {
    let world = context.world.borrow();
    let found = world.project(id)?;
    let seen = |visible_at: i64| context.mutation || visible_at <= world.now;
    let date = |at: Option<i64>| at.map_or(Value::Null, |at| world.iso(at).into());
    Ok(match name {
        "id" => found.id.clone().into(),
        "name" => found.name.clone().into(),
        "description" => found.description.clone().into(),
        "workspaceId" => found.workspace.clone().into(),
        "workspace" => Resolved::Entity(Entity::Workspace(found.workspace.clone())),
        "team" | "teamId" => Value::Null.into(),
        "createdAt" => world.iso(found.created).into(),
        "updatedAt" => world.iso(found.updated).into(),
        "deletedAt" => date(found.deleted_at).into(),
        "expiredAt" => Value::Null.into(),
        "isPublic" => found.is_public.into(),
        "isTempProject" => false.into(),
        "prDeploys" => found.pr_deploys.into(),
        "botPrEnvironments" => found.bot_pr_environments.into(),
        "focusedPrEnvironments" => found.focused_pr_environments.into(),
        "subscriptionType" => {
            let plan = world.workspaces.get(&found.workspace).map(|w| w.plan);
            plan.unwrap_or_default().to_string().into()
        }
        "subscriptionPlanLimit" => json!({}).into(),
        "baseEnvironmentId" | "primaryEnvironmentId" => found.base_environment.clone().into(),
        "baseEnvironment" => match &found.base_environment {
            Some(id) if world.environments.contains_key(id) => {
                Resolved::Entity(Entity::Environment(id.clone()))
            }
            _ => Value::Null.into(),
        },
        "environments" => Resolved::Page(environments(context, &world, id, arguments)),
        "services" => Resolved::Page(
            found
                .services
                .iter()
                .filter_map(|id| world.services.get(id))
                .filter(|service| seen(service.visible_at))
                .map(|service| Entity::Service(service.id.clone()))
                .collect(),
        ),
        "volumes" => Resolved::Page(
            found
                .volumes
                .iter()
                .filter_map(|id| world.volumes.get(id))
                .filter(|volume| seen(volume.visible_at))
                .map(|volume| Entity::Volume(volume.id.clone()))
                .collect(),
        ),
        "buckets" => Resolved::Page(found.buckets.iter().cloned().map(Entity::Bucket).collect()),
        "deployments" => {
            let mut all: Vec<_> = found
                .environments
                .iter()
                .filter_map(|id| world.environments.get(id))
                .flat_map(|environment| environment.instances.values())
                .flat_map(|instance| &instance.deployments)
                .collect();
            all.sort_by_key(|deployment| std::cmp::Reverse((deployment.created, &deployment.id)));
            Resolved::Page(
                all.into_iter()
                    .map(|deployment| Entity::Deployment(deployment.id.clone()))
                    .collect(),
            )
        }
        _ => return unknown("Project", name),
    })
}

pub(super) fn service(context: &Context<'_>, id: &str, name: &str) -> Answer {
    let world = context.world.borrow();
    let found = world.service(id)?;
    let places = || {
        world
            .projects
            .get(&found.project)
            .into_iter()
            .flat_map(|project| &project.environments)
            .filter_map(|id| world.environments.get(id))
            .filter_map(|environment| Some((environment, environment.instances.get(id)?)))
    };
    Ok(match name {
        "id" => found.id.clone().into(),
        "name" => found.name.clone().into(),
        "icon" => found.icon.clone().into(),
        "projectId" => found.project.clone().into(),
        "project" => Resolved::Entity(Entity::Project(found.project.clone())),
        "createdAt" => world.iso(found.created).into(),
        "updatedAt" => world.iso(found.updated).into(),
        "deletedAt" | "groupId" | "templateId" | "templateServiceId" | "templateThreadSlug" => {
            Value::Null.into()
        }
        "isRestricted" | "hasHiddenRegistryCredentialsFromTemplate" => false.into(),
        "serviceInstances" => Resolved::Page(
            places()
                .map(|(environment, _)| Entity::Instance {
                    environment: environment.id.clone(),
                    service: id.to_owned(),
                })
                .collect(),
        ),
        "deployments" => Resolved::Page(
            places()
                .flat_map(|(_, instance)| instance.deployments.iter().rev())
                .map(|deployment| Entity::Deployment(deployment.id.clone()))
                .collect(),
        ),
        _ => return unknown("Service", name),
    })
}

pub(super) fn bucket(context: &Context<'_>, id: &str, name: &str) -> Answer {
    let world = context.world.borrow();
    let Some(found) = world.buckets.get(id) else {
        return Err(crate::refusal::Refusal::NotFound("BucketInstance"));
    };
    Ok(match name {
        "id" => found.id.clone().into(),
        "name" => found.name.clone().into(),
        "projectId" => found.project.clone().into(),
        "project" => Resolved::Entity(Entity::Project(found.project.clone())),
        "createdAt" | "updatedAt" => world.iso(found.created).into(),
        "groupId" => Value::Null.into(),
        _ => return unknown("Bucket", name),
    })
}
