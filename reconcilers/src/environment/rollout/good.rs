//! What is worth going back to: the newest deployment of each service that was healthy as declared. Pure.

use std::collections::BTreeMap;

use mirage_railway::snapshot::{DeploymentStatus, EnvironmentSnapshot};
use mirage_specs::{
    rollout::{GoodState, RolloutServiceState, RolloutStatus},
    status::Applied,
};

use crate::environment::{applied, effective::Effective, health::health};

/// The record after a look. A service whose rollout is under way, or failed, keeps what it had.
pub fn good(
    earlier: &BTreeMap<String, GoodState>,
    effective: &Effective,
    applied: &Applied,
    rollout: Option<&RolloutStatus>,
    environment: &EnvironmentSnapshot,
) -> BTreeMap<String, GoodState> {
    let mut next: BTreeMap<String, GoodState> = earlier
        .iter()
        .filter(|(name, _)| effective.services.contains_key(*name))
        .map(|(name, good)| (name.clone(), good.clone()))
        .collect();
    // A change whose end was not seen may not be what runs.
    let is_certain = applied.generation.is_some();
    for (name, desired) in &effective.services {
        let in_rollout = rollout.and_then(|rollout| rollout.services.get(name));
        if let Some(back) =
            in_rollout.filter(|service| service.state == RolloutServiceState::RolledBack)
        {
            // What it went back to is a deployment of its own by now.
            if let (Some(good), Some(id)) = (next.get_mut(name), &back.good) {
                good.deployment_id.clone_from(id);
            }
            continue;
        }
        if in_rollout.is_some_and(|service| service.state != RolloutServiceState::Healthy) {
            continue;
        }
        let Some(instance) = environment.instance_named(name) else {
            continue;
        };
        let Some(latest) = &instance.latest_deployment else {
            continue;
        };
        let runs = matches!(
            latest.status,
            DeploymentStatus::Success | DeploymentStatus::Sleeping
        );
        let wanted = applied::service_record(desired);
        let is_as_declared = applied.services.get(name).is_some_and(|applied| {
            applied.settings == wanted.settings && applied.variables == wanted.variables
        });
        if !is_certain
            || !runs
            || !is_as_declared
            || !health(instance, desired.has_source()).is_ready()
        {
            continue;
        }
        let id = latest.id.to_string();
        // The generation that first brought it about, as long as it is the same.
        let generation = next
            .get(name)
            .filter(|good| good.deployment_id == id)
            .map_or(effective.generation, |good| good.generation);
        let state = GoodState {
            deployment_id: id,
            generation,
            settings: desired
                .settings
                .iter()
                .map(|(field, value)| (field.spec_path().to_owned(), value.to_string()))
                .collect(),
            variables: wanted.variables,
        };
        next.insert(name.clone(), state);
    }
    next
}
