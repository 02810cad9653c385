//! Pull requests and their environments: each promise of a PreviewPolicy by name, on one paused clock with a GitHub and a
//! Railway of our own.

#![expect(clippy::unwrap_used, reason = "in a test a failure is the message")]

mod commands;
mod life;
mod reports;
mod scene;
mod selection;
mod troubles;
