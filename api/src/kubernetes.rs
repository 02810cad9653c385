//! The Kubernetes wire protocol: one generic handler over JSON objects, and a registry of kinds.
//!
//! ```text
//!   request → access → read ──────────────► negotiate (object, table, metadata)
//!                    → watch ─────────────► one JSON object a line
//!                    → write ┐
//!                    → patch ┤→ settle → store
//!                    → apply ┘   (wall off status, default, prune, validate, own fields, count generations)
//!                    → delete
//! ```

pub(crate) mod access;
pub(crate) mod apply;
pub(crate) mod body;
pub(crate) mod call;
pub(crate) mod delete;
pub(crate) mod discovery;
pub(crate) mod dry_run;
pub(crate) mod event;
pub mod fields;
pub(crate) mod gzip;
pub(crate) mod health;
pub(crate) mod lost_nulls;
pub mod managed_fields;
pub(crate) mod metadata;
pub(crate) mod namespace;
pub mod negotiate;
pub(crate) mod openapi;
pub(crate) mod owners;
pub(crate) mod patch;
pub(crate) mod place;
pub(crate) mod read;
pub mod request;
pub(crate) mod review;
pub mod schema;
pub mod selector;
pub(crate) mod settle;
pub(crate) mod splice;
pub mod table;
pub(crate) mod tagged;
pub(crate) mod token;
pub(crate) mod version;
pub(crate) mod watch;
pub(crate) mod write;
