//! Commit statuses: the checks under a pull request.

use jiff::Timestamp;

use crate::identity::Actor;

/// What a commit status says.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, strum::Display, strum::EnumString,
)]
#[strum(serialize_all = "snake_case")]
pub enum CommitState {
    /// Not known yet.
    Pending,
    /// All is well.
    Success,
    /// What was checked is not well.
    Failure,
    /// It could not be checked.
    Error,
}

/// A commit status as GitHub showed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitStatus {
    /// What it is about: the newest of each context counts.
    pub context: String,
    /// What it says.
    pub state: CommitState,
    /// Said beside it.
    pub description: String,
    /// Where to read more.
    pub target_url: Option<String>,
    /// Who said it.
    pub creator: Option<Actor>,
    /// When.
    pub created_at: Timestamp,
}

/// A commit status to add. GitHub takes at most 1,000 of one context on one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCommitStatus {
    /// What it is about; one that is there already is replaced in what people see.
    pub context: String,
    /// What it says.
    pub state: CommitState,
    /// Said beside it. At most 140 characters; what is longer is cut.
    pub description: String,
    /// Where to read more.
    pub target_url: Option<String>,
}
