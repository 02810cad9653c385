//! The deployment that GitHub shows under a pull request. Pure.

use mirage_github::{DeploymentState, NewDeployment, NewDeploymentStatus, Sha};
use mirage_specs::preview_policy::PreviewState;

use super::story::Story;

/// What tells our deployments from others'.
pub const TASK: &str = "mirage-preview";

/// The deployment of a commit.
pub fn deployment(story: &Story<'_>, sha: Sha, environment: &str) -> NewDeployment {
    NewDeployment {
        sha,
        environment: environment.to_owned(),
        task: TASK.to_owned(),
        description: format!("Preview of #{} by Mirage", story.preview.number),
        transient: true,
        production: false,
    }
}

/// Where it stands; `None` when nothing new is to be said.
pub fn status(story: &Story<'_>) -> Option<NewDeploymentStatus> {
    let state = match story.preview.state {
        PreviewState::Deploying | PreviewState::Pending => DeploymentState::InProgress,
        PreviewState::Ready => DeploymentState::Success,
        PreviewState::Failed => DeploymentState::Failure,
        PreviewState::Conflict | PreviewState::Invalid => DeploymentState::Error,
        PreviewState::TearingDown
        | PreviewState::Expired
        | PreviewState::Destroyed
        | PreviewState::Closed
        | PreviewState::Ignored => DeploymentState::Inactive,
        PreviewState::Queued | PreviewState::Unknown => return None,
    };
    Some(NewDeploymentStatus {
        state,
        description: story.headline(),
        environment_url: story
            .preview
            .url
            .clone()
            .filter(|_| state == DeploymentState::Success),
        log_url: story.dashboard.map(str::to_owned),
    })
}

/// What is said of the deployment of a commit that is no longer the latest.
pub fn replaced() -> NewDeploymentStatus {
    NewDeploymentStatus {
        state: DeploymentState::Inactive,
        description: "replaced by a later commit".to_owned(),
        environment_url: None,
        log_url: None,
    }
}

/// Whether there has to be a deployment for something to be said of it.
pub fn is_worth_one(state: DeploymentState) -> bool {
    matches!(
        state,
        DeploymentState::InProgress | DeploymentState::Success | DeploymentState::Failure
    )
}
