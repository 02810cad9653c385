//! Pull requests for tests: each says only what matters.

use jiff::{SignedDuration, Timestamp};
use mirage_github::{
    Actor, ActorKind, Association, ChangedFile, ChangedFiles, Head, Login, PullRequest,
    PullRequestNumber, PullRequestState, RepositoryName, Sha,
};

/// The repository of every test.
pub(crate) fn repository() -> RepositoryName {
    "acme/shop".parse().unwrap()
}

/// A time, in minutes after the beginning.
pub(crate) fn at(minute: i64) -> Timestamp {
    let start: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
    start
        .checked_add(SignedDuration::from_mins(minute))
        .unwrap()
}

/// The how-manieth commit.
pub(crate) fn sha(commit: u64) -> Sha {
    format!("{commit:040x}").parse().unwrap()
}

/// An open pull request of ann's into main.
pub(crate) fn pull(number: u64) -> PullRequest {
    PullRequest {
        number: PullRequestNumber::new(number),
        title: "Add a cart".to_owned(),
        state: PullRequestState::Open,
        draft: false,
        head: Head {
            branch: "cart".to_owned(),
            sha: sha(1),
            repository: Some(repository()),
        },
        base_branch: "main".to_owned(),
        base_sha: sha(0),
        author: Actor {
            login: Login::new("ann"),
            kind: ActorKind::User,
        },
        association: Association::Member,
        labels: Vec::new(),
        created_at: at(0),
        updated_at: at(0),
        html_url: format!("https://github.com/acme/shop/pull/{number}"),
    }
}

/// Files that a pull request changes.
pub(crate) fn changed(paths: &[&str]) -> ChangedFiles {
    ChangedFiles {
        files: paths
            .iter()
            .map(|path| ChangedFile {
                path: (*path).to_owned(),
                previous_path: None,
            })
            .collect(),
        complete: true,
    }
}
