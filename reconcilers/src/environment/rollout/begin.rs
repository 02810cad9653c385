//! Writing down what a rollout is about to send. Pure.

use jiff::Timestamp;
use mirage_railway::{error::Class, snapshot::EnvironmentSnapshot};
use mirage_specs::rollout::{
    RollbackWay, RolloutService, RolloutServiceState, RolloutState, RolloutStatus,
};

use super::{desired, timeout, waves};
use crate::environment::{
    condition::whole_seconds,
    effective::Effective,
    plan::{Action, Entry},
};

/// The services that a commit deploys. Shared variables may reach all of them.
pub fn deployed_by(effective: &Effective, entries: &[&Entry]) -> Vec<String> {
    let deploying = || entries.iter().filter(|entry| entry.action.deploys());
    if deploying().any(|entry| entry.action.service().is_none()) {
        return effective.services.keys().cloned().collect();
    }
    let mut names: Vec<String> = deploying()
        .filter_map(|entry| entry.action.service())
        .filter(|name| effective.services.contains_key(*name))
        .map(str::to_owned)
        .collect();
    names.sort();
    names.dedup();
    names
}

/// Something is about to be sent for these services.
#[derive(Clone, Copy, Debug)]
pub struct Sending<'a> {
    /// What is declared.
    pub effective: &'a Effective,
    /// What was seen; `None` of an environment that was just made.
    pub environment: Option<&'a EnvironmentSnapshot>,
    /// The plan's hash.
    pub plan: &'a str,
    /// Whether a deployment is asked for by a call of its own, and not by a changed configuration.
    pub is_call: bool,
    /// When.
    pub now: Timestamp,
}

/// The rollout with the services in it that something is about to be sent for.
pub fn begin(
    earlier: Option<RolloutStatus>,
    services: &[String],
    sending: Sending<'_>,
) -> Option<RolloutStatus> {
    if services.is_empty() {
        return earlier;
    }
    let Sending { effective, now, .. } = sending;
    let now = whole_seconds(now);
    let mut rollout = earlier.unwrap_or_else(|| RolloutStatus {
        generation: effective.generation,
        desired: desired(effective),
        plan: None,
        state: RolloutState::Progressing,
        since: now,
        message: None,
        services: Default::default(),
    });
    rollout.plan = Some(sending.plan.to_owned());
    let waves = waves(effective);
    for name in services {
        let before = sending
            .environment
            .and_then(|environment| environment.instance_named(name))
            .and_then(|instance| instance.latest_deployment.as_ref())
            .map(|latest| latest.id.to_string());
        let service = RolloutService {
            wave: waves.get(name.as_str()).copied().unwrap_or(1),
            state: RolloutServiceState::Deploying,
            since: now,
            until: now.checked_add(timeout(effective)).ok(),
            before,
            asked: sending.is_call.then_some(now),
            ..fresh(now)
        };
        rollout.services.insert(name.clone(), service);
    }
    Some(rollout)
}

/// A service of which nothing is known yet.
pub(super) fn fresh(now: Timestamp) -> RolloutService {
    RolloutService {
        wave: 1,
        state: RolloutServiceState::Waiting,
        since: now,
        until: None,
        waits_for: Vec::new(),
        before: None,
        failed: None,
        good: None,
        way: None,
        asked: None,
        refused: None,
        message: None,
    }
}

/// A service that waits for an earlier wave.
pub fn waiting(wave: Option<u32>, on: &[String], since: Timestamp) -> RolloutService {
    RolloutService {
        wave: wave.unwrap_or(1),
        waits_for: on.to_vec(),
        ..fresh(since)
    }
}

/// The way back is about to be asked for.
pub fn asks(rollout: &mut Option<RolloutStatus>, service: &str, sending: Sending<'_>) {
    let now = whole_seconds(sending.now);
    let Some(service) = of(rollout, service) else {
        return;
    };
    service.asked = Some(now);
    // However often it is asked for, its time counts from the first.
    if service.until.is_none() {
        service.until = now.checked_add(timeout(sending.effective)).ok();
    }
}

/// The way back was refused, or never sent. What was refused is not asked for again.
pub fn refused(rollout: &mut Option<RolloutStatus>, service: &str, class: Class, words: &str) {
    let Some(service) = of(rollout, service) else {
        return;
    };
    match class {
        Class::Ambiguous => {}
        Class::Invalid | Class::NotFound | Class::Unsupported => {
            service.asked = None;
            service.state = RolloutServiceState::Failed;
            service.refused = Some(words.to_owned());
            // What was sent by configuration and refused has no further way.
            service.way =
                (service.way == Some(RollbackWay::Configuration)).then_some(RollbackWay::Nowhere);
            service.message = service
                .way
                .is_some()
                .then(|| format!("the settings of then were refused: {words}"));
        }
        _ => service.asked = None,
    }
}

/// A deployment that was asked for by a call was refused: nothing is awaited, and what wants it asks again.
pub fn not_begun(rollout: &mut Option<RolloutStatus>, service: &str) {
    if let Some(service) = of(rollout, service) {
        *service = RolloutService {
            wave: service.wave,
            state: RolloutServiceState::Again,
            ..fresh(service.since)
        };
    }
}

fn of<'a>(rollout: &'a mut Option<RolloutStatus>, service: &str) -> Option<&'a mut RolloutService> {
    rollout
        .as_mut()
        .and_then(|rollout| rollout.services.get_mut(service))
}

/// The services of entries that go back.
pub fn going_back(entries: &[&Entry]) -> Vec<String> {
    let mut names: Vec<String> = entries
        .iter()
        .filter(|entry| entry.reason == mirage_specs::plan::PlanReason::RolledBack)
        .filter_map(|entry| match &entry.action {
            Action::Cancel { .. } => None,
            action => action.service(),
        })
        .map(str::to_owned)
        .collect();
    names.sort();
    names.dedup();
    names
}
