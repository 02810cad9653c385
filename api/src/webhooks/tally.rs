//! How many webhooks came, and what became of them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// What became of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum WebhookOutcome {
    /// Somebody was woken.
    Woke,
    /// It was genuine, and about nothing that anybody listens to.
    Ignored,
    /// It was genuine and had been heard before.
    Repeated,
    /// It could not prove where it comes from, or its address names nothing.
    Refused,
    /// Too many from there were refused; it was not looked at.
    Limited,
    /// It was too large, broke off, or is not what its sender sends.
    Malformed,
    /// It could not be checked: the store did not answer, or too many came at once.
    Unavailable,
}

/// One line of the counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebhookCount {
    /// `github` or `railway`.
    pub source: &'static str,
    /// What became of them.
    pub outcome: WebhookOutcome,
    /// How many.
    pub count: u64,
}

#[derive(Debug, Default)]
pub(super) struct Tally(Mutex<BTreeMap<(&'static str, WebhookOutcome), u64>>);

impl Tally {
    pub(super) fn count(&self, source: &'static str, outcome: WebhookOutcome) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((source, outcome)).or_default() += 1;
    }

    pub(super) fn counts(&self) -> Vec<WebhookCount> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts
            .iter()
            .map(|((source, outcome), count)| WebhookCount {
                source,
                outcome: *outcome,
                count: *count,
            })
            .collect()
    }
}
