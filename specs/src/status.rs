//! What Mirage says about an Environment.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    environment::Deletion,
    ledger::LedgerEntry,
    plan::{PlanReason, PlanView, PlannedAction},
    rollout::{GoodState, RestartStatus, RolloutStatus},
};

/// What is true of an Environment, as far as Mirage has seen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentStatus {
    /// Generation of the spec that the rest of this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// One word for tables: Pending, Provisioning, Updating, Ready, Degraded, Drifted, Waiting, Suspended, Deleting, Failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// `Ready`, `Synced`, `Progressing`, `Drifted`, `Degraded`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// Railway's ids and names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub railway: Option<RailwayStatus>,
    /// The template it follows, and how far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<TemplateStatus>,
    /// State per service.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<String, ServiceStatus>,
    /// Healthy services of all, for example `3/4`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub services_ready: Option<String>,
    /// The first public address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What is to be done, while there is something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanView>,
    /// Differences nobody asked for, as last seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<PlannedAction>,
    /// What was made on Railway, and what is about to be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ledger: Vec<LedgerEntry>,
    /// The change Railway is applying, until its end was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending_change: Option<PendingChange>,
    /// What was last applied, so that what leaves the spec can be removed and a change told from drift.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<Applied>,
    /// The plan a person let through, while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<ApprovedPlan>,
    /// Repairs of the same target, to notice a fight.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub repairs: BTreeMap<String, Repairs>,
    /// Whether everything in it was stopped on request, until it runs again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspended: bool,
    /// The annotation `mirage.dev/redeploy` that was carried out last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redeployed: Option<String>,
    /// The annotation `mirage.dev/restart` that was carried out last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restarted: Option<String>,
    /// Restarts under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart: Option<RestartStatus>,
    /// The rollout that is under way, or that failed and waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<RolloutStatus>,
    /// What was last healthy as declared, by service: a failed rollout goes back to it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub good: BTreeMap<String, GoodState>,
    /// What deletion means, templates included: by then the template may be gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion: Option<Deletion>,
    /// The credential it was made with, templates included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// When it will be torn down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When teardown began; its deadline counts from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub teardown_since: Option<Timestamp>,
    /// When something was last changed on Railway, or its state seen to change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_reconciled: Option<Timestamp>,
}

/// Railway's ids. They relate to Railway only; records of ours are related by `metadata.uid`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RailwayStatus {
    /// Id of the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// Name of the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_name: Option<String>,
    /// Id of the environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment_id: Option<String>,
    /// Name of the environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment_name: Option<String>,
    /// The environment in Railway's dashboard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dashboard_url: Option<String>,
}

/// The revision of a template that an environment follows. A changed template reaches its environments in waves, so
/// this may be an earlier one than the template's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TemplateStatus {
    /// Its name.
    pub name: String,
    /// `metadata.generation` of that revision; absent for a template that ships with Mirage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<i64>,
    /// Digest over its spec, by which revisions are told apart.
    pub digest: String,
    /// What became of the environment with it.
    pub standing: TemplateStanding,
    /// Values of the template that the environment says otherwise.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub overrides: u32,
    /// The first of their paths.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overridden: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// What became of an environment with a revision of its template.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::Display,
)]
pub enum TemplateStanding {
    /// It was not ready before, so whether it becomes so says nothing about the template; nobody waits for it.
    #[default]
    Uncounted,
    /// On its way.
    Applying,
    /// It was as this revision wants it, and healthy.
    Settled,
    /// It failed with it.
    Failed,
}

/// State of one service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceStatus {
    /// In one word.
    pub state: ServiceState,
    /// Railway's service id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_id: Option<String>,
    /// Railway's id of the newest deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment_id: Option<String>,
    /// Railway's status of the newest deployment, as Railway writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment_status: Option<String>,
    /// Public addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// Why it is not ready, and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// A service in one word.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::Display,
)]
pub enum ServiceState {
    /// Not observed; never guessed.
    #[default]
    Unknown,
    /// Not made yet.
    Pending,
    /// Built or started.
    Deploying,
    /// Serves, or finished well.
    Ready,
    /// Asleep until traffic comes.
    Sleeping,
    /// Stopped on purpose.
    Stopped,
    /// Needs a person on Railway.
    Blocked,
    /// Its newest deployment failed; an older one may still serve.
    Failed,
}

/// What was last applied, as names and fingerprints, never values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Applied {
    /// Generation it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<i64>,
    /// Shared variables, with the keyed fingerprint of each value (`-` where the value is not ours).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, String>,
    /// Per service.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<String, AppliedService>,
}

/// What was last applied to one service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AppliedService {
    /// Settings by spec path, with a fingerprint of the value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
    /// Variables, as above.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, String>,
    /// Domains: the custom ones by name, the generated one as `railway`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub domains: Vec<String>,
    /// Ports behind TCP proxies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tcp_proxies: Vec<u16>,
    /// Volumes by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<String>,
}

/// A change that Railway applies in its own time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PendingChange {
    /// Railway's id of the workflow or change-set application, when it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow_id: Option<String>,
    /// When it was sent.
    pub since: Timestamp,
}

/// A plan that was let through, until it is done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApprovedPlan {
    /// The hash that was approved.
    pub hash: String,
    /// Generation it belongs to.
    pub generation: i64,
    /// `target verb` of every action it covers; what remains of it needs no second approval.
    pub targets: Vec<String>,
}

/// How often one target was repaired lately.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Repairs {
    /// Times within the window.
    pub count: u32,
    /// When the window began.
    pub since: Timestamp,
    /// Why the first of them was there.
    pub reason: PlanReason,
}
