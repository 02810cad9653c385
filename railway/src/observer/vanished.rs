//! Whether so much is missing at once that an outage, a revoked right or a usage limit is likelier than a person's wish.

use std::collections::BTreeSet;

use crate::{
    id::EnvironmentId,
    snapshot::{EnvironmentSnapshot, ProjectSnapshot},
};

/// What is missing. Two reads agree when this is equal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Vanished {
    environments: BTreeSet<EnvironmentId>,
    emptied: BTreeSet<EnvironmentId>,
    stopped: BTreeSet<EnvironmentId>,
}

/// What else decides.
pub(super) struct Expectation<'a> {
    /// Environments that Railway itself calls deleted, or that we asked it to delete.
    pub(super) deleted: &'a BTreeSet<EnvironmentId>,
    /// We wrote a moment ago: stopping may be our own work.
    pub(super) in_grace: bool,
}

/// Compares what is believed with what was read.
pub(super) fn vanished(
    before: &ProjectSnapshot,
    after: &ProjectSnapshot,
    expectation: &Expectation<'_>,
) -> Option<Vanished> {
    let gone: BTreeSet<_> = before
        .environments
        .keys()
        .filter(|id| !after.environments.contains_key(*id) && !expectation.deleted.contains(*id))
        .cloned()
        .collect();
    let all_are_gone = !gone.is_empty() && after.environments.is_empty();
    let environments = if all_are_gone || is_much(gone.len(), before.environments.len()) {
        gone
    } else {
        BTreeSet::new()
    };
    let emptied = lost(before, after, |environment| {
        !environment.instances.is_empty()
    });
    let emptied = if emptied.len() >= 2 {
        emptied
    } else {
        BTreeSet::new()
    };
    let running = before
        .environments
        .values()
        .filter(|environment| is_running(environment))
        .count();
    let stopped = lost(before, after, is_running);
    let stopped = if !expectation.in_grace && is_much(stopped.len(), running) {
        stopped
    } else {
        BTreeSet::new()
    };
    let vanished = Vanished {
        environments,
        emptied,
        stopped,
    };
    (vanished != Vanished::default()).then_some(vanished)
}

impl Vanished {
    /// What is missing, for a person.
    pub(super) fn words(&self) -> String {
        let parts: Vec<_> = [
            (self.environments.len(), "environments are gone"),
            (self.emptied.len(), "environments have lost all services"),
            (self.stopped.len(), "environments run nothing any more"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
        format!("Railway shows that {} at once", parts.join(" and "))
    }
}

fn is_much(count: usize, of: usize) -> bool {
    count > 2.max(of / 2)
}

/// Environments that are still there and have lost a quality.
fn lost(
    before: &ProjectSnapshot,
    after: &ProjectSnapshot,
    has: impl Fn(&EnvironmentSnapshot) -> bool,
) -> BTreeSet<EnvironmentId> {
    before
        .environments
        .iter()
        .filter(|(id, environment)| {
            has(environment) && after.environments.get(*id).is_some_and(|after| !has(after))
        })
        .map(|(id, _)| id.clone())
        .collect()
}

fn is_running(environment: &EnvironmentSnapshot) -> bool {
    environment
        .instances
        .values()
        .any(|instance| !instance.active_deployments.is_empty())
}
