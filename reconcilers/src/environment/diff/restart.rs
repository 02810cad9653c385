//! Restarts that somebody asked for, each once.

use mirage_railway::snapshot::{DeploymentSnapshot, DeploymentStatus, EnvironmentSnapshot};
use mirage_specs::plan::PlanReason;

use super::Draft;
use crate::environment::plan::{Action, Hold};

/// What a restart changes: the deployment stays, and the time of its status moves.
pub fn mark(deployment: &DeploymentSnapshot) -> String {
    let since = deployment
        .status_since
        .map(|since| since.to_string())
        .unwrap_or_default();
    format!("{} {since}", deployment.id)
}

impl<'a> Draft<'a> {
    pub(super) fn restarts(&mut self, environment: &'a EnvironmentSnapshot) {
        let Some(asked) = self.memory.restart else {
            return;
        };
        let known = self
            .memory
            .restarts
            .filter(|restarts| restarts.asked == asked.token);
        for name in self.effective.services.keys() {
            let running = environment
                .instance_named(name)
                .and_then(|instance| instance.latest_deployment.as_ref())
                .filter(|latest| runs(latest));
            let (Some(latest), true) = (running, asked.means(name)) else {
                continue;
            };
            // What was deployed since has started since.
            if latest.created_at >= asked.at {
                continue;
            }
            if let Some(earlier) = known.and_then(|known| known.services.get(name)) {
                if earlier.done || earlier.before != mark(latest) {
                    continue;
                }
                if self.now.duration_since(earlier.at) < self.observed.patience.lost_answer {
                    self.hold(Hold::AwaitingVisibility {
                        what: format!("the restart of {name}"),
                    });
                    continue;
                }
            }
            let action = Action::Restart {
                service: name.clone(),
                deployment: latest.id.clone(),
            };
            self.push(action, PlanReason::Requested);
        }
    }
}

fn runs(deployment: &DeploymentSnapshot) -> bool {
    matches!(
        deployment.status,
        DeploymentStatus::Success | DeploymentStatus::Crashed | DeploymentStatus::Sleeping
    )
}
