//! Lets what is due happen, in order.

use super::{environment, run};
use crate::config::change_set;
use crate::state::{Event, World};

/// Brings the world up to `now`, one event after the other, each at its own time.
pub(crate) fn advance(world: &mut World, now: i64) {
    while let Some((due, event)) = world.agenda.next_due(now) {
        world.now = world.now.max(due);
        world.touch();
        happen(world, event);
    }
    world.now = world.now.max(now);
}

fn happen(world: &mut World, event: Event) {
    match event {
        Event::Deployment { id, to } => run::arrive(world, &id, to),
        Event::ApplyPatch {
            environment: place,
            patch,
            workflow,
            skip_deploys,
        } => environment::finish_commit(world, &place, &patch, &workflow, skip_deploys),
        Event::ApplyChangeSet {
            environment,
            apply,
            input,
        } => change_set::finish(world, &environment, &apply, &input),
        // The clone or its source may be gone by now; then there is nothing to fill.
        Event::FillClone {
            environment: place,
            source,
            deploy,
            stage,
        } => {
            let _ = environment::fill_clone(world, &place, &source, deploy, stage);
        }
        Event::RemoveEnvironment { environment: place } => {
            let _ = environment::remove(world, &place);
        }
        Event::RemoveProject {
            project,
            scheduled_at,
        } => {
            let still_wanted = world
                .project(&project)
                .is_ok_and(|found| found.scheduled_deletion == Some(scheduled_at));
            if still_wanted {
                let _ = environment::delete_project(world, &project);
            }
        }
        Event::Sleep { deployment } => run::sleep(world, &deployment),
    }
}
