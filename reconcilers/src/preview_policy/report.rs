//! What is said on GitHub: one comment, one deployment and one commit status for each pull request, written only when
//! what they say has changed. The only place that writes to GitHub.
//!
//! None of these writes can be repeated blindly. So each is looked for before it is made (the comment by its [`marker`],
//! the deployment by its commit and task), its id is remembered, and so is a fingerprint of what it says. A process that
//! was killed in between finds it again in the same way.

pub mod comment;
pub mod commit_status;
pub mod deployment;
pub mod logs;
pub mod markdown;
pub mod marker;
pub mod story;

use jiff::{SignedDuration, Timestamp};
use mirage_github::{
    Class, CommentId, DeploymentId, DeploymentState, Error, Forge, Login, NewDeploymentStatus,
    PullRequestNumber, RepositoryName, Sha,
};
use mirage_specs::preview_policy::{DeploymentReport, PreviewStatus, Said};

use self::{comment::comment, commit_status::commit_status, story::Story};
use super::{child::fingerprint, observe::own_comment, recent::Recent, refusal::Refusal};
use crate::metrics::Metrics;

/// How many writes one visit makes at most: GitHub allows 80 new things a minute (source: REST API, secondary limits), and a
/// visit that leaves something comes back in half of one.
pub const WRITES_PER_VISIT: u32 = 30;
/// How long to leave alone what GitHub refused.
const REFUSED: SignedDuration = SignedDuration::from_mins(10);
/// How long after a lost answer the write may still show up in a list.
const LOST: SignedDuration = SignedDuration::from_secs(30);

/// What is said, of all pull requests and of one.
struct Key {
    kind: &'static str,
    one: String,
}

impl Key {
    fn new(kind: &'static str, number: u64) -> Self {
        Self {
            kind,
            one: format!("{kind}/{number}"),
        }
    }
}

/// Says things.
pub struct Reporter<'a> {
    /// GitHub.
    pub forge: &'a dyn Forge,
    /// The repository.
    pub repository: &'a RepositoryName,
    /// The account that comments come from.
    pub own: &'a Login,
    /// What this process remembers.
    pub recent: &'a mut Recent,
    /// Counters.
    pub metrics: &'a Metrics,
    /// The time.
    pub now: Timestamp,
    /// Writes that are left.
    pub writes: u32,
    /// Whether something was left for the next visit.
    pub is_unfinished: bool,
}

impl Reporter<'_> {
    /// Says what changed about one pull request, and notes in `preview` what is said now.
    pub async fn report(&mut self, story: &Story<'_>, preview: &mut PreviewStatus) {
        self.comment(story, preview).await;
        self.deployment(story, preview).await;
        self.commit_status(story, preview).await;
    }

    /// Whether GitHub may be asked for something now. What rests is asked for again when it has rested.
    fn may(&mut self, key: &Key) -> bool {
        if self.recent.barred(self.now).is_some()
            || self.recent.rests(key.kind, self.now)
            || self.recent.rests(&key.one, self.now)
        {
            return false;
        }
        self.is_unfinished |= self.writes == 0;
        self.writes > 0
    }

    fn wrote(&mut self, what: &'static str, key: &Key) {
        self.writes = self.writes.saturating_sub(1);
        self.recent.was_taken(key.kind);
        self.recent.was_taken(&key.one);
        self.metrics.reported(what, "ok");
    }

    /// Notes a failure, and how long the same is not tried again: a missing right is missing for all pull requests.
    fn failed(&mut self, what: &'static str, key: &Key, error: &Error) {
        self.writes = self.writes.saturating_sub(1);
        self.metrics.reported(what, error.class().into());
        self.recent.heed(error);
        let (key, rest) = match error.class() {
            Class::RateLimited => return,
            Class::Transient | Class::Ambiguous => (key.one.as_str(), LOST),
            Class::NotFound | Class::Invalid | Class::Unreadable => (key.one.as_str(), REFUSED),
            Class::Unauthorized | Class::Forbidden => (key.kind, REFUSED),
        };
        if let Ok(until) = self.now.checked_add(rest) {
            self.recent.rest(key, until, Refusal::from(error));
        }
        tracing::debug!(%error, what, "GitHub did not take it");
    }

    async fn comment(&mut self, story: &Story<'_>, preview: &mut PreviewStatus) {
        let is_over = preview.asked_at.is_none() && preview.ended.is_none();
        if is_over && preview.comment.is_none() {
            return;
        }
        let text = comment(story);
        let says = fingerprint(&text);
        let key = Key::new("comment", preview.number);
        let is_said = preview
            .comment
            .as_ref()
            .is_some_and(|said| said.fingerprint.as_deref() == Some(says.as_str()));
        if is_said || !self.may(&key) {
            return;
        }
        let number = PullRequestNumber::new(preview.number);
        if preview.comment.is_none() {
            // One may be there from before, or from a call whose answer was lost.
            match self.forge.comments(self.repository, number).await {
                Ok(comments) => {
                    let found = own_comment(&comments, self.own, story.marker);
                    preview.comment = found.map(|(id, _)| Said {
                        id,
                        fingerprint: None,
                    });
                }
                Err(error) => return self.failed("comment", &key, &error),
            }
        }
        let known = preview.comment.as_ref().map(|said| said.id);
        if let Some(id) = known.filter(|id| !self.recent.is_sure_of(&comment_of(*id))) {
            // What another process wrote last, and whether its answer came, is not known here.
            match self
                .forge
                .comment(self.repository, CommentId::new(id))
                .await
            {
                Ok(found) if is_same_text(&found.body, &text) => {
                    self.recent.make_sure_of(comment_of(id));
                    preview.comment = Some(Said {
                        id,
                        fingerprint: Some(says),
                    });
                    return;
                }
                Ok(_) => {}
                Err(Error::NotFound(_)) => {
                    preview.comment = None;
                    self.is_unfinished = true;
                    return;
                }
                Err(error) => return self.failed("comment", &key, &error),
            }
        }
        let written = match &preview.comment {
            Some(said) => {
                let id = CommentId::new(said.id);
                self.forge.update_comment(self.repository, id, &text).await
            }
            None => {
                self.forge
                    .create_comment(self.repository, number, &text)
                    .await
            }
        };
        match written {
            Ok(comment) => {
                self.recent.make_sure_of(comment_of(comment.id.get()));
                preview.comment = Some(Said {
                    id: comment.id.get(),
                    fingerprint: Some(says),
                });
                self.wrote("comment", &key);
            }
            // Somebody deleted it: the next visit looks again, and writes another.
            Err(Error::NotFound(_)) if preview.comment.is_some() => {
                preview.comment = None;
                self.is_unfinished = true;
            }
            Err(error) => {
                self.recent.doubt(&comment_of(known.unwrap_or_default()));
                self.failed("comment", &key, &error);
            }
        }
    }

    async fn deployment(&mut self, story: &Story<'_>, preview: &mut PreviewStatus) {
        let key = Key::new("deployment", preview.number);
        let commit = preview.commit.clone().unwrap_or_default();
        let status = deployment::status(story);
        let is_old = |report: &&DeploymentReport| report.commit != commit;
        if let Some(old) = preview.deployment.as_ref().filter(is_old) {
            if !self.may(&key) {
                return;
            }
            let (id, replaced) = (DeploymentId::new(old.id), deployment::replaced());
            match self.say_of(id, &replaced, &key).await {
                Ok(()) | Err(Error::NotFound(_)) => {}
                Err(error) => return self.failed("deployment_status", &key, &error),
            }
            preview.deployment = None;
        }
        let Some(status) = status else { return };
        if preview.deployment.is_none() {
            let (Ok(sha), Some(environment)) = (commit.parse::<Sha>(), preview.environment.clone())
            else {
                return;
            };
            if !deployment::is_worth_one(status.state) || !self.may(&key) {
                return;
            }
            match self.find_or_make(story, &sha, &environment).await {
                Ok(id) => {
                    preview.deployment = Some(DeploymentReport {
                        id: id.get(),
                        commit,
                        fingerprint: None,
                    });
                }
                Err(error) => return self.failed("deployment", &key, &error),
            }
        }
        let Some(report) = &mut preview.deployment else {
            return;
        };
        // What was taken down once is said once, whatever took it down.
        let says = match status.state {
            DeploymentState::Inactive => fingerprint("inactive"),
            _ => fingerprint(&format!("{status:?}")),
        };
        if report.fingerprint.as_deref() == Some(says.as_str()) || !self.may(&key) {
            return;
        }
        let id = DeploymentId::new(report.id);
        match self.say_of(id, &status, &key).await {
            Ok(()) => report.fingerprint = Some(says),
            Err(Error::NotFound(_)) => {
                preview.deployment = None;
                self.is_unfinished = true;
            }
            Err(error) => self.failed("deployment_status", &key, &error),
        }
    }

    /// Says where a deployment stands, unless that is what was said of it last.
    async fn say_of(
        &mut self,
        id: DeploymentId,
        status: &NewDeploymentStatus,
        key: &Key,
    ) -> Result<(), Error> {
        let what = format!("deployment {id}");
        if !self.recent.is_sure_of(&what) {
            let said = self.forge.deployment_statuses(self.repository, id).await?;
            let is_said = said.first().is_some_and(|last| {
                let address = |url: &Option<String>| url.clone().unwrap_or_default();
                last.state == status.state
                    && last.description == status.description
                    && address(&last.environment_url) == address(&status.environment_url)
            });
            if is_said {
                self.recent.make_sure_of(what);
                return Ok(());
            }
        }
        let said = self
            .forge
            .create_deployment_status(self.repository, id, status)
            .await;
        if said.is_ok() {
            self.recent.make_sure_of(what);
            self.wrote("deployment_status", key);
        } else {
            self.recent.doubt(&what);
        }
        said
    }

    async fn find_or_make(
        &mut self,
        story: &Story<'_>,
        sha: &Sha,
        environment: &str,
    ) -> Result<DeploymentId, Error> {
        let there = self.forge.deployments(self.repository, environment).await?;
        let is_ours = |found: &&mirage_github::Deployment| {
            found.sha == *sha && found.task == deployment::TASK
        };
        if let Some(found) = there.iter().find(is_ours) {
            return Ok(found.id);
        }
        let wanted = deployment::deployment(story, sha.clone(), environment);
        let made = self
            .forge
            .create_deployment(self.repository, &wanted)
            .await?;
        // Nothing was said of it yet.
        self.recent.make_sure_of(format!("deployment {}", made.id));
        self.wrote("deployment", &Key::new("deployment", story.preview.number));
        Ok(made.id)
    }

    async fn commit_status(&mut self, story: &Story<'_>, preview: &mut PreviewStatus) {
        let Some(status) = commit_status(story) else {
            return;
        };
        let key = Key::new("commit status", preview.number);
        let Some(sha) = preview
            .commit
            .as_deref()
            .and_then(|sha| sha.parse::<Sha>().ok())
        else {
            return;
        };
        let says = fingerprint(&format!("{sha} {status:?}"));
        if preview.commit_status.as_deref() == Some(says.as_str()) || !self.may(&key) {
            return;
        }
        match self
            .forge
            .create_commit_status(self.repository, &sha, &status)
            .await
        {
            Ok(()) => {
                preview.commit_status = Some(says);
                self.wrote("commit_status", &key);
            }
            Err(error) => self.failed("commit_status", &key, &error),
        }
    }
}

fn comment_of(id: u64) -> String {
    format!("comment {id}")
}

/// GitHub may end lines in its own way.
fn is_same_text(found: &str, wanted: &str) -> bool {
    found
        .lines()
        .map(str::trim_end)
        .eq(wanted.lines().map(str::trim_end))
}

/// Whether all that is to be said of a pull request that is over has been said.
pub fn is_settled(story: &Story<'_>, preview: &PreviewStatus) -> bool {
    let comment_says = fingerprint(&comment(story));
    let is_comment_settled = preview
        .comment
        .as_ref()
        .is_none_or(|said| said.fingerprint.as_deref() == Some(comment_says.as_str()));
    let is_deployment_settled = preview
        .deployment
        .as_ref()
        .is_none_or(|report| report.fingerprint == Some(fingerprint("inactive")));
    is_comment_settled && is_deployment_settled
}
