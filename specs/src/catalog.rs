//! What Railway has, as Mirage shows it to people who browse: projects, environments, services, deployments.
//!
//! Names and states only. No variable's value is ever part of it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::status::ServiceState;

/// A project on Railway.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RailwayProject {
    /// Railway's id.
    pub railway_project_id: String,
    /// Its name; not unique.
    pub name: String,
    /// Its description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// The project in Railway's dashboard.
    pub dashboard_url: String,
    /// How many environments it has; absent when that could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environments: Option<u32>,
    /// How many services it has, whether or not each environment has an instance of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub services: Option<u32>,
    /// How many of the environments Mirage manages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed: Option<u32>,
    /// How many of the environments it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<u32>,
    /// Why the numbers are missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
    /// Railway's ids of its environments, from which the numbers above are counted.
    #[serde(default, skip)]
    pub environment_ids: Vec<String>,
}

/// Whose an environment on Railway is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::Display,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Keeper {
    /// An Environment of this Mirage keeps it as declared.
    Managed,
    /// Nobody here does.
    #[default]
    External,
}

/// The Environment that keeps something on Railway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeptBy {
    /// Mirage's id: the Environment's `metadata.uid`.
    pub environment_id: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// An environment on Railway.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RailwayEnvironment {
    /// Railway's id.
    pub railway_environment_id: String,
    /// Its name on Railway.
    pub name: String,
    /// Railway's id of the project.
    pub railway_project_id: String,
    /// The project's name.
    pub project_name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// The environment in Railway's dashboard.
    pub dashboard_url: String,
    /// Whether Mirage manages it.
    pub keeper: Keeper,
    /// The Environment that manages it, for callers who may see that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_by: Option<KeptBy>,
    /// Railway's id of the environment that it is a fork of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forked_from: Option<String>,
    /// Whether the credential may look inside; without, the rest is empty and means nothing.
    pub readable: bool,
    /// The worst state of its services: the colour of one dot.
    pub state: ServiceState,
    /// Healthy services of all, for example `3/4`.
    pub services_ready: String,
    /// Public addresses, custom ones first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// When something was last deployed in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_deployed_at: Option<Timestamp>,
    /// Somebody's staged changes that are not committed.
    pub unmerged_changes: u32,
    /// Its services by name, where one environment was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<RailwayService>,
}

/// A service in an environment on Railway.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RailwayService {
    /// Railway's id.
    pub railway_service_id: String,
    /// Its name.
    pub name: String,
    /// In one word.
    pub state: ServiceState,
    /// Why it is not ready, and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Public addresses, custom ones first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// The image it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The repository it is built from, `owner/name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repo: Option<String>,
    /// Region id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Copies of the process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
    /// Disks attached to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<RailwayVolume>,
    /// The newest deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_deployment: Option<RailwayDeployment>,
}

/// A disk of a service on Railway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RailwayVolume {
    /// Railway's id.
    pub railway_volume_id: String,
    /// Its name.
    pub name: String,
    /// Where it is mounted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mount_path: Option<String>,
    /// Megabytes as Railway counts them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_mb: Option<u64>,
    /// Region id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// A deployment on Railway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RailwayDeployment {
    /// Railway's id.
    pub railway_deployment_id: String,
    /// Railway's status, as Railway writes it.
    pub status: String,
    /// Whether its process has ended or was stopped.
    pub stopped: bool,
    /// Whether it serves.
    pub active: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its public address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The image it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The repository it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repo: Option<String>,
    /// The branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The commit's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The commit's message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit_message: Option<String>,
    /// The commit's author.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit_author: Option<String>,
}

/// A list of anything above.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Listed<T> {
    /// What there is.
    pub items: Vec<T>,
}
