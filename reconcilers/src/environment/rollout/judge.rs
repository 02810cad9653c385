//! What became of what was sent. Pure.

use jiff::Timestamp;
use mirage_railway::snapshot::{
    DeploymentSnapshot, DeploymentStatus, EnvironmentSnapshot, InstanceSnapshot,
};
use mirage_specs::{
    ServiceState,
    environment::OnFailure,
    rollout::{
        RollbackWay, RolloutService, RolloutServiceState as Is, RolloutState, RolloutStatus,
    },
};

use super::{begin::fresh, desired, has_failed, is_failed, timeout, words};
use crate::environment::{
    condition::whole_seconds, effective::Effective, health::health, patience::Patience,
};

/// What a rollout is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// What is declared.
    pub effective: &'a Effective,
    /// What was seen.
    pub environment: &'a EnvironmentSnapshot,
    /// Whether Railway still applies what was sent.
    pub is_pending: bool,
    /// Whether our own write is so recent that a read may not show it.
    pub in_grace: bool,
    /// How long to wait for what may still appear.
    pub patience: Patience,
    /// Whether a person asked to go on.
    pub retry: bool,
    /// When.
    pub now: Timestamp,
}

/// The rollout after a look; `None` when there is none.
pub fn judge(earlier: Option<&RolloutStatus>, scene: Scene<'_>) -> Option<RolloutStatus> {
    // What is stopped is not rolled out; what is started again begins anew.
    if scene.effective.suspend {
        return None;
    }
    let mut next = earlier?.clone();
    next.services
        .retain(|name, _| scene.effective.services.contains_key(name));
    start_over(&mut next, scene);
    for (name, service) in &mut next.services {
        let Some(declared) = scene.effective.services.get(name) else {
            continue;
        };
        if let Some(instance) = scene.environment.instance_named(name) {
            let seen = Seen {
                scene,
                instance,
                latest: instance.latest_deployment.as_ref(),
                has_source: declared.has_source(),
            };
            seen.follow(service);
        }
    }
    conclude(&mut next, scene);
    (!next.services.is_empty()).then_some(next)
}

/// Another declaration, or a person, has what failed tried once more.
fn start_over(rollout: &mut RolloutStatus, scene: Scene<'_>) {
    let desired = desired(scene.effective);
    let is_other = rollout.desired != desired;
    let is_wished = scene.retry && has_failed(rollout);
    if !(is_other || is_wished) {
        return;
    }
    let now = whole_seconds(scene.now);
    rollout.desired = desired;
    rollout.generation = scene.effective.generation;
    if has_failed(rollout) {
        rollout.since = now;
    }
    rollout.state = RolloutState::Progressing;
    rollout.message = None;
    for service in rollout.services.values_mut().filter(|one| is_failed(one)) {
        *service = RolloutService {
            wave: service.wave,
            state: Is::Again,
            ..fresh(now)
        };
    }
}

/// The state of the whole follows from those of its services.
pub fn conclude(rollout: &mut RolloutStatus, scene: Scene<'_>) {
    let goes_back = scene.effective.rollout.on_failure == Some(OnFailure::Rollback);
    let has = |test: &dyn Fn(&RolloutService) -> bool| rollout.services.values().any(test);
    let state = if !has(&is_failed) {
        RolloutState::Progressing
    } else if has(&|one| {
        one.state == Is::RollingBack || (goes_back && one.state == Is::Failed && one.way.is_none())
    }) {
        RolloutState::RollingBack
    } else if has(&|one| one.state == Is::Failed) {
        RolloutState::Halted
    } else {
        RolloutState::RolledBack
    };
    if rollout.state != state {
        rollout.state = state;
        rollout.since = whole_seconds(scene.now);
    }
    rollout.message = words::message(rollout);
}

/// One service as it is seen.
struct Seen<'a> {
    scene: Scene<'a>,
    instance: &'a InstanceSnapshot,
    latest: Option<&'a DeploymentSnapshot>,
    has_source: bool,
}

impl Seen<'_> {
    fn follow(&self, service: &mut RolloutService) {
        match service.state {
            Is::Waiting | Is::Again | Is::RolledBack => {}
            Is::Healthy | Is::Deploying => self.deploying(service),
            // Somebody or something repaired it.
            Is::Failed => {
                if self.runs() && !self.is_in_doubt() {
                    *service = healthy(service);
                }
            }
            Is::RollingBack => self.rolling_back(service),
        }
    }

    fn is_ready(&self) -> bool {
        health(self.instance, self.has_source).is_ready()
    }

    /// Whether the newest deployment itself runs. One that was taken away leaves what serves healthy, and is not what was
    /// rolled out.
    fn runs(&self) -> bool {
        let is_there = self.latest.is_some_and(|latest| {
            matches!(
                latest.status,
                DeploymentStatus::Success | DeploymentStatus::Sleeping | DeploymentStatus::Skipped
            )
        });
        is_there && self.is_ready()
    }

    fn state(&self) -> ServiceState {
        health(self.instance, self.has_source).state
    }

    fn latest_id(&self) -> Option<String> {
        self.latest.map(|latest| latest.id.to_string())
    }

    /// What is seen may be what was before our last write.
    fn is_in_doubt(&self) -> bool {
        self.scene.is_pending || self.scene.in_grace
    }

    fn is_late(&self, service: &RolloutService) -> bool {
        service.until.is_some_and(|until| self.scene.now >= until)
    }

    /// A call whose answer was lost may still show.
    fn may_still_show(&self, since: Timestamp) -> bool {
        self.scene.now.duration_since(since) < self.scene.patience.lost_answer
    }

    fn deploying(&self, service: &mut RolloutService) {
        if self.latest_id() == service.before {
            return self.unmoved(service);
        }
        if self.runs() {
            *service = healthy(service);
        } else if service.state == Is::Healthy && service.before.is_none() {
            // Its deployment ended well; what became of it since is no matter of this rollout.
        } else if self.state() == ServiceState::Failed {
            self.fail(service, self.why());
        } else if self.is_late(service) {
            self.fail(service, self.too_late());
        } else if service.state == Is::Healthy {
            // It seemed that the change deploys nothing, and it does.
            service.state = Is::Deploying;
            let until = self.scene.now.checked_add(timeout(self.scene.effective));
            service.until = until.ok().map(whole_seconds);
        }
    }

    /// Nothing of what was sent shows.
    fn unmoved(&self, service: &mut RolloutService) {
        if self.is_in_doubt()
            || service
                .asked
                .is_some_and(|asked| self.may_still_show(asked))
        {
            return;
        }
        if self.is_ready() {
            *service = RolloutService {
                before: service.before.clone(),
                ..healthy(service)
            };
        } else if self.state() == ServiceState::Deploying {
            if self.is_late(service) {
                self.fail(service, self.too_late());
            }
        } else if !self.may_still_show(service.since) {
            *service = RolloutService {
                wave: service.wave,
                state: Is::Again,
                ..fresh(whole_seconds(self.scene.now))
            };
        }
    }

    fn rolling_back(&self, service: &mut RolloutService) {
        let has_moved = self.latest_id() != service.failed;
        match service.way {
            None | Some(RollbackWay::Nowhere) => service.state = Is::Failed,
            Some(RollbackWay::Serving) => {
                if self.runs() && !has_moved {
                    // It became healthy after all.
                    *service = healthy(service);
                } else if self.state() != ServiceState::Deploying {
                    let serves = self
                        .instance
                        .active_deployments
                        .iter()
                        .any(|active| service.good.as_deref() == Some(active.id.as_str()));
                    if serves {
                        service.state = Is::RolledBack;
                    } else {
                        // What served stopped meanwhile: another way is looked for.
                        service.state = Is::Failed;
                        service.way = None;
                    }
                }
            }
            Some(RollbackWay::Deployment | RollbackWay::Configuration) => {
                if has_moved {
                    self.back_on_its_way(service);
                } else if self.runs() && !self.is_in_doubt() {
                    *service = healthy(service);
                } else if self.is_late(service) && !self.is_in_doubt() {
                    self.leave_way(service, "Railway did not do it in time".to_owned());
                } else if let Some(asked) = service.asked
                    && !self.is_in_doubt()
                    && !self.may_still_show(asked)
                {
                    // It did not happen, so it may be asked for again.
                    service.asked = None;
                }
            }
        }
    }

    fn back_on_its_way(&self, service: &mut RolloutService) {
        let failed = if self.runs() {
            service.state = Is::RolledBack;
            service.good = self.latest_id();
            service.asked = None;
            return;
        } else if self.state() == ServiceState::Failed {
            self.why()
        } else if self.is_late(service) {
            self.too_late()
        } else {
            return;
        };
        service.failed = self.latest_id();
        self.leave_way(service, failed);
    }

    /// The way led nowhere: the next one is looked for, as long as there is one.
    fn leave_way(&self, service: &mut RolloutService, failed: String) {
        let is_last = service.way == Some(RollbackWay::Configuration);
        service.state = Is::Failed;
        service.asked = None;
        if is_last {
            service.way = Some(RollbackWay::Nowhere);
            service.message = Some(format!("on the way back {failed}"));
        } else {
            service.way = None;
            service.refused = Some(failed);
        }
    }

    fn fail(&self, service: &mut RolloutService, why: String) {
        service.state = Is::Failed;
        service.failed = self.latest_id();
        service.asked = None;
        service.message = Some(why);
    }

    fn why(&self) -> String {
        let id = self.latest_id().unwrap_or_default();
        let status = self
            .latest
            .map_or_else(String::new, |latest| latest.status.to_string());
        format!("deployment {id} ended as {status}")
    }

    fn too_late(&self) -> String {
        match self.latest {
            Some(latest) => format!(
                "deployment {} was still {} when its time was over",
                latest.id, latest.status
            ),
            None => "no deployment came about in its time".to_owned(),
        }
    }
}

fn healthy(service: &RolloutService) -> RolloutService {
    RolloutService {
        wave: service.wave,
        state: Is::Healthy,
        ..fresh(service.since)
    }
}
