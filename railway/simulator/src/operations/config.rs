//! Patches, drafts and change sets.

use serde_json::{Value, json};

use super::{Handled, flag, optional, text};
use crate::config::change_set;
use crate::engine::{Context, Entity, PatchRef, Resolved};
use crate::lifecycle::environment::{commit, stage_changes};
use crate::objects::{Answer, Arguments};
use crate::refusal::Refusal;

pub(super) fn query(context: &Context<'_>, name: &str, arguments: &Arguments) -> Handled {
    let environment = text(arguments, "environmentId");
    Some(match name {
        "environmentStagedChanges" => staged(context, environment),
        "environmentPatches" => patches(context, environment),
        "environmentPatch" => patch(context, text(arguments, "id")),
        "environmentChangeSetApply" => progress(context, environment, text(arguments, "id")),
        _ => return None,
    })
}

pub(super) fn mutation(context: &Context<'_>, name: &str, arguments: &Arguments) -> Handled {
    let environment = text(arguments, "environmentId");
    let message = optional(arguments, "commitMessage").map(str::to_owned);
    let given = arguments.get("input").unwrap_or(&Value::Null);
    let allowed = context
        .grant
        .may_environment(&context.world.borrow(), environment);
    Some(match name {
        "environmentStageChanges" => allowed.and_then(|()| {
            let merge = flag(arguments, "merge");
            stage_changes(&mut context.world.borrow_mut(), environment, given, merge)?;
            staged(context, environment)
        }),
        "environmentPatchCommit" => allowed.and_then(|()| {
            let empty = json!({});
            let patch = arguments
                .get("patch")
                .filter(|patch| !patch.is_null())
                .unwrap_or(&empty);
            let mut world = context.world.borrow_mut();
            Ok(commit(&mut world, environment, Some(patch), message, false)?.into())
        }),
        "environmentPatchCommitStaged" => allowed.and_then(|()| {
            let skip = flag(arguments, "skipDeploys");
            let mut world = context.world.borrow_mut();
            Ok(commit(&mut world, environment, None, message, skip)?.into())
        }),
        "environmentPreviewChangeSet" => allowed.and_then(|()| {
            let world = context.world.borrow();
            Ok(change_set::preview(&world, environment, given)?.into())
        }),
        "environmentApplyChangeSet" => {
            allowed.and_then(|()| apply(context, environment, arguments))
        }
        _ => return None,
    })
}

fn staged(context: &Context<'_>, environment: &str) -> Answer {
    context
        .grant
        .may_environment(&context.world.borrow(), environment)?;
    Ok(Resolved::Entity(Entity::Patch {
        environment: environment.to_owned(),
        patch: PatchRef::Staged,
    }))
}

fn patches(context: &Context<'_>, environment: &str) -> Answer {
    let world = context.world.borrow();
    context.grant.may_environment(&world, environment)?;
    Ok(Resolved::Page(
        world
            .environment(environment)?
            .patches
            .iter()
            .rev()
            .map(|patch| Entity::Patch {
                environment: environment.to_owned(),
                patch: PatchRef::Committed(patch.id.clone()),
            })
            .collect(),
    ))
}

fn patch(context: &Context<'_>, id: &str) -> Answer {
    let world = context.world.borrow();
    let environment = world
        .environments
        .values()
        .find(|environment| environment.patches.iter().any(|patch| patch.id == id))
        .ok_or(Refusal::NotFound("EnvironmentPatch"))?;
    context.grant.may_environment(&world, &environment.id)?;
    Ok(Resolved::Entity(Entity::Patch {
        environment: environment.id.clone(),
        patch: PatchRef::Committed(id.to_owned()),
    }))
}

fn apply(context: &Context<'_>, environment: &str, arguments: &Arguments) -> Answer {
    let given = arguments.get("input").unwrap_or(&Value::Null);
    let etag = optional(arguments, "baseConfigEtag");
    let wait = arguments.get("waitForCompletion") != Some(&json!(false));
    let id = {
        let mut world = context.world.borrow_mut();
        if wait {
            let span = world.rules.timing.patch_apply;
            let takes = world.random.span(span);
            context.delay.set(context.delay.get() + takes);
        }
        change_set::accept(&mut world, environment, given, etag, wait)?
    };
    progress(context, environment, &id)
}

fn progress(context: &Context<'_>, environment: &str, id: &str) -> Answer {
    let world = context.world.borrow();
    context.grant.may_environment(&world, environment)?;
    let apply = world
        .environment(environment)?
        .change_sets
        .get(id)
        .ok_or(Refusal::NotFound("Change set"))?;
    Ok(json!({
        "id": apply.id,
        "status": apply.status,
        "changes": apply.changes,
        "diagnostics": apply.diagnostics,
        "deploymentId": null,
        "stagedPatchId": null,
    })
    .into())
}
