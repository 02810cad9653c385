//! What is told about a copy before it is made.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A copy that was worked out and not made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Copied {
    /// The Environment to make, as its manifest.
    pub object: Value,
    /// The copy beside its source, in the copy's names.
    pub difference: Vec<Difference>,
    /// What is worth knowing and in nobody's way.
    pub notes: Vec<String>,
    /// Why it must not be made like this; empty when it may.
    pub refusals: Vec<Obstacle>,
}

/// One part of a copy beside the same part of its source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// `services.web.variables.API_URL`; for what was left out, in the source's names.
    pub path: String,
    /// What became of it.
    pub change: Change,
    /// What it is in the source, never the value of a variable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What it is in the copy, never the value of a variable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// What became of a part.
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
    strum::Display,
    strum::EnumString,
    JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Change {
    /// Only the copy has it.
    New,
    /// Both have it, and it differs.
    Changed,
    /// Only the source has it.
    Removed,
    /// Both have it alike.
    Unchanged,
}

/// Something that stands in the way of a copy, and what would do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Obstacle {
    /// The option or the field it is about: `exclude`, `spec.services.web.variables.TOKEN`.
    pub field: String,
    /// What is wrong and what would do.
    pub message: String,
}

impl Obstacle {
    /// An obstacle at a field.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }
}
