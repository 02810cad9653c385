//! A Railway of your own: the same schema, the same states, faults on demand.
//!
//! ```text
//!  HTTP ─► server ─► request ─► engine (validate, execute) ─► operations ─► lifecycle, config
//!                      │                                          │               │
//!                 limits, fault, hold                          objects ◄──── state::World
//!                      │                                                          ▲
//!                    record                            control (faults, edits, inventory)
//! ```
//!
//! Everything that happens follows from a seed, the calls, and virtual time ([`Timing`]), which runs on tokio's clock:
//! with paused time a test owns it. What is peculiar about Railway is a [`Quirk`] with a name and a source; what goes
//! wrong is a [`Fault`]; what somebody does behind one's back is a [`DashboardEdit`].

pub mod cli;
mod clock;
mod config;
mod control;
mod edit;
mod engine;
mod fault;
mod hold;
mod inventory;
mod lifecycle;
mod limits;
mod objects;
mod operations;
mod options;
mod persist;
mod quirk;
mod random;
mod record;
mod refusal;
mod request;
mod server;
mod simulator;
mod state;
mod timing;

pub use edit::{DashboardEdit, EditError};
pub use fault::{DeploymentEnding, Fault, FaultId, FaultKind, FaultReport, When};
pub use inventory::{
    DeploymentEntry, EnvironmentEntry, InstanceEntry, Inventory, NamedEntry, ProjectEntry,
    VolumeEntry,
};
pub use limits::Plan;
pub use options::{Options, WorkspaceSeed};
pub use quirk::{Quirk, QuirkInfo, Quirks, UnknownQuirk, quirks};
pub use record::{RequestCounts, RequestRecord};
pub use request::Lost;
pub use simulator::{Error, Simulator};
pub use timing::{Span, Timing};

/// The account token of a fresh simulator.
pub const ACCOUNT_TOKEN: &str = "simulated-account-token";
/// The workspace token of a fresh simulator.
pub const WORKSPACE_TOKEN: &str = "simulated-workspace-token";
