//! Who am I, what may I see, is Railway well.

use serde_json::{Value, json};

use super::{Handled, input, text};
use crate::engine::{Context, Entity, Resolved};
use crate::objects::{Answer, Arguments};
use crate::refusal::Refusal;
use crate::state::{Grant, Token};

pub(super) fn query(context: &Context<'_>, name: &str, arguments: &Arguments) -> Handled {
    Some(match name {
        "me" => me(context),
        "apiToken" => api_token(context),
        "workspace" => workspace(context, text(arguments, "workspaceId")),
        "projectToken" => project_token(context),
        "projectTokens" => project_tokens(context, text(arguments, "projectId")),
        "externalWorkspaces" => match context.grant {
            Grant::Account => Ok(Resolved::List(Vec::new())),
            _ => Err(Refusal::NotAuthorized),
        },
        "platformStatus" => Ok(platform_status(context)),
        "regions" => Ok(regions()),
        _ => return None,
    })
}

pub(super) fn mutation(context: &Context<'_>, name: &str, arguments: &Arguments) -> Handled {
    Some(match name {
        "projectTokenCreate" => create_token(context, &input(arguments)),
        "projectTokenDelete" => delete_token(context, text(arguments, "id")),
        _ => return None,
    })
}

fn me(context: &Context<'_>) -> Answer {
    match context.grant {
        Grant::Account => Ok(Resolved::Entity(Entity::User)),
        _ => Err(Refusal::NotAuthorized),
    }
}

fn api_token(context: &Context<'_>) -> Answer {
    let world = context.world.borrow();
    let seen: Vec<Value> = world
        .workspaces_by_age()
        .into_iter()
        .filter(|workspace| context.grant.may_workspace(&workspace.id).is_ok())
        .map(|workspace| json!({"id": workspace.id, "name": workspace.name}))
        .collect();
    match context.grant {
        Grant::Project { .. } => Err(Refusal::NotAuthorized),
        _ => Ok(json!({ "workspaces": seen }).into()),
    }
}

fn workspace(context: &Context<'_>, id: &str) -> Answer {
    context.grant.may_workspace(id)?;
    let world = context.world.borrow();
    world
        .workspaces
        .get(id)
        .map(|workspace| Resolved::Entity(Entity::Workspace(workspace.id.clone())))
        .ok_or(Refusal::NotAuthorized)
}

fn project_token(context: &Context<'_>) -> Answer {
    match context.grant {
        Grant::Project { .. } => Ok(Resolved::Entity(Entity::ProjectToken(
            context.token.clone(),
        ))),
        _ => Err(Refusal::ProjectTokenNotFound),
    }
}

fn project_tokens(context: &Context<'_>, project: &str) -> Answer {
    let world = context.world.borrow();
    context.grant.may_project(&world, project)?;
    Ok(Resolved::Page(
        world
            .tokens
            .values()
            .filter(|token| !token.revoked)
            .filter(|token| matches!(&token.grant, Grant::Project { project: own, .. } if own == project))
            .map(|token| Entity::ProjectToken(token.id.clone()))
            .collect(),
    ))
}

fn create_token(context: &Context<'_>, input: &Arguments) -> Answer {
    let mut world = context.world.borrow_mut();
    let (project, environment) = (text(input, "projectId"), text(input, "environmentId"));
    if matches!(context.grant, Grant::Project { .. }) {
        return Err(Refusal::NotAuthorized);
    }
    context.grant.may_environment(&world, environment)?;
    if world.environment(environment)?.project != project {
        return Err(Refusal::NotFound("Environment"));
    }
    let secret = world.uuid();
    let id = world.uuid();
    let created = world.now;
    world.tokens.insert(
        secret.clone(),
        Token {
            id,
            name: text(input, "name").to_owned(),
            grant: Grant::Project {
                project: project.to_owned(),
                environment: environment.to_owned(),
            },
            revoked: false,
            created,
        },
    );
    Ok(secret.into())
}

fn delete_token(context: &Context<'_>, id: &str) -> Answer {
    let mut world = context.world.borrow_mut();
    let found = world
        .tokens
        .iter()
        .find(|(_, token)| token.id == id)
        .map(|(secret, token)| (secret.clone(), token.grant.clone()));
    match found {
        Some((secret, Grant::Project { project, .. })) => {
            context.grant.may_project(&world, &project)?;
            world.tokens.remove(&secret);
            Ok(true.into())
        }
        _ => Err(Refusal::ProjectTokenNotFound),
    }
}

fn platform_status(context: &Context<'_>) -> Resolved {
    let world = context.world.borrow();
    let incident = world.unstable.then(|| {
        json!({
            "id": "simulated-incident",
            "message": "Simulated incident",
            "status": "INVESTIGATING",
            "url": "https://status.railway.com",
        })
    });
    json!({"isStable": !world.unstable, "incident": incident, "maintenance": null}).into()
}

/// The regions that Railway documents.
fn regions() -> Resolved {
    let list: Vec<Value> = [
        ("us-west2", "US West", "USA", "California"),
        ("us-east4-eqdc4a", "US East", "USA", "Virginia"),
        ("europe-west4-drams3a", "EU West", "Netherlands", "Amsterdam"),
        ("asia-southeast1-eqsg3a", "Southeast Asia", "Singapore", "Singapore"),
    ]
    .into_iter()
    .map(|(name, region, country, location)| {
        json!({"id": name, "name": name, "region": region, "country": country, "location": location})
    })
    .collect();
    Value::Array(list).into()
}
