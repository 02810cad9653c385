//! The outside world: Railway's API, typed, metered and observed.
//!
//! ```text
//!   reconcile ──► observer ──► client ──► budget ──► transport ──► Railway, or a simulator
//!                (reads)       ▲   │
//!   reconcile ──► write ───────┘   └► error: what the caller may do about it
//! ```
//!
//! One credential has one [`client::Client`], one [`budget::Budget`] and one [`observer::Observer`], shared by all who use it.
//! Generated GraphQL types stay in here; everyone else sees [`snapshot`]s of what Railway has and [`change`]s of what it
//! shall have.

pub mod budget;
pub mod change;
pub mod client;
pub mod doctor;
pub mod error;
pub mod id;
pub mod observer;
mod operations;
#[cfg(test)]
mod scripted;
pub mod secret;
pub mod snapshot;
pub mod transport;
pub mod write;

pub use budget::{Budget, Creation, Plan, Priority};
pub use client::{Client, ClientOptions, Clock, Token};
pub use error::{Class, Error};
