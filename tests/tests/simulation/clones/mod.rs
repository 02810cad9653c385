//! Copies of an environment, against a simulated Railway: what they are, what is refused, and that they are made whole or
//! not at all.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test a failure is the message"
)]

mod atomic;
mod boundaries;
mod lineage;
mod making;
mod refusals;
mod scene;
mod variables;
