//! The port: all that Mirage asks of GitHub.
//!
//! # Guarantees
//! - A list is whole, read to its last page, or it is an error.
//! - A read that GitHub would answer as before costs nothing of the rate limit: it names what we have (ETag), and the
//!   answer is the one we have.
//! - No call waits for a rate limit or tries a write twice. [`Error::RateLimited`] says when to come back.
//!
//! # Caveats
//! - GitHub's writes have no idempotency keys. After [`Error::Ambiguous`] the caller looks for what it wrote.
//! - GitHub's reads lag its writes by moments, lists more than single objects.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    comment::{Comment, Reaction},
    credential::Access,
    deployment::{Deployment, DeploymentStatus, NewDeployment, NewDeploymentStatus},
    error::Error,
    id::{CommentId, DeploymentId, Login, PullRequestNumber, RepositoryName, Sha},
    identity::{Identity, Permission},
    pull_request::{ChangedFiles, PullRequest},
    repository::{Branch, Repository, Tree},
    status::{CommitStatus, NewCommitStatus},
    traffic::Traffic,
};

/// Opens forges.
pub trait GitHub: Send + Sync {
    /// The forge of a credential. The same access opens the same forge again, with what it remembers: call it in each
    /// reconcile, and keep nothing.
    ///
    /// # Errors
    /// [`Error::Unauthorized`] when an app's key is not one. Nothing is asked of GitHub yet.
    fn open(&self, access: &Access) -> Result<Arc<dyn Forge>, Error>;
}

/// One GitHub, seen with one credential.
///
/// Every method may answer [`Error::Transient`], [`Error::RateLimited`], [`Error::Unauthorized`], [`Error::Forbidden`],
/// [`Error::NotFound`] and [`Error::Unreadable`]; the writes besides [`Error::Ambiguous`] and [`Error::Invalid`].
#[async_trait]
pub trait Forge: Send + Sync {
    /// Whose credential this is. Asked once and remembered.
    async fn identity(&self) -> Result<Identity, Error>;

    /// The repository.
    async fn repository(&self, repository: &RepositoryName) -> Result<Repository, Error>;

    /// A branch of it.
    async fn branch(&self, repository: &RepositoryName, branch: &str) -> Result<Branch, Error>;

    /// Its files at a branch, tag or commit. One request.
    async fn tree(&self, repository: &RepositoryName, reference: &str) -> Result<Tree, Error>;

    /// A file of at most a megabyte as text; [`Error::Unreadable`] where it is larger or none.
    async fn text(
        &self,
        repository: &RepositoryName,
        path: &str,
        reference: &str,
    ) -> Result<String, Error>;

    /// All open pull requests, by number. One request while there are at most 100.
    ///
    /// GitHub's lists lag: one that is missing here is closed only once [`Forge::pull_request`] says so too.
    async fn open_pull_requests(
        &self,
        repository: &RepositoryName,
    ) -> Result<Vec<PullRequest>, Error>;

    /// One pull request, in whatever state.
    async fn pull_request(
        &self,
        repository: &RepositoryName,
        number: PullRequestNumber,
    ) -> Result<PullRequest, Error>;

    /// The files that it changes.
    async fn changed_files(
        &self,
        repository: &RepositoryName,
        number: PullRequestNumber,
    ) -> Result<ChangedFiles, Error>;

    /// All comments in its conversation, oldest first.
    async fn comments(
        &self,
        repository: &RepositoryName,
        number: PullRequestNumber,
    ) -> Result<Vec<Comment>, Error>;

    /// One comment, wherever it stands.
    async fn comment(
        &self,
        repository: &RepositoryName,
        comment: CommentId,
    ) -> Result<Comment, Error>;

    /// Writes a comment. GitHub takes at most 65,536 characters.
    async fn create_comment(
        &self,
        repository: &RepositoryName,
        number: PullRequestNumber,
        body: &str,
    ) -> Result<Comment, Error>;

    /// Replaces a comment's text. Safe to repeat.
    async fn update_comment(
        &self,
        repository: &RepositoryName,
        comment: CommentId,
        body: &str,
    ) -> Result<Comment, Error>;

    /// Our own reactions to a comment.
    async fn own_reactions(
        &self,
        repository: &RepositoryName,
        comment: CommentId,
    ) -> Result<Vec<Reaction>, Error>;

    /// Reacts to a comment. Safe to repeat.
    async fn react(
        &self,
        repository: &RepositoryName,
        comment: CommentId,
        reaction: Reaction,
    ) -> Result<(), Error>;

    /// What somebody may do with the repository. Somebody unknown may do nothing.
    async fn permission(
        &self,
        repository: &RepositoryName,
        login: &Login,
    ) -> Result<Permission, Error>;

    /// The deployments to an environment (of GitHub's), newest first.
    async fn deployments(
        &self,
        repository: &RepositoryName,
        environment: &str,
    ) -> Result<Vec<Deployment>, Error>;

    /// Makes a deployment. It shows nothing until it has a status.
    async fn create_deployment(
        &self,
        repository: &RepositoryName,
        deployment: &NewDeployment,
    ) -> Result<Deployment, Error>;

    /// What was said of a deployment, newest first.
    async fn deployment_statuses(
        &self,
        repository: &RepositoryName,
        deployment: DeploymentId,
    ) -> Result<Vec<DeploymentStatus>, Error>;

    /// Says where a deployment stands. A success makes the environment's earlier deployments inactive by itself only where
    /// they are neither transient nor production; others stay active until that is said of each.
    async fn create_deployment_status(
        &self,
        repository: &RepositoryName,
        deployment: DeploymentId,
        status: &NewDeploymentStatus,
    ) -> Result<(), Error>;

    /// The newest status of each context on a commit.
    async fn commit_statuses(
        &self,
        repository: &RepositoryName,
        sha: &Sha,
    ) -> Result<Vec<CommitStatus>, Error>;

    /// Adds a status to a commit. Repeating it is harmless: the newest counts.
    async fn create_commit_status(
        &self,
        repository: &RepositoryName,
        sha: &Sha,
        status: &NewCommitStatus,
    ) -> Result<(), Error>;

    /// What this credential has asked so far, and what is left of its limit.
    fn traffic(&self) -> Traffic;
}
