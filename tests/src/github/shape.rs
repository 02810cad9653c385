//! How GitHub shows what it knows.

use serde_json::{Value, json};

use super::state::{CommentRecord, DeploymentRecord, PullRecord, State, StatusRecord};

impl State {
    pub(super) fn user(&self, login: &str) -> Value {
        let is_bot = login.ends_with("[bot]") || self.bots.contains(login);
        json!({
            "login": login,
            "id": 1,
            "type": if is_bot { "Bot" } else { "User" },
            "site_admin": false,
        })
    }

    pub(super) fn pull(&self, repository: &str, pull: &PullRecord) -> Value {
        let repo = |name: &str| json!({ "full_name": name, "private": false });
        let owner = repository.split('/').next().unwrap_or_default();
        let association = if pull.author == owner {
            "OWNER"
        } else {
            "CONTRIBUTOR"
        };
        json!({
            "id": pull.number + 1_000_000,
            "number": pull.number,
            "title": pull.title,
            "state": if pull.open { "open" } else { "closed" },
            "locked": false,
            "draft": pull.draft,
            "head": {
                "label": format!("{owner}:{}", pull.branch),
                "ref": pull.branch,
                "sha": pull.sha,
                "repo": pull.head_repository.as_deref().map(repo),
            },
            "base": {
                "label": format!("{owner}:{}", pull.base),
                "ref": pull.base,
                "sha": "b".repeat(40),
                "repo": repo(repository),
            },
            "user": self.user(&pull.author),
            "author_association": association,
            "labels": pull.labels.iter().map(|name| json!({ "id": 1, "name": name })).collect::<Vec<_>>(),
            "created_at": pull.created_at,
            "updated_at": pull.updated_at,
            "closed_at": (!pull.open).then_some(pull.updated_at),
            "merged_at": pull.merged_at,
            "html_url": format!("https://github.test/{repository}/pull/{}", pull.number),
        })
    }

    pub(super) fn comment(&self, repository: &str, comment: &CommentRecord) -> Value {
        json!({
            "id": comment.id,
            "issue_url": format!("{}/repos/{repository}/issues/{}", self.root, comment.number),
            "html_url": format!(
                "https://github.test/{repository}/pull/{}#issuecomment-{}", comment.number, comment.id
            ),
            "body": comment.body,
            "user": self.user(&comment.author),
            "author_association": "CONTRIBUTOR",
            "created_at": comment.created_at,
            "updated_at": comment.updated_at,
        })
    }

    pub(super) fn deployment(&self, deployment: &DeploymentRecord) -> Value {
        json!({
            "id": deployment.id,
            "sha": deployment.sha,
            "ref": deployment.sha,
            "task": deployment.task,
            "payload": {},
            "environment": deployment.environment,
            "description": "",
            "creator": self.user(&deployment.creator),
            "created_at": deployment.created_at,
            "transient_environment": deployment.transient,
            "production_environment": deployment.production,
        })
    }

    pub(super) fn status(&self, status: &StatusRecord) -> Value {
        json!({
            "context": status.context,
            "state": status.state,
            "description": status.description,
            "target_url": status.target_url,
            "creator": self.user(&status.creator),
            "created_at": status.created_at,
        })
    }
}
