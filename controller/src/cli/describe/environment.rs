//! An environment, told whole.

use std::io::Write;

use jiff::Timestamp;
use kube::api::DynamicObject;
use mirage_specs::{Environment, EnvironmentStatus, plan::PlannedAction};

use crate::cli::{
    describe::since::{since, until},
    failure::Failure,
    plan, table,
};

/// Writes everything that Mirage knows of the environment, except its events.
pub(super) fn write(
    out: &mut dyn Write,
    object: &DynamicObject,
    now: Timestamp,
) -> Result<(), Failure> {
    let value = serde_json::to_value(object).map_err(Failure::Answer)?;
    let environment: Environment = serde_json::from_value(value).map_err(Failure::Answer)?;
    let status = environment.status.clone().unwrap_or_default();
    head(out, &environment, &status, now)?;
    conditions(out, &status, now)?;
    services(out, &status)?;
    rollout(out, &status, now)?;
    if let Some(waiting) = status.plan.as_ref().filter(|plan| !plan.actions.is_empty()) {
        writeln!(out, "\nPlan:")?;
        plan::render(
            out,
            &environment.metadata.name.clone().unwrap_or_default(),
            waiting,
        )?;
    }
    drift(out, &status.drift)?;
    ledger(out, &status, now)
}

fn head(
    out: &mut dyn Write,
    environment: &Environment,
    status: &EnvironmentStatus,
    now: Timestamp,
) -> Result<(), Failure> {
    let metadata = &environment.metadata;
    let spec = &environment.spec;
    let railway = status.railway.clone().unwrap_or_default();
    let mut lines: Vec<(&str, Option<String>)> = vec![
        ("Name", metadata.name.clone()),
        ("Namespace", metadata.namespace.clone()),
        ("Mirage id", metadata.uid.clone()),
        ("Type", spec.environment_type.map(|kind| kind.to_string())),
        ("Template", template(environment, status)),
        ("Status", status.phase.clone()),
        (
            "Services",
            status
                .services_ready
                .as_ref()
                .map(|ready| format!("{ready} ready")),
        ),
        ("URL", status.url.clone()),
        ("Project", named(railway.project_name, railway.project_id)),
        (
            "Environment",
            named(railway.environment_name, railway.environment_id),
        ),
        ("Dashboard", railway.dashboard_url),
        (
            "Expires",
            status
                .expires_at
                .map(|at| format!("{at} ({})", until(at, now))),
        ),
        (
            "Suspended",
            (spec.suspend == Some(true)).then(|| "yes".to_owned()),
        ),
        ("Generation", generation(environment, status)),
    ];
    if let Some(deleting) = &metadata.deletion_timestamp {
        lines.push((
            "Deleting",
            Some(format!("since {}", since(deleting.0, now))),
        ));
    }
    if let Some(created) = &metadata.creation_timestamp {
        lines.push(("Age", Some(since(created.0, now))));
    }
    for (label, value) in lines {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            writeln!(out, "{:<13}{value}", format!("{label}:"))?;
        }
    }
    Ok(())
}

/// `shop (generation 3, Settled; 2 of its values overridden, see mirage effective)`.
fn template(environment: &Environment, status: &EnvironmentStatus) -> Option<String> {
    let name = &environment.spec.template_ref.as_ref()?.name;
    let followed = status.template.as_ref();
    let Some(followed) = followed.filter(|followed| followed.name == *name) else {
        return Some(name.clone());
    };
    let revision = match followed.generation {
        Some(generation) => format!("generation {generation}"),
        None => "ships with Mirage".to_owned(),
    };
    let overrides = match followed.overrides {
        0 => String::new(),
        count => format!("; {count} of its values overridden, see mirage effective"),
    };
    Some(format!(
        "{name} ({revision}, {}{overrides})",
        followed.standing
    ))
}

/// `shop (Railway id 1f…)`.
fn named(name: Option<String>, id: Option<String>) -> Option<String> {
    match (name, id) {
        (Some(name), Some(id)) => Some(format!("{name} (Railway id {id})")),
        (Some(name), None) => Some(name),
        (None, id) => id.map(|id| format!("Railway id {id}")),
    }
}

fn generation(environment: &Environment, status: &EnvironmentStatus) -> Option<String> {
    let newest = environment.metadata.generation?;
    Some(match status.observed_generation {
        Some(observed) if observed == newest => newest.to_string(),
        Some(observed) => format!("{newest}, and what follows speaks of {observed}"),
        None => format!("{newest}, not looked at yet"),
    })
}

fn conditions(
    out: &mut dyn Write,
    status: &EnvironmentStatus,
    now: Timestamp,
) -> Result<(), Failure> {
    writeln!(out, "\nConditions:")?;
    if status.conditions.is_empty() {
        writeln!(out, "  none")?;
        return Ok(());
    }
    let mut lines = vec![row(["  TYPE", "STATUS", "REASON", "SINCE", "MESSAGE"])];
    for condition in &status.conditions {
        lines.push(row([
            &format!("  {}", condition.type_),
            &condition.status,
            &condition.reason,
            &since(condition.last_transition_time.0, now),
            &condition.message,
        ]));
    }
    table::align(out, &lines)
}

fn services(out: &mut dyn Write, status: &EnvironmentStatus) -> Result<(), Failure> {
    writeln!(out, "\nServices:")?;
    if status.services.is_empty() {
        writeln!(out, "  none")?;
        return Ok(());
    }
    let mut lines = vec![row(["  NAME", "STATE", "DEPLOYMENT", "URL", "MESSAGE"])];
    for (name, service) in &status.services {
        lines.push(row([
            &format!("  {name}"),
            &service.state.to_string(),
            service.deployment_status.as_deref().unwrap_or("-"),
            &match service.urls.as_slice() {
                [] => "-".to_owned(),
                urls => urls.join(" "),
            },
            service.message.as_deref().unwrap_or_default(),
        ]));
    }
    table::align(out, &lines)
}

/// How far a rollout is, while there is one.
fn rollout(out: &mut dyn Write, status: &EnvironmentStatus, now: Timestamp) -> Result<(), Failure> {
    let Some(rollout) = &status.rollout else {
        return Ok(());
    };
    writeln!(
        out,
        "\nRollout of generation {}: {}, {}",
        rollout.generation,
        rollout.state,
        since(rollout.since, now)
    )?;
    let mut lines = vec![row(["  WAVE", "SERVICE", "STATE", "UNTIL", "MESSAGE"])];
    for (name, service) in &rollout.services {
        let until = service.until.map(|until| until.to_string());
        let message = match &service.message {
            Some(message) => message.clone(),
            None if service.waits_for.is_empty() => String::new(),
            None => format!("waits for {}", service.waits_for.join(", ")),
        };
        lines.push(row([
            &format!("  {}", service.wave),
            name,
            &service.state.to_string(),
            until.as_deref().unwrap_or("-"),
            &message,
        ]));
    }
    table::align(out, &lines)
}

fn drift(out: &mut dyn Write, drift: &[PlannedAction]) -> Result<(), Failure> {
    if drift.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\nDrift (Railway differs, and nobody asked for it here):"
    )?;
    for action in drift {
        writeln!(out, "  {}  ({})", action.target, action.sentence)?;
    }
    Ok(())
}

fn ledger(out: &mut dyn Write, status: &EnvironmentStatus, now: Timestamp) -> Result<(), Failure> {
    if status.ledger.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nLedger (what Mirage made on Railway):")?;
    let mut lines = vec![row(["  KIND", "NAME", "STATE", "SINCE", "RAILWAY ID"])];
    for entry in &status.ledger {
        lines.push(row([
            &format!("  {}", entry.kind),
            &entry.name,
            &format!("{:?}", entry.state),
            &since(entry.intended_at, now),
            entry.railway_id.as_deref().unwrap_or("-"),
        ]));
    }
    table::align(out, &lines)
}

fn row(cells: [&str; 5]) -> Vec<String> {
    cells.map(str::to_owned).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_story_stands_on_one_page() {
        let object: DynamicObject = serde_json::from_value(serde_json::json!({
            "apiVersion": "mirage.dev/v1alpha1", "kind": "Environment",
            "metadata": {"name": "shop", "namespace": "default", "uid": "0b1e", "generation": 3,
                "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"type": "staging", "project": {"name": "shop"}},
            "status": {
                "observedGeneration": 2, "phase": "Waiting", "servicesReady": "1/2", "url": "https://web.up.railway.app",
                "expiresAt": "2026-01-02T00:00:00Z",
                "railway": {"projectId": "p-1", "projectName": "shop", "environmentId": "e-1", "environmentName": "staging"},
                "conditions": [{"type": "Ready", "status": "False", "reason": "AwaitingApproval",
                    "message": "plan 4f1c destroys a volume", "lastTransitionTime": "2026-01-01T00:58:00Z"}],
                "services": {
                    "db": {"state": "Ready", "deploymentStatus": "SUCCESS"},
                    "web": {"state": "Failed", "deploymentStatus": "FAILED", "urls": ["https://web.up.railway.app"], "message": "healthcheck failed"},
                },
                "plan": {"hash": "4f1c", "requests": 1, "actions": [
                    {"target": "service/db/volume/data", "verb": "delete", "sentence": "delete volume data of db",
                     "reason": "NoLongerDeclared", "destroys": true}]},
                "drift": [{"target": "service/web/variable/LOG_LEVEL", "verb": "update", "sentence": "set variable LOG_LEVEL of web", "reason": "Drifted"}],
                "ledger": [{"kind": "Environment", "name": "staging", "state": "Made", "railwayId": "e-1", "intendedAt": "2026-01-01T00:00:00Z"}],
            },
        }))
        .unwrap();
        let mut out = Vec::new();
        write(&mut out, &object, "2026-01-01T01:00:00Z".parse().unwrap()).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap());
    }
}
