//! The check under a pull request. Pure.

use mirage_github::{CommitState, NewCommitStatus};
use mirage_specs::preview_policy::PreviewState;

use super::story::Story;

/// The status of the latest commit; `None` when what is said there stays.
///
/// A preview that was torn down leaves its last status: whether the commit came up does not change by that, and a rule
/// that asks for the status must not keep people from merging.
pub fn commit_status(story: &Story<'_>) -> Option<NewCommitStatus> {
    let state = match story.preview.state {
        PreviewState::Pending | PreviewState::Deploying | PreviewState::Queued => {
            CommitState::Pending
        }
        PreviewState::Ready => CommitState::Success,
        PreviewState::Failed => CommitState::Failure,
        PreviewState::Conflict | PreviewState::Invalid => CommitState::Error,
        PreviewState::Unknown
        | PreviewState::Ignored
        | PreviewState::TearingDown
        | PreviewState::Expired
        | PreviewState::Destroyed
        | PreviewState::Closed => return None,
    };
    let target = story
        .dashboard
        .map(str::to_owned)
        .or_else(|| story.preview.url.clone());
    Some(NewCommitStatus {
        context: format!("mirage/{}", story.policy),
        state,
        description: format!("Preview {}", story.headline()),
        target_url: target,
    })
}
