//! Stopping on purpose, and noticing a stop that was not ours.

use mirage_railway::snapshot::{DeploymentStatus, EnvironmentSnapshot, InstanceSnapshot};
use mirage_specs::plan::PlanReason;

use super::Draft;
use crate::environment::plan::{Action, Hold};

impl<'a> Draft<'a> {
    /// A suspended environment is left as it is, but nothing in it runs.
    pub(super) fn suspended(&mut self, environment: &'a EnvironmentSnapshot) {
        for name in self.effective.services.keys() {
            let Some(instance) = environment.instance_named(name) else {
                continue;
            };
            for deployment in running(instance) {
                let action = Action::Stop {
                    service: name.clone(),
                    deployment,
                };
                self.plan.entries.push(crate::environment::plan::Entry {
                    action,
                    reason: PlanReason::Suspension,
                });
            }
        }
    }

    /// Every service stopped at once, and not by us: a usage limit or a plan change does that to a whole workspace, and
    /// starting everything again would fight it.
    pub(super) fn stopped_at_once(&mut self, environment: &'a EnvironmentSnapshot) {
        if self.memory.was_suspended || self.memory.retry || self.effective.services.len() < 2 {
            return;
        }
        let all_removed = self
            .effective
            .services
            .iter()
            .filter(|(_, desired)| desired.has_source())
            .all(|(name, _)| {
                environment.instance_named(name).is_some_and(|instance| {
                    instance.active_deployments.is_empty()
                        && instance
                            .latest_deployment
                            .as_ref()
                            .is_some_and(|latest| latest.status == DeploymentStatus::Removed)
                })
            });
        if all_removed {
            self.plan
                .entries
                .retain(|entry| !matches!(entry.action, Action::Deploy { .. }));
            self.hold(Hold::EverythingStopped);
        }
    }
}

fn running(instance: &InstanceSnapshot) -> Vec<mirage_railway::id::DeploymentId> {
    let latest = instance.latest_deployment.iter().filter(|latest| {
        matches!(
            latest.status,
            DeploymentStatus::Initializing
                | DeploymentStatus::Queued
                | DeploymentStatus::Waiting
                | DeploymentStatus::Building
                | DeploymentStatus::Deploying
                | DeploymentStatus::Success
                | DeploymentStatus::Sleeping
                | DeploymentStatus::Crashed
        )
    });
    let mut ids: Vec<_> = instance
        .active_deployments
        .iter()
        .chain(latest)
        .map(|deployment| deployment.id.clone())
        .collect();
    ids.sort();
    ids.dedup();
    ids
}
