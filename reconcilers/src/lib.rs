//! Deciding what to change on Railway, doing it safely, and telling people about it.
//!
//! ```text
//!   API server ──watch──► controllers ──► environment: resolve → observe → diff → apply → status
//!        ▲                                  │                │                │
//!        └────────── status, Events ────────┘                ▼                ▼
//!                                                     observer (reads)   client (writes) ──► Railway
//! ```
//!
//! Preview policies make Environments of their own, one for each open pull request of a repository.
//!
//! Controllers are kube-rs ones over an ordinary [`kube::Client`]: they have no private door to the API server, so the
//! same code runs in one process, against a remote Mirage, and on a Kubernetes cluster with Mirage's CRDs.

pub mod accounts;
pub mod catalog;
pub mod context;
pub mod controllers;
pub mod copy;
pub mod environment;
pub mod finder;
pub mod git_sync;
pub mod metrics;
pub mod orphan;
pub mod preview_policy;
pub mod railway_account;
pub mod reason;

pub use catalog::{Catalog, CatalogError};
pub use context::Intervals;
pub use controllers::{Controllers, Options};
pub use copy::copier::{Copier, CopyError};
pub use environment::planner::{PlanError, PlannedChange, Planner};
pub use finder::{FindError, Finder};
pub use metrics::Metrics;
pub use mirage_railway::client::Clock;
