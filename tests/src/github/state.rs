//! What the fake GitHub knows.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Asked, Delivery, fault::Faults};

/// A pull request.
#[derive(Clone, Debug)]
pub struct PullRecord {
    /// Its number.
    pub number: u64,
    /// Its title.
    pub title: String,
    /// The branch.
    pub branch: String,
    /// The branch it goes into.
    pub base: String,
    /// The commit at its head.
    pub sha: String,
    /// The repository of the head; none once that was deleted.
    pub head_repository: Option<String>,
    /// Who opened it.
    pub author: String,
    /// Not ready for review.
    pub draft: bool,
    /// Labels.
    pub labels: Vec<String>,
    /// Files it changes.
    pub files: Vec<String>,
    /// Whether it is open.
    pub open: bool,
    /// When it was merged.
    pub merged_at: Option<Timestamp>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When anything about it changed.
    pub updated_at: Timestamp,
    pub(super) pushes: u64,
}

/// A comment.
#[derive(Clone, Debug)]
pub struct CommentRecord {
    /// Its id.
    pub id: u64,
    /// Under which pull request.
    pub number: u64,
    /// Who wrote it.
    pub author: String,
    /// Its text.
    pub body: String,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it was edited.
    pub updated_at: Timestamp,
    /// Who reacted how.
    pub reactions: BTreeSet<(String, String)>,
    /// How often it was edited.
    pub edits: u64,
}

/// A deployment.
#[derive(Clone, Debug)]
pub struct DeploymentRecord {
    /// Its id.
    pub id: u64,
    /// The commit.
    pub sha: String,
    /// The environment.
    pub environment: String,
    /// The task.
    pub task: String,
    /// Who made it.
    pub creator: String,
    /// Will not last.
    pub transient: bool,
    /// Users come to it.
    pub production: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// What was said of it, oldest first: state, description, address.
    pub statuses: Vec<(String, String, Option<String>, Timestamp)>,
}

impl DeploymentRecord {
    /// The latest state; none before the first status.
    pub fn state(&self) -> Option<&str> {
        self.statuses.last().map(|(state, ..)| state.as_str())
    }
}

/// A commit status.
#[derive(Clone, Debug)]
pub struct StatusRecord {
    /// The commit.
    pub sha: String,
    /// What it is about.
    pub context: String,
    /// What it says.
    pub state: String,
    /// Said beside it.
    pub description: String,
    /// Where to read more.
    pub target_url: Option<String>,
    /// Who said it.
    pub creator: String,
    /// When.
    pub created_at: Timestamp,
}

/// A repository.
#[derive(Clone, Debug, Default)]
pub(super) struct Repository {
    pub(super) pulls: BTreeMap<u64, PullRecord>,
    pub(super) comments: BTreeMap<u64, CommentRecord>,
    pub(super) deployments: BTreeMap<u64, DeploymentRecord>,
    pub(super) statuses: Vec<StatusRecord>,
    pub(super) commits: BTreeSet<String>,
    /// What people may do.
    pub(super) permissions: BTreeMap<String, String>,
    pub(super) branches: BTreeMap<String, String>,
    pub(super) last_number: u64,
    /// The files of every branch, by path.
    pub(super) files: BTreeMap<String, String>,
    /// The open pull requests as they were, for reads that lag.
    pub(super) earlier: Vec<(Timestamp, Vec<PullRecord>)>,
}

impl Repository {
    pub(super) fn open_pulls(&self) -> Vec<PullRecord> {
        self.pulls
            .values()
            .filter(|pull| pull.open)
            .cloned()
            .collect()
    }

    /// Remembers how the list was before a change.
    pub(super) fn remember(&mut self, now: Timestamp) {
        let list = self.open_pulls();
        self.earlier.push((now, list));
        let older = self.earlier.len().saturating_sub(200);
        self.earlier.drain(..older);
    }

    /// The list as it was at a moment.
    pub(super) fn open_pulls_at(&self, at: Timestamp) -> Vec<PullRecord> {
        self.earlier
            .iter()
            .find(|(changed, _)| *changed > at)
            .map_or_else(|| self.open_pulls(), |(_, list)| list.clone())
    }
}

/// A GitHub App.
#[derive(Clone, Debug)]
pub(super) struct AppRecord {
    pub(super) id: u64,
    pub(super) slug: String,
    pub(super) installation: u64,
}

/// All of it.
pub(super) struct State {
    pub(super) root: String,
    /// By lower-case `owner/name`.
    pub(super) repositories: BTreeMap<String, Repository>,
    /// Accounts by token.
    pub(super) tokens: BTreeMap<String, String>,
    /// When tokens of an app's end.
    pub(super) token_ends: BTreeMap<String, Timestamp>,
    pub(super) bots: BTreeSet<String>,
    pub(super) app: Option<AppRecord>,
    pub(super) last_id: u64,
    pub(super) faults: Faults,
    /// How far lists of pull requests lag, in seconds.
    pub(super) lag_seconds: i64,
    pub(super) asked: Vec<Asked>,
    pub(super) violations: Vec<String>,
    pub(super) limit: u64,
    /// By account: requests that counted in the hour that ends at the time.
    pub(super) spent: BTreeMap<String, (u64, Timestamp)>,
    pub(super) webhook_secret: Option<String>,
    pub(super) deliveries: Vec<Delivery>,
}

impl State {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            root: super::ROOT.to_owned(),
            repositories: BTreeMap::new(),
            tokens: BTreeMap::new(),
            token_ends: BTreeMap::new(),
            bots: BTreeSet::new(),
            app: None,
            // Ids look like GitHub's: large, and growing with time.
            last_id: u64::try_from(now.as_second()).unwrap_or_default(),
            faults: Faults::default(),
            lag_seconds: 0,
            asked: Vec::new(),
            violations: Vec::new(),
            limit: 5_000,
            spent: BTreeMap::new(),
            webhook_secret: None,
            deliveries: Vec::new(),
        }
    }

    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }
}
