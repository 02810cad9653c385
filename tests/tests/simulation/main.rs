//! The world on paused time: controllers, a Railway and a GitHub of our own, crashes and faults from seeds.
//!
//! One test binary, since each holds all of Mirage: as many binaries would be gigabytes. A part of it:
//! `cargo test -p mirage-tests --test simulation world::`.

mod boundaries;
mod clones;
mod costs;
mod git;
mod imports;
mod previews;
mod promises;
mod pull_requests;
mod rollouts;
mod secrets;
mod templates;
mod world;
