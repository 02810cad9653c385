//! What is said on GitHub of a commit: whether all that it declares is applied. Pure.
//!
//! Said once for each commit and state. A description that changes is not worth another: GitHub takes at most 1,000 of one
//! context on one commit.

mod send;

use std::fmt;

use mirage_github::{CommitState, NewCommitStatus, RepositoryName, Sha, credential::GITHUB_API};
use mirage_railway::secret::SecretValue;
use mirage_specs::{
    GitSyncSpec, GitSyncStatus,
    git_sync::{self, ReportedCommit, ReportedState},
};
use url::Url;

use super::mark::Owner;

pub(super) use send::send;

/// A repository on GitHub, and the token that speaks of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Listener {
    /// Root of the API.
    pub api_url: Url,
    /// Which repository.
    pub repository: RepositoryName,
    /// In whose name.
    pub token: SecretValue,
}

impl Listener {
    /// Who is told of a GitSync's commits: nobody, unless the repository is on GitHub and there is a token.
    pub fn of(spec: &GitSyncSpec, token: Option<&SecretValue>) -> Option<Self> {
        if spec.commit_status == Some(false) || spec.dry_run == Some(true) {
            return None;
        }
        let (host, path) = git_sync::place(&spec.url)?;
        Some(Self {
            api_url: api_of(&host)?,
            repository: path.parse().ok()?,
            token: token?.clone(),
        })
    }
}

/// The API of a GitHub, by the host of its repositories (source: GitHub's "Using the REST API with GitHub Enterprise Cloud",
/// data residency). An Enterprise Server cannot be told from other hosts, and a token goes to nobody by guessing.
fn api_of(host: &str) -> Option<Url> {
    if host == "github.com" {
        return GITHUB_API.parse().ok();
    }
    let tenant = host.strip_suffix(".ghe.com")?;
    (!tenant.is_empty() && !tenant.contains('.'))
        .then(|| format!("https://api.{host}").parse().ok())?
}

/// Something to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Of which commit.
    pub commit: Sha,
    /// In a word.
    pub state: ReportedState,
    /// In GitHub's form.
    pub says: NewCommitStatus,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.commit.short(), self.state)
    }
}

/// What is to be said after a visit that ended with `status`; `None` when it was said before, or is not known yet.
pub fn due(owner: &Owner, status: &GitSyncStatus) -> Option<Notice> {
    let (state, commit_state) = match status.phase.as_deref() {
        Some("Synced") => (ReportedState::Synced, CommitState::Success),
        Some("Failing") => (ReportedState::Failed, CommitState::Failure),
        // On its way, or differing for a reason that is not the commit's.
        _ => return None,
    };
    let commit: Sha = status.observed_commit.as_deref()?.parse().ok()?;
    let is_said = status
        .reported_commit
        .as_ref()
        .is_some_and(|said| said.commit == commit.as_str() && said.state == state);
    if is_said {
        return None;
    }
    let ready = status
        .conditions
        .iter()
        .find(|condition| condition.type_ == "Ready");
    Some(Notice {
        says: NewCommitStatus {
            context: format!("mirage/gitsync/{}/{}", owner.namespace, owner.name),
            state: commit_state,
            description: ready.map_or_else(String::new, |ready| ready.message.clone()),
            target_url: None,
        },
        commit,
        state,
    })
}

/// What is remembered of it.
pub(super) fn reported(notice: &Notice, problem: Option<String>) -> ReportedCommit {
    ReportedCommit {
        commit: notice.commit.to_string(),
        state: notice.state,
        problem,
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

    use super::*;

    fn spec(url: &str) -> GitSyncSpec {
        GitSyncSpec {
            url: url.to_owned(),
            ..GitSyncSpec::default()
        }
    }

    #[test]
    fn only_a_github_is_told_and_only_with_a_token() {
        let token = SecretValue::new("canary");
        for (url, api) in [
            (
                "https://github.com/acme/shop.git",
                Some("https://api.github.com/"),
            ),
            (
                "git@github.com:acme/shop.git",
                Some("https://api.github.com/"),
            ),
            (
                "https://acme.ghe.com/acme/shop",
                Some("https://api.acme.ghe.com/"),
            ),
            ("https://a.b.ghe.com/acme/shop", None),
            ("https://github.com.example.com/acme/shop", None),
            ("https://git.example.com/acme/shop", None),
            ("https://github.com/acme", None),
            ("file:///srv/git/shop.git", None),
        ] {
            let listener = Listener::of(&spec(url), Some(&token));
            let found = listener.map(|listener| listener.api_url.to_string());
            assert_eq!(found.as_deref(), api, "{url}");
        }
        let mut quiet = spec("https://github.com/acme/shop");
        assert_eq!(Listener::of(&quiet, None), None);
        quiet.commit_status = Some(false);
        assert_eq!(Listener::of(&quiet, Some(&token)), None);
    }

    fn status(phase: &str, said: Option<ReportedState>) -> GitSyncStatus {
        let commit = "0123456789012345678901234567890123456789";
        GitSyncStatus {
            phase: Some(phase.to_owned()),
            observed_commit: Some(commit.to_owned()),
            conditions: vec![Condition {
                type_: "Ready".to_owned(),
                status: "True".to_owned(),
                reason: "InSync".to_owned(),
                message: "all is well".to_owned(),
                last_transition_time: Time(jiff::Timestamp::UNIX_EPOCH),
                observed_generation: None,
            }],
            reported_commit: said.map(|state| ReportedCommit {
                commit: commit.to_owned(),
                state,
                problem: None,
            }),
            ..GitSyncStatus::default()
        }
    }

    #[test]
    fn a_commit_is_told_once_how_it_went_and_again_when_that_changes() {
        use ReportedState::{Failed, Synced};
        let owner = Owner {
            namespace: "default".to_owned(),
            name: "shop".to_owned(),
        };
        for (phase, said, due_now) in [
            ("Synced", None, Some(CommitState::Success)),
            ("Synced", Some(Synced), None),
            ("Synced", Some(Failed), Some(CommitState::Success)),
            ("Failing", Some(Synced), Some(CommitState::Failure)),
            ("Failing", Some(Failed), None),
            ("Pending", None, None),
            ("Drifted", None, None),
        ] {
            let notice = due(&owner, &status(phase, said));
            let found = notice.as_ref().map(|notice| notice.says.state);
            assert_eq!(found, due_now, "{phase} {said:?}");
            if let Some(notice) = notice {
                assert_eq!(notice.says.context, "mirage/gitsync/default/shop");
                assert_eq!(notice.says.description, "all is well");
            }
        }
        let mut newer = status("Synced", Some(Synced));
        newer.observed_commit = Some("1".repeat(40));
        assert!(due(&owner, &newer).is_some());
    }
}
