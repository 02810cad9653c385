//! The kinds people write, and nothing that acts on them.
//!
//! ```text
//! manifest (YAML) ──► Environment ──┐
//!                                   ├─ merge: base → type → instance ──► one EnvironmentSpec
//!        EnvironmentTemplate ───────┘
//!               ▲
//!               └── validate: every fault at once, by path
//! ```
//!
//! `spec` is the user's, `status` is Mirage's. Types here are also the source of the CRDs and of the JSON Schemas that
//! editors complete YAML with.

pub mod account;
pub mod catalog;
pub mod convert;
pub mod copy;
pub mod cron;
pub mod duration;
pub mod engine;
pub mod environment;
pub mod found;
pub mod git_sync;
pub mod image;
pub mod import;
pub mod ledger;
pub mod manifest;
pub mod merge;
pub mod name;
mod nearest;
pub mod orphan;
pub mod path;
pub mod placeholder;
pub mod plan;
pub mod preview_policy;
pub mod quantity;
pub mod reference;
pub mod rollout;
pub mod schema;
pub mod secret_store;
pub mod service;
pub mod setting;
pub mod status;
pub mod template;
pub mod templates;
pub mod validate;
pub mod variable;
pub mod wake;

pub use account::{RailwayAccount, RailwayAccountSpec, RailwayAccountStatus};
pub use copy::CopyOptions;
pub use environment::{Environment, EnvironmentSpec, EnvironmentType};
pub use git_sync::{GitSync, GitSyncSpec, GitSyncStatus};
pub use orphan::{Orphan, OrphanSpec};
pub use plan::{PlanView, PlannedAction};
pub use preview_policy::{PreviewPolicy, PreviewPolicySpec, PreviewPolicyStatus};
pub use secret_store::{SecretStore, SecretStoreSpec};
pub use service::ServiceSpec;
pub use setting::Setting;
pub use status::{EnvironmentStatus, ServiceState, ServiceStatus};
pub use template::{EnvironmentTemplate, EnvironmentTemplateSpec};
pub use variable::Variable;
