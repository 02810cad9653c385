//! People, workspaces, tokens.

use serde_json::{Value, json};

use super::{Answer, Arguments, unknown};
use crate::engine::{Context, Entity, Resolved};
use crate::refusal::Refusal;
use crate::state::Grant;

fn rate_limit(context: &Context<'_>) -> Value {
    let (remaining, resets_at) = context.allowance;
    json!({
        "remainingPoints": remaining,
        "resetsAt": context.world.borrow().iso(resets_at),
    })
}

/// The one person of this simulated Railway.
pub(super) fn user(context: &Context<'_>, name: &str) -> Answer {
    let world = context.world.borrow();
    Ok(match name {
        "id" => "00000000-0000-4000-8000-000000000001".into(),
        "email" => "developer@acme.test".into(),
        "name" | "username" => "developer".into(),
        "avatar" => Value::Null.into(),
        "createdAt" | "lastLogin" => world.iso(0).into(),
        "isVerified" => true.into(),
        "apiTokenRateLimit" => {
            drop(world);
            rate_limit(context).into()
        }
        "workspaces" => Resolved::List(
            world
                .workspaces_by_age()
                .iter()
                .map(|workspace| Entity::Workspace(workspace.id.clone()))
                .collect(),
        ),
        "workspace" => match world.workspaces_by_age().first() {
            Some(first) => Resolved::Entity(Entity::Workspace(first.id.clone())),
            None => Value::Null.into(),
        },
        "projects" => Resolved::Page(Vec::new()),
        _ => return unknown("User", name),
    })
}

pub(super) fn workspace(
    context: &Context<'_>,
    id: &str,
    name: &str,
    arguments: &Arguments,
) -> Answer {
    let world = context.world.borrow();
    let found = world
        .workspaces
        .get(id)
        .ok_or(Refusal::NotFound("Workspace"))?;
    let projects = |deleted: bool| {
        let mut all: Vec<_> = world
            .projects
            .values()
            .filter(|project| project.workspace == id)
            .filter(|project| deleted || project.deleted_at.is_none())
            .filter(|project| context.mutation || project.visible_at <= world.now)
            .collect();
        all.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
        all
    };
    Ok(match name {
        "id" => found.id.clone().into(),
        "name" => found.name.clone().into(),
        "plan" => found.plan.schema_name().into(),
        "avatar" | "preferredRegion" | "team" => Value::Null.into(),
        "createdAt" | "updatedAt" => world.iso(found.created).into(),
        "subscriptionPlanLimit" => json!({}).into(),
        "members" => json!([{
            "id": "00000000-0000-4000-8000-000000000001",
            "email": "developer@acme.test",
            "name": "developer",
            "role": "ADMIN",
        }])
        .into(),
        "projectCount" => {
            let deleted = arguments.get("includeDeleted") == Some(&json!(true));
            projects(deleted).len().into()
        }
        "projects" => Resolved::Page(
            projects(false)
                .into_iter()
                .map(|project| Entity::Project(project.id.clone()))
                .collect(),
        ),
        "apiTokenRateLimit" => {
            drop(world);
            rate_limit(context).into()
        }
        _ => return unknown("Workspace", name),
    })
}

pub(super) fn project_token(context: &Context<'_>, id: &str, name: &str) -> Answer {
    let world = context.world.borrow();
    let token = world
        .tokens
        .values()
        .find(|token| token.id == id)
        .ok_or(Refusal::ProjectTokenNotFound)?;
    let Grant::Project {
        project,
        environment,
    } = &token.grant
    else {
        return Err(Refusal::ProjectTokenNotFound);
    };
    Ok(match name {
        "id" => token.id.clone().into(),
        "name" => token.name.clone().into(),
        "displayToken" => "****".into(),
        "createdAt" => world.iso(token.created).into(),
        "projectId" => project.clone().into(),
        "environmentId" => environment.clone().into(),
        "project" => Resolved::Entity(Entity::Project(project.clone())),
        "environment" => Resolved::Entity(Entity::Environment(environment.clone())),
        _ => return unknown("ProjectToken", name),
    })
}
