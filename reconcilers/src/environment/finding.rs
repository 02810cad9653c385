//! What a visit says about each condition: the words people read first. Pure.

use mirage_railway::{
    error::{Class, Error},
    snapshot::Presence,
};
use mirage_specs::{EnvironmentStatus, ServiceState, plan::PlanReason};

use super::{
    approval::Gate,
    condition::{Finding, Truth},
    health::is_ready,
    plan::Hold,
    rollout::words,
    status::Visit,
};
use crate::reason::Reason;

/// A finding for each condition of an Environment.
pub(super) fn findings(visit: &Visit<'_>, next: &EnvironmentStatus) -> Vec<Finding> {
    let synced = synced(visit);
    let ready = ready(visit, next, &synced);
    let progressing = progressing(visit, next);
    let drifted = drifted(visit);
    let degraded = degraded(visit, next);
    vec![ready, synced, progressing, drifted, degraded]
}

/// Somebody's draft in Railway's dashboard is neither ours to publish nor drift, but its owner may have forgotten it.
fn in_sync(visit: &Visit<'_>) -> String {
    let drafts = match &visit.observed.project {
        Presence::Present(project) => project
            .environment_named(&visit.effective.environment_name)
            .map_or(0, |environment| environment.unmerged_changes),
        Presence::Absent | Presence::Unknown(_) => 0,
    };
    if drafts == 0 {
        return "Railway is as declared".to_owned();
    }
    format!(
        "Railway is as declared; {drafts} staged change(s) of somebody's wait in Railway's dashboard"
    )
}

fn synced(visit: &Visit<'_>) -> Finding {
    let no = |reason, message: String| Finding {
        kind: "Synced",
        truth: Truth::False,
        reason,
        message,
    };
    if let Some(error) = visit.error {
        let (reason, message) = told(error);
        return no(reason, message);
    }
    if *visit.gate == Gate::Closed {
        let plan = &visit.plan;
        return no(
            Reason::AwaitingApproval,
            format!(
                "a plan of {} action(s) waits for approval{}; look at it with `mirage plan`, then set the annotation \
                 mirage.dev/approve={}",
                plan.entries.len(),
                if plan.is_destructive() {
                    ", some of which destroy something"
                } else {
                    ""
                },
                plan.hash
            ),
        );
    }
    if let Some(hold) = visit.plan.holds.first() {
        let all: Vec<String> = visit.plan.holds.iter().map(ToString::to_string).collect();
        return no(hold_reason(hold), all.join("; "));
    }
    if visit.changed {
        return no(
            Reason::Applying,
            format!("{} change(s) sent to Railway", visit.plan.entries.len()),
        );
    }
    if !visit.plan.reported.is_empty() {
        return no(
            Reason::DriftFound,
            format!(
                "{} difference(s) are reported and left",
                visit.plan.reported.len()
            ),
        );
    }
    if visit.effective.suspend {
        return Finding {
            kind: "Synced",
            truth: Truth::True,
            reason: Reason::Suspended,
            message: visit.effective.pause.to_string(),
        };
    }
    Finding {
        kind: "Synced",
        truth: Truth::True,
        reason: Reason::InSync,
        message: in_sync(visit),
    }
}

fn ready(visit: &Visit<'_>, next: &EnvironmentStatus, synced: &Finding) -> Finding {
    let make = |truth, reason, message: String| Finding {
        kind: "Ready",
        truth,
        reason,
        message,
    };
    if visit.effective.suspend {
        return make(
            Truth::False,
            Reason::Suspended,
            visit.effective.pause.to_string(),
        );
    }
    // Looking failed before anything could be seen: what was seen last is not repeated as if it were still so.
    if let Presence::Unknown(why) = &visit.observed.project {
        return make(
            Truth::Unknown,
            Reason::NotObserved,
            format!("not observed: {why}"),
        );
    }
    let unready: Vec<String> = next
        .services
        .iter()
        .filter(|(_, service)| !is_ready(service.state))
        .map(|(name, service)| match &service.message {
            Some(message) => format!("{name}: {message}"),
            None => format!("{name} is {}", service.state.to_string().to_lowercase()),
        })
        .collect();
    let has = |state| next.services.values().any(|service| service.state == state);
    if !unready.is_empty() {
        let reason = if has(ServiceState::Failed) {
            Reason::ServiceFailed
        } else if has(ServiceState::Blocked) {
            Reason::ServiceBlocked
        } else if synced.truth != Truth::True {
            synced.reason
        } else {
            Reason::ServicesDeploying
        };
        return make(Truth::False, reason, unready.join("; "));
    }
    // Drift that is reported and left does not make what runs unready; an unfinished or refused change does.
    if synced.truth != Truth::True && synced.reason != Reason::DriftFound {
        return make(Truth::False, synced.reason, synced.message.clone());
    }
    make(
        Truth::True,
        Reason::ServicesHealthy,
        format!("{} service(s) healthy", next.services.len()),
    )
}

fn progressing(visit: &Visit<'_>, next: &EnvironmentStatus) -> Finding {
    let deploying: Vec<&str> = next
        .services
        .iter()
        .filter(|(_, service)| {
            matches!(
                service.state,
                ServiceState::Deploying | ServiceState::Pending
            )
        })
        .map(|(name, _)| name.as_str())
        .collect();
    let applying = visit.changed
        || visit
            .plan
            .holds
            .iter()
            .any(|hold| matches!(hold, Hold::ChangeApplying | Hold::AwaitingVisibility { .. }));
    let rollout = next.rollout.as_ref().and_then(words::progress);
    let goes_back = visit
        .plan
        .holds
        .iter()
        .any(|hold| matches!(hold, Hold::RollingBack { .. }));
    let (truth, reason, message) = if goes_back {
        (
            Truth::True,
            Reason::RollingBack,
            "what failed goes back to what was good".to_owned(),
        )
    } else if applying {
        (
            Truth::True,
            Reason::Applying,
            rollout.unwrap_or_else(|| "changes are on their way".to_owned()),
        )
    } else if let (Some(rollout), None, false) = (rollout, visit.error, visit.effective.suspend) {
        (Truth::True, Reason::ServicesDeploying, rollout)
    } else if !deploying.is_empty() && visit.error.is_none() && !visit.effective.suspend {
        (
            Truth::True,
            Reason::ServicesDeploying,
            format!("deploying: {}", deploying.join(", ")),
        )
    } else {
        (
            Truth::False,
            Reason::Settled,
            "nothing is under way".to_owned(),
        )
    };
    Finding {
        kind: "Progressing",
        truth,
        reason,
        message,
    }
}

fn drifted(visit: &Visit<'_>) -> Finding {
    let of_plan = visit
        .plan
        .entries
        .iter()
        .filter(|entry| entry.reason == PlanReason::Drifted);
    let all: Vec<String> = visit
        .plan
        .reported
        .iter()
        .chain(of_plan)
        .map(|entry| entry.action.target())
        .collect();
    let (truth, reason, message) = match &visit.observed.project {
        Presence::Unknown(why) => (
            Truth::Unknown,
            Reason::NotObserved,
            format!("not observed: {why}"),
        ),
        _ if all.is_empty() => (
            Truth::False,
            Reason::NoDrift,
            "nothing differs that was not asked for".to_owned(),
        ),
        _ => (
            Truth::True,
            Reason::DriftFound,
            format!("changed on Railway: {}", all.join(", ")),
        ),
    };
    Finding {
        kind: "Drifted",
        truth,
        reason,
        message,
    }
}

fn degraded(visit: &Visit<'_>, next: &EnvironmentStatus) -> Finding {
    let make = |truth, reason, message: String| Finding {
        kind: "Degraded",
        truth,
        reason,
        message,
    };
    let stuck = visit.plan.holds.iter().find(|hold| {
        matches!(
            hold,
            Hold::Conflict { .. }
                | Hold::ImportDiffers { .. }
                | Hold::ImportMissing { .. }
                | Hold::ProjectMissing { .. }
                | Hold::Fight { .. }
                | Hold::EverythingStopped
                | Hold::RolloutHalted { .. }
                | Hold::RollingBack { .. }
                | Hold::RolledBack { .. }
                | Hold::CopySourceMissing { .. }
        )
    });
    if let Some(hold) = stuck {
        return make(Truth::True, hold_reason(hold), hold.to_string());
    }
    if let Some(error) = visit.error.filter(|error| {
        matches!(
            error.class(),
            Class::Invalid | Class::Unauthorized | Class::Unsupported
        )
    }) {
        let (reason, message) = told(error);
        return make(Truth::True, reason, message);
    }
    let failed: Vec<&str> = next
        .services
        .iter()
        .filter(|(_, service)| service.state == ServiceState::Failed)
        .map(|(name, _)| name.as_str())
        .collect();
    if failed.is_empty() {
        make(Truth::False, Reason::Healthy, "nothing is wrong".to_owned())
    } else {
        make(
            Truth::True,
            Reason::ServiceFailed,
            format!("failed: {}", failed.join(", ")),
        )
    }
}

/// A hold's reason constant.
pub fn hold_reason(hold: &Hold) -> Reason {
    match hold {
        Hold::Unobserved { .. } => Reason::Unobserved,
        Hold::AwaitingVisibility { .. } => Reason::AwaitingVisibility,
        Hold::Conflict { .. } => Reason::Conflict,
        Hold::ImportDiffers { .. } => Reason::ImportDiffers,
        Hold::ImportMissing { .. } => Reason::ImportMissing,
        Hold::ProjectMissing { .. } => Reason::ProjectMissing,
        Hold::ChangeApplying => Reason::ChangeApplying,
        Hold::AwaitingProject { .. } => Reason::WaitingForProject,
        Hold::WaitingForDependency { .. } => Reason::WaitingForDependency,
        Hold::WaitingForWave { .. } => Reason::WaitingForWave,
        Hold::TemplateHalted { .. } => Reason::TemplateHalted,
        Hold::Fight { .. } => Reason::Fighting,
        Hold::RolloutHalted { .. } => Reason::RolloutHalted,
        Hold::RollingBack { .. } => Reason::RollingBack,
        Hold::RolledBack { .. } => Reason::RolledBack,
        Hold::EverythingStopped => Reason::EverythingStopped,
        Hold::CopySourceMissing { .. } => Reason::CopySourceMissing,
    }
}

/// An error as reason and message: Railway's own words, its trace id, and the next step.
pub fn told(error: &Error) -> (Reason, String) {
    let reason = match error.class() {
        Class::Transient => Reason::RailwayUnreachable,
        Class::RateLimited => Reason::RateLimitedUntil,
        Class::Ambiguous => Reason::AnswerLost,
        Class::Unauthorized => Reason::Unauthorized,
        Class::NotFound | Class::Invalid => Reason::RailwayRefused,
        Class::Conflict => Reason::Conflict,
        Class::Stale => Reason::Replanning,
        Class::NotYet => Reason::RailwayBusy,
        Class::Unsupported => Reason::UnsupportedByRailway,
    };
    (reason, format!("{error}. {}", error.next_step()))
}
