//! Taking over an environment that is on Railway already, as it is. Pure.
//!
//! An Environment with the annotation [`IMPORT`] that has made nothing yet makes nothing either. It is compared with the
//! environment of that id as if that were its own. When nothing differs it becomes its own by an entry in the ledger, and
//! the mark is all that Railway gets; as long as anything differs nothing is touched, and the condition says what.

use jiff::Timestamp;
use mirage_railway::{
    id::EnvironmentId,
    snapshot::{EnvironmentSnapshot, Presence, ProjectSnapshot},
};
use mirage_specs::{
    Environment,
    import::IMPORT,
    ledger::{LedgerEntry, LedgerKind, LedgerState},
};

use super::{
    diff::{Memory, diff},
    effective::{Effective, ProjectTarget},
    identity::mark,
    observe::Observed,
    plan::{Action, Hold, Plan},
};

/// Railway's id of the environment that is still to be taken over.
pub fn wanted(environment: &Environment, ledger: &[LedgerEntry]) -> Option<EnvironmentId> {
    let has_one = ledger
        .iter()
        .any(|entry| entry.kind == LedgerKind::Environment);
    let annotations = environment.metadata.annotations.as_ref()?;
    let id = annotations.get(IMPORT).filter(|_| !has_one)?;
    Some(EnvironmentId::new(id.as_str()))
}

/// The plan, as [`diff`] makes it, for an Environment that may be an import.
pub fn plan(
    wanted: Option<&EnvironmentId>,
    effective: &Effective,
    observed: &Observed,
    memory: &Memory<'_>,
    now: Timestamp,
) -> Plan {
    let Some(id) = wanted else {
        return diff(effective, observed, memory, now);
    };
    let environment = match target(id, effective, observed) {
        Ok(environment) => environment,
        Err(hold) => {
            let plan = Plan {
                holds: vec![hold],
                ..Plan::default()
            };
            return plan.sealed(&[effective.id.as_str(), id.as_str()]);
        }
    };
    let ledger = adopted(memory.ledger, environment, now);
    let memory = Memory {
        ledger: &ledger,
        ..*memory
    };
    let mut plan = diff(effective, observed, &memory, now);
    let differences: Vec<String> = plan
        .entries
        .iter()
        .chain(&plan.reported)
        .filter(|entry| entry.action != Action::Mark)
        .map(|entry| entry.action.to_string())
        .collect();
    if !differences.is_empty() {
        plan.holds.push(Hold::ImportDiffers { differences });
    }
    plan
}

/// The ledger with the environment in it, once the plan says that taking it over changes nothing.
pub fn adoption(
    wanted: Option<&EnvironmentId>,
    plan: &Plan,
    observed: &Observed,
    ledger: &[LedgerEntry],
    now: Timestamp,
) -> Option<Vec<LedgerEntry>> {
    let id = wanted.filter(|_| plan.holds.is_empty())?;
    let Presence::Present(project) = &observed.project else {
        return None;
    };
    let only_marks = plan
        .entries
        .iter()
        .all(|entry| entry.action == Action::Mark);
    let environment = project.environments.get(id).filter(|_| only_marks)?;
    Some(adopted(ledger, environment, now))
}

/// The environment to take over.
fn target<'a>(
    id: &EnvironmentId,
    effective: &Effective,
    observed: &'a Observed,
) -> Result<&'a EnvironmentSnapshot, Hold> {
    let project: &ProjectSnapshot = match &observed.project {
        Presence::Present(project) => project,
        Presence::Unknown(why) => return Err(Hold::Unobserved { why: why.clone() }),
        Presence::Absent => {
            return Err(Hold::ImportMissing {
                id: id.clone(),
                place: match &effective.project {
                    ProjectTarget::Id(id) => format!("project {id}"),
                    ProjectTarget::Named(name) => format!("project {name}"),
                },
            });
        }
    };
    let Some(environment) = project.environments.get(id) else {
        return Err(Hold::ImportMissing {
            id: id.clone(),
            place: format!("project {}", project.name),
        });
    };
    if environment.name != effective.environment_name {
        let why = format!(
            "the environment to import is called {} on Railway, and the spec says {}",
            environment.name, effective.environment_name
        );
        return Err(Hold::Conflict { why });
    }
    match mark(environment) {
        Presence::Present(other) if other != effective.id.as_str() => {
            let why = format!(
                "environment {} carries the mark of another Mirage environment ({other})",
                environment.name
            );
            Err(Hold::Conflict { why })
        }
        Presence::Unknown(why) => Err(Hold::Unobserved { why }),
        Presence::Present(_) | Presence::Absent => Ok(environment),
    }
}

fn adopted(
    ledger: &[LedgerEntry],
    environment: &EnvironmentSnapshot,
    now: Timestamp,
) -> Vec<LedgerEntry> {
    let entry = LedgerEntry {
        kind: LedgerKind::Environment,
        name: environment.name.clone(),
        state: LedgerState::Made,
        railway_id: Some(environment.id.to_string()),
        intended_at: now,
    };
    ledger.iter().cloned().chain([entry]).collect()
}
