//! The receipt of something that could not be removed.

use jiff::Timestamp;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::environment::LocalRef;

/// Something on Railway that Mirage made and could not remove within its deadline. It goes when the thing is gone.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "mirage.dev",
    version = "v1alpha1",
    kind = "Orphan",
    plural = "orphans",
    singular = "orphan",
    category = "mirage",
    namespaced,
    derive = "PartialEq",
    status = "OrphanStatus",
    selectable = ".spec.railwayId",
    printcolumn = r#"{"name":"What","type":"string","jsonPath":".spec.what"}"#,
    printcolumn = r#"{"name":"Railway Id","type":"string","jsonPath":".spec.railwayId"}"#,
    printcolumn = r#"{"name":"Reason","type":"string","jsonPath":".spec.reason"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrphanSpec {
    /// Kind of thing, for example `environment`.
    pub what: String,
    /// Its name on Railway.
    pub name: String,
    /// Railway's id of it, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub railway_id: Option<String>,
    /// Railway's id of its project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// `metadata.uid` of the Environment that made it.
    pub made_by: String,
    /// The credential it was made with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_ref: Option<LocalRef>,
    /// Why it could not be removed: Railway's own words where there are any.
    pub reason: String,
    /// What a person can do.
    pub next_step: String,
}

/// What became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrphanStatus {
    /// When Mirage last tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_attempt: Option<Timestamp>,
    /// Railway's answer to that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}
