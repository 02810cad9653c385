//! What became of a change that Railway applies in the background.

use serde_json::Value;

use crate::{
    client::Client,
    error::Error,
    id::{EnvironmentId, WorkflowId},
    operations::{
        ChangeSetProgress, LatestPatches, Workflow, change_set_progress, latest_patches, workflow,
    },
};

/// Marks the id of a change set, which is asked about in another way than a workflow.
const CHANGE_SET: &str = "change-set/";

/// How far a change is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Railway is at it, or the workflow is too new to be seen.
    Applying,
    /// Done.
    Applied,
    /// It was given up; Railway's words.
    Failed(String),
}

impl WorkflowId {
    pub(crate) fn of_change_set(id: &str) -> Self {
        Self::new(format!("{CHANGE_SET}{id}"))
    }
}

impl Client {
    /// How far the application of a change is.
    ///
    /// # Errors
    /// Any class of a query.
    pub async fn change_applied(
        &self,
        environment: &EnvironmentId,
        id: &WorkflowId,
    ) -> Result<Progress, Error> {
        if let Some(id) = id.as_str().strip_prefix(CHANGE_SET) {
            let variables = change_set_progress::Variables {
                environment_id: environment.to_string(),
                id: id.to_owned(),
            };
            let applied = self
                .call::<ChangeSetProgress>(variables)
                .await?
                .environment_change_set_apply;
            return Ok(change_set_state(&applied.status, &applied.diagnostics));
        }
        let variables = workflow::Variables {
            workflow_id: id.to_string(),
        };
        match self.call::<Workflow>(variables).await {
            Ok(answer) => Ok(match answer.workflow_status.status {
                workflow::WorkflowStatus::Complete => Progress::Applied,
                workflow::WorkflowStatus::Error => Progress::Failed(
                    answer
                        .workflow_status
                        .error
                        .unwrap_or_else(|| "Railway gave no reason".to_owned()),
                ),
                // A workflow is not found just after it was started (observed).
                workflow::WorkflowStatus::NotFound
                | workflow::WorkflowStatus::Running
                | workflow::WorkflowStatus::Other(_) => Progress::Applying,
            }),
            // Some ids that a commit returns may not be asked about (observed); the patch itself may.
            Err(Error::Unauthorized(_) | Error::NotFound(_)) => {
                self.latest_patch(environment).await
            }
            Err(error) => Err(error),
        }
    }

    async fn latest_patch(&self, environment: &EnvironmentId) -> Result<Progress, Error> {
        use latest_patches::EnvironmentPatchStatus as Status;
        let variables = latest_patches::Variables {
            environment_id: environment.to_string(),
        };
        let patches = self
            .call::<LatestPatches>(variables)
            .await?
            .environment_patches;
        let Some(patch) = patches.edges.into_iter().next().map(|edge| edge.node) else {
            return Ok(Progress::Applying);
        };
        Ok(match (patch.status, patch.last_applied_error) {
            (Status::COMMITTED, _) => Progress::Applied,
            (Status::STAGED, Some(error)) => Progress::Failed(error),
            _ => Progress::Applying,
        })
    }
}

/// Anything but `applying` is final (the official CLI's reading).
pub(crate) fn change_set_state(status: &str, diagnostics: &Value) -> Progress {
    match status {
        "applying" => Progress::Applying,
        "applied" => Progress::Applied,
        other => Progress::Failed(match messages(diagnostics).as_slice() {
            [] => format!("the change set is {other}"),
            messages => format!("the change set is {other}: {}", messages.join("; ")),
        }),
    }
}

/// The texts of diagnostics, whose shape is not told: an array of texts or of objects with a message.
fn messages(diagnostics: &Value) -> Vec<&str> {
    diagnostics
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.as_str().or_else(|| entry.get("message")?.as_str()))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_set_is_final_unless_it_is_applying() {
        assert_eq!(
            change_set_state("applying", &Value::Null),
            Progress::Applying
        );
        assert_eq!(change_set_state("applied", &json!([])), Progress::Applied);
        assert_eq!(
            change_set_state("failed", &json!([{"message": "no image"}, "bad"])),
            Progress::Failed("the change set is failed: no image; bad".to_owned())
        );
    }
}
