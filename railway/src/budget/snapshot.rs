//! What was spent and what is left, for status and metrics.

use std::{collections::BTreeMap, time::Duration};

use crate::{budget::Priority, error::Class};

/// What became of a request.
pub type Outcome = &'static str;

/// One counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spent {
    /// The operation's name.
    pub operation: &'static str,
    /// For whom.
    pub priority: Priority,
    /// `ok`, or the error's class.
    pub outcome: Outcome,
    /// Requests since the start of the process; retries count each.
    pub requests: u64,
}

/// A budget at one moment.
#[derive(Clone, Debug)]
pub struct BudgetSnapshot {
    /// Requests per window.
    pub limit: u64,
    /// Requests left in it.
    pub left: u64,
    /// Until the window ends; unknown before the first request.
    pub resets_in: Option<Duration>,
    /// Set while Railway has told us to be silent.
    pub paused_for: Option<Duration>,
    /// Requests in the queue.
    pub waiting: usize,
    /// Creations that wait for their turn.
    pub waiting_creations: usize,
    /// All counters.
    pub spent: Vec<Spent>,
}

#[derive(Default)]
pub(super) struct Counters(BTreeMap<(&'static str, Priority, Outcome), u64>);

impl Counters {
    pub(super) fn add(
        &mut self,
        operation: &'static str,
        priority: Priority,
        class: Option<Class>,
    ) {
        let outcome = class.map_or("ok", Into::into);
        *self.0.entry((operation, priority, outcome)).or_default() += 1;
    }

    pub(super) fn spent(&self) -> Vec<Spent> {
        self.0
            .iter()
            .map(|((operation, priority, outcome), requests)| Spent {
                operation,
                priority: *priority,
                outcome,
                requests: *requests,
            })
            .collect()
    }
}
