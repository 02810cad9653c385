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
    rollout::{RollbackWay, RolloutServiceState, RolloutState, RolloutStatus},
    status::{RailwayStatus, Repairs},
};

use super::{
    applied,
    approval::Gate,
    condition::{Finding, Truth, conditions, whole_seconds},
    diff::FIGHT_WINDOW,
    effective::Effective,
    finding::findings,
    follow::standing_after,
    health::{Health, health, is_ready},
    identity::{Ownership, ownership},
    observe::Observed,
    order,
    plan::{Hold, Plan},
    rollout::{begin::waiting, waves},
};

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
        next.services = services(visit.effective, environment, earlier.rollout.as_ref());
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
    next.rollout = rollout(earlier.rollout.as_ref(), visit);
    next.observed_generation = Some(visit.effective.generation);
    let findings = findings(visit, &next);
    next.phase = Some(phase(visit, &next, &findings).to_owned());
    next.conditions = conditions(
        &earlier.conditions,
        findings,
        visit.effective.generation,
        visit.now,
    );
    if let Some(template) = &mut next.template {
        let is = |kind: &str| {
            let mut of_kind = next.conditions.iter().filter(|found| found.type_ == kind);
            of_kind.any(|found| found.status == "True")
        };
        // A read that does not show our own write yet shows what was healthy before it.
        let is_fine =
            !visit.observed.in_grace && (is("Ready") || synced && visit.effective.suspend);
        template.standing = standing_after(template.standing, is_fine, is("Degraded"));
    }
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
pub(crate) fn dashboard(project: &ProjectId, environment: &EnvironmentId) -> String {
    format!("https://railway.com/project/{project}?environmentId={environment}")
}

/// The rollout with those in it that wait for an earlier wave; none once all is healthy and nothing is left to do.
fn rollout(earlier: Option<&RolloutStatus>, visit: &Visit<'_>) -> Option<RolloutStatus> {
    let mut next = earlier?.clone();
    let was_waiting: BTreeMap<String, Timestamp> = next
        .services
        .iter()
        .filter(|(_, service)| service.state == RolloutServiceState::Waiting)
        .map(|(name, service)| (name.clone(), service.since))
        .collect();
    next.services
        .retain(|_, service| service.state != RolloutServiceState::Waiting);
    let waves = waves(visit.effective);
    for hold in &visit.plan.holds {
        let Hold::WaitingForDependency { service, on } = hold else {
            continue;
        };
        let since = was_waiting.get(service).copied();
        next.services.entry(service.clone()).or_insert_with(|| {
            let since = since.unwrap_or_else(|| whole_seconds(visit.now));
            waiting(waves.get(service.as_str()).copied(), on, since)
        });
    }
    let is_over = next.state == RolloutState::Progressing
        && visit.error.is_none()
        && !visit.changed
        && visit.plan.is_synced()
        && next
            .services
            .values()
            .all(|service| service.state == RolloutServiceState::Healthy);
    (!is_over).then_some(next)
}

fn services(
    effective: &Effective,
    environment: &EnvironmentSnapshot,
    rollout: Option<&RolloutStatus>,
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
                Some(instance) => {
                    let back = rollout
                        .and_then(|rollout| rollout.services.get(name))
                        .filter(|service| service.state == RolloutServiceState::RolledBack);
                    let mut health = health(instance, desired.has_source());
                    // The newest deployment failed, and what it was to replace serves: that is where it was to go back to.
                    if let Some(back) = back
                        && (health.is_ready() || back.way == Some(RollbackWay::Serving))
                    {
                        health.state = ServiceState::Ready;
                        health.message = Some(format!(
                            "rolled back: deployment {} serves",
                            back.good.as_deref().unwrap_or("of before")
                        ));
                    }
                    service(instance, &health, effective.suspend)
                }
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
        if visit.plan.holds.iter().any(|hold| {
            matches!(
                hold,
                Hold::Conflict { .. } | Hold::ImportDiffers { .. } | Hold::ImportMissing { .. }
            )
        }) {
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
