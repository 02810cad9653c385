//! The ledger: what Mirage is about to make on Railway, and what it has made.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One thing on Railway that this Environment made, is making or is removing.
///
/// An entry is written before the call that makes the thing and completed with Railway's id after it. Railway has no
/// idempotency keys, so this is what lets a process that was killed in between find out whether the call happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LedgerEntry {
    /// What it is.
    pub kind: LedgerKind,
    /// Its name on Railway; for a domain the service it belongs to, or the domain itself once known.
    pub name: String,
    /// How far it is.
    pub state: LedgerState,
    /// Railway's id, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub railway_id: Option<String>,
    /// When the call was about to be made. What carries the name but is older was not made by us.
    pub intended_at: Timestamp,
}

/// Kinds of things the ledger knows.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::Display,
)]
#[strum(serialize_all = "lowercase")]
pub enum LedgerKind {
    /// A project; stays when the environment goes.
    Project,
    /// The environment itself.
    Environment,
    /// A service, or its instance where the project had it before.
    Service,
    /// A volume.
    Volume,
    /// A generated or custom domain.
    Domain,
}

/// How far an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum LedgerState {
    /// The call is about to be made, or was made and its answer is not known.
    Intended,
    /// It exists.
    Made,
    /// Its removal is about to be asked for, or was asked for and not seen yet.
    Removing,
}
