//! Following a change that Railway applies in its own time.

use mirage_railway::{
    client::Progress,
    error::{Error, Failure},
    id::{EnvironmentId, ProjectId, WorkflowId},
};

use super::journal::Journal;
use crate::{accounts::Account, context::Context};

/// Asks how the pending change is. Afterwards nothing is pending, or it is still applying.
///
/// Returns the error with which Railway's application of the change ended.
///
/// # Errors
/// When the status could not be written.
pub(super) async fn follow(
    journal: &mut Journal,
    account: &Account,
    ctx: &Context,
) -> Result<Option<Error>, kube::Error> {
    let Some(pending) = journal.status().pending_change.clone() else {
        return Ok(None);
    };
    let railway = journal.status().railway.clone().unwrap_or_default();
    let (Some(project), Some(environment)) = (railway.project_id, railway.environment_id) else {
        journal.write(|status| status.pending_change = None).await?;
        return Ok(None);
    };
    let (project, environment) = (ProjectId::new(project), EnvironmentId::new(environment));
    let progress = match &pending.workflow_id {
        None => Progress::Applied,
        Some(id) => match account
            .client
            .change_applied(&environment, &WorkflowId::new(id))
            .await
        {
            Ok(progress) => progress,
            Err(_) if ctx.now().duration_since(pending.since) < ctx.intervals.patience.change => {
                Progress::Applying
            }
            Err(_) => Progress::Applied,
        },
    };
    match progress {
        Progress::Applying
            if ctx.now().duration_since(pending.since) < ctx.intervals.patience.change =>
        {
            Ok(None)
        }
        Progress::Applying | Progress::Applied => {
            account.observer.wrote(&project);
            journal.write(|status| status.pending_change = None).await?;
            Ok(None)
        }
        Progress::Failed(message) => {
            account.observer.wrote(&project);
            journal
                .write(|status| {
                    status.pending_change = None;
                    // What got through of it is not known: nothing of it may be taken for drift.
                    if let Some(applied) = &mut status.applied {
                        applied.generation = None;
                    }
                })
                .await?;
            let failure = Failure {
                operation: "ApplyChange",
                message,
                trace_id: None,
            };
            Ok(Some(Error::Invalid(failure)))
        }
    }
}
