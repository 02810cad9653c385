//! What it all comes to, in a word and a sentence. Pure.

use mirage_specs::git_sync::{SyncDrift, SyncFault, SyncResult, SyncedObject};

use super::Visit;
use crate::{git_sync::diff::FIGHT, reason::Reason};

/// What is said in the conditions `Ready` and `Synced`.
pub(super) struct Verdict {
    pub(super) is_synced: bool,
    pub(super) phase: &'static str,
    pub(super) reason: Reason,
    pub(super) message: String,
}

/// The worst first: what a person has to do something about.
pub(super) fn verdict(visit: &Visit<'_>, objects: &[SyncedObject], label: &str) -> Verdict {
    let of = |result| -> Vec<&SyncedObject> {
        objects
            .iter()
            .filter(|object| object.result == result)
            .collect()
    };
    let failing = |reason, message| Verdict {
        is_synced: false,
        phase: "Failing",
        reason,
        message,
    };
    if !visit.declared.faults.is_empty() {
        return failing(Reason::FaultyFiles, in_files(&visit.declared.faults, label));
    }
    for (result, reason, what) in [
        (SyncResult::Refused, Reason::ObjectRefused, "was refused"),
        (
            SyncResult::Conflict,
            Reason::Conflict,
            "belongs to somebody else too",
        ),
    ] {
        let found = of(result);
        if !found.is_empty() {
            return failing(reason, listed(what, &found));
        }
    }
    let fought: Vec<&SyncedObject> = objects
        .iter()
        .filter(|object| {
            visit.policy.drift == SyncDrift::Revert && object.result == SyncResult::Drifted
        })
        .collect();
    if !visit.policy.dry_run && !fought.is_empty() {
        let what = format!(
            "put back {FIGHT} times within ten minutes, changed again each time, and left for now; find who writes it, \
             or take what they write out of Git"
        );
        return failing(Reason::Fighting, listed(&what, &fought));
    }
    for (result, reason, what) in [
        (
            SyncResult::Unknown,
            Reason::Unobserved,
            "could not be asked for or written, and is tried again",
        ),
        (
            SyncResult::Waiting,
            Reason::AwaitingRemoval,
            "waits for its predecessor to go",
        ),
    ] {
        let found = of(result);
        if !found.is_empty() {
            return Verdict {
                phase: "Pending",
                ..failing(reason, listed(what, &found))
            };
        }
    }
    if visit.policy.dry_run {
        let would = objects
            .iter()
            .filter(|object| object.result != SyncResult::Synced)
            .count();
        return Verdict {
            phase: "DryRun",
            ..failing(
                Reason::DryRun,
                format!(
                    "spec.dryRun is true: of {} objects in {label}, {would} would change",
                    objects.len()
                ),
            )
        };
    }
    let drifted = of(SyncResult::Drifted);
    if !drifted.is_empty() {
        return Verdict {
            phase: "Drifted",
            ..failing(Reason::DriftFound, listed("differs from Git", &drifted))
        };
    }
    Verdict {
        is_synced: true,
        phase: "Synced",
        reason: Reason::InSync,
        message: format!("all that {label} declares is applied"),
    }
}

/// Objects in a sentence, at most three by name.
pub(super) fn listed(what: &str, objects: &[&SyncedObject]) -> String {
    let one = |object: &&SyncedObject| {
        let message = object
            .message
            .as_deref()
            .map(|message| format!(" ({message})"));
        format!(
            "{} {}{}",
            object.kind,
            object.name,
            message.unwrap_or_default()
        )
    };
    let named: Vec<String> = objects.iter().take(3).map(one).collect();
    let more = match objects.len().saturating_sub(3) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    format!("{what}: {}{more}", named.join("; "))
}

fn in_files(faults: &[SyncFault], label: &str) -> String {
    let first = &faults[0];
    let place = match (first.line, first.column) {
        (Some(line), Some(column)) => format!("{}:{line}:{column}", first.file),
        _ => first.file.clone(),
    };
    let more = match faults.len() - 1 {
        0 => String::new(),
        more => format!(" (and {more} more, in status.faults)"),
    };
    format!("{label}: {place}: {}{more}", first.message)
}
