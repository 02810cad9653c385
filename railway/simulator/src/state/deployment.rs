//! One run of a service, from source to removal.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Id;

/// The states of Railway's schema.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr, strum::Display,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum DeploymentStatus {
    Building,
    Crashed,
    Deploying,
    Failed,
    Initializing,
    NeedsApproval,
    Queued,
    Removed,
    Removing,
    Skipped,
    Sleeping,
    Success,
    Waiting,
}

impl DeploymentStatus {
    /// On its way to running.
    pub(crate) fn is_progressing(self) -> bool {
        matches!(
            self,
            Self::Initializing
                | Self::Queued
                | Self::Waiting
                | Self::Building
                | Self::Deploying
                | Self::NeedsApproval
        )
    }

    /// Serving, or able to.
    pub(crate) fn is_active(self) -> bool {
        matches!(self, Self::Success | Self::Sleeping | Self::Crashed)
    }
}

/// How a deployment is going to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
pub(crate) enum Ending {
    /// Runs.
    #[default]
    Runs,
    BuildFails,
    HealthcheckFails,
    /// Runs, and crashes after so many milliseconds.
    CrashesAfter(i64),
    OutOfMemory,
    /// Never leaves QUEUED.
    StuckQueued,
    /// Never leaves BUILDING.
    NeverBuilt,
    NeedsApproval,
    /// A job: exits with zero at once.
    Completes,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LogLine {
    pub(crate) at: i64,
    pub(crate) message: String,
    pub(crate) severity: String,
}

/// An entry of `deploymentEvents`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DeploymentStep {
    pub(crate) id: Id,
    pub(crate) step: String,
    pub(crate) created: i64,
    pub(crate) completed: Option<i64>,
    pub(crate) error: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Deployment {
    pub(crate) id: Id,
    pub(crate) environment: Id,
    pub(crate) service: Id,
    pub(crate) project: Id,
    pub(crate) status: DeploymentStatus,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) status_since: i64,
    /// Asked to stop, or finished by itself.
    pub(crate) stopped: bool,
    /// The service's settings at that time, variables included: what a rollback restores.
    pub(crate) config: Value,
    pub(crate) commit: Option<String>,
    /// Somebody or something removed its image before its time.
    #[serde(default)]
    pub(crate) image_gone: bool,
    pub(crate) ending: Ending,
    /// Deployments of the same batch that go first.
    pub(crate) waits_for: Vec<Id>,
    pub(crate) steps: Vec<DeploymentStep>,
    pub(crate) build_logs: Vec<LogLine>,
    pub(crate) deploy_logs: Vec<LogLine>,
}

impl Deployment {
    pub(crate) fn image(&self) -> Option<&str> {
        self.config["source"]["image"].as_str()
    }

    pub(crate) fn repo(&self) -> Option<&str> {
        self.config["source"]["repo"].as_str()
    }
}
