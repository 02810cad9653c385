//! Pull requests, as far as previews look at them.

use jiff::Timestamp;

use crate::{
    id::{PullRequestNumber, RepositoryName, Sha},
    identity::Actor,
};

/// A pull request as GitHub showed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number.
    pub number: PullRequestNumber,
    /// Its title: text of whoever opened it.
    pub title: String,
    /// Open, closed or merged.
    pub state: PullRequestState,
    /// Not ready for review.
    pub draft: bool,
    /// What is to be merged.
    pub head: Head,
    /// The branch it is to be merged into.
    pub base_branch: String,
    /// The commit of the base that GitHub compares with.
    pub base_sha: Sha,
    /// Who opened it.
    pub author: Actor,
    /// What the author is to the repository.
    pub association: Association,
    /// The names of its labels, in GitHub's order.
    pub labels: Vec<String>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When anything about it last changed: a push, a comment, a label. What has not moved need not be looked at again.
    pub updated_at: Timestamp,
    /// Its page.
    pub html_url: String,
}

impl PullRequest {
    /// Whether its commits come from another repository than `repository`, which people without write access can push
    /// to. A head repository that was deleted counts as another.
    pub fn is_from_fork_of(&self, repository: &RepositoryName) -> bool {
        self.head.repository.as_ref() != Some(repository)
    }
}

/// What a pull request wants to merge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The branch: text of whoever opened it.
    pub branch: String,
    /// Its latest commit.
    pub sha: Sha,
    /// Where the branch is; `None` when that repository was deleted. The commit stays readable in the base repository as
    /// `refs/pull/NUMBER/head`.
    pub repository: Option<RepositoryName>,
}

/// Whether a pull request is still up for merging.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PullRequestState {
    /// Up for merging.
    Open,
    /// Closed without being merged.
    Closed,
    /// Merged.
    Merged,
}

/// What an author is to a repository, as GitHub sees it (source: `author_association`, REST reference).
///
/// Shown for choosing, never for granting: what somebody may do is [`crate::Forge::permission`].
#[derive(Clone, Debug, PartialEq, Eq, strum::Display, strum::EnumString)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Association {
    /// Owns the repository.
    Owner,
    /// Is in the organisation that owns it.
    Member,
    /// Was invited to it.
    Collaborator,
    /// Has contributed before.
    Contributor,
    /// Contributes to it for the first time.
    FirstTimeContributor,
    /// Contributes to GitHub for the first time.
    FirstTimer,
    /// A placeholder for an imported account.
    Mannequin,
    /// Nothing.
    None,
    /// A word that we do not know.
    #[strum(default)]
    Other(String),
}

/// The files that a pull request changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedFiles {
    /// As many as GitHub shows.
    pub files: Vec<ChangedFile>,
    /// False when there are at least as many as GitHub shows at most (3,000): any file may have changed.
    pub complete: bool,
}

impl ChangedFiles {
    /// Every path that is touched: where a file is, and where it was before it moved.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.iter().flat_map(|file| {
            std::iter::once(file.path.as_str()).chain(file.previous_path.as_deref())
        })
    }
}

/// A file that a pull request adds, changes, moves or removes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedFile {
    /// Its path from the root of the repository.
    pub path: String,
    /// Where it was before, when it moved.
    pub previous_path: Option<String>,
}
