//! Whether an Environment has come to rest.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use mirage_specs::{Environment, ServiceState};

use crate::world::World;

/// Why something is not at rest; empty when everything is.
///
/// # Errors
/// When the world could not be asked.
pub async fn unsettled(world: &World) -> anyhow::Result<Vec<String>> {
    let environments = world.environments().await?;
    let restless = environments.iter().filter_map(|environment| {
        let name = environment.metadata.name.as_deref().unwrap_or_default();
        restlessness(environment).map(|why| format!("{name}: {why}"))
    });
    Ok(restless.collect())
}

/// Whether it is as declared, or as far as it can be: refused, reported, or failed for a reason on Railway.
pub fn is_settled(environment: &Environment) -> bool {
    restlessness(environment).is_none()
}

/// Whether another one has its place.
pub(super) fn is_refused(environment: &Environment) -> bool {
    condition(environment, "Synced")
        .is_some_and(|synced| synced.status == "False" && synced.reason == "Conflict")
}

/// Whether what it waits for needs a person, so that a part of it is not there.
pub(super) fn is_waiting(environment: &Environment) -> bool {
    condition(environment, "Synced").is_some_and(|synced| {
        matches!(
            synced.reason.as_str(),
            "WaitingForDependency" | "RolloutHalted" | "RolledBack"
        )
    })
}

/// Whether its rollout failed, so that nothing is deployed until a person says so.
pub fn has_given_up(environment: &Environment) -> bool {
    condition(environment, "Synced")
        .is_some_and(|synced| matches!(synced.reason.as_str(), "RolloutHalted" | "RolledBack"))
}

fn condition<'a>(environment: &'a Environment, kind: &str) -> Option<&'a Condition> {
    environment
        .status
        .as_ref()?
        .conditions
        .iter()
        .find(|condition| condition.type_ == kind)
}

fn restlessness(environment: &Environment) -> Option<String> {
    if environment.metadata.deletion_timestamp.is_some() {
        return Some(format!("is being deleted: {}", told(environment, "Synced")));
    }
    let Some(status) = &environment.status else {
        return Some("has no status".to_owned());
    };
    if status.observed_generation != environment.metadata.generation {
        return Some("its newest spec was not looked at".to_owned());
    }
    if is_refused(environment) {
        return None;
    }
    let Some(synced) = condition(environment, "Synced") else {
        return Some("has no conditions".to_owned());
    };
    let has_failed = status
        .services
        .values()
        .any(|service| service.state == ServiceState::Failed);
    if has_given_up(environment) {
        return None;
    }
    // What failed on Railway needs a person, and what depends on it waits.
    if synced.reason == "WaitingForDependency" && has_failed {
        return None;
    }
    if synced.status != "True" && synced.reason != "DriftFound" {
        return Some(format!(
            "is not synced: {}: {}",
            synced.reason, synced.message
        ));
    }
    if status.pending_change.is_some() {
        return Some("has a change under way".to_owned());
    }
    // Drift that is reported and left may be that nothing runs.
    if matches!(synced.reason.as_str(), "Suspended" | "DriftFound") {
        return None;
    }
    let all_came_to_an_end = status.services.values().all(|service| {
        matches!(
            service.state,
            ServiceState::Ready
                | ServiceState::Sleeping
                | ServiceState::Failed
                | ServiceState::Blocked
        )
    });
    (!all_came_to_an_end).then(|| format!("is not ready: {}", told(environment, "Ready")))
}

fn told(environment: &Environment, kind: &str) -> String {
    condition(environment, kind).map_or_else(String::new, |found| {
        format!("{}: {}", found.reason, found.message)
    })
}
