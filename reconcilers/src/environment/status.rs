//! What is told about an Environment, from what was wanted, seen, planned and done. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;
use mirage_railway::{
    error::{Class, Error},
    id::{EnvironmentId, ProjectId},
    snapshot::{EnvironmentSnapshot, InstanceSnapshot, Presence, ProjectSnapshot},
};
use mirage_specs::{
    EnvironmentStatus, PlanView, ServiceState, ServiceStatus,
    plan::PlanReason,
    status::{RailwayStatus, Repairs},
};

use super::{
    applied,
    approval::Gate,
    condition::{Finding, Truth, conditions, whole_seconds},
    diff::FIGHT_WINDOW,
    effective::Effective,
    health::{Health, health, is_ready},
    identity::{Ownership, ownership},
    observe::Observed,
    order,
    plan::{Hold, Plan},
};
use crate::reason::Reason;

/// What one visit came to.
#[derive(Clone, Copy, Debug)]
pub struct Visit<'a> {
    /// What was wanted.
    pub effective: &'a Effective,
    /// What was seen; before the plan was carried out.
    pub observed: &'a Observed,
    /// What was to be done.
    pub plan: &'a Plan,
    /// Whether it might be.
    pub gate: &'a Gate,
    /// Whether steps were carried out.
    pub changed: bool,
    /// The step that failed.
    pub error: Option<&'a Error>,
    /// The time of it.
    pub now: Timestamp,
}

/// The status after a visit. What was not observed is left as it was seen last, and said to be so.
pub fn status(earlier: &EnvironmentStatus, visit: &Visit<'_>) -> EnvironmentStatus {
    let mut next = earlier.clone();
    let environment = ours(visit, earlier);
    if let Some((project, environment)) = environment {
        next.railway = Some(railway(project, environment));
        next.services = services(visit.effective, environment);
        next.url = next
            .services
            .values()
            .flat_map(|service| service.urls.first())
            .next()
            .cloned();
    } else if earlier.services.is_empty() {
        next.services = unobserved(visit.effective);
    }
    let ready = next
        .services
        .values()
        .filter(|service| is_ready(service.state))
        .count();
    next.services_ready = Some(format!("{ready}/{}", next.services.len()));
    next.expires_at = visit.effective.expires_at.map(whole_seconds);
    next.deletion = Some(visit.effective.deletion);
    next.account = Some(visit.effective.account.clone());
    next.suspended |= visit.effective.suspend;
    next.drift = visit
        .plan
        .reported
        .iter()
        .map(super::plan::Entry::view)
        .collect();
    next.plan = plan_view(visit);
    next.repairs = repairs(earlier, visit);
    if let Gate::Approved(approved) = visit.gate {
        next.approved = Some(approved.clone());
    }
    let synced = visit.plan.is_synced() && visit.plan.reported.is_empty() && visit.error.is_none();
    if synced && environment.is_some() && !visit.effective.suspend {
        next.applied = Some(applied::record(visit.effective));
        next.approved = None;
        next.suspended = false;
    }
    next.observed_generation = Some(visit.effective.generation);
    let findings = findings(visit, &next);
    next.phase = Some(phase(visit, &next, &findings).to_owned());
    next.conditions = conditions(
        &earlier.conditions,
        findings,
        visit.effective.generation,
        visit.now,
    );
    if visit.changed || !same_but_time(earlier, &next) {
        next.last_reconciled = Some(whole_seconds(visit.now));
    }
    next
}

fn same_but_time(a: &EnvironmentStatus, b: &EnvironmentStatus) -> bool {
    let timeless = |status: &EnvironmentStatus| EnvironmentStatus {
        last_reconciled: None,
        ..status.clone()
    };
    timeless(a) == timeless(b)
}

fn ours<'a>(
    visit: &Visit<'a>,
    earlier: &EnvironmentStatus,
) -> Option<(&'a ProjectSnapshot, &'a EnvironmentSnapshot)> {
    let Presence::Present(project) = &visit.observed.project else {
        return None;
    };
    match ownership(
        &visit.effective.id,
        &visit.effective.environment_name,
        &earlier.ledger,
        project,
    ) {
        Ownership::Ours(environment) | Ownership::Unmarked(environment) => {
            Some((project, environment))
        }
        Ownership::Foreign(..) | Ownership::Absent | Ownership::Unknown(_) => None,
    }
}

fn railway(project: &ProjectSnapshot, environment: &EnvironmentSnapshot) -> RailwayStatus {
    RailwayStatus {
        project_id: Some(project.id.to_string()),
        project_name: Some(project.name.clone()),
        environment_id: Some(environment.id.to_string()),
        environment_name: Some(environment.name.clone()),
        dashboard_url: Some(dashboard(&project.id, &environment.id)),
    }
}

/// Railway's dashboard shows an environment at this address.
fn dashboard(project: &ProjectId, environment: &EnvironmentId) -> String {
    format!("https://railway.com/project/{project}?environmentId={environment}")
}

fn services(
    effective: &Effective,
    environment: &EnvironmentSnapshot,
) -> BTreeMap<String, ServiceStatus> {
    effective
        .services
        .iter()
        .map(|(name, desired)| {
            let status = match environment.instance_named(name) {
                None => ServiceStatus {
                    state: ServiceState::Pending,
                    ..ServiceStatus::default()
                },
                Some(instance) => service(
                    instance,
                    &health(instance, desired.has_source()),
                    effective.suspend,
                ),
            };
            (name.clone(), status)
        })
        .collect()
}

fn unobserved(effective: &Effective) -> BTreeMap<String, ServiceStatus> {
    let pending = |name: &String| {
        (
            name.clone(),
            ServiceStatus {
                state: ServiceState::Pending,
                ..ServiceStatus::default()
            },
        )
    };
    effective.services.keys().map(pending).collect()
}

fn service(instance: &InstanceSnapshot, health: &Health, suspended: bool) -> ServiceStatus {
    let latest = instance.latest_deployment.as_ref();
    let domains = instance
        .custom_domains
        .iter()
        .chain(&instance.service_domains);
    ServiceStatus {
        state: health.state,
        service_id: Some(instance.service_id.to_string()),
        deployment_id: latest.map(|deployment| deployment.id.to_string()),
        deployment_status: latest.map(|deployment| deployment.status.to_string()),
        urls: domains
            .map(|domain| format!("https://{}", domain.domain))
            .collect(),
        message: health
            .message
            .clone()
            .filter(|_| !(suspended && health.state == ServiceState::Stopped)),
    }
}

fn plan_view(visit: &Visit<'_>) -> Option<PlanView> {
    // A plan that was carried out is history; one that waits or failed is what people want to see.
    let pending = !visit.plan.entries.is_empty()
        && (visit.error.is_some() || *visit.gate == Gate::Closed || !visit.changed);
    pending.then(|| visit.plan.view(order::requests(visit.plan)))
}

fn repairs(earlier: &EnvironmentStatus, visit: &Visit<'_>) -> BTreeMap<String, Repairs> {
    let mut next: BTreeMap<String, Repairs> = earlier
        .repairs
        .iter()
        .filter(|(_, repairs)| visit.now.duration_since(repairs.since) < FIGHT_WINDOW)
        .map(|(target, repairs)| (target.clone(), repairs.clone()))
        .collect();
    if visit.changed {
        for entry in visit
            .plan
            .entries
            .iter()
            .filter(|entry| entry.reason == PlanReason::Drifted)
        {
            let fresh = Repairs {
                count: 0,
                since: whole_seconds(visit.now),
                reason: entry.reason,
            };
            next.entry(entry.action.target()).or_insert(fresh).count += 1;
        }
    }
    next
}

fn findings(visit: &Visit<'_>, next: &EnvironmentStatus) -> Vec<Finding> {
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
            message: "stopped on request".to_owned(),
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
            "suspended: set spec.suspend to false to start it again".to_owned(),
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
    let (truth, reason, message) = if applying {
        (
            Truth::True,
            Reason::Applying,
            "changes are on their way".to_owned(),
        )
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
                | Hold::ProjectMissing { .. }
                | Hold::Fight { .. }
                | Hold::EverythingStopped
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

fn phase(visit: &Visit<'_>, next: &EnvironmentStatus, findings: &[Finding]) -> &'static str {
    let is = |kind: &str, truth: Truth| {
        findings
            .iter()
            .any(|finding| finding.kind == kind && finding.truth == truth)
    };
    if visit.effective.suspend && is("Synced", Truth::True) {
        "Suspended"
    } else if *visit.gate == Gate::Closed {
        "Waiting"
    } else if is("Degraded", Truth::True) {
        if visit
            .plan
            .holds
            .iter()
            .any(|hold| matches!(hold, Hold::Conflict { .. }))
        {
            "Failed"
        } else {
            "Degraded"
        }
    } else if is("Ready", Truth::Unknown) {
        "Unknown"
    } else if is("Ready", Truth::True) {
        if is("Drifted", Truth::True) {
            "Drifted"
        } else {
            "Ready"
        }
    } else if visit
        .error
        .is_some_and(|error| !matches!(error.class(), Class::Stale))
    {
        "Waiting"
    } else if next
        .railway
        .as_ref()
        .is_none_or(|railway| railway.environment_id.is_none())
    {
        "Provisioning"
    } else if next.applied.as_ref().is_some_and(|applied| {
        applied
            .generation
            .is_some_and(|applied| applied < visit.effective.generation)
    }) {
        "Updating"
    } else {
        "Progressing"
    }
}

/// A hold's reason constant.
pub fn hold_reason(hold: &Hold) -> Reason {
    match hold {
        Hold::Unobserved { .. } => Reason::Unobserved,
        Hold::AwaitingVisibility { .. } => Reason::AwaitingVisibility,
        Hold::Conflict { .. } => Reason::Conflict,
        Hold::ProjectMissing { .. } => Reason::ProjectMissing,
        Hold::ChangeApplying => Reason::ChangeApplying,
        Hold::AwaitingProject { .. } => Reason::WaitingForProject,
        Hold::WaitingForDependency { .. } => Reason::WaitingForDependency,
        Hold::Fight { .. } => Reason::Fighting,
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
