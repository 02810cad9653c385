//! What GitHub shows of a repository's pull requests. Reads, and never writes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;
use mirage_github::{
    ChangedFiles, Comment, Error, Forge, Login, Permission, PullRequest, PullRequestNumber,
    PullRequestState, RepositoryName,
};

use super::{
    command::commands,
    life::{Heard, Read},
    recent::Recent,
    report::marker::Marker,
};

/// Looks at the repository: all its open pull requests, and those that are missing among them.
///
/// One that is missing from the list is asked for by its number before it counts as closed. A list is read page by page
/// while pull requests come and go, so one may slip between two pages, and what is torn down for that is lost.
///
/// # Errors
/// When the list could not be read. Nothing is known then.
pub async fn look(
    forge: &dyn Forge,
    repository: &RepositoryName,
    expected: &BTreeSet<u64>,
    recent: &mut Recent,
) -> Result<BTreeMap<u64, bool>, Error> {
    let list = forge.open_pull_requests(repository).await?;
    recent.open = list
        .into_iter()
        .map(|pull| (pull.number.get(), pull))
        .collect();
    recent.unread.clear();
    let mut closed = BTreeMap::new();
    for number in expected {
        if recent.open.contains_key(number) {
            continue;
        }
        match forge
            .pull_request(repository, PullRequestNumber::new(*number))
            .await
        {
            Ok(pull) => match pull.state {
                PullRequestState::Open => {
                    recent.open.insert(*number, pull);
                }
                PullRequestState::Closed => {
                    closed.insert(*number, false);
                }
                PullRequestState::Merged => {
                    closed.insert(*number, true);
                }
            },
            Err(error) => {
                recent.heed(&error);
                recent.unread.insert(*number, error.to_string());
            }
        }
    }
    Ok(closed)
}

/// Whom to listen to, and since when.
#[derive(Clone, Copy, Debug)]
pub struct Listening<'a> {
    /// The repository.
    pub repository: &'a RepositoryName,
    /// The account that our own comments come from.
    pub own: &'a Login,
    /// What our comments are known by.
    pub marker: &'a Marker,
    /// Commands of before the policy was made were for another one.
    pub since: Timestamp,
}

/// Reads the comments of a pull request for commands and for our own comment. `heard` is the newest comment whose
/// commands were carried out.
///
/// # Errors
/// When they, or the rights of who wrote them, could not be read: a command is then read again later.
pub async fn listen(
    forge: &dyn Forge,
    listening: Listening<'_>,
    pull: &PullRequest,
    heard: Option<u64>,
) -> Result<Read, Error> {
    let comments = forge.comments(listening.repository, pull.number).await?;
    let own = own_comment(&comments, listening.own, listening.marker);
    let heard = heard.max(own.and_then(|(_, heard)| heard));
    let mut permissions: BTreeMap<Login, bool> = BTreeMap::new();
    let mut lines = Vec::new();
    for comment in comments {
        let is_news = heard.is_none_or(|last| comment.id.get() > last)
            && comment.created_at >= listening.since
            && comment.author.login != *listening.own;
        let said = if is_news {
            commands(&comment.body)
        } else {
            Vec::new()
        };
        if said.is_empty() {
            continue;
        }
        let login = comment.author.login.clone();
        let is_allowed = match permissions.get(&login) {
            Some(is_allowed) => *is_allowed,
            None => {
                let permission = forge.permission(listening.repository, &login).await?;
                *permissions
                    .entry(login.clone())
                    .or_insert(permission >= Permission::Write)
            }
        };
        lines.extend(said.into_iter().map(|said| Heard {
            comment: comment.id.get(),
            by: login.to_string(),
            is_allowed,
            said,
        }));
    }
    Ok(Read {
        own,
        heard: lines,
        until: Some(pull.updated_at),
    })
}

/// Our comment among those of a pull request, and up to which one it says that commands were carried out. Somebody else
/// may quote the marker; of several of our own the first counts.
pub fn own_comment(
    comments: &[Comment],
    own: &Login,
    marker: &Marker,
) -> Option<(u64, Option<u64>)> {
    comments
        .iter()
        .filter(|comment| comment.author.login == *own)
        .find_map(|comment| Some((comment.id.get(), marker.read(&comment.body)?)))
}

/// The files that a pull request changes, as remembered or as GitHub shows them.
///
/// # Errors
/// When they could not be read.
pub async fn changed_files(
    forge: &dyn Forge,
    repository: &RepositoryName,
    pull: &PullRequest,
    recent: &mut Recent,
) -> Result<Arc<ChangedFiles>, Error> {
    let key = (pull.number.get(), pull.head.sha.to_string());
    if let Some(known) = recent.files.get(&key) {
        return Ok(Arc::clone(known));
    }
    let files = Arc::new(forge.changed_files(repository, pull.number).await?);
    recent.files.retain(|(number, _), _| *number != key.0);
    recent.files.insert(key, Arc::clone(&files));
    Ok(files)
}
