//! What is said of a GitSync. Pure.

mod verdict;

use std::collections::BTreeMap;

use jiff::Timestamp;
use mirage_specs::{
    GitSync, GitSyncStatus,
    git_sync::{InventoryEntry, Reverts, SyncResult, SyncedObject},
};

use super::{
    apply::{Change, Outcomes},
    declare::Declared,
    diff::Plan,
    fetch::{FetchError, Revision},
    key::Key,
    resolve::{Policy, ResolveError},
};
use verdict::{listed, verdict};

use crate::{
    environment::condition::{Finding, Truth, conditions, whole_seconds},
    reason::Reason,
};

/// More faults than anybody reads at once.
const FAULTS: usize = 100;

/// What is known at the end of a visit that applied something, or tried to.
pub struct Visit<'v> {
    /// What Git says.
    pub declared: &'v Declared,
    /// What was to be done.
    pub plan: &'v Plan,
    /// What became of it.
    pub outcomes: &'v Outcomes,
    /// The rules.
    pub policy: &'v Policy,
    /// The commit.
    pub commit: &'v str,
    /// What is followed.
    pub revision: &'v Revision,
}

/// What every status of a visit has.
pub struct Moment<'m> {
    /// The GitSync.
    pub sync: &'m GitSync,
    /// The time.
    pub now: Timestamp,
    /// When the repository last answered.
    pub fetched_at: Option<Timestamp>,
    /// When it is asked next.
    pub next: Option<Timestamp>,
    /// The wish to look now that was heeded.
    pub heeded: Option<String>,
}

impl Moment<'_> {
    /// The status before, brought to this moment.
    fn carried(&self, findings: Vec<Finding>, phase: &str) -> GitSyncStatus {
        let earlier = self.sync.status.clone().unwrap_or_default();
        let generation = self.sync.metadata.generation.unwrap_or(0);
        GitSyncStatus {
            observed_generation: Some(generation),
            phase: Some(phase.to_owned()),
            conditions: conditions(&earlier.conditions, findings, generation, self.now),
            last_fetch: self.fetched_at.map(whole_seconds).or(earlier.last_fetch),
            next_sync: self.next.map(whole_seconds),
            handled_sync_at: self.heeded.clone().or(earlier.handled_sync_at),
            ..earlier
        }
    }
}

fn finding(kind: &'static str, truth: Truth, reason: Reason, message: &str) -> Finding {
    Finding {
        kind,
        truth,
        reason,
        message: message.to_owned(),
    }
}

/// Stopped on request.
pub fn suspended(moment: &Moment<'_>) -> GitSyncStatus {
    let why = "spec.suspend is true: nothing is fetched, applied or deleted";
    let findings = vec![
        finding("Ready", Truth::False, Reason::Suspended, why),
        finding("Synced", Truth::Unknown, Reason::Suspended, why),
    ];
    moment.carried(findings, "Suspended")
}

/// On its way out.
pub fn deleting(moment: &Moment<'_>, why: &str) -> GitSyncStatus {
    let findings = vec![finding("Ready", Truth::False, Reason::TearingDown, why)];
    moment.carried(findings, "Deleting")
}

/// The spec cannot be acted on.
pub fn unresolved(moment: &Moment<'_>, error: &ResolveError) -> GitSyncStatus {
    let reason = match error {
        ResolveError::Invalid { .. } => Reason::InvalidSpec,
        ResolveError::NoSecret { .. } | ResolveError::EmptySecret { .. } => {
            Reason::WaitingForSecret
        }
    };
    unfetched(moment, reason, &error.to_string())
}

/// The repository could not be read.
pub fn unread(moment: &Moment<'_>, error: &FetchError) -> GitSyncStatus {
    unfetched(moment, reason_of(error), &error.to_string())
}

fn unfetched(moment: &Moment<'_>, reason: Reason, why: &str) -> GitSyncStatus {
    let findings = vec![
        finding("Ready", Truth::False, reason, why),
        finding("Fetched", Truth::False, reason, why),
        finding("Synced", Truth::Unknown, reason, why),
    ];
    moment.carried(findings, "Failing")
}

/// Why the repository could not be read, in a word.
pub fn reason_of(error: &FetchError) -> Reason {
    match error {
        FetchError::Unreachable(_) | FetchError::TimedOut { .. } => Reason::RepositoryUnreachable,
        FetchError::Unauthorized(_) => Reason::Unauthorized,
        FetchError::BadCredentials(_) => Reason::CredentialsUnusable,
        FetchError::HostKey(_) => Reason::HostKeyUnknown,
        FetchError::NoRepository(_) => Reason::RepositoryMissing,
        FetchError::NoRevision { .. } => Reason::RevisionMissing,
        FetchError::NoPath { .. } => Reason::PathMissing,
        FetchError::TooLarge(_) => Reason::RepositoryTooLarge,
        FetchError::Protocol(_) | FetchError::Cache { .. } => Reason::FetchFailed,
    }
}

/// What was fetched, for people.
pub fn revision(revision: &Revision, commit: &str) -> String {
    let short = commit.get(..12).unwrap_or(commit);
    match revision {
        Revision::Commit(_) => short.to_owned(),
        named => format!("{named}@{short}"),
    }
}

/// Git was read, and what it says was applied as far as possible.
pub fn visited(moment: &Moment<'_>, visit: &Visit<'_>) -> GitSyncStatus {
    let objects = objects(visit);
    let label = revision(visit.revision, visit.commit);
    let (synced, declared) = counted(&objects, visit);
    let verdict = verdict(visit, &objects, &label);
    let drifted: Vec<&SyncedObject> = objects
        .iter()
        .filter(|object| object.result == SyncResult::Drifted)
        .collect();
    let drift = if drifted.is_empty() {
        finding(
            "Drifted",
            Truth::False,
            Reason::NoDrift,
            "everything is as Git says, or was never applied",
        )
    } else {
        finding(
            "Drifted",
            Truth::True,
            Reason::DriftFound,
            &listed("differs from Git", &drifted),
        )
    };
    let is_synced = Truth::from(verdict.is_synced);
    let findings = vec![
        finding("Ready", is_synced, verdict.reason, &verdict.message),
        finding(
            "Fetched",
            Truth::True,
            Reason::Fetched,
            &format!("{label} was read"),
        ),
        finding("Synced", is_synced, verdict.reason, &verdict.message),
        drift,
    ];
    let mut next = moment.carried(findings, verdict.phase);
    let was_applied = next.applied_commit.as_deref() == Some(visit.commit);
    let has_changed = visit
        .outcomes
        .values()
        .any(|outcome| outcome.change.is_some());
    next.revision = Some(label);
    next.observed_commit = Some(visit.commit.to_owned());
    if verdict.is_synced {
        next.applied_commit = Some(visit.commit.to_owned());
        if !was_applied || has_changed || next.last_sync.is_none() {
            next.last_sync = Some(whole_seconds(moment.now));
        }
    }
    next.objects_synced = Some(format!("{synced}/{declared}"));
    next.faults = visit.declared.faults.iter().take(FAULTS).cloned().collect();
    next.ignored.clone_from(&visit.declared.ignored);
    next.inventory = inventory(visit, moment.now);
    next.objects = objects;
    next
}

fn objects(visit: &Visit<'_>) -> Vec<SyncedObject> {
    visit
        .outcomes
        .iter()
        .map(|(key, outcome)| {
            let place = visit
                .declared
                .objects
                .get(key)
                .map(|declaration| &declaration.place)
                .or_else(|| visit.declared.held.get(key).map(|(place, _)| place));
            SyncedObject {
                kind: key.kind_in_words(),
                namespace: key.namespace.clone(),
                name: key.name.clone(),
                file: place.map(|place| place.file.clone()),
                line: place.map(|place| place.line),
                result: outcome.result,
                message: outcome.message.clone(),
            }
        })
        .collect()
}

fn counted(objects: &[SyncedObject], visit: &Visit<'_>) -> (usize, usize) {
    let synced = objects
        .iter()
        .filter(|object| object.result == SyncResult::Synced)
        .count();
    (
        synced,
        visit.declared.objects.len() + visit.declared.held.len(),
    )
}

/// What is ours at the end: what was claimed, with what was applied.
fn inventory(visit: &Visit<'_>, now: Timestamp) -> Vec<InventoryEntry> {
    let mut entries: BTreeMap<Key, InventoryEntry> = visit.plan.inventory.clone();
    entries.retain(|key, entry| {
        let Some(outcome) = visit.outcomes.get(key) else {
            return true;
        };
        // Claimed, refused, and never made: there is nothing to delete later.
        let never_made = entry.applied.is_none()
            && matches!(outcome.result, SyncResult::Refused | SyncResult::Conflict);
        !never_made
    });
    for (key, entry) in &mut entries {
        let Some(outcome) = visit.outcomes.get(key) else {
            continue;
        };
        if outcome.result == SyncResult::Synced && !visit.policy.dry_run {
            entry.applied = visit.plan.fingerprints.get(key).cloned();
        }
        match outcome.change {
            Some(Change::Reverted) => {
                let reverts = entry.reverts.get_or_insert(Reverts {
                    count: 0,
                    since: whole_seconds(now),
                });
                reverts.count += 1;
            }
            Some(Change::Created | Change::Updated | Change::Adopted) => entry.reverts = None,
            Some(Change::Pruned) | None => {}
        }
    }
    entries.into_values().collect()
}
