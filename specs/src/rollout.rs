//! How far a rollout is, and what is gone back to when it fails.
//!
//! All of it stands in the status of an Environment, so that a process that dies between any two steps goes on where it
//! was. It holds names, ids and fingerprints, and settings that stand in the spec in the clear; never a variable's value.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A rollout that is under way, or that failed and waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RolloutStatus {
    /// Generation of the spec that is rolled out.
    pub generation: i64,
    /// Fingerprint of the services and variables that are rolled out. While the declared ones have it, a rollout that
    /// failed is not tried again by itself.
    pub desired: String,
    /// Hash of the plan that was carried out last for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// How it goes.
    pub state: RolloutState,
    /// Since when it goes so.
    pub since: Timestamp,
    /// What happened, and the next step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The services that it reached, or will reach.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<String, RolloutService>,
}

/// How a rollout goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::Display)]
pub enum RolloutState {
    /// Services are changed and awaited.
    Progressing,
    /// A service failed; nothing more is deployed until a person or another spec says so.
    Halted,
    /// A service failed, and is on its way back.
    RollingBack,
    /// What failed is back at what was good.
    RolledBack,
}

/// One service of a rollout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RolloutService {
    /// Its wave, counted from 1; all are in the first where the strategy is parallel.
    pub wave: u32,
    /// How it goes.
    pub state: RolloutServiceState,
    /// When its change was sent, or it began to wait.
    pub since: Timestamp,
    /// Until when it may take to become healthy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Services that must be healthy first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waits_for: Vec<String>,
    /// Its newest deployment before the change was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The deployment that did not become healthy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// The deployment that it goes, or went, back to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub good: Option<String>,
    /// How it goes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<RollbackWay>,
    /// When a deployment or the way back was last asked for, until it shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Timestamp>,
    /// Railway's words when it refused the way back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// What happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// How one service of a rollout goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::Display)]
pub enum RolloutServiceState {
    /// For an earlier wave.
    Waiting,
    /// Its change was sent, and it is not healthy yet.
    Deploying,
    /// It is healthy.
    Healthy,
    /// It did not become healthy.
    Failed,
    /// It is on its way back.
    RollingBack,
    /// It is back at what was good.
    RolledBack,
    /// It is to be deployed once more.
    Again,
}

/// The way back of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::Display)]
pub enum RollbackWay {
    /// None is needed: the last good deployment still serves.
    Serving,
    /// Railway restores the image and the variables of the last good deployment.
    Deployment,
    /// The settings of then are sent again, and build a deployment.
    Configuration,
    /// There is none.
    Nowhere,
}

/// What of a service was good last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GoodState {
    /// Railway's id of the deployment.
    pub deployment_id: String,
    /// Generation of the spec that it came from.
    pub generation: i64,
    /// Settings by spec path, as JSON in Railway's form.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
    /// Variables, with the keyed fingerprint of each value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, String>,
}

/// Restarts that somebody asked for, until all of them were made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RestartStatus {
    /// The annotation that asked.
    pub asked: String,
    /// Per service.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<String, RestartedService>,
}

/// A restart of one service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RestartedService {
    /// When Railway was asked.
    pub at: Timestamp,
    /// Deployment and its state before, which a restart changes.
    pub before: String,
    /// Whether Railway said that it was done.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub done: bool,
}
