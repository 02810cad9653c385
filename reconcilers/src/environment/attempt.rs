//! A copy that must become ready, or is taken back. Pure.
//!
//! The wish stands on the object ([`READY_BY`]) and the verdict follows from the object alone, so a process killed
//! between any two lines comes to the same one. It is over with the first time that the copy is ready: what fails after
//! that fails as any other environment does.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::ResourceExt as _;
use mirage_specs::{
    Environment,
    copy::{READY_BY, TakenBack},
};

use crate::reason::Reason;

/// A failure counts when it has stood for this long: a restart heals some.
const STANDING: SignedDuration = SignedDuration::from_secs(30);

/// How often an open attempt is looked at when nothing else happens.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Failures that time does not heal. Others (a missing Secret, a refused token, a Railway that is away) last until the time
/// is up.
const FINAL: [Reason; 9] = [
    Reason::InvalidSpec,
    Reason::Conflict,
    Reason::RailwayRefused,
    Reason::UnsupportedByRailway,
    Reason::ProjectMissing,
    Reason::CopySourceMissing,
    Reason::ServiceFailed,
    Reason::RolloutHalted,
    Reason::RolledBack,
];

/// Where an attempt stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// There is none: the environment is no copy, is to be kept, or has been ready.
    None,
    /// It may still become ready; to be looked at again within this time.
    Open(Duration),
    /// It is ready.
    Succeeded,
    /// It failed, and what was made goes.
    Failed(String),
}

/// Judges by what the object says of itself.
pub fn attempt(environment: &Environment, now: Timestamp) -> Attempt {
    if let Some(why) = taken_back(environment) {
        return Attempt::Failed(why);
    }
    let Some(until) = deadline(environment) else {
        return Attempt::None;
    };
    let current = |kind: &str| {
        let status = environment.status.as_ref()?;
        let is_current = status.observed_generation == environment.metadata.generation;
        let conditions = status.conditions.iter().filter(move |_| is_current);
        conditions.into_iter().find(|found| found.type_ == kind)
    };
    let is_true = |kind: &str| current(kind).is_some_and(|found| found.status == "True");
    if is_true("Ready") {
        return Attempt::Succeeded;
    }
    if let Some(degraded) = current("Degraded")
        && degraded.status == "True"
        && !is_true("Progressing")
        && is_final(degraded)
        && now.duration_since(degraded.last_transition_time.0) >= STANDING
    {
        return Attempt::Failed(degraded.message.clone());
    }
    // A person was asked and has not answered; that takes as long as it takes.
    let asks = current("Synced").is_some_and(|found| is(found, Reason::AwaitingApproval));
    if now >= until && !asks {
        let why = current("Ready").map_or("nothing is known of it", |ready| &ready.message);
        return Attempt::Failed(format!("it was not ready by {until}: {why}"));
    }
    let left = Duration::try_from(until.duration_since(now)).unwrap_or(Duration::ZERO);
    Attempt::Open(LOOK_AGAIN.min(left + Duration::from_secs(1)))
}

/// Whether the environment is one that is being taken back, so that nothing of it stays on Railway.
pub fn is_taken_back(environment: &Environment) -> bool {
    taken_back(environment).is_some()
}

fn taken_back(environment: &Environment) -> Option<String> {
    TakenBack::of(
        environment.annotations(),
        environment.metadata.uid.as_deref(),
    )
}

/// Until when it must have been ready. What is no time is nobody's wish, and tears nothing down; nor does a time that was
/// over when the object was made: it came with a manifest that somebody had saved.
fn deadline(environment: &Environment) -> Option<Timestamp> {
    let until = environment.annotations().get(READY_BY)?.parse().ok()?;
    let created = environment.metadata.creation_timestamp.as_ref();
    created
        .is_none_or(|created| created.0 < until)
        .then_some(until)
}

fn is_final(condition: &Condition) -> bool {
    FINAL.iter().any(|reason| is(condition, *reason))
}

fn is(condition: &Condition, reason: Reason) -> bool {
    condition.reason == <&str>::from(reason)
}

#[cfg(test)]
mod tests {
    use mirage_specs::copy::ROLLED_BACK;
    use serde_json::{Value, json};

    use super::*;

    const START: &str = "2026-01-01T00:00:00Z";

    fn at(seconds: i64) -> Timestamp {
        START.parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
    }

    /// An attempt of a quarter of an hour, with conditions that turned at the start: type, status, reason.
    fn copy(conditions: &[(&str, &str, &str)]) -> Environment {
        let conditions: Vec<Value> = conditions
            .iter()
            .map(|(kind, status, reason)| {
                json!({"type": kind, "status": status, "reason": reason, "message": format!("because {reason}"),
                       "lastTransitionTime": START})
            })
            .collect();
        serde_json::from_value(json!({
            "metadata": {"name": "copy", "uid": "uid-copy", "generation": 1, "creationTimestamp": START, "annotations": {READY_BY: at(900).to_string()}}, "spec": {},
            "status": {"observedGeneration": 1, "conditions": conditions},
        }))
        .unwrap()
    }

    #[test]
    fn an_environment_that_is_no_attempt_is_never_taken_back() {
        let failed = [("Degraded", "True", "ServiceFailed")];
        for deadline in [None, Some("soon")] {
            let mut environment = copy(&failed);
            let annotations = environment.annotations_mut();
            annotations.clear();
            annotations.extend(deadline.map(|text| (READY_BY.to_owned(), text.to_owned())));
            assert_eq!(attempt(&environment, at(9_999)), Attempt::None);
        }
    }

    #[test]
    fn an_attempt_ends_when_it_is_ready_whatever_the_time() {
        let ready = copy(&[("Ready", "True", "ServicesHealthy")]);
        assert_eq!(attempt(&ready, at(9_999)), Attempt::Succeeded);
        let mut edited = ready;
        edited.metadata.generation = Some(2);
        assert!(matches!(attempt(&edited, at(1)), Attempt::Open(_)));
    }

    #[test]
    fn a_failure_that_time_does_not_heal_counts_once_it_has_stood() {
        for reason in FINAL {
            let reason: &str = reason.into();
            let failed = copy(&[("Degraded", "True", reason)]);
            assert!(
                matches!(attempt(&failed, at(29)), Attempt::Open(_)),
                "{reason}"
            );
            assert_eq!(
                attempt(&failed, at(30)),
                Attempt::Failed(format!("because {reason}"))
            );
        }
        let moving = copy(&[
            ("Degraded", "True", "ServiceFailed"),
            ("Progressing", "True", "Applying"),
        ]);
        assert!(matches!(attempt(&moving, at(60)), Attempt::Open(_)));
    }

    #[test]
    fn what_may_heal_has_until_the_time_is_up_and_a_person_has_longer() {
        for reason in ["AccountNotReady", "Unauthorized"] {
            let waiting = copy(&[("Degraded", "True", reason), ("Ready", "False", reason)]);
            assert_eq!(
                attempt(&waiting, at(899)),
                Attempt::Open(Duration::from_secs(2))
            );
            let Attempt::Failed(why) = attempt(&waiting, at(900)) else {
                panic!("{reason} is waited for for ever");
            };
            assert!(why.contains(&format!("because {reason}")), "{why}");
        }
        let asked = copy(&[("Synced", "False", "AwaitingApproval")]);
        assert!(matches!(attempt(&asked, at(9_999)), Attempt::Open(_)));
        let mut unseen = copy(&[]);
        unseen.status = None;
        assert!(matches!(attempt(&unseen, at(900)), Attempt::Failed(_)));
    }

    #[test]
    fn what_is_being_taken_back_stays_so() {
        let mut ready = copy(&[("Ready", "True", "ServicesHealthy")]);
        let taken = TakenBack {
            environment_id: "uid-copy".to_owned(),
            why: "it failed".to_owned(),
        };
        let annotations = ready.annotations_mut();
        annotations.insert(ROLLED_BACK.to_owned(), taken.written());
        assert_eq!(attempt(&ready, at(1)), Attempt::Failed(taken.why));
        assert!(is_taken_back(&ready));
    }

    #[test]
    fn a_manifest_that_was_saved_from_a_failed_copy_and_applied_again_is_no_attempt() {
        let mut again = copy(&[("Degraded", "True", "ServiceFailed")]);
        let taken = TakenBack {
            environment_id: "uid-of-another".to_owned(),
            why: "it failed".to_owned(),
        };
        let annotations = again.annotations_mut();
        annotations.insert(ROLLED_BACK.to_owned(), taken.written());
        annotations.insert(READY_BY.to_owned(), at(-1).to_string());
        assert_eq!(attempt(&again, at(9_999)), Attempt::None);
        assert!(!is_taken_back(&again));
    }
}
