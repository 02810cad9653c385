//! Decisions, with tables and properties.

mod decisions;
mod follow;
mod git_sync;
mod plans;
mod properties;
mod rollouts;
mod support;
mod teardown;
