//! GitHub's deployments: what it shows under a pull request as deployed, and where.

use jiff::Timestamp;

use crate::id::{DeploymentId, Login, Sha};

/// A deployment as GitHub showed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// Its id.
    pub id: DeploymentId,
    /// The commit.
    pub sha: Sha,
    /// The name of the environment on GitHub.
    pub environment: String,
    /// What it does there; ours is [`NewDeployment::task`].
    pub task: String,
    /// Who made it.
    pub creator: Option<Login>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A deployment to make. It is of that commit as it is: GitHub merges nothing into it and waits for no checks.
///
/// GitHub makes another each time it is asked: look with [`crate::Forge::deployments`] before, and after an answer that
/// never came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDeployment {
    /// The commit.
    pub sha: Sha,
    /// The name of the environment on GitHub; what was not there is made. At most 255 characters.
    pub environment: String,
    /// What it does, to tell ours from another's: GitHub's own are `deploy`. At most 128 characters.
    pub task: String,
    /// Said beside it. At most 140 characters; what is longer is cut.
    pub description: String,
    /// The environment will not exist for ever.
    pub transient: bool,
    /// End users come to it.
    pub production: bool,
}

/// Where a deployment stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, strum::Display, strum::EnumString,
)]
#[strum(serialize_all = "snake_case")]
pub enum DeploymentState {
    /// Waits for its turn.
    Queued,
    /// Waits for something outside.
    Pending,
    /// Is being deployed.
    InProgress,
    /// Is there.
    Success,
    /// Did not come up.
    Failure,
    /// Could not be tried.
    Error,
    /// Was taken down, or replaced.
    Inactive,
}

/// A deployment's status as GitHub showed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeploymentStatus {
    /// Where it stands.
    pub state: DeploymentState,
    /// Said beside it.
    pub description: String,
    /// Where to see the environment.
    pub environment_url: Option<String>,
    /// When it was said.
    pub created_at: Timestamp,
}

/// A status to add to a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDeploymentStatus {
    /// Where it stands.
    pub state: DeploymentState,
    /// Said beside it. At most 140 characters; what is longer is cut.
    pub description: String,
    /// Where to see the environment, once there is something to see.
    pub environment_url: Option<String>,
    /// Where to read more.
    pub log_url: Option<String>,
}
