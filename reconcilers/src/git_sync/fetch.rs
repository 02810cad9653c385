//! The Git side: what a repository has at a revision, read and bounded. Nothing here knows what the files mean.
//!
//! ```text
//! Request ─► address ─┬─ https, http ─► web ──┐
//!                     ├─ ssh ─────────► ssh ──┼─► remote (a bare repository in the cache, one commit deep) ─► tree ─► Snapshot
//!                     └─ file ────────────────┴─► (read where it is) ──────────────────────────────────────────┘
//! ```
//!
//! The cache may be lost at any time: what it holds is fetched again.

mod address;
mod host_keys;
mod limits;
mod line;
mod remote;
mod ssh;
mod tree;
mod web;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use mirage_railway::secret::SecretValue;
use mirage_specs::git_sync::{IgnoredPath, SyncFault};
use tokio::{runtime::Handle, task};

pub use address::{Address, InvalidAddress};
pub use limits::Limits;

use line::Line;

/// What of a repository is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revision {
    /// The branch that the repository's own HEAD names.
    Head,
    /// A branch.
    Branch(String),
    /// A tag, annotated or not.
    Tag(String),
    /// One commit, by its full id.
    Commit(String),
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head => f.write_str("HEAD"),
            Self::Branch(name) | Self::Tag(name) => f.write_str(name),
            Self::Commit(_) => f.write_str("commit"),
        }
    }
}

/// What a repository may ask for. `Debug` shows none of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    /// User for https; `git` when only a token is given, which every forge takes.
    pub username: Option<String>,
    /// Token for https; counts before `password`.
    pub token: Option<SecretValue>,
    /// Password for https; passphrase of `identity` for ssh.
    pub password: Option<SecretValue>,
    /// SSH private key.
    pub identity: Option<SecretValue>,
    /// Host keys, in the form of OpenSSH's `known_hosts`.
    pub known_hosts: Option<String>,
    /// CA certificates in PEM, beyond those of the machine.
    pub ca: Option<String>,
}

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Where.
    pub address: Address,
    /// What.
    pub revision: Revision,
    /// Folder inside, `""` for all.
    pub path: String,
    /// As whom.
    pub credentials: Credentials,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Where it stands, from the repository's root.
    pub path: String,
    /// What it says.
    pub text: String,
}

/// What a folder held at a commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Full id of the commit.
    pub commit: String,
    /// Files that may hold manifests, by path.
    pub files: Vec<SourceFile>,
    /// What was left out on purpose.
    pub ignored: Vec<IgnoredPath>,
    /// Files that should have been read and could not be.
    pub faults: Vec<SyncFault>,
}

/// Why there is no snapshot. None of it holds a credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The way there is broken; later it may work.
    #[error("the repository could not be reached: {0}")]
    Unreachable(String),
    /// The repository took too long.
    #[error("the repository did not answer completely within {seconds} s")]
    TimedOut {
        /// How long was waited.
        seconds: u64,
    },
    /// The credentials were refused, or there are none where some are needed.
    #[error("the repository refused the credentials: {0}")]
    Unauthorized(String),
    /// A credential is missing or cannot be read.
    #[error("{0}")]
    BadCredentials(String),
    /// The server is not the one that was expected.
    #[error("{0}")]
    HostKey(String),
    /// There is no repository at that address.
    #[error("there is no repository: {0}")]
    NoRepository(String),
    /// The repository has no such branch, tag or commit.
    #[error("the repository has no {what}; nothing was changed or deleted because of that")]
    NoRevision {
        /// For example `branch "main"`.
        what: String,
    },
    /// The commit has no such folder.
    #[error(
        "commit {commit} has no folder {path:?}; nothing was changed or deleted because of that"
    )]
    NoPath {
        /// Which folder.
        path: String,
        /// Id of the commit.
        commit: String,
    },
    /// More than is taken from one repository.
    #[error("{0}")]
    TooLarge(String),
    /// The two sides did not understand each other.
    #[error("the repository's answer was not understood: {0}")]
    Protocol(String),
    /// The cache folder cannot be used.
    #[error("the cache folder {} cannot be used: {why}", path.display())]
    Cache {
        /// Which folder.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
}

/// Where snapshots come from.
#[async_trait]
pub trait Repositories: Send + Sync {
    /// What a repository's folder holds now. `key` names the place in the cache, one for each GitSync.
    ///
    /// # Errors
    /// When that could not be found out completely.
    async fn snapshot(&self, key: &str, request: &Request) -> Result<Snapshot, FetchError>;

    /// Lets go of what is kept for a key.
    async fn forget(&self, key: &str);
}

/// Repositories as they are, by Git's own protocols.
#[derive(Clone, Debug)]
pub struct Git {
    cache: PathBuf,
    limits: Limits,
}

impl Git {
    /// Keeps what it fetched below `cache`, which is made when it is needed.
    pub fn new(cache: impl Into<PathBuf>) -> Self {
        Self {
            cache: cache.into(),
            limits: Limits::default(),
        }
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }
}

#[async_trait]
impl Repositories for Git {
    async fn snapshot(&self, key: &str, request: &Request) -> Result<Snapshot, FetchError> {
        let line = Arc::new(Line::new(&self.limits, Handle::current()));
        // When the caller goes away, so does the work: waiting ends at once, resolving at the next object.
        let _hang_up = line.hang_up_on_drop();
        let folder = self.cache.join(key);
        let work = {
            let (line, request, limits) = (Arc::clone(&line), request.clone(), self.limits);
            task::spawn_blocking(move || read(&folder, &request, &limits, &line))
        };
        let timed_out = FetchError::TimedOut {
            seconds: self.limits.time.as_secs(),
        };
        match tokio::time::timeout(self.limits.time, work).await {
            Err(_) => Err(timed_out),
            Ok(Ok(outcome)) => outcome.map_err(|error| line.verdict().unwrap_or(error)),
            Ok(Err(_)) => Err(FetchError::Protocol(
                "reading it failed in a way that Mirage did not expect".to_owned(),
            )),
        }
    }

    async fn forget(&self, key: &str) {
        // What is left lying is small, and nobody looks at it.
        let _ = tokio::fs::remove_dir_all(self.cache.join(key)).await;
    }
}

fn read(
    folder: &Path,
    request: &Request,
    limits: &Limits,
    line: &Arc<Line>,
) -> Result<Snapshot, FetchError> {
    let (repository, commit) = match &request.address {
        Address::File(path) => remote::in_place(path, &request.revision, limits)?,
        Address::Web(url) => {
            let transport = web::transport(url, &request.credentials, line)?;
            remote::fetch(
                folder,
                url.as_str(),
                transport,
                &request.revision,
                limits,
                line,
            )?
        }
        Address::Ssh(place) => {
            let transport = ssh::transport(place, &request.credentials, line)?;
            remote::fetch(
                folder,
                &place.to_string(),
                transport,
                &request.revision,
                limits,
                line,
            )?
        }
    };
    tree::read(&repository, commit, &request.path, limits)
}

/// An error with its causes, for people.
fn in_full(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = cause.source();
    }
    text
}
