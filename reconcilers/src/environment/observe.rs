//! What Railway shows of one environment. Reads, and never writes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use mirage_railway::{
    budget::Priority,
    error::Error,
    id::ProjectId,
    observer::Observer,
    snapshot::{Presence, ProjectSnapshot},
};

use mirage_specs::ledger::{LedgerEntry, LedgerKind};

use super::effective::{DesiredValue, Effective, ProjectTarget};
use super::patience::Patience;

/// What was seen, and whether what is missing may be believed missing.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The project with everything in it.
    pub project: Presence<Arc<ProjectSnapshot>>,
    /// Other projects, of which variables are still to be copied.
    pub elsewhere: BTreeMap<ProjectId, Presence<Arc<ProjectSnapshot>>>,
    /// Our own last write is so recent that Railway's reads may not show it yet: absence is unknown.
    pub in_grace: bool,
    /// How long to wait for what may still appear.
    pub patience: Patience,
}

impl Observed {
    /// Nothing could be seen; why, in words.
    pub fn nothing(why: String, patience: Patience) -> Self {
        Self {
            project: Presence::Unknown(why),
            elsewhere: BTreeMap::new(),
            in_grace: false,
            patience,
        }
    }
}

/// The environments whose configuration a decision needs, by name or id: its own, also under an earlier name, and those
/// it copies variables from. No other is read: configurations hold values.
pub fn needed(effective: &Effective, ledger: &[LedgerEntry]) -> BTreeSet<String> {
    let of_services = effective
        .services
        .values()
        .flat_map(|service| service.variables.values());
    let copied = effective
        .variables
        .values()
        .chain(of_services)
        .filter_map(|value| match value {
            // Those of other projects are looked at on their own, and only while something is still to be copied.
            DesiredValue::CopyFrom(from) if from.project_id.is_none() => {
                Some(from.environment.clone())
            }
            _ => None,
        });
    let own = [effective.environment_name.clone()];
    own.into_iter().chain(made(ledger)).chain(copied).collect()
}

/// Name and id of the environment that a ledger speaks of.
pub fn made(ledger: &[LedgerEntry]) -> BTreeSet<String> {
    let entries = ledger
        .iter()
        .filter(|entry| entry.kind == LedgerKind::Environment);
    entries
        .flat_map(|entry| entry.railway_id.iter().chain([&entry.name]))
        .cloned()
        .collect()
}

/// Looks. Answered from the observer's snapshot, without a request, unless that is stale.
///
/// # Errors
/// Whatever the client could not hide by retrying; nothing was learnt then.
#[tracing::instrument(skip_all)]
pub async fn observe(
    observer: &Observer,
    target: &ProjectTarget,
    into: BTreeSet<String>,
    priority: Priority,
    patience: Patience,
) -> Result<Observed, Error> {
    let id = match target {
        ProjectTarget::Id(id) => id.clone(),
        ProjectTarget::Named(name) => match observer.find_project(name, priority).await? {
            Presence::Present(id) => id,
            Presence::Absent => {
                return Ok(Observed {
                    project: Presence::Absent,
                    elsewhere: BTreeMap::new(),
                    in_grace: false,
                    patience,
                });
            }
            Presence::Unknown(why) => {
                return Ok(Observed::nothing(why, patience));
            }
        },
    };
    let project = observer.project_with(&id, into, priority).await?;
    Ok(Observed {
        project,
        elsewhere: BTreeMap::new(),
        in_grace: observer.in_grace(&id),
        patience,
    })
}
