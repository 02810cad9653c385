//! What is to be done, from what is declared and what is there. Pure and total.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use mirage_specs::git_sync::{InventoryEntry, SyncDrift, SyncResult};

use super::{
    declare::{Declaration, Declared},
    key::Key,
    mark::Owner,
    observe::{Found, Live, Observed},
    resolve::Policy,
};

/// Whose changes an apply may overwrite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// Nobody's: a difference is drift, and drift is only reported.
    Nobody,
    /// Those made by hand (`kubectl edit`), not those of somebody who declares the object as well.
    Hands,
    /// Everybody's: the object is being taken over.
    Everybody,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Make it.
    Create,
    /// Apply what Git says. `is_settled` when the same was applied before, so that a change is drift put back.
    Apply {
        /// Whose changes are overwritten.
        over: Over,
        /// Whether the same was applied before.
        is_settled: bool,
    },
    /// Ask what applying would do, and do nothing.
    Try {
        /// Whether the same was applied before.
        is_settled: bool,
    },
    /// Leave it as it is.
    Hold {
        /// What becomes of it.
        result: SyncResult,
        /// Why.
        why: String,
    },
    /// Delete it, as it was seen: it left Git, and is ours.
    Prune,
    /// Nothing: what is left of it in the inventory is taken out.
    Forget,
}

/// What is to be done, by object. Carried out by kind: what others need comes first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// One action for each object.
    pub actions: BTreeMap<Key, Action>,
    /// What the inventory has to hold before anything is made.
    pub inventory: BTreeMap<Key, InventoryEntry>,
    /// Fingerprints of what is declared.
    pub fingerprints: BTreeMap<Key, String>,
}

/// What was seen and remembered, for [`diff`].
pub struct Situation<'s> {
    /// What Git says.
    pub declared: &'s Declared,
    /// What the API server has.
    pub observed: &'s Observed,
    /// What was brought earlier.
    pub inventory: &'s [InventoryEntry],
    /// Keyed fingerprints of what is declared.
    pub fingerprints: BTreeMap<Key, String>,
    /// The rules.
    pub policy: &'s Policy,
    /// The time.
    pub now: Timestamp,
}

/// Reverts within [`FIGHT_TIME`] after which somebody else is believed to mean it.
pub const FIGHT: u32 = 5;
/// How far back reverts are counted.
pub const FIGHT_TIME: SignedDuration = SignedDuration::from_mins(10);

/// The plan.
pub fn diff(situation: Situation<'_>) -> Plan {
    let brought: BTreeMap<Key, &InventoryEntry> = situation
        .inventory
        .iter()
        .map(|entry| (Key::of_entry(entry), entry))
        .collect();
    let mut plan = Plan::default();
    for (key, declaration) in &situation.declared.objects {
        let entry = brought.get(key).copied();
        let action = of_declared(&situation, key, entry);
        if let Some(entry) = claim(&situation, key, declaration, entry, &action) {
            plan.inventory.insert(key.clone(), entry);
        }
        plan.actions.insert(key.clone(), action);
    }
    for (key, (_, why)) in &situation.declared.held {
        if let Some(entry) = brought.get(key) {
            plan.inventory.insert(key.clone(), (*entry).clone());
        }
        let action = Action::Hold {
            result: SyncResult::Invalid,
            why: why.clone(),
        };
        plan.actions.entry(key.clone()).or_insert(action);
    }
    for (key, entry) in &brought {
        if plan.actions.contains_key(key) {
            continue;
        }
        let action = of_gone(&situation, &brought, key);
        if action != Action::Forget {
            plan.inventory.insert(key.clone(), (*entry).clone());
        }
        plan.actions.insert(key.clone(), action);
    }
    plan.fingerprints = situation.fingerprints;
    plan
}

/// Something that Git declares.
fn of_declared(situation: &Situation<'_>, key: &Key, entry: Option<&InventoryEntry>) -> Action {
    let policy = situation.policy;
    let hold = |result, why: String| Action::Hold { result, why };
    let found = match situation.observed.get(key) {
        None => return hold(SyncResult::Unknown, "it was not looked for".to_owned()),
        Some(Live::Unknown(why)) => return hold(SyncResult::Unknown, why.clone()),
        Some(Live::Absent) if policy.dry_run => return Action::Try { is_settled: false },
        Some(Live::Absent) => return Action::Create,
        Some(Live::Present(found)) => found,
    };
    if found.is_leaving {
        return hold(
            SyncResult::Waiting,
            "an earlier object of this name is on its way out".to_owned(),
        );
    }
    let over = match standing(policy, found, entry) {
        Standing::Ours => Over::Hands,
        Standing::Adopted => Over::Everybody,
        Standing::Others(why) => return hold(SyncResult::Conflict, why),
    };
    let fingerprint = situation.fingerprints.get(key);
    let is_settled = over == Over::Hands
        && fingerprint.is_some()
        && entry.and_then(|entry| entry.applied.as_ref()) == fingerprint;
    if policy.dry_run {
        return Action::Try { is_settled };
    }
    match policy.drift {
        SyncDrift::Report if is_settled => Action::Try { is_settled },
        SyncDrift::Revert if is_settled && is_fought_over(entry, situation.now) => {
            Action::Try { is_settled }
        }
        SyncDrift::Report | SyncDrift::Revert => Action::Apply { over, is_settled },
    }
}

/// Whether somebody keeps changing it back.
pub fn is_fought_over(entry: Option<&InventoryEntry>, now: Timestamp) -> bool {
    entry
        .and_then(|entry| entry.reverts.as_ref())
        .is_some_and(|reverts| {
            reverts.count >= FIGHT && now.duration_since(reverts.since) <= FIGHT_TIME
        })
}

enum Standing {
    Ours,
    Adopted,
    Others(String),
}

fn standing(policy: &Policy, found: &Found, entry: Option<&InventoryEntry>) -> Standing {
    let was_applied = entry.is_some_and(|entry| entry.applied.is_some());
    match &found.owner {
        Some(owner) if *owner == policy.owner => Standing::Ours,
        Some(Owner { namespace, name }) => Standing::Others(format!(
            "GitSync {namespace}/{name} brought it: let one repository declare it, not two"
        )),
        // Somebody took the mark off what we brought; that makes it no less declared.
        None if was_applied => Standing::Ours,
        None if policy.adopt => Standing::Adopted,
        None => Standing::Others(
            "it is there already and belongs to no GitSync: set spec.adopt to take it over, or delete it".to_owned(),
        ),
    }
}

/// What the inventory holds of something declared: everything that is ours, or is about to be.
fn claim(
    situation: &Situation<'_>,
    key: &Key,
    declaration: &Declaration,
    entry: Option<&InventoryEntry>,
    action: &Action,
) -> Option<InventoryEntry> {
    let is_new = match action {
        Action::Create | Action::Apply { .. } => true,
        Action::Try { .. } | Action::Hold { .. } | Action::Prune | Action::Forget => false,
    };
    let is_anothers = matches!(
        action,
        Action::Hold {
            result: SyncResult::Conflict,
            ..
        }
    );
    let mut claimed = match entry {
        Some(entry) if !is_anothers => entry.clone(),
        None if is_new => InventoryEntry {
            api_version: String::new(),
            kind: key.kind.clone(),
            namespace: key.namespace.clone(),
            name: key.name.clone(),
            applied: None,
            reverts: None,
        },
        _ => return None,
    };
    claimed.api_version.clone_from(&declaration.api_version);
    let is_old = claimed
        .reverts
        .as_ref()
        .is_some_and(|reverts| situation.now.duration_since(reverts.since) > FIGHT_TIME);
    if is_old {
        claimed.reverts = None;
    }
    Some(claimed)
}

/// Something that was brought and that Git no longer declares.
fn of_gone(
    situation: &Situation<'_>,
    brought: &BTreeMap<Key, &InventoryEntry>,
    key: &Key,
) -> Action {
    let policy = situation.policy;
    let hold = |result, why: &str| Action::Hold {
        result,
        why: why.to_owned(),
    };
    let found = match situation.observed.get(key) {
        None => return hold(SyncResult::Unknown, "it was not looked for"),
        Some(Live::Unknown(why)) => return hold(SyncResult::Unknown, why),
        Some(Live::Absent) => return Action::Forget,
        Some(Live::Present(found)) => found,
    };
    // Without our mark it is somebody else's by now.
    if found.owner.as_ref() != Some(&policy.owner) {
        return Action::Forget;
    }
    if found.is_leaving {
        return hold(SyncResult::Pruning, "it left Git and is on its way out");
    }
    if !policy.prune {
        return hold(
            SyncResult::Kept,
            "it left Git and stays: spec.prune is false",
        );
    }
    if situation.declared.is_doubtful {
        return hold(
            SyncResult::Kept,
            "no file declares it, but not every file could be read: it stays until all can",
        );
    }
    let held = &situation.declared.held;
    if situation.declared.objects.is_empty() && !held.is_empty() {
        return hold(
            SyncResult::Kept,
            "no file declares it, and everything is held back by faults: it stays until they are gone",
        );
    }
    // A new name with a fault beside it, or with a variable in it that has no value, would otherwise take the old object
    // away and bring nothing.
    if let Some((key, (place, _))) = held.iter().find(|(key, _)| !brought.contains_key(key)) {
        return hold(
            SyncResult::Kept,
            &format!(
                "no file declares it, but it may have become {key} ({}:{}), which is faulty: it stays until that is put right",
                place.file, place.line
            ),
        );
    }
    if policy.dry_run {
        return hold(SyncResult::WouldPrune, "it left Git");
    }
    Action::Prune
}

/// Every key that must be looked at, with its version.
pub fn wanted(declared: &Declared, inventory: &[InventoryEntry]) -> Vec<(Key, String)> {
    let mut wanted: BTreeMap<Key, String> = inventory
        .iter()
        .map(|entry| (Key::of_entry(entry), entry.api_version.clone()))
        .collect();
    for (key, declaration) in &declared.objects {
        wanted.insert(key.clone(), declaration.api_version.clone());
    }
    wanted.into_iter().collect()
}
