//! What a failed rollout holds back, and the way back of the services that failed.

use mirage_railway::{
    id::DeploymentId,
    snapshot::{DeploymentStatus, EnvironmentSnapshot, InstanceSnapshot},
};
use mirage_specs::{
    plan::PlanReason,
    rollout::{RollbackWay, RolloutService, RolloutServiceState, RolloutState},
};

use super::Draft;
use crate::environment::{
    plan::{Action, Hold},
    rollout::{is_failed, way::restored},
};

impl<'a> Draft<'a> {
    /// Whether a deployment of the service was asked for, or sent, and has not come to an end.
    pub(super) fn is_under_way(&self, service: &str) -> bool {
        self.memory
            .rollout
            .and_then(|rollout| rollout.services.get(service))
            .is_some_and(|service| {
                service.state == RolloutServiceState::Deploying && service.asked.is_some()
            })
    }

    pub(super) fn follow_rollout(&mut self, environment: &'a EnvironmentSnapshot) {
        let Some(rollout) = self.memory.rollout else {
            return;
        };
        let message = rollout.message.clone().unwrap_or_default();
        match rollout.state {
            RolloutState::Progressing => return self.once_more(environment),
            RolloutState::Halted => self.hold_first(Hold::RolloutHalted { message }),
            RolloutState::RollingBack => self.hold_first(Hold::RollingBack { message }),
            RolloutState::RolledBack => self.hold_first(Hold::RolledBack { message }),
        }
        // What deploys would push again what failed, or on top of it. The rest harms nobody.
        self.plan.entries.retain(|entry| {
            !entry.action.deploys()
                && !changes_failed(&entry.action, |name| {
                    rollout.services.get(name).is_some_and(is_failed)
                })
        });
        for (name, service) in &rollout.services {
            if service.state == RolloutServiceState::RollingBack
                && let Some(instance) = environment.instance_named(name)
            {
                self.go_back(name, service, instance, environment);
            }
        }
    }

    /// Before all that waits: it is why nothing goes on.
    fn hold_first(&mut self, hold: Hold) {
        self.plan.holds.insert(0, hold);
    }

    /// What is to be deployed once more although its configuration may be as declared.
    fn once_more(&mut self, environment: &'a EnvironmentSnapshot) {
        let services = self.memory.rollout.iter().flat_map(|all| &all.services);
        for (name, service) in services {
            let is_deployed = self.plan.entries.iter().any(|entry| {
                entry.action.deploys() && entry.action.service().is_none_or(|other| other == name)
            });
            if service.state != RolloutServiceState::Again || is_deployed || self.observed.in_grace
            {
                continue;
            }
            if let Some(instance) = environment.instance_named(name) {
                let action = Action::Deploy {
                    service: name.clone(),
                    id: instance.service_id.clone(),
                };
                self.push(action, PlanReason::Requested);
            }
        }
    }

    fn go_back(
        &mut self,
        name: &str,
        service: &RolloutService,
        instance: &'a InstanceSnapshot,
        environment: &'a EnvironmentSnapshot,
    ) {
        if service.asked.is_some() || self.observed.in_grace {
            return;
        }
        match service.way {
            Some(RollbackWay::Serving) => {
                let unfinished = instance
                    .latest_deployment
                    .as_ref()
                    .filter(|latest| is_unfinished(&latest.status));
                if let Some(latest) = unfinished {
                    let action = Action::Cancel {
                        service: name.to_owned(),
                        deployment: latest.id.clone(),
                    };
                    self.push(action, PlanReason::RolledBack);
                }
            }
            Some(RollbackWay::Deployment) => {
                if let Some(good) = &service.good {
                    let action = Action::Rollback {
                        service: name.to_owned(),
                        deployment: DeploymentId::new(good),
                    };
                    self.push(action, PlanReason::RolledBack);
                }
            }
            Some(RollbackWay::Configuration) => self.restore(name, instance, environment),
            Some(RollbackWay::Nowhere) | None => {}
        }
    }

    fn restore(
        &mut self,
        name: &str,
        instance: &'a InstanceSnapshot,
        environment: &'a EnvironmentSnapshot,
    ) {
        let config = environment
            .config
            .as_ref()
            .and_then(|config| config.services.get(&instance.service_id));
        let (Some(config), Some(good), Some(desired)) = (
            config,
            self.memory.good.get(name),
            self.effective.services.get(name),
        ) else {
            return;
        };
        let changes = restored(good, desired, config);
        if changes.is_empty() {
            // The settings of then are there, and the deployment is missing.
            let action = Action::Deploy {
                service: name.to_owned(),
                id: instance.service_id.clone(),
            };
            return self.push(action, PlanReason::RolledBack);
        }
        for change in changes {
            let action = Action::ChangeSetting {
                service: name.to_owned(),
                field: change.field,
                from: change.from,
                to: Some(change.to),
            };
            self.push(action, PlanReason::RolledBack);
        }
    }
}

/// Whether an action would finish what failed of a service; what takes something away that is no longer declared does not.
fn changes_failed(action: &Action, is_failed: impl Fn(&str) -> bool) -> bool {
    let touches = matches!(
        action,
        Action::ChangeVolume { .. } | Action::DeleteVolume { .. } | Action::RemoveTcpProxy { .. }
    );
    touches && action.service().is_some_and(is_failed)
}

fn is_unfinished(status: &DeploymentStatus) -> bool {
    matches!(
        status,
        DeploymentStatus::Initializing
            | DeploymentStatus::Queued
            | DeploymentStatus::Waiting
            | DeploymentStatus::NeedsApproval
            | DeploymentStatus::Building
            | DeploymentStatus::Deploying
    )
}
