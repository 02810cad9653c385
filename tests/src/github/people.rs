//! What people do on the fake GitHub, and what a test reads of it.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    Delivery, FakeGitHub, Fault,
    state::{
        AppRecord, CommentRecord, DeploymentRecord, PullRecord, Repository, State, StatusRecord,
    },
};

/// A pull request to open; only what matters is said.
#[derive(Clone, Debug)]
pub struct Opening {
    title: String,
    branch: String,
    base: String,
    author: String,
    draft: bool,
    labels: Vec<String>,
    files: Vec<String>,
    fork: Option<String>,
}

impl Opening {
    /// From a branch of the repository itself into `main`, by its owner.
    pub fn of(branch: &str) -> Self {
        Self {
            title: format!("Change {branch}"),
            branch: branch.to_owned(),
            base: "main".to_owned(),
            author: "ann".to_owned(),
            draft: false,
            labels: Vec::new(),
            files: vec!["README.md".to_owned()],
            fork: None,
        }
    }

    /// Opened by somebody else.
    #[must_use]
    pub fn by(mut self, login: &str) -> Self {
        self.author = login.to_owned();
        self
    }

    /// Into another branch.
    #[must_use]
    pub fn into_branch(mut self, base: &str) -> Self {
        self.base = base.to_owned();
        self
    }

    /// With a label.
    #[must_use]
    pub fn labelled(mut self, label: &str) -> Self {
        self.labels.push(label.to_owned());
        self
    }

    /// Changing these files.
    #[must_use]
    pub fn touching(mut self, files: &[&str]) -> Self {
        self.files = files.iter().map(|file| (*file).to_owned()).collect();
        self
    }

    /// Not ready for review.
    #[must_use]
    pub fn draft(mut self) -> Self {
        self.draft = true;
        self
    }

    /// From another repository.
    #[must_use]
    pub fn from_fork(mut self, repository: &str) -> Self {
        self.fork = Some(repository.to_owned());
        self
    }
}

impl FakeGitHub {
    /// A repository with the branch `main`, which [`super::BOT`] may write to and administer not.
    pub fn create_repository(&self, name: &str) {
        let mut repository = Repository::default();
        repository
            .permissions
            .insert(super::BOT.to_owned(), "write".to_owned());
        repository
            .branches
            .insert("main".to_owned(), "b".repeat(40));
        repository.commits.insert("b".repeat(40));
        self.state()
            .repositories
            .insert(name.to_ascii_lowercase(), repository);
    }

    /// Says what somebody may do: `read`, `triage`, `write`, `maintain`, `admin`.
    pub fn permit(&self, repository: &str, login: &str, permission: &str) {
        self.change(repository, |repository| {
            repository
                .permissions
                .insert(login.to_owned(), permission.to_owned());
        });
    }

    /// Commits files; every branch has them.
    pub fn commit(&self, repository: &str, files: &[(&str, &str)]) {
        self.change(repository, |repository| {
            let files = files
                .iter()
                .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
            repository.files.extend(files);
        });
    }

    /// Lets everybody read a repository, also who says nothing of who they are.
    pub fn publish(&self, repository: &str) {
        self.permit(repository, super::NOBODY, "read");
    }

    /// An account that is a program's.
    pub fn is_bot(&self, login: &str) {
        self.state().bots.insert(login.to_owned());
    }

    /// A token of an account's.
    pub fn give_token(&self, token: &str, login: &str) {
        self.state()
            .tokens
            .insert(token.to_owned(), login.to_owned());
    }

    /// Revokes a token.
    pub fn revoke(&self, token: &str) {
        self.state().tokens.remove(token);
    }

    /// An app that is installed on everything.
    pub fn install_app(&self, id: u64, slug: &str) {
        let mut state = self.state();
        let installation = state.next_id();
        state.app = Some(AppRecord {
            id,
            slug: slug.to_owned(),
            installation,
        });
        for repository in state.repositories.values_mut() {
            repository
                .permissions
                .insert(format!("{slug}[bot]"), "write".to_owned());
        }
    }

    /// Signs webhooks with this from now on.
    pub fn sign_webhooks(&self, secret: &str) {
        self.state().webhook_secret = Some(secret.to_owned());
    }

    /// The webhooks since the last time: carry, lose, repeat or reorder them.
    pub fn take_deliveries(&self) -> Vec<Delivery> {
        std::mem::take(&mut self.state().deliveries)
    }

    /// Lets requests fail.
    pub fn inject(&self, fault: Fault) {
        self.state().faults.add(fault);
    }

    /// Lets nothing fail any more, and lists lag no longer.
    pub fn clear_faults(&self) {
        let mut state = self.state();
        state.faults.clear();
        state.lag_seconds = 0;
    }

    /// Lists of pull requests show what was so many seconds ago.
    pub fn lag(&self, seconds: i64) {
        self.state().lag_seconds = seconds;
    }

    /// Requests that count, per hour and account.
    pub fn limit(&self, requests_per_hour: u64) {
        self.state().limit = requests_per_hour;
    }

    /// Opens a pull request; its number.
    pub fn open(&self, repository: &str, opening: Opening) -> u64 {
        let now = self.now();
        let number = self.change(repository, |at| {
            at.remember(now);
            at.last_number += 1;
            let number = at.last_number;
            let sha = sha_of(repository, number, 0);
            at.commits.insert(sha.clone());
            let head = opening.fork.unwrap_or_else(|| repository.to_owned());
            at.pulls.insert(
                number,
                PullRecord {
                    number,
                    title: opening.title,
                    branch: opening.branch,
                    base: opening.base,
                    sha,
                    head_repository: Some(head),
                    author: opening.author,
                    draft: opening.draft,
                    labels: opening.labels,
                    files: opening.files,
                    open: true,
                    merged_at: None,
                    created_at: now,
                    updated_at: now,
                    pushes: 0,
                },
            );
            number
        });
        self.tell(repository, number, "opened");
        number
    }

    /// Pushes a commit to a pull request; its hash.
    pub fn push(&self, repository: &str, number: u64) -> String {
        let sha = self.on_pull(repository, number, "synchronize", |pull| {
            pull.pushes += 1;
            pull.sha = sha_of(repository, number, pull.pushes);
            pull.sha.clone()
        });
        self.change(repository, |at| at.commits.insert(sha.clone()));
        sha
    }

    /// Closes a pull request.
    pub fn close(&self, repository: &str, number: u64) {
        self.on_pull(repository, number, "closed", |pull| pull.open = false);
    }

    /// Merges a pull request.
    pub fn merge(&self, repository: &str, number: u64) {
        let now = self.now();
        self.on_pull(repository, number, "closed", |pull| {
            pull.open = false;
            pull.merged_at = Some(now);
        });
    }

    /// Opens a closed one again.
    pub fn reopen(&self, repository: &str, number: u64) {
        self.on_pull(repository, number, "reopened", |pull| pull.open = true);
    }

    /// Changes something of a pull request: labels, files, the branch it goes into.
    pub fn edit(&self, repository: &str, number: u64, edit: impl FnOnce(&mut PullRecord)) {
        self.on_pull(repository, number, "edited", edit);
    }

    /// Comments; the comment's id.
    pub fn comment(&self, repository: &str, number: u64, login: &str, body: &str) -> u64 {
        let now = self.now();
        let id = self.state().next_id();
        self.change(repository, |at| {
            at.remember(now);
            if let Some(pull) = at.pulls.get_mut(&number) {
                pull.updated_at = now;
            }
            at.comments.insert(
                id,
                CommentRecord {
                    id,
                    number,
                    author: login.to_owned(),
                    body: body.to_owned(),
                    created_at: now,
                    updated_at: now,
                    reactions: Default::default(),
                    edits: 0,
                },
            );
        });
        let mut state = self.state();
        let comment = state.repositories[&repository.to_ascii_lowercase()].comments[&id].clone();
        let payload = json!({
            "action": "created",
            "issue": { "number": number, "pull_request": {} },
            "comment": state.comment(repository, &comment),
        });
        self.deliver(&mut state, repository, "issue_comment", payload);
        id
    }

    /// Deletes a comment.
    pub fn delete_comment(&self, repository: &str, id: u64) {
        self.change(repository, |at| at.comments.remove(&id));
    }

    /// A pull request.
    ///
    /// # Panics
    /// When there is none of this number.
    pub fn pull_record(&self, repository: &str, number: u64) -> PullRecord {
        self.change(repository, |at| at.pulls[&number].clone())
    }

    /// All open pull requests.
    pub fn open_pulls(&self, repository: &str) -> Vec<PullRecord> {
        self.change(repository, |at| at.open_pulls())
    }

    /// All comments, oldest first.
    pub fn comment_records(&self, repository: &str) -> Vec<CommentRecord> {
        self.change(repository, |at| at.comments.values().cloned().collect())
    }

    /// The comments that Mirage wrote under a pull request.
    pub fn own_comments(&self, repository: &str, number: u64) -> Vec<CommentRecord> {
        let mut comments = self.comment_records(repository);
        comments.retain(|comment| comment.number == number && comment.author == super::BOT);
        comments
    }

    /// All deployments, oldest first.
    pub fn deployment_records(&self, repository: &str) -> Vec<DeploymentRecord> {
        self.change(repository, |at| at.deployments.values().cloned().collect())
    }

    /// All commit statuses, oldest first.
    pub fn status_records(&self, repository: &str) -> Vec<StatusRecord> {
        self.change(repository, |at| at.statuses.clone())
    }

    fn change<T>(&self, repository: &str, change: impl FnOnce(&mut Repository) -> T) -> T {
        let mut state = self.state();
        let at = state
            .repositories
            .get_mut(&repository.to_ascii_lowercase())
            .expect("a test names repositories that it made");
        change(at)
    }

    fn on_pull<T>(
        &self,
        repository: &str,
        number: u64,
        action: &str,
        change: impl FnOnce(&mut PullRecord) -> T,
    ) -> T {
        let now = self.now();
        let result = self.change(repository, |at| {
            at.remember(now);
            let pull = at
                .pulls
                .get_mut(&number)
                .expect("a test names pull requests that it opened");
            pull.updated_at = now;
            change(pull)
        });
        self.tell(repository, number, action);
        result
    }

    fn tell(&self, repository: &str, number: u64, action: &str) {
        let mut state = self.state();
        let pull = state.repositories[&repository.to_ascii_lowercase()].pulls[&number].clone();
        let payload = json!({
            "action": action,
            "number": number,
            "pull_request": state.pull(repository, &pull),
        });
        self.deliver(&mut state, repository, "pull_request", payload);
    }

    /// A push to a branch that is no pull request's.
    pub fn push_to(&self, repository: &str, branch: &str) {
        let payload = json!({ "ref": format!("refs/heads/{branch}"), "after": "c".repeat(40) });
        let mut state = self.state();
        self.deliver(&mut state, repository, "push", payload);
    }

    fn deliver(&self, state: &mut State, repository: &str, event: &str, mut payload: Value) {
        payload["repository"] = json!({ "id": 1, "full_name": repository });
        payload["sender"] = json!({ "login": "ann", "type": "User" });
        let id = state.next_id();
        let delivery = Delivery::new(id, event, &payload, state.webhook_secret.as_deref());
        state.deliveries.push(delivery);
    }
}

/// A commit's hash, which follows from what it is.
fn sha_of(repository: &str, number: u64, push: u64) -> String {
    let text = format!("{repository}#{number}@{push}");
    hex::encode(&Sha256::digest(text)[..20])
}
