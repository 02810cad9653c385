//! Environments as such.

use serde_json::{Value, json};

use super::{Handled, absent, environment_of_project, flag, input, optional, text};
use crate::engine::{Context, Entity, Resolved};
use crate::lifecycle::environment as lifecycle;
use crate::objects::project_environments;
use crate::objects::{Answer, Arguments};
use crate::quirk::Quirk;
use crate::refusal::Refusal;
use crate::state::{Event, Grant};

pub(super) fn query(context: &Context<'_>, name: &str, arguments: &Arguments) -> Handled {
    Some(match name {
        "environment" => environment(context, arguments),
        "environments" => environments(context, arguments),
        "deploymentTriggers" => triggers(context, arguments),
        "workflowStatus" => workflow(context, text(arguments, "workflowId")),
        _ => return None,
    })
}

pub(super) fn mutation(context: &Context<'_>, name: &str, arguments: &Arguments) -> Handled {
    Some(match name {
        "environmentCreate" => create(context, &input(arguments)),
        "environmentDelete" => delete(context, text(arguments, "id")),
        "environmentRename" => rename(
            context,
            text(arguments, "id"),
            text(&input(arguments), "name"),
        ),
        "environmentTriggersDeploy" => trigger_deploy(context, &input(arguments)),
        _ => return None,
    })
}

fn environment(context: &Context<'_>, arguments: &Arguments) -> Answer {
    let id = text(arguments, "id");
    {
        let world = context.world.borrow();
        let found = world.environment(id)?;
        if found.visible_at > world.now && !context.mutation {
            return Err(Refusal::NotFound("Environment"));
        }
        if let Some(project) = optional(arguments, "projectId")
            && found.project != project
        {
            return Err(Refusal::NotFound("Environment"));
        }
        // The outside of an environment without access is still shown; its contents are refused field by field.
        if found.can_access {
            context.grant.may_environment(&world, id)?;
        } else {
            context.grant.may_project(&world, &found.project)?;
        }
    }
    Ok(Resolved::Entity(Entity::Environment(id.to_owned())))
}

fn environments(context: &Context<'_>, arguments: &Arguments) -> Answer {
    let project = text(arguments, "projectId");
    let world = context.world.borrow();
    world.project(project)?;
    context.grant.may_project(&world, project)?;
    Ok(Resolved::Page(project_environments(
        context, &world, project, arguments,
    )))
}

fn triggers(context: &Context<'_>, arguments: &Arguments) -> Answer {
    let id = text(arguments, "environmentId");
    environment_of_project(context, text(arguments, "projectId"), id)?;
    let service = text(arguments, "serviceId");
    let world = context.world.borrow();
    let all = crate::objects::triggers(world.environment(id)?)
        .into_iter()
        .filter(
            |trigger| matches!(trigger, Entity::Record(record) if record["serviceId"] == service),
        )
        .collect();
    Ok(Resolved::Page(all))
}

fn workflow(context: &Context<'_>, id: &str) -> Answer {
    let world = context.world.borrow();
    let Some(workflow) = world.workflows.get(id) else {
        return Ok(json!({"status": "NotFound", "error": null}).into());
    };
    let status = match workflow {
        unseen if unseen.visible_at > world.now => "NotFound",
        failed if failed.error.is_some() => "Error",
        done if done.done => "Complete",
        _ => "Running",
    };
    Ok(json!({"status": status, "error": workflow.error}).into())
}

fn refuse_narrow_tokens(context: &Context<'_>) -> Result<(), Refusal> {
    let world = context.world.borrow();
    match context.grant {
        Grant::Project { .. } => Err(Refusal::NotAuthorized),
        Grant::Workspace(_) if world.has(Quirk::WorkspaceTokenCannotCreateEnvironments) => {
            Err(Refusal::NotAuthorized)
        }
        _ => Ok(()),
    }
}

fn create(context: &Context<'_>, input: &Arguments) -> Answer {
    refuse_narrow_tokens(context)?;
    let mut world = context.world.borrow_mut();
    let project = text(input, "projectId");
    let found = world.project(project)?;
    if found.deleted_at.is_some() {
        return Err(Refusal::NotFound("Project"));
    }
    let workspace = found.workspace.clone();
    context.grant.may_project(&world, project)?;
    let source = optional(input, "sourceEnvironmentId").map(str::to_owned);
    if let Some(source) = &source
        && world.environment(source)?.project != project
    {
        return Err(Refusal::NotFound("Environment"));
    }
    let name = text(input, "name");
    let taken = world.environment_named(project, name).is_some()
        || world
            .project(project)?
            .reserved_names
            .get(name)
            .is_some_and(|until| *until > world.now);
    if taken {
        return Err(Refusal::EnvironmentNameTaken);
    }
    let refusal = match context.grant {
        Grant::Account => Refusal::WhoaThere,
        _ => Refusal::TooQuickly {
            plural: "environments",
            singular: "environment",
        },
    };
    world.throttle("environment", &workspace, refusal)?;
    let id = lifecycle::add(
        &mut world,
        project,
        name,
        source.clone(),
        flag(input, "ephemeral"),
    )?;
    let span = world.rules.timing.environment_create;
    let takes = world.random.span(span);
    if let Some(source) = source {
        let deploy = !flag(input, "skipInitialDeploys");
        let stage = flag(input, "stageInitialChanges");
        if takes == 0 {
            lifecycle::fill_clone(&mut world, &id, &source, deploy, stage)?;
        } else {
            let due = world.now + takes;
            world.agenda.plan(
                due,
                Event::FillClone {
                    environment: id.clone(),
                    source,
                    deploy,
                    stage,
                },
            );
        }
    }
    if !flag(input, "applyChangesInBackground") {
        context.delay.set(context.delay.get() + takes);
    }
    Ok(Resolved::Entity(Entity::Environment(id)))
}

fn delete(context: &Context<'_>, id: &str) -> Answer {
    refuse_narrow_tokens(context)?;
    let found = {
        let world = context.world.borrow();
        world.environment(id).map(|found| {
            let only = world
                .projects
                .get(&found.project)
                .is_some_and(|project| project.environments.len() == 1);
            (found.project.clone(), only)
        })
    };
    let (project, only) = found.map_err(|refusal| absent(context, refusal))?;
    let mut world = context.world.borrow_mut();
    context.grant.may_project(&world, &project)?;
    if only {
        return Err(Refusal::Input(
            "Cannot delete the only environment of a project".to_owned(),
        ));
    }
    lifecycle::delete(&mut world, id)?;
    Ok(true.into())
}

fn rename(context: &Context<'_>, id: &str, name: &str) -> Answer {
    let mut world = context.world.borrow_mut();
    context.grant.may_environment(&world, id)?;
    let project = world.environment(id)?.project.clone();
    if world
        .environment_named(&project, name)
        .is_some_and(|other| other.id != id)
    {
        return Err(Refusal::EnvironmentNameTaken);
    }
    let now = world.now;
    let found = world.environment_mut(id)?;
    found.name = name.to_owned();
    found.updated = now;
    Ok(Resolved::Entity(Entity::Environment(id.to_owned())))
}

fn trigger_deploy(context: &Context<'_>, input: &Arguments) -> Answer {
    let id = text(input, "environmentId");
    environment_of_project(context, text(input, "projectId"), id)?;
    let mut world = context.world.borrow_mut();
    lifecycle::deploy_service(&mut world, id, text(input, "serviceId"), None)?;
    Ok(Value::Bool(true).into())
}
