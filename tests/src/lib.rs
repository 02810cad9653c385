//! Tests of the whole: everything of Mirage that runs, against a Railway of our own.
//!
//! ```text
//!   history  random specs, edits, faults ──┐
//!   boundary a cut at every effect ────────┼──► world: API, controllers and Railway on one paused clock ──► invariants
//!   bench    what it costs ────────────────┘
//!
//!   load     many writers ──► one server or two on one database ──► many watches: everything once, in order
//!   bench    what it costs ────────────────┘                                                ▲
//!   github   a GitHub of our own, with its webhooks ────────────────────────────────────────┘
//! ```
//!
//! The tests themselves stand in `tests/`; the first word of a file's name tells what it needs.

pub mod bench;
pub mod boundary;
pub mod durability;
pub mod git;
pub mod github;
pub mod history;
pub mod invariants;
pub mod load;
pub mod manifest;
pub mod previews;
pub mod process;
pub mod seeds;
pub mod vault;
pub mod world;
