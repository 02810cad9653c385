//! How a service is, from what Railway shows of it. Pure.

use mirage_railway::snapshot::{DeploymentSnapshot, DeploymentStatus, InstanceSnapshot};
use mirage_specs::ServiceState;

/// A service's health in one word and, where it is not well, in a sentence with the next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// In one word.
    pub state: ServiceState,
    /// Why, and what to do.
    pub message: Option<String>,
}

impl Health {
    /// Whether dependents may go ahead and the environment may call itself ready.
    pub fn is_ready(&self) -> bool {
        is_ready(self.state)
    }
}

/// Whether a state counts as healthy.
pub fn is_ready(state: ServiceState) -> bool {
    matches!(state, ServiceState::Ready | ServiceState::Sleeping)
}

/// Judges an instance by its newest deployment and by what still serves.
///
/// A failed rollout does not take a service down: the deployment before it keeps serving. It is `Failed` all the same,
/// because what was asked for does not run.
pub fn health(instance: &InstanceSnapshot, has_source: bool) -> Health {
    let Some(latest) = &instance.latest_deployment else {
        return if has_source {
            plain(ServiceState::Pending)
        } else {
            told(
                ServiceState::Ready,
                "nothing to deploy: the service has no source",
            )
        };
    };
    let serving = instance
        .active_deployments
        .iter()
        .any(|active| active.id != latest.id);
    match &latest.status {
        DeploymentStatus::Success if latest.stopped => told(ServiceState::Ready, "ran to its end"),
        DeploymentStatus::Success => plain(ServiceState::Ready),
        DeploymentStatus::Sleeping => plain(ServiceState::Sleeping),
        DeploymentStatus::Initializing
        | DeploymentStatus::Building
        | DeploymentStatus::Deploying => plain(ServiceState::Deploying),
        DeploymentStatus::Queued => told(ServiceState::Deploying, "waits for capacity on Railway"),
        DeploymentStatus::Waiting => told(
            ServiceState::Deploying,
            "waits for the commit's checks on GitHub",
        ),
        DeploymentStatus::NeedsApproval => told(
            ServiceState::Blocked,
            "the commit's author is not a member of the workspace: approve the deployment in Railway's dashboard",
        ),
        DeploymentStatus::Crashed => told(ServiceState::Failed, &crashed(latest)),
        DeploymentStatus::Failed if serving => told(
            ServiceState::Failed,
            &format!(
                "deployment {} failed, the one before it still serves; look at its build and deploy logs",
                latest.id
            ),
        ),
        DeploymentStatus::Failed => told(
            ServiceState::Failed,
            &format!(
                "deployment {} failed; look at its build and deploy logs",
                latest.id
            ),
        ),
        // Nothing of the service changed, or it was replaced: what serves decides.
        DeploymentStatus::Skipped if !instance.active_deployments.is_empty() => {
            plain(ServiceState::Ready)
        }
        DeploymentStatus::Skipped => told(
            ServiceState::Ready,
            "skipped by Railway: no relevant change",
        ),
        DeploymentStatus::Removing | DeploymentStatus::Removed if serving => {
            plain(ServiceState::Ready)
        }
        DeploymentStatus::Removing | DeploymentStatus::Removed => plain(ServiceState::Stopped),
        DeploymentStatus::Other(name) => told(
            ServiceState::Unknown,
            &format!("Railway shows a status that this version does not know: {name}"),
        ),
    }
}

fn crashed(latest: &DeploymentSnapshot) -> String {
    format!(
        "deployment {} crashed and used up its restarts; look at its logs",
        latest.id
    )
}

fn plain(state: ServiceState) -> Health {
    Health {
        state,
        message: None,
    }
}

fn told(state: ServiceState, message: &str) -> Health {
    Health {
        state,
        message: Some(message.to_owned()),
    }
}
