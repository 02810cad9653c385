//! Many writers and many watches at once, and whether every watch was told everything that it asked for, once and in
//! order.
//!
//! ```text
//!   writers ──► server ─┐                    ┌─ server ──► watches: all, shard=3, shard in (1,7), !hot, …
//!      │                ├──► one database ───┤                │
//!      └────► server ───┘                    └─ server        │
//!      │                                                      ▼
//!      └── journal: what was acknowledged, with its version ─ = ─ what was seen
//! ```
//!
//! The versions that the servers gave out put the journal in order; from it follows what each selection must have seen,
//! event by event. Every watch ends with the first object that says that it is the last one.

mod journal;
mod selection;
mod watching;
mod writing;

use std::{fmt, time::Duration};

use anyhow::{Result, ensure};
use futures::future::try_join_all;

use crate::process::Mirage;
use selection::Selection;
use watching::Watch;

/// Where the objects are that are written.
const PATH: &str = "/api/v1/namespaces/default/configmaps";

/// How much of it.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// How long writers write.
    pub lasts: Duration,
    /// Writes a second, through all servers together. A machine that cannot keep up does fewer.
    pub per_second: u32,
    /// Watches at each server.
    pub watches: usize,
}

/// What it came to.
#[derive(Debug, Clone, Copy)]
pub struct Done {
    /// Acknowledged writes.
    pub writes: usize,
    /// In seconds.
    pub took: f64,
    /// Events that watches were told, all of them together.
    pub events: usize,
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            writes,
            took,
            events,
        } = self;
        write!(f, "{writes} writes in {took:.1} s, {events} events")
    }
}

/// Writes through all the servers, watches at each, and compares.
///
/// # Errors
/// A watch missed something, saw something twice or too early, or a server refused.
pub async fn run(servers: &[&Mirage], load: Load) -> Result<Done> {
    let from = watching::newest(servers).await?;
    let mut watches = Vec::new();
    for server in servers {
        for (index, selection) in Selection::different(load.watches).into_iter().enumerate() {
            watches.push(Watch::start(server, selection, &from, index).await?);
        }
    }
    let (journal, took) = writing::run(servers, load).await?;
    let seen = try_join_all(watches.into_iter().map(Watch::seen)).await?;
    let mut events = 0;
    for (selection, seen) in seen {
        let expected = journal.events(&selection);
        let wrong = expected
            .iter()
            .zip(&seen)
            .position(|(one, other)| one != other);
        ensure!(
            expected == seen,
            "a watch of {selection:?} saw {} events instead of {}; the first difference is at {wrong:?}: {:?} instead of {:?}",
            seen.len(),
            expected.len(),
            wrong.and_then(|at| seen.get(at)),
            wrong.and_then(|at| expected.get(at)),
        );
        events += seen.len();
    }
    Ok(Done {
        writes: journal.len(),
        took,
        events,
    })
}
