//! One service of an environment, as its owner writes it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{duration::Span, setting::Setting, variable::Variable};

/// A service: where its code comes from, how it is built and run, and what belongs to it.
///
/// What is left out is Railway's default and is never compared.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceSpec {
    /// A database in one word: image, volume, credentials and connection variables follow from it.
    #[serde(default, skip_serializing_if = "Setting::is_inherited")]
    pub engine: Setting<Engine>,
    /// Major version of the engine's image; only with `engine`.
    #[serde(default, skip_serializing_if = "Setting::is_inherited")]
    pub version: Setting<String>,
    /// An image or a repository. Branch and commit are inherited from `spec.source` when the repository is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<ServiceSource>,
    /// How an image is made from the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<Build>,
    /// How it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deploy: Option<Deploy>,
    /// Environment variables of this service, by name; `null` removes an inherited one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, Option<Variable>>,
    /// Public addresses. One entry without a name asks for a generated `*.up.railway.app` domain.
    #[serde(default, skip_serializing_if = "Setting::is_inherited")]
    pub domains: Setting<Vec<Domain>>,
    /// Ports of the application that are reachable from outside through Railway's TCP proxy.
    #[serde(default, skip_serializing_if = "Setting::is_inherited")]
    pub tcp_proxies: Setting<Vec<u16>>,
    /// Disks by name; Railway attaches at most one to a service. `null` removes an inherited one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub volumes: BTreeMap<String, Option<Volume>>,
    /// Services of this environment that must be healthy first.
    #[serde(default, skip_serializing_if = "Setting::is_inherited")]
    pub depends_on: Setting<Vec<String>>,
}

/// The databases with a short form.
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
    strum::EnumIter,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Engine {
    /// PostgreSQL.
    Postgres,
    /// MySQL.
    Mysql,
    /// Redis.
    Redis,
    /// MongoDB.
    Mongo,
}

/// Where a service's code comes from: `image`, or `repo`, never both.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceSource {
    /// An image reference such as `ghcr.io/acme/api:1.4` or `nginx@sha256:…`.
    #[serde(default, skip_serializing_if = "Setting::is_inherited")]
    pub image: Setting<String>,
    /// A GitHub repository, `owner/name`.
    #[serde(default, skip_serializing_if = "Setting::is_inherited")]
    pub repo: Setting<String>,
    /// Branch to deploy from.
    #[serde(default, skip_serializing_if = "Setting::is_inherited")]
    pub branch: Setting<String>,
    /// Full commit id to stay on.
    #[serde(default, skip_serializing_if = "Setting::is_inherited")]
    pub commit: Setting<String>,
    /// Folder of the repository this service is built from.
    #[serde(default, skip_serializing_if = "Setting::is_inherited")]
    pub root_directory: Setting<String>,
}

/// How an image is made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Build {
    /// The builder; Railway's default is Railpack.
    #[serde(default, skip_serializing_if = "Setting::is_inherited")]
    pub builder: Setting<Builder>,
    /// Command that builds.
    #[serde(default, skip_serializing_if = "Setting::is_inherited")]
    pub command: Setting<String>,
    /// Path of the Dockerfile; implies the Dockerfile builder.
    #[serde(default, skip_serializing_if = "Setting::is_inherited")]
    pub dockerfile: Setting<String>,
    /// Patterns like those of `.gitignore`; only a push that touches one of them deploys.
    #[serde(default, skip_serializing_if = "Setting::is_inherited")]
    pub watch_patterns: Setting<Vec<String>>,
}

/// Railway's builders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Builder {
    /// Railpack, Railway's default.
    Railpack,
    /// Nixpacks, its predecessor.
    Nixpacks,
    /// A Dockerfile of the repository.
    Dockerfile,
}

/// How a service runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Deploy {
    /// Command that starts it, without a shell; overrides the image's own.
    #[serde(default, skip_serializing_if = "Setting::is_inherited")]
    pub start_command: Setting<String>,
    /// Commands that run once before each deployment goes live, for example migrations.
    #[serde(default, skip_serializing_if = "Setting::is_inherited")]
    pub pre_deploy_command: Setting<Vec<String>>,
    /// How Railway finds out that a deployment is healthy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<Healthcheck>,
    /// Copies of the process in the default region; not together with `regions`.
    #[serde(default, skip_serializing_if = "Setting::is_inherited")]
    pub replicas: Setting<u16>,
    /// Copies by region id, for example `us-west2: 2`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub regions: BTreeMap<String, Option<u16>>,
    /// What happens when the process ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart: Option<Restart>,
    /// Runs on a schedule instead of all the time: five fields, UTC, at least five minutes apart.
    #[serde(default, skip_serializing_if = "Setting::is_inherited")]
    pub cron: Setting<String>,
    /// Sleeps when idle and wakes on traffic.
    #[serde(default, skip_serializing_if = "Setting::is_inherited")]
    pub sleep: Setting<bool>,
    /// How long the old deployment keeps running beside the new one.
    #[serde(default, skip_serializing_if = "Setting::is_inherited")]
    pub overlap: Setting<Span>,
    /// How long the old deployment has between SIGTERM and SIGKILL.
    #[serde(default, skip_serializing_if = "Setting::is_inherited")]
    pub draining: Setting<Span>,
    /// Upper bounds for one replica.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
}

/// A path that answers 200 when the deployment may take traffic.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Healthcheck {
    /// Path, starting with `/`.
    #[serde(default, skip_serializing_if = "Setting::is_inherited")]
    pub path: Setting<String>,
    /// How long it may take; Railway's default is 300s.
    #[serde(default, skip_serializing_if = "Setting::is_inherited")]
    pub timeout: Setting<Span>,
}

/// What happens when the process ends.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Restart {
    /// When to start it again.
    #[serde(default, skip_serializing_if = "Setting::is_inherited")]
    pub policy: Setting<RestartPolicy>,
    /// How often at most under `onFailure`.
    #[serde(default, skip_serializing_if = "Setting::is_inherited")]
    pub max_retries: Setting<u16>,
}

/// Railway's restart policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum RestartPolicy {
    /// When it ends with an error; Railway's default.
    OnFailure,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Upper bounds for one replica.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Limits {
    /// vCPUs, for example `0.5` or `2`.
    #[serde(default, skip_serializing_if = "Setting::is_inherited")]
    pub cpu: Setting<f64>,
    /// Memory in binary units, for example `512Mi` or `2Gi`.
    #[serde(default, skip_serializing_if = "Setting::is_inherited")]
    pub memory: Setting<String>,
}

/// One public address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Domain {
    /// A domain of yours; absent for one that Railway makes up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Port of the application; absent to let Railway detect it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
}

/// A disk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Volume {
    /// Absolute path inside the container.
    #[serde(default, skip_serializing_if = "Setting::is_inherited")]
    pub mount_path: Setting<String>,
    /// Size in binary units, for example `5Gi`; grows in place, shrinking destroys.
    #[serde(default, skip_serializing_if = "Setting::is_inherited")]
    pub size: Setting<String>,
    /// Region id; a change moves the data and is destructive.
    #[serde(default, skip_serializing_if = "Setting::is_inherited")]
    pub region: Setting<String>,
    /// Automatic backups.
    #[serde(default, skip_serializing_if = "Setting::is_inherited")]
    pub backups: Setting<Vec<BackupSchedule>>,
}

/// Railway's backup schedules.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum BackupSchedule {
    /// Every day.
    Daily,
    /// Every week.
    Weekly,
    /// Every month.
    Monthly,
}
