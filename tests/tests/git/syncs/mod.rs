//! GitSyncs in the world: repositories by `file://`, on the paused clock.

#![expect(clippy::unwrap_used, reason = "in a test a failure is the message")]

mod bounds;
mod faults;
mod following;
mod github;
mod others;
mod removal;
mod scene;
