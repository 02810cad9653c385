//! The outside world of GitHub: pull requests and what Mirage says about them.
//!
//! ```text
//!   reconcile ──► Forge (a port: one credential at one GitHub)
//!                   │
//!                   └──► client ──► octocrab ──► channel ──► transport ──► GitHub, or a fake one
//!                          │        (requests,   (ETags,
//!                          └► app    pages)       counts)
//!                           (tokens)
//! ```
//!
//! [`GitHub::open`] gives the [`Forge`] of a credential. Everything is asked for by [`RepositoryName`] and comes back in
//! our own types; nobody else sees GitHub's. What could not be read whole is an [`Error`], never a shorter list.

mod app;
pub mod client;
pub mod comment;
pub mod connections;
pub mod credential;
pub mod deployment;
pub mod error;
pub mod forge;
pub mod id;
pub mod identity;
pub mod pull_request;
pub mod repository;
#[cfg(test)]
mod scripted;
pub mod status;
pub mod traffic;
pub mod transport;

pub use client::{Client, Clock};
pub use comment::{Comment, Reaction};
pub use connections::Connections;
pub use credential::{Access, Credential, GITHUB_API};
pub use deployment::{
    Deployment, DeploymentState, DeploymentStatus, NewDeployment, NewDeploymentStatus,
};
pub use error::{Class, Error, Failure};
pub use forge::{Forge, GitHub};
pub use id::{
    AppId, CommentId, DeploymentId, InstallationId, Login, PullRequestNumber, RepositoryName, Sha,
};
pub use identity::{Actor, ActorKind, Identity, Permission};
pub use pull_request::{
    Association, ChangedFile, ChangedFiles, Head, PullRequest, PullRequestState,
};
pub use repository::{Branch, Repository, Tree};
pub use status::{CommitState, CommitStatus, NewCommitStatus};
pub use traffic::{RateLimit, Traffic};
