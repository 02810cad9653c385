//! Mirage as its users meet it: the real binary, real clients, and nothing shared but sockets.
//!
//! ```text
//!   test ──► kubectl, mirage, kube-rs ──► mirage serve (a process) ──► Railway (a Simulator on a socket, in the test)
//!    │                                          ▲                           ▲
//!    └── kill -9, start again ──────────────────┘        faults, edits ─────┘
//! ```
//!
//! Time cannot be paused across processes. Instead both clocks run [`railway::SPEED`] times faster than life, counted
//! from the same moment, so that what waits three minutes waits two seconds.

pub mod binary;
pub mod connection;
pub mod crash;
pub mod door;
pub mod forgetful;
pub mod http;
pub mod inventory;
pub mod kubectl;
pub mod mirage;
pub mod needle;
pub mod objects;
pub mod postgres;
pub mod railway;
pub mod recorder;
pub mod script;
pub mod specs;
pub mod waiting;

pub use binary::Ended;
pub use door::Door;
pub use forgetful::Forgetful;
pub use mirage::Mirage;
pub use postgres::Postgres;
pub use railway::Railway;
pub use script::{Language, Script};
