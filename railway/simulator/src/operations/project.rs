//! Projects.

use serde_json::{Value, json};

use super::{Handled, absent, flag, input, optional, text};
use crate::engine::{Context, Entity, Resolved};
use crate::lifecycle::environment::{NewProject, create_project, delete_project, note};
use crate::objects::{Answer, Arguments};
use crate::quirk::Quirk;
use crate::refusal::Refusal;
use crate::state::{Event, Grant};

pub(super) fn query(context: &Context<'_>, name: &str, arguments: &Arguments) -> Handled {
    Some(match name {
        "project" => project(context, text(arguments, "id")),
        "projects" => projects(context, arguments),
        "projectsByIds" => projects_by_ids(context, arguments),
        "events" => events(context, arguments),
        _ => return None,
    })
}

pub(super) fn mutation(context: &Context<'_>, name: &str, arguments: &Arguments) -> Handled {
    let id = text(arguments, "id");
    Some(match name {
        "projectCreate" => create(context, &input(arguments)),
        "projectUpdate" => update(context, id, &input(arguments)),
        "projectDelete" | "projectScheduleDeleteForce" => delete(context, id),
        "projectScheduleDelete" => schedule(context, id, true),
        "projectScheduleDeleteCancel" => schedule(context, id, false),
        "bucketCreate" => create_bucket(context, &input(arguments)),
        _ => return None,
    })
}

fn project(context: &Context<'_>, id: &str) -> Answer {
    let world = context.world.borrow();
    let found = world.project(id)?;
    if !context.mutation && found.visible_at > world.now {
        return Err(Refusal::NotFound("Project"));
    }
    context.grant.may_project(&world, id)?;
    let is_project_token = matches!(context.grant, Grant::Project { .. });
    if is_project_token && world.has(Quirk::ProjectTokenCannotReadProject) {
        return Err(Refusal::NotAuthorized);
    }
    Ok(Resolved::Entity(Entity::Project(id.to_owned())))
}

fn projects(context: &Context<'_>, arguments: &Arguments) -> Answer {
    let world = context.world.borrow();
    let workspace = match (optional(arguments, "workspaceId"), &context.grant) {
        (Some(workspace), grant) => {
            grant.may_workspace(workspace)?;
            Some(workspace.to_owned())
        }
        (None, Grant::Workspace(own)) => Some(own.clone()),
        (None, Grant::Project { .. }) => return Err(Refusal::NotAuthorized),
        (None, Grant::Account) => {
            if world.has(Quirk::ProjectsNeedWorkspace) {
                return Ok(Resolved::Page(Vec::new()));
            }
            None
        }
    };
    let deleted = flag(arguments, "includeDeleted");
    let mut all: Vec<_> = world
        .projects
        .values()
        .filter(|project| {
            workspace
                .as_ref()
                .is_none_or(|own| project.workspace == *own)
        })
        .filter(|project| deleted || project.deleted_at.is_none())
        .filter(|project| project.visible_at <= world.now)
        .collect();
    match optional(arguments, "orderBy") {
        Some("NAME_ASC") => all.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id))),
        Some("UPDATED_AT_DESC") => all.sort_by(|a, b| (b.updated, &b.id).cmp(&(a.updated, &a.id))),
        _ => all.sort_by(|a, b| (b.created, &b.id).cmp(&(a.created, &a.id))),
    }
    Ok(Resolved::Page(
        all.into_iter()
            .map(|project| Entity::Project(project.id.clone()))
            .collect(),
    ))
}

/// Those that exist and may be seen; the others are left out without a word (schema).
fn projects_by_ids(context: &Context<'_>, arguments: &Arguments) -> Answer {
    let world = context.world.borrow();
    Ok(Resolved::List(
        arguments
            .get("ids")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .filter(|id| {
                world
                    .projects
                    .get(*id)
                    .is_some_and(|project| project.visible_at <= world.now)
                    && context.grant.may_project(&world, id).is_ok()
            })
            .map(|id| Entity::Project(id.to_owned()))
            .collect(),
    ))
}

fn events(context: &Context<'_>, arguments: &Arguments) -> Answer {
    let id = text(arguments, "projectId");
    let world = context.world.borrow();
    context.grant.may_project(&world, id)?;
    let environment = optional(arguments, "environmentId");
    Ok(Resolved::Page(
        world
            .project(id)?
            .activities
            .iter()
            .rev()
            .filter(|activity| {
                environment.is_none() || activity.environment.as_deref() == environment
            })
            .map(|activity| {
                Entity::Record(json!({
                    "id": activity.id,
                    "action": activity.action,
                    "object": activity.object,
                    "severity": "INFO",
                    "createdAt": world.iso(activity.at),
                    "environmentId": activity.environment,
                    "projectId": id,
                    "payload": activity.payload,
                }))
            })
            .collect(),
    ))
}

fn create(context: &Context<'_>, input: &Arguments) -> Answer {
    let mut world = context.world.borrow_mut();
    let workspace = match (optional(input, "workspaceId"), &context.grant) {
        (_, Grant::Project { .. }) => return Err(Refusal::NotAuthorized),
        (Some(workspace), grant) => {
            grant.may_workspace(workspace)?;
            workspace.to_owned()
        }
        (None, Grant::Workspace(own)) => own.clone(),
        (None, Grant::Account) => world
            .workspaces_by_age()
            .first()
            .map(|workspace| workspace.id.clone())
            .ok_or(Refusal::NotAuthorized)?,
    };
    if !world.workspaces.contains_key(&workspace) {
        return Err(Refusal::NotAuthorized);
    }
    let refusal = Refusal::TooQuickly {
        plural: "projects",
        singular: "project",
    };
    world.throttle("project", &workspace, refusal)?;
    let name = match optional(input, "name") {
        Some("") => return Err(Refusal::Input("Invalid project name".to_owned())),
        Some(name) => name.to_owned(),
        None => format!(
            "project-{}",
            world.random.text(6, "abcdefghijklmnopqrstuvwxyz")
        ),
    };
    let id = create_project(
        &mut world,
        NewProject {
            name,
            description: optional(input, "description").map(str::to_owned),
            workspace,
            environment_name: optional(input, "defaultEnvironmentName").map(str::to_owned),
            is_public: flag(input, "isPublic"),
            pr_deploys: flag(input, "prDeploys"),
        },
    )?;
    note(&mut world, &id, None, "created", "Project", json!({}));
    Ok(Resolved::Entity(Entity::Project(id)))
}

fn update(context: &Context<'_>, id: &str, input: &Arguments) -> Answer {
    let mut world = context.world.borrow_mut();
    context.grant.may_project(&world, id)?;
    let now = world.now;
    let found = world.project_mut(id)?;
    found.updated = now;
    if let Some(name) = optional(input, "name") {
        found.name = name.to_owned();
    }
    if let Some(description) = input.get("description") {
        found.description = description.as_str().map(str::to_owned);
    }
    if let Some(base) = optional(input, "baseEnvironmentId") {
        found.base_environment = Some(base.to_owned());
    }
    for (key, field) in [
        ("isPublic", &mut found.is_public),
        ("prDeploys", &mut found.pr_deploys),
        ("botPrEnvironments", &mut found.bot_pr_environments),
        ("focusedPrEnvironments", &mut found.focused_pr_environments),
    ] {
        if let Some(value) = input.get(key).and_then(Value::as_bool) {
            *field = value;
        }
    }
    Ok(Resolved::Entity(Entity::Project(id.to_owned())))
}

fn delete(context: &Context<'_>, id: &str) -> Answer {
    let gone = context
        .world
        .borrow()
        .project(id)
        .map(|project| project.deleted_at.is_some());
    match gone {
        Ok(false) => {}
        _ => return Err(absent(context, Refusal::NotFound("Project"))),
    }
    let mut world = context.world.borrow_mut();
    context.grant.may_project(&world, id)?;
    delete_project(&mut world, id)?;
    Ok(true.into())
}

fn schedule(context: &Context<'_>, id: &str, wanted: bool) -> Answer {
    let mut world = context.world.borrow_mut();
    context.grant.may_project(&world, id)?;
    let now = world.now;
    let grace = i64::try_from(world.rules.timing.scheduled_delete.as_millis()).unwrap_or(i64::MAX);
    world.project_mut(id)?.scheduled_deletion = wanted.then_some(now);
    if wanted {
        world.agenda.plan(
            now.saturating_add(grace),
            Event::RemoveProject {
                project: id.to_owned(),
                scheduled_at: now,
            },
        );
    }
    Ok(true.into())
}

fn create_bucket(context: &Context<'_>, input: &Arguments) -> Answer {
    let mut world = context.world.borrow_mut();
    let project = text(input, "projectId");
    context.grant.may_project(&world, project)?;
    let id = world.uuid();
    let name = match optional(input, "name") {
        Some(name) => name.to_owned(),
        None => format!(
            "bucket-{}",
            world.random.text(4, "abcdefghijklmnopqrstuvwxyz")
        ),
    };
    let created = world.now;
    world.project_mut(project)?.buckets.push(id.clone());
    world.buckets.insert(
        id.clone(),
        crate::state::Bucket {
            id: id.clone(),
            project: project.to_owned(),
            name,
            created,
        },
    );
    Ok(Resolved::Entity(Entity::Bucket(id)))
}
