//! When to come back, and what of a visit is news. Pure.

use std::time::Duration;

use jiff::Timestamp;
use kube::runtime::events::EventType;
use mirage_railway::error::{Class, Error};
use mirage_specs::{
    Environment, EnvironmentStatus, ServiceState, ledger::LedgerState,
    rollout::RolloutServiceState, wake::WAKE_AT,
};

use super::{
    effective::Effective,
    observe::Observed,
    plan::{Hold, Plan},
};
use crate::{accounts::REFUSED_AGAIN, context::Intervals, reason::Reason};

/// How long a name just deleted may stay taken, and how long Railway's creation throttles last, with a second to spare.
const NAME_RESERVED: Duration = Duration::from_secs(31);

/// When somebody last said that it is worth a look; what is no time is nobody's wish.
pub fn wished_at(environment: &Environment) -> Option<Timestamp> {
    let annotations = environment.metadata.annotations.as_ref()?;
    annotations.get(WAKE_AT)?.parse().ok()
}

/// When to look again after a visit.
pub fn after_visit(
    effective: &Effective,
    plan: &Plan,
    changed: bool,
    error: Option<&Error>,
    in_transition: bool,
    intervals: &Intervals,
    now: Timestamp,
) -> Duration {
    let next = if let Some(error) = error {
        after_error(error, intervals)
    } else if changed {
        intervals.soon
    } else if plan.holds.iter().any(is_short) {
        intervals.soon.max(Duration::from_secs(1))
    } else if plan
        .holds
        .iter()
        .any(|hold| !is_for_a_person(hold) && !is_of_others(hold))
    {
        intervals.active
    } else if in_transition || plan.holds.iter().any(is_of_others) {
        // The observer wakes us when something moves; this is for the wake-up that got lost.
        intervals.active * 6
    } else {
        intervals.resync
    };
    // A pause ends by itself.
    let next = effective
        .pause
        .until
        .filter(|_| effective.suspend)
        .map_or(next, |until| next.min(left(until, now)));
    let until_expiry = effective.expires_at.map(|at| left(at, now));
    until_expiry.map_or(next, |left| left.min(next))
}

fn left(until: Timestamp, now: Timestamp) -> Duration {
    let left = until.duration_since(now);
    Duration::try_from(left).unwrap_or(Duration::ZERO) + Duration::from_secs(1)
}

/// When the time of a service of the rollout is over.
pub fn when_judged(status: &EnvironmentStatus, now: Timestamp) -> Option<Duration> {
    let rollout = status.rollout.as_ref()?;
    let under_way = rollout.services.values().filter(|service| {
        matches!(
            service.state,
            RolloutServiceState::Deploying | RolloutServiceState::RollingBack
        )
    });
    let next = under_way
        .filter_map(|service| service.until)
        .filter(|until| *until > now)
        .min()?;
    Some(left(next, now))
}

/// When what may not be believed yet can be: the ledger is balanced then, whatever else rests.
pub fn when_believed(
    status: &EnvironmentStatus,
    observed: &Observed,
    intervals: &Intervals,
) -> Duration {
    let open = status
        .ledger
        .iter()
        .any(|entry| entry.state == LedgerState::Intended);
    if open {
        let patience =
            Duration::try_from(observed.patience.lost_answer).unwrap_or(intervals.resync);
        patience + Duration::from_secs(1)
    } else if observed.in_grace {
        intervals.grace + Duration::from_secs(1)
    } else {
        intervals.resync
    }
}

/// What goes on when somebody says so, and not by looking.
fn is_for_a_person(hold: &Hold) -> bool {
    matches!(hold, Hold::RolloutHalted { .. } | Hold::RolledBack { .. })
}

fn is_short(hold: &Hold) -> bool {
    matches!(
        hold,
        Hold::ChangeApplying | Hold::AwaitingVisibility { .. } | Hold::AwaitingProject { .. }
    )
}

/// Other environments must become ready first, which takes minutes.
fn is_of_others(hold: &Hold) -> bool {
    matches!(
        hold,
        Hold::WaitingForWave { .. } | Hold::TemplateHalted { .. }
    )
}

/// When to try again after a failed call, by what its class allows.
pub fn after_error(error: &Error, intervals: &Intervals) -> Duration {
    match error.class() {
        Class::RateLimited => error.wait().unwrap_or(NAME_RESERVED),
        Class::Stale => Duration::ZERO,
        Class::Transient | Class::Ambiguous | Class::NotFound | Class::NotYet => intervals.active,
        Class::Conflict => NAME_RESERVED,
        Class::Unauthorized => REFUSED_AGAIN.min(intervals.active * 12),
        Class::Invalid | Class::Unsupported => intervals.resync,
    }
}

/// Whether something will change by itself soon, so that looking more often pays.
pub fn is_in_transition(status: &EnvironmentStatus) -> bool {
    status.pending_change.is_some()
        || status
            .conditions
            .iter()
            .any(|condition| condition.type_ == "Progressing" && condition.status == "True")
        || status.services.values().any(|service| {
            matches!(
                service.state,
                ServiceState::Deploying | ServiceState::Pending
            )
        })
}

/// What somebody who watches Events wants to hear: conditions that turned, each under its own reason.
pub fn news(
    earlier: Option<&EnvironmentStatus>,
    next: &EnvironmentStatus,
) -> Vec<(EventType, String, String)> {
    let conditions = earlier
        .map(|status| status.conditions.as_slice())
        .unwrap_or_default();
    let mut news: Vec<(EventType, String, String)> = Vec::new();
    for condition in &next.conditions {
        let before = conditions
            .iter()
            .find(|before| before.type_ == condition.type_);
        let turned = before.is_none_or(|before| before.status != condition.status);
        let other_reason = before.is_none_or(|before| before.reason != condition.reason);
        let severity = match (condition.type_.as_str(), condition.status.as_str()) {
            ("Ready", "True") if turned => EventType::Normal,
            ("Drifted", "True") if turned => EventType::Warning,
            ("Degraded", "True") if other_reason => EventType::Warning,
            ("Synced", "False") if other_reason && is_worth_telling(&condition.reason) => {
                EventType::Warning
            }
            _ => continue,
        };
        // One cause may turn several conditions; it is one piece of news.
        if !news
            .iter()
            .any(|(_, reason, _)| *reason == condition.reason)
        {
            news.push((
                severity,
                condition.reason.clone(),
                condition.message.clone(),
            ));
        }
    }
    news
}

fn is_worth_telling(reason: &str) -> bool {
    let quiet: [&str; 7] = [
        Reason::Applying.into(),
        Reason::ChangeApplying.into(),
        Reason::AwaitingVisibility.into(),
        Reason::DriftFound.into(),
        Reason::WaitingForProject.into(),
        Reason::WaitingForWave.into(),
        Reason::Replanning.into(),
    ];
    !quiet.contains(&reason)
}
