//! GitHub's answers, as far as they are read, and their way into our types.
//!
//! What decides something is required: an answer without it is unreadable, and never taken for an empty one.

use std::str::FromStr;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::Deserialize;

use crate::{
    comment::Comment,
    deployment::{Deployment, DeploymentState, DeploymentStatus},
    id::{CommentId, DeploymentId, Login, PullRequestNumber, RepositoryName, Sha},
    identity::{Actor, ActorKind, Permission},
    pull_request::{Association, ChangedFile, Head, PullRequest, PullRequestState},
    repository::{Branch, Repository, Tree},
    status::{CommitState, CommitStatus},
};

#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct WireUser {
    pub(super) login: Login,
    #[serde(rename = "type")]
    kind: String,
}

impl From<WireUser> for Actor {
    fn from(user: WireUser) -> Self {
        let kind = match user.kind.as_str() {
            "User" => ActorKind::User,
            "Bot" => ActorKind::Bot,
            "Organization" => ActorKind::Organization,
            _ => ActorKind::Other(user.kind),
        };
        Self {
            login: user.login,
            kind,
        }
    }
}

/// Whoever deleted their account is shown as nobody in some answers and as `ghost` in others.
fn actor(user: Option<WireUser>) -> Actor {
    user.map_or_else(
        || Actor {
            login: Login::new("ghost"),
            kind: ActorKind::User,
        },
        Actor::from,
    )
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
struct WireLabel {
    name: String,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
struct WireHead {
    #[serde(rename = "ref")]
    branch: String,
    sha: Sha,
    repo: Option<WireName>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
struct WireName {
    full_name: RepositoryName,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct WirePullRequest {
    number: PullRequestNumber,
    title: String,
    state: String,
    #[serde(default)]
    draft: bool,
    head: WireHead,
    base: WireHead,
    user: Option<WireUser>,
    author_association: String,
    labels: Vec<WireLabel>,
    created_at: Timestamp,
    updated_at: Timestamp,
    merged_at: Option<Timestamp>,
    html_url: String,
}

impl From<WirePullRequest> for PullRequest {
    fn from(wire: WirePullRequest) -> Self {
        let state = match (wire.state.as_str(), wire.merged_at) {
            ("open", _) => PullRequestState::Open,
            (_, Some(_)) => PullRequestState::Merged,
            (_, None) => PullRequestState::Closed,
        };
        Self {
            number: wire.number,
            title: wire.title,
            state,
            draft: wire.draft,
            head: Head {
                branch: wire.head.branch,
                sha: wire.head.sha,
                repository: wire.head.repo.map(|repository| repository.full_name),
            },
            base_branch: wire.base.branch,
            base_sha: wire.base.sha,
            author: actor(wire.user),
            association: association(&wire.author_association),
            labels: wire.labels.into_iter().map(|label| label.name).collect(),
            created_at: wire.created_at,
            updated_at: wire.updated_at,
            html_url: wire.html_url,
        }
    }
}

fn association(text: &str) -> Association {
    Association::from_str(text).unwrap_or_else(|_| Association::Other(text.to_owned()))
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct WireFile {
    filename: String,
    previous_filename: Option<String>,
}

impl From<WireFile> for ChangedFile {
    fn from(wire: WireFile) -> Self {
        Self {
            path: wire.filename,
            previous_path: wire.previous_filename,
        }
    }
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct WireComment {
    id: CommentId,
    /// Ends with the number; the only place that has it.
    issue_url: String,
    body: Option<String>,
    user: Option<WireUser>,
    created_at: Timestamp,
    updated_at: Timestamp,
    html_url: String,
}

impl TryFrom<WireComment> for Comment {
    type Error = String;

    fn try_from(wire: WireComment) -> Result<Self, String> {
        let number = wire
            .issue_url
            .rsplit('/')
            .next()
            .and_then(|number| number.parse().ok())
            .ok_or_else(|| format!("the issue_url {:?} ends with no number", wire.issue_url))?;
        Ok(Self {
            id: wire.id,
            number: PullRequestNumber::new(number),
            body: wire.body.unwrap_or_default(),
            author: actor(wire.user),
            created_at: wire.created_at,
            updated_at: wire.updated_at,
            html_url: wire.html_url,
        })
    }
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct WireReaction {
    pub(super) content: String,
    pub(super) user: Option<WireUser>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct WirePermission {
    /// admin, write, read or none.
    permission: String,
    /// The finer word, or the name of a role that an organisation made itself.
    role_name: Option<String>,
}

impl From<WirePermission> for Permission {
    fn from(wire: WirePermission) -> Self {
        let coarse = wire.permission.parse().unwrap_or(Self::None);
        // A custom role may be called anything, `admin` too: it never lifts what the coarse word says.
        let fine = wire.role_name.and_then(|role| role.parse().ok());
        match (coarse, fine) {
            (Self::Read, Some(Self::Triage)) => Self::Triage,
            (Self::Write, Some(Self::Maintain)) => Self::Maintain,
            (coarse, _) => coarse,
        }
    }
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct WireDeployment {
    id: DeploymentId,
    sha: Sha,
    environment: String,
    task: String,
    creator: Option<WireUser>,
    created_at: Timestamp,
}

impl From<WireDeployment> for Deployment {
    fn from(wire: WireDeployment) -> Self {
        Self {
            id: wire.id,
            sha: wire.sha,
            environment: wire.environment,
            task: wire.task,
            creator: wire.creator.map(|user| user.login),
            created_at: wire.created_at,
        }
    }
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct WireDeploymentStatus {
    state: String,
    description: Option<String>,
    environment_url: Option<String>,
    created_at: Timestamp,
}

impl TryFrom<WireDeploymentStatus> for DeploymentStatus {
    type Error = String;

    fn try_from(wire: WireDeploymentStatus) -> Result<Self, String> {
        Ok(Self {
            state: DeploymentState::from_str(&wire.state)
                .map_err(|_| format!("the deployment state {:?} is none we know", wire.state))?,
            description: wire.description.unwrap_or_default(),
            environment_url: wire.environment_url.filter(|url| !url.is_empty()),
            created_at: wire.created_at,
        })
    }
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct WireCommitStatus {
    context: String,
    state: String,
    description: Option<String>,
    target_url: Option<String>,
    creator: Option<WireUser>,
    created_at: Timestamp,
}

impl TryFrom<WireCommitStatus> for CommitStatus {
    type Error = String;

    fn try_from(wire: WireCommitStatus) -> Result<Self, String> {
        Ok(Self {
            context: wire.context,
            state: CommitState::from_str(&wire.state)
                .map_err(|_| format!("the commit state {:?} is none we know", wire.state))?,
            description: wire.description.unwrap_or_default(),
            target_url: wire.target_url,
            creator: wire.creator.map(Actor::from),
            created_at: wire.created_at,
        })
    }
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "GitHub's shape")]
struct WireRights {
    admin: bool,
    #[serde(default)]
    maintain: bool,
    push: bool,
    #[serde(default)]
    triage: bool,
    pull: bool,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct WireRepository {
    full_name: RepositoryName,
    default_branch: String,
    private: bool,
    #[serde(default)]
    archived: bool,
    permissions: Option<WireRights>,
}

impl From<WireRepository> for Repository {
    fn from(wire: WireRepository) -> Self {
        let permission = wire.permissions.map(|rights| match rights {
            WireRights { admin: true, .. } => Permission::Admin,
            WireRights { maintain: true, .. } => Permission::Maintain,
            WireRights { push: true, .. } => Permission::Write,
            WireRights { triage: true, .. } => Permission::Triage,
            WireRights { pull: true, .. } => Permission::Read,
            _ => Permission::None,
        });
        Self {
            name: wire.full_name,
            default_branch: wire.default_branch,
            private: wire.private,
            archived: wire.archived,
            permission,
        }
    }
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
struct WireCommit {
    sha: Sha,
}

#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
struct WireChecks {
    #[serde(default)]
    contexts: Vec<String>,
}

#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
struct WireProtection {
    required_status_checks: Option<WireChecks>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct WireBranch {
    name: String,
    commit: WireCommit,
    protected: bool,
    #[serde(default)]
    protection: WireProtection,
}

impl From<WireBranch> for Branch {
    fn from(wire: WireBranch) -> Self {
        Self {
            name: wire.name,
            sha: wire.commit.sha,
            protected: wire.protected,
            required_contexts: wire
                .protection
                .required_status_checks
                .unwrap_or_default()
                .contexts,
        }
    }
}

#[derive(Debug, Deserialize)]
struct WireNode {
    path: String,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct WireTree {
    tree: Vec<WireNode>,
    truncated: bool,
}

impl From<WireTree> for Tree {
    fn from(wire: WireTree) -> Self {
        let files = wire.tree.into_iter().filter(|node| node.kind == "blob");
        Self {
            files: files.map(|node| node.path).collect(),
            is_whole: !wire.truncated,
        }
    }
}

/// A file. What is longer than a megabyte comes without its content (source: get repository content).
#[derive(Debug, Deserialize)]
pub(super) struct WireContent {
    encoding: String,
    content: String,
}

impl WireContent {
    pub(super) fn text(&self) -> Result<String, &'static str> {
        if self.encoding != "base64" {
            return Err("the file is too large to be shown");
        }
        // In lines of 60 characters.
        let packed: String = self.content.split_whitespace().collect();
        let bytes = STANDARD
            .decode(packed)
            .map_err(|_| "the file is not base64")?;
        String::from_utf8(bytes).map_err(|_| "the file is not text")
    }
}

/// What an app says of itself.
#[derive(Debug, Deserialize)]
pub(super) struct WireApp {
    pub(super) slug: String,
}

/// Where only the fact that GitHub did it counts.
#[derive(Debug, Deserialize)]
pub(super) struct Done {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_of_an_organisations_own_lifts_nobody() {
        for (permission, role, expected) in [
            ("admin", Some("admin"), Permission::Admin),
            ("write", Some("maintain"), Permission::Maintain),
            ("write", Some("write"), Permission::Write),
            ("write", None, Permission::Write),
            ("read", Some("triage"), Permission::Triage),
            ("read", Some("admin"), Permission::Read),
            ("read", Some("write"), Permission::Read),
            ("read", Some("our-reviewers"), Permission::Read),
            ("none", Some("read"), Permission::None),
            ("of some later kind", None, Permission::None),
        ] {
            let wire = WirePermission {
                permission: permission.to_owned(),
                role_name: role.map(str::to_owned),
            };
            assert_eq!(Permission::from(wire), expected, "{permission} {role:?}");
        }
    }
}
