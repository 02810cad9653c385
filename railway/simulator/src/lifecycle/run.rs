//! A deployment's way through its states.
//!
//! ```text
//! INITIALIZING ─► (QUEUED) ─► BUILDING (repositories only) ─► DEPLOYING ─► SUCCESS ─► REMOVING ─► REMOVED
//!       │             │            └► FAILED                    └► FAILED    ├► CRASHED
//!       └► NEEDS_APPROVAL          never leaves, by fault                    └► SLEEPING
//! ```

use crate::state::{
    Deployment, DeploymentStatus as Status, DeploymentStep, Ending, Event, Id, LogLine, World,
};

/// Railway's default, and so the simulator's (Railway docs: public networking).
const PORT: &str = "8080";

/// The deployment arrives at a state that was planned for it, unless something else happened to it since.
pub(crate) fn arrive(world: &mut World, id: &str, to: Status) {
    let Ok(deployment) = world.deployment(id) else {
        return;
    };
    let from = deployment.status;
    let expected = match to {
        Status::Queued | Status::Building | Status::Deploying => from.is_progressing(),
        Status::Success => from == Status::Deploying,
        Status::Failed => matches!(from, Status::Building | Status::Deploying),
        Status::Crashed => from == Status::Success && !deployment.stopped,
        Status::Removed => from == Status::Removing,
        _ => false,
    };
    if expected {
        enter(world, id, to);
    }
}

fn enter(world: &mut World, id: &str, to: Status) {
    match to {
        Status::Queued => queued(world, id),
        Status::Building => building(world, id),
        Status::Deploying => deploying(world, id),
        Status::Success => success(world, id),
        Status::Failed | Status::Crashed => broken(world, id, to),
        other => set(world, id, other),
    }
}

/// Sets the status and its date.
pub(crate) fn set(world: &mut World, id: &str, status: Status) {
    let now = world.now;
    if let Ok(deployment) = world.deployment_mut(id) {
        deployment.status = status;
        deployment.status_since = now;
        deployment.updated = now;
    }
}

fn plan(world: &mut World, id: &str, in_ms: i64, to: Status) {
    let due = world.now + in_ms;
    world.agenda.plan(
        due,
        Event::Deployment {
            id: id.to_owned(),
            to,
        },
    );
}

fn facts(world: &World, id: &str) -> Option<(Ending, bool, bool)> {
    let deployment = world.deployment(id).ok()?;
    let checked = deployment.config["deploy"]["healthcheckPath"]
        .as_str()
        .is_some_and(|path| !path.is_empty());
    Some((deployment.ending, deployment.repo().is_some(), checked))
}

/// Out of INITIALIZING: wait for a person, for capacity, or go on at once.
fn queued(world: &mut World, id: &str) {
    let Some((ending, from_repo, _)) = facts(world, id) else {
        return;
    };
    let initializing = world
        .deployment(id)
        .is_ok_and(|deployment| deployment.status == Status::Initializing);
    if ending == Ending::NeedsApproval && initializing {
        return set(world, id, Status::NeedsApproval);
    }
    if ending == Ending::StuckQueued {
        return set(world, id, Status::Queued);
    }
    let next = if from_repo {
        Status::Building
    } else {
        Status::Deploying
    };
    let span = world.rules.timing.queued;
    let wait = world.random.span(span);
    if wait == 0 {
        enter(world, id, next);
    } else {
        set(world, id, Status::Queued);
        plan(world, id, wait, next);
    }
}

fn building(world: &mut World, id: &str) {
    let Some((ending, _, _)) = facts(world, id) else {
        return;
    };
    set(world, id, Status::Building);
    step(world, id, "SNAPSHOT_CODE");
    step(world, id, "BUILD_IMAGE");
    log(world, id, Stream::Build, "info", "Using Railpack");
    log(world, id, Stream::Build, "info", "Building image");
    let span = world.rules.timing.building;
    let wait = world.random.span(span);
    match ending {
        Ending::NeverBuilt => {}
        Ending::BuildFails => plan(world, id, wait, Status::Failed),
        _ => plan(world, id, wait, Status::Deploying),
    }
}

fn deploying(world: &mut World, id: &str) {
    let Some((ending, from_repo, checked)) = facts(world, id) else {
        return;
    };
    let waits = world.deployment(id).is_ok_and(|deployment| {
        deployment.waits_for.iter().any(|other| {
            world
                .deployment(other)
                .is_ok_and(|other| other.status.is_progressing())
        })
    });
    if waits {
        step(world, id, "WAIT_FOR_DEPENDENCIES");
        return set(world, id, Status::Queued);
    }
    if ending == Ending::BuildFails && !from_repo {
        log(
            world,
            id,
            Stream::Build,
            "error",
            "Failed to pull the image",
        );
        return broken(world, id, Status::Failed);
    }
    if from_repo {
        log(world, id, Stream::Build, "info", "Build finished");
        step(world, id, "PUBLISH_IMAGE");
    }
    set(world, id, Status::Deploying);
    step(world, id, "CREATE_CONTAINER");
    log(world, id, Stream::Deploy, "info", "Starting Container");
    let span = world.rules.timing.deploying;
    let mut wait = world.random.span(span);
    if checked {
        step(world, id, "HEALTHCHECK");
        let span = world.rules.timing.healthcheck;
        wait += world.random.span(span);
    }
    let next = if ending == Ending::HealthcheckFails {
        Status::Failed
    } else {
        Status::Success
    };
    plan(world, id, wait, next);
}

fn success(world: &mut World, id: &str) {
    let Ok(deployment) = world.deployment(id) else {
        return;
    };
    let (environment, service) = (deployment.environment.clone(), deployment.service.clone());
    let ending = deployment.ending;
    let sleeps = deployment.config["deploy"]["sleepApplication"].as_bool() == Some(true);
    let is_cron = deployment.config["deploy"]["cronSchedule"]
        .as_str()
        .is_some_and(|schedule| !schedule.is_empty());
    set(world, id, Status::Success);
    finish_steps(world, id, None);
    log(
        world,
        id,
        Stream::Deploy,
        "info",
        &format!("Listening on port {PORT}"),
    );
    retire_others(world, &environment, &service, id);
    match ending {
        Ending::CrashesAfter(ms) => plan(world, id, ms, Status::Crashed),
        Ending::OutOfMemory => {
            log(
                world,
                id,
                Stream::Deploy,
                "error",
                "Out of memory: the container was killed",
            );
            broken(world, id, Status::Crashed);
        }
        Ending::Completes => {
            if let Ok(deployment) = world.deployment_mut(id) {
                deployment.stopped = true;
            }
        }
        _ if is_cron => {
            if let Ok(deployment) = world.deployment_mut(id) {
                deployment.stopped = true;
            }
        }
        _ => {}
    }
    if sleeps {
        let after = i64::try_from(world.rules.timing.sleep_after.as_millis()).unwrap_or(i64::MAX);
        let due = world.now.saturating_add(after);
        world.agenda.plan(
            due,
            Event::Sleep {
                deployment: id.to_owned(),
            },
        );
    }
    wake_waiting(world, &environment);
}

fn broken(world: &mut World, id: &str, to: Status) {
    let (stream, message) = match to {
        Status::Crashed => (Stream::Deploy, "Container exited with code 1"),
        _ if facts(world, id).is_some_and(|(ending, ..)| ending == Ending::HealthcheckFails) => (
            Stream::Deploy,
            "Healthcheck failed: no 200 within the timeout",
        ),
        _ => (Stream::Build, "Build failed"),
    };
    log(world, id, stream, "error", message);
    set(world, id, to);
    finish_steps(world, id, Some(message));
    if let Ok(deployment) = world.deployment(id) {
        let environment = deployment.environment.clone();
        wake_waiting(world, &environment);
    }
}

/// An idle serverless service.
pub(crate) fn sleep(world: &mut World, id: &str) {
    if world
        .deployment(id)
        .is_ok_and(|deployment| deployment.status == Status::Success && !deployment.stopped)
    {
        set(world, id, Status::Sleeping);
    }
}

/// Takes a deployment down: draining, then gone.
pub(crate) fn retire(world: &mut World, id: &str) {
    let now = world.now;
    set(world, id, Status::Removing);
    if let Ok(deployment) = world.deployment_mut(id) {
        deployment.stopped = true;
        deployment.updated = now;
    }
    let span = world.rules.timing.removing;
    let wait = world.random.span(span);
    if wait == 0 {
        set(world, id, Status::Removed);
    } else {
        plan(world, id, wait, Status::Removed);
    }
}

fn retire_others(world: &mut World, environment: &str, service: &str, survivor: &str) {
    let others: Vec<Id> = world
        .instance(environment, service)
        .map(|instance| {
            instance
                .deployments
                .iter()
                .filter(|other| other.id != survivor && other.status.is_active())
                .map(|other| other.id.clone())
                .collect()
        })
        .unwrap_or_default();
    for other in others {
        retire(world, &other);
    }
}

/// Deployments that waited for others of their batch look again.
pub(crate) fn wake_waiting(world: &mut World, environment: &str) {
    let Ok(found) = world.environment(environment) else {
        return;
    };
    let waiting: Vec<Id> = found
        .instances
        .values()
        .flat_map(|instance| &instance.deployments)
        .filter(|deployment| {
            deployment.status == Status::Queued
                && !deployment.waits_for.is_empty()
                && deployment.ending != Ending::StuckQueued
                && deployment
                    .steps
                    .iter()
                    .any(|step| step.step == "WAIT_FOR_DEPENDENCIES" && step.completed.is_none())
        })
        .map(|deployment| deployment.id.clone())
        .collect();
    for id in waiting {
        plan(world, &id, 0, Status::Deploying);
    }
}

/// A person lets an outsider's deployment through.
pub(crate) fn approve(world: &mut World, id: &str) {
    set(world, id, Status::Queued);
    plan(world, id, 0, Status::Queued);
    if let Ok(deployment) = world.deployment_mut(id) {
        deployment.ending = Ending::Runs;
    }
}

/// Restarts the processes of a deployment: same id, through DEPLOYING.
pub(crate) fn restart(world: &mut World, id: &str) {
    if let Ok(deployment) = world.deployment_mut(id) {
        deployment.stopped = false;
    }
    enter(world, id, Status::Deploying);
}

#[derive(Clone, Copy)]
enum Stream {
    Build,
    Deploy,
}

fn log(world: &mut World, id: &str, stream: Stream, severity: &str, message: &str) {
    let at = world.now;
    if let Ok(deployment) = world.deployment_mut(id) {
        let line = LogLine {
            at,
            message: message.to_owned(),
            severity: severity.to_owned(),
        };
        match stream {
            Stream::Build => deployment.build_logs.push(line),
            Stream::Deploy => deployment.deploy_logs.push(line),
        }
    }
}

fn step(world: &mut World, id: &str, name: &str) {
    finish_steps(world, id, None);
    let at = world.now;
    let step_id = world.uuid();
    if let Ok(deployment) = world.deployment_mut(id) {
        deployment.steps.push(DeploymentStep {
            id: step_id,
            step: name.to_owned(),
            created: at,
            completed: None,
            error: None,
        });
    }
}

fn finish_steps(world: &mut World, id: &str, error: Option<&str>) {
    let at = world.now;
    if let Ok(Deployment { steps, .. }) = world.deployment_mut(id) {
        for step in steps.iter_mut().filter(|step| step.completed.is_none()) {
            step.completed = Some(at);
            step.error = error.map(str::to_owned);
        }
    }
}
