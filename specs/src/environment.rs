//! The main kind: an environment on Railway.

use std::collections::BTreeMap;

use jiff::Timestamp;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    duration::Span, service::ServiceSpec, setting::Setting, status::EnvironmentStatus,
    variable::Variable,
};

/// What someone wants to exist on Railway, and to stay as written.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "mirage.dev",
    version = "v1alpha1",
    kind = "Environment",
    plural = "environments",
    singular = "environment",
    shortname = "env",
    shortname = "envs",
    category = "all",
    category = "mirage",
    namespaced,
    derive = "PartialEq",
    status = "EnvironmentStatus",
    selectable = ".spec.type",
    selectable = ".status.phase",
    selectable = ".status.railway.environmentId",
    selectable = ".status.railway.environmentName",
    selectable = ".status.railway.projectId",
    selectable = ".status.railway.projectName",
    printcolumn = r#"{"name":"Type","type":"string","jsonPath":".spec.type"}"#,
    printcolumn = r#"{"name":"Status","type":"string","jsonPath":".status.phase"}"#,
    printcolumn = r#"{"name":"Services","type":"string","jsonPath":".status.servicesReady"}"#,
    printcolumn = r#"{"name":"Drifted","type":"string","jsonPath":".status.conditions[?(@.type==\"Drifted\")].status"}"#,
    printcolumn = r#"{"name":"Expires","type":"string","jsonPath":".status.expiresAt"}"#,
    printcolumn = r#"{"name":"URL","type":"string","jsonPath":".status.url"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#,
    printcolumn = r#"{"name":"Project","type":"string","jsonPath":".status.railway.projectName","priority":1}"#,
    printcolumn = r#"{"name":"Railway ID","type":"string","jsonPath":".status.railway.environmentId","priority":1}"#,
    printcolumn = r#"{"name":"Last Reconcile","type":"date","jsonPath":".status.lastReconciled","priority":1}"#
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnvironmentSpec {
    /// What it is for; decides which layer of the template applies.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub environment_type: Option<EnvironmentType>,
    /// The Railway project it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectRef>,
    /// Its name on Railway; the object's own name when absent. Cannot be changed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The credential that acts; `default` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_ref: Option<LocalRef>,
    /// A template to inherit from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_ref: Option<TemplateRef>,
    /// Repository inherited by every service without an image or engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// Services by name; `null` removes an inherited one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<String, Option<ServiceSpec>>,
    /// Variables shared by all services (referenced as `${{shared.NAME}}`); `null` removes an inherited one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, Option<Variable>>,
    /// How long after its creation it is torn down; not together with `expiresAt`.
    #[serde(default, skip_serializing_if = "Setting::is_inherited")]
    pub ttl: Setting<Span>,
    /// When it is torn down.
    #[serde(default, skip_serializing_if = "Setting::is_inherited")]
    pub expires_at: Setting<Timestamp>,
    /// Stops reconciling and stops the deployments, until taken away again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
    /// How changes reach the services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<Rollout>,
    /// What happens when Railway no longer looks as declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
    /// What happens on Railway when this object is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion: Option<Deletion>,
    /// Which plans wait for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
}

/// What an environment is for.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::Display,
    strum::EnumString,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum EnvironmentType {
    /// A developer's own.
    #[default]
    Dev,
    /// The last stop before production.
    Staging,
    /// Production.
    Prod,
    /// Short-lived, for example for a pull request.
    Ephemeral,
}

/// A Railway project, by name or by Railway's id, never both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProjectRef {
    /// Name in the account's workspace; created when no project has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Railway's project id; never created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// A reference to an object of the same namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LocalRef {
    /// Its name.
    pub name: String,
}

/// The template an environment inherits from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TemplateRef {
    /// An EnvironmentTemplate of the same namespace, or one that ships with Mirage (`dev`, `prod`).
    pub name: String,
    /// Values for the template's parameters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "crate::template::parameter_values_schema")]
    pub parameters: BTreeMap<String, serde_json::Value>,
}

/// A repository that services inherit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Source {
    /// GitHub repository, `owner/name`.
    #[serde(default, skip_serializing_if = "Setting::is_inherited")]
    pub repo: Setting<String>,
    /// Branch; not together with `commit`.
    #[serde(default, skip_serializing_if = "Setting::is_inherited")]
    pub branch: Setting<String>,
    /// Full commit id.
    #[serde(default, skip_serializing_if = "Setting::is_inherited")]
    pub commit: Setting<String>,
}

/// How changes reach the services.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rollout {
    /// All at once, or wave by wave along `dependsOn`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<RolloutStrategy>,
    /// How long one wave may take to become healthy; 10m when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_timeout: Option<Span>,
    /// What happens when a wave does not become healthy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<OnFailure>,
}

/// The order of a rollout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RolloutStrategy {
    /// All services at once; Railway orders by references.
    #[default]
    Parallel,
    /// Waves along `dependsOn`, each waiting for the one before it to be healthy.
    Sequential,
}

/// What happens when a rollout fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    /// Stop and wait for a person or a new generation.
    #[default]
    Halt,
    /// Return the failed services to their last good deployment.
    Rollback,
}

/// What happens when Railway no longer looks as declared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Drift {
    /// The rule for every field without an exception; `repair` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<DriftMode>,
    /// Field paths that others may change, for example `services.web.deploy.replicas`; a path covers all below it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
}

/// What to do about drift.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::Display,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum DriftMode {
    /// Make Railway match again.
    #[default]
    Repair,
    /// Say so in status and events, change nothing.
    Report,
    /// Do not look.
    Ignore,
}

/// What happens on Railway when the object is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Deletion {
    /// The Railway environment is deleted too.
    #[default]
    Delete,
    /// The Railway environment stays, without Mirage's mark.
    Retain,
}

/// Which plans wait for a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Approval {
    /// None.
    #[default]
    Automatic,
    /// Those that destroy something.
    Destructive,
    /// All.
    Always,
}
