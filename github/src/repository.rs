//! Repositories, branches, files.

use crate::{
    id::{RepositoryName, Sha},
    identity::Permission,
};

/// A repository as GitHub showed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// Its name today: it differs from the one asked for when it was renamed or moved.
    pub name: RepositoryName,
    /// The branch that people see first.
    pub default_branch: String,
    /// Whether only some people see it.
    pub private: bool,
    /// Whether nothing may be written to it any more.
    pub archived: bool,
    /// What our credential may do there; `None` where GitHub does not say (it says nothing to apps).
    pub permission: Option<Permission>,
}

/// A branch as GitHub showed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Its name.
    pub name: String,
    /// Its latest commit.
    pub sha: Sha,
    /// Whether rules guard it.
    pub protected: bool,
    /// The contexts of statuses that must succeed before a merge, as far as our credential may see them.
    pub required_contexts: Vec<String>,
}

/// The files of a commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// Their paths from the root: `apps/web/Dockerfile`.
    pub files: Vec<String>,
    /// Whether they are all; GitHub lists at most 100,000 (source: get a tree).
    pub is_whole: bool,
}
