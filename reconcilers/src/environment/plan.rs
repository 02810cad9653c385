//! The typed plan: what will be done to Railway, in order, and why.

use mirage_specs::plan::{PlanReason, PlanView, PlannedAction};
use sha2::{Digest, Sha256};

pub use super::{action::Action, hold::Hold};

/// An action with its reason.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// What.
    pub action: Action,
    /// Why.
    pub reason: PlanReason,
}

impl Entry {
    /// The entry as it is shown and stored.
    pub fn view(&self) -> PlannedAction {
        PlannedAction {
            target: self.action.target(),
            verb: self.action.verb(),
            sentence: self.action.to_string(),
            reason: self.reason,
            destroys: self.action.destroys(),
            deploys: self.action.deploys(),
        }
    }
}

/// What will be done, what was left alone, and what must be waited for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// What will be done, in order. Empty means synced, unless something is waited for.
    pub entries: Vec<Entry>,
    /// Drift that the spec says to leave alone.
    pub reported: Vec<Entry>,
    /// Why something that is wanted is not in `entries` yet.
    pub holds: Vec<Hold>,
    /// Hash over what was desired, what was observed and what will be done.
    pub hash: String,
}

impl Plan {
    /// Whether nothing is to be done and nothing waited for.
    pub fn is_synced(&self) -> bool {
        self.entries.is_empty() && self.holds.is_empty()
    }

    /// Whether anything would be destroyed.
    pub fn is_destructive(&self) -> bool {
        self.entries.iter().any(|entry| entry.action.destroys())
    }

    /// Seals the plan with its hash. `basis` is whatever of the desired and the observed state it was computed from.
    pub fn sealed(mut self, basis: &[&str]) -> Self {
        let mut digest = Sha256::new();
        for part in basis {
            digest.update(part.len().to_le_bytes());
            digest.update(part.as_bytes());
        }
        for entry in &self.entries {
            digest.update(format!("{:?}\n", entry).as_bytes());
        }
        self.hash = hex::encode(&digest.finalize()[..6]);
        self
    }

    /// The plan as it is shown and stored; `requests` as counted by `order`.
    pub fn view(&self, requests: u32) -> PlanView {
        PlanView {
            hash: self.hash.clone(),
            actions: self.entries.iter().map(Entry::view).collect(),
            requests,
        }
    }
}
