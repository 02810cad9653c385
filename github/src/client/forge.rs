//! The port's methods: for each its address, its right and what its answer becomes.

use async_trait::async_trait;
use http::Method;
use serde_json::{Value, json};

use super::{
    Authority, Client,
    address::{segment, with_query},
    call::{Behalf, Call},
    pages::PER_PAGE,
    wire::{
        Done, WireApp, WireBranch, WireComment, WireCommitStatus, WireContent, WireDeployment,
        WireDeploymentStatus, WireFile, WirePermission, WirePullRequest, WireReaction,
        WireRepository, WireTree, WireUser,
    },
};
use crate::{
    comment::{Comment, Reaction},
    deployment::{Deployment, DeploymentStatus, NewDeployment, NewDeploymentStatus},
    error::Error,
    forge::Forge,
    id::{CommentId, DeploymentId, Login, PullRequestNumber, RepositoryName, Sha},
    identity::{Identity, Permission},
    pull_request::{ChangedFiles, PullRequest},
    repository::{Branch, Repository, Tree},
    status::{CommitStatus, NewCommitStatus},
    traffic::Traffic,
};

/// "Responses include a maximum of 3000 files" (source: list pull requests files).
const MOST_FILES: usize = 3_000;

/// What GitHub shows of a description beside a status (source: create a deployment status; the same for commits).
const LONGEST_DESCRIPTION: usize = 140;

const NEEDS_METADATA: &str = "Metadata: read";
const NEEDS_CONTENTS: &str = "Contents: read";
const NEEDS_READING: &str = "Pull requests: read";
const NEEDS_WRITING: &str = "Pull requests: write";
const NEEDS_DEPLOYMENTS_READ: &str = "Deployments: read";
const NEEDS_DEPLOYMENTS: &str = "Deployments: write";
const NEEDS_STATUSES_READ: &str = "Commit statuses: read";
const NEEDS_STATUSES: &str = "Commit statuses: write";

impl Client {
    fn read<'a>(
        &self,
        operation: String,
        repository: &'a RepositoryName,
        path: &str,
        needs: &'static str,
    ) -> Call<'a> {
        Call {
            operation,
            method: Method::GET,
            address: self.root.join(&format!("/repos/{repository}{path}")),
            body: None,
            needs,
            on_behalf_of: Behalf::Repository(repository),
        }
    }

    fn write<'a>(
        &self,
        operation: String,
        repository: &'a RepositoryName,
        path: &str,
        body: Value,
        needs: &'static str,
    ) -> Call<'a> {
        Call {
            method: Method::POST,
            body: Some(body),
            ..self.read(operation, repository, path, needs)
        }
    }
}

#[async_trait]
impl Forge for Client {
    async fn identity(&self) -> Result<Identity, Error> {
        let call = |path: &str| Call {
            operation: "say whose credential this is".to_owned(),
            method: Method::GET,
            address: self.root.join(path),
            body: None,
            needs: "no more than to be valid",
            on_behalf_of: Behalf::Nobody,
        };
        let ask = || async {
            match &self.authority {
                Authority::Nobody | Authority::Token(_) => {
                    let user: WireUser = self.ask(&call("/user")).await?;
                    Ok(Identity::User(user.login))
                }
                Authority::App(app) => {
                    let WireApp { slug } = self.ask(&call("/app")).await?;
                    Ok(Identity::App { id: app.id(), slug })
                }
            }
        };
        self.identity.get_or_try_init(ask).await.cloned()
    }

    async fn repository(&self, repository: &RepositoryName) -> Result<Repository, Error> {
        let operation = format!("show {repository}");
        let call = self.read(operation, repository, "", NEEDS_METADATA);
        Ok(self.ask::<WireRepository>(&call).await?.into())
    }

    async fn branch(&self, repository: &RepositoryName, branch: &str) -> Result<Branch, Error> {
        let operation = format!("show branch {branch:?} of {repository}");
        let path = format!("/branches/{}", segment(branch));
        let call = self.read(operation, repository, &path, NEEDS_CONTENTS);
        Ok(self.ask::<WireBranch>(&call).await?.into())
    }

    async fn tree(&self, repository: &RepositoryName, reference: &str) -> Result<Tree, Error> {
        let operation = format!("list the files of {repository} at {reference:?}");
        let path = format!("/git/trees/{}", segment(reference));
        let path = with_query(&path, &[("recursive", "1")]);
        let call = self.read(operation, repository, &path, NEEDS_CONTENTS);
        Ok(self.ask::<WireTree>(&call).await?.into())
    }

    async fn text(
        &self,
        repository: &RepositoryName,
        path: &str,
        reference: &str,
    ) -> Result<String, Error> {
        let operation = format!("show {path} of {repository} at {reference:?}");
        let segments: Vec<String> = path.split('/').map(segment).collect();
        let path = format!("/contents/{}", segments.join("/"));
        let path = with_query(&path, &[("ref", reference)]);
        let call = self.read(operation, repository, &path, NEEDS_CONTENTS);
        let content: WireContent = self.ask(&call).await?;
        content
            .text()
            .map_err(|why| Error::Unreadable(call.asked().failure(why)))
    }

    async fn open_pull_requests(
        &self,
        repository: &RepositoryName,
    ) -> Result<Vec<PullRequest>, Error> {
        let operation = format!("list the open pull requests of {repository}");
        // Oldest first: one that is opened meanwhile comes last and moves no other.
        let path = with_query(
            "/pulls",
            &[
                ("state", "open"),
                ("sort", "created"),
                ("direction", "asc"),
                ("per_page", PER_PAGE),
            ],
        );
        let call = self.read(operation, repository, &path, NEEDS_READING);
        let mut list: Vec<PullRequest> = self
            .list::<WirePullRequest>(&call)
            .await?
            .into_iter()
            .map(PullRequest::from)
            .collect();
        list.sort_by_key(|pull_request| pull_request.number);
        list.dedup_by_key(|pull_request| pull_request.number);
        Ok(list)
    }

    async fn pull_request(
        &self,
        repository: &RepositoryName,
        number: PullRequestNumber,
    ) -> Result<PullRequest, Error> {
        let operation = format!("show pull request {number} of {repository}");
        let path = format!("/pulls/{number}");
        let call = self.read(operation, repository, &path, NEEDS_READING);
        Ok(self.ask::<WirePullRequest>(&call).await?.into())
    }

    async fn changed_files(
        &self,
        repository: &RepositoryName,
        number: PullRequestNumber,
    ) -> Result<ChangedFiles, Error> {
        let operation = format!("list the files of pull request {number} of {repository}");
        let path = with_query(&format!("/pulls/{number}/files"), &[("per_page", PER_PAGE)]);
        let call = self.read(operation, repository, &path, NEEDS_READING);
        let files: Vec<WireFile> = self.list(&call).await?;
        Ok(ChangedFiles {
            complete: files.len() < MOST_FILES,
            files: files.into_iter().map(Into::into).collect(),
        })
    }

    async fn comments(
        &self,
        repository: &RepositoryName,
        number: PullRequestNumber,
    ) -> Result<Vec<Comment>, Error> {
        let operation = format!("list the comments on pull request {number} of {repository}");
        let path = with_query(
            &format!("/issues/{number}/comments"),
            &[("per_page", PER_PAGE)],
        );
        let call = self.read(operation, repository, &path, NEEDS_READING);
        let mut comments = self
            .list::<WireComment>(&call)
            .await?
            .into_iter()
            .map(|wire| into(&call, wire))
            .collect::<Result<Vec<Comment>, _>>()?;
        comments.sort_by_key(|comment| comment.id);
        Ok(comments)
    }

    async fn comment(
        &self,
        repository: &RepositoryName,
        comment: CommentId,
    ) -> Result<Comment, Error> {
        let operation = format!("show comment {comment} in {repository}");
        let path = format!("/issues/comments/{comment}");
        let call = self.read(operation, repository, &path, NEEDS_READING);
        into(&call, self.ask::<WireComment>(&call).await?)
    }

    async fn create_comment(
        &self,
        repository: &RepositoryName,
        number: PullRequestNumber,
        body: &str,
    ) -> Result<Comment, Error> {
        let operation = format!("comment on pull request {number} of {repository}");
        let path = format!("/issues/{number}/comments");
        let body = json!({ "body": body });
        let call = self.write(operation, repository, &path, body, NEEDS_WRITING);
        into(&call, self.ask::<WireComment>(&call).await?)
    }

    async fn update_comment(
        &self,
        repository: &RepositoryName,
        comment: CommentId,
        body: &str,
    ) -> Result<Comment, Error> {
        let operation = format!("change comment {comment} in {repository}");
        let path = format!("/issues/comments/{comment}");
        let body = json!({ "body": body });
        let call = Call {
            method: Method::PATCH,
            ..self.write(operation, repository, &path, body, NEEDS_WRITING)
        };
        into(&call, self.ask::<WireComment>(&call).await?)
    }

    async fn own_reactions(
        &self,
        repository: &RepositoryName,
        comment: CommentId,
    ) -> Result<Vec<Reaction>, Error> {
        let us = self.identity().await?.login();
        let operation = format!("list the reactions to comment {comment} in {repository}");
        let path = with_query(
            &format!("/issues/comments/{comment}/reactions"),
            &[("per_page", PER_PAGE)],
        );
        let call = self.read(operation, repository, &path, NEEDS_READING);
        let all: Vec<WireReaction> = self.list(&call).await?;
        Ok(all
            .into_iter()
            .filter(|reaction| reaction.user.as_ref().is_some_and(|user| user.login == us))
            // One that we never give is not ours to read.
            .filter_map(|reaction| reaction.content.parse().ok())
            .collect())
    }

    async fn react(
        &self,
        repository: &RepositoryName,
        comment: CommentId,
        reaction: Reaction,
    ) -> Result<(), Error> {
        let operation = format!("react to comment {comment} in {repository}");
        let path = format!("/issues/comments/{comment}/reactions");
        let body = json!({ "content": reaction.to_string() });
        let call = self.write(operation, repository, &path, body, NEEDS_WRITING);
        self.ask::<Done>(&call).await.map(drop)
    }

    async fn permission(
        &self,
        repository: &RepositoryName,
        login: &Login,
    ) -> Result<Permission, Error> {
        let operation = format!("say what {login} may do with {repository}");
        let path = format!("/collaborators/{}/permission", segment(login.as_str()));
        let call = self.read(operation, repository, &path, NEEDS_METADATA);
        match self.ask::<WirePermission>(&call).await {
            Ok(wire) => Ok(wire.into()),
            Err(Error::NotFound(_)) => Ok(Permission::None),
            Err(error) => Err(error),
        }
    }

    async fn deployments(
        &self,
        repository: &RepositoryName,
        environment: &str,
    ) -> Result<Vec<Deployment>, Error> {
        let operation = format!("list the deployments of {repository} to {environment:?}");
        let path = with_query(
            "/deployments",
            &[("environment", environment), ("per_page", PER_PAGE)],
        );
        let call = self.read(operation, repository, &path, NEEDS_DEPLOYMENTS_READ);
        let mut list: Vec<Deployment> = self
            .list::<WireDeployment>(&call)
            .await?
            .into_iter()
            .map(Deployment::from)
            .collect();
        list.sort_by_key(|deployment| std::cmp::Reverse(deployment.id));
        Ok(list)
    }

    async fn create_deployment(
        &self,
        repository: &RepositoryName,
        deployment: &NewDeployment,
    ) -> Result<Deployment, Error> {
        let operation = format!(
            "record a deployment of {repository} to {:?}",
            deployment.environment
        );
        let body = json!({
            "ref": deployment.sha,
            "task": deployment.task,
            // GitHub would merge the base into it, and wait for checks of which ours may be one.
            "auto_merge": false,
            "required_contexts": [],
            "environment": deployment.environment,
            "description": short(&deployment.description),
            "transient_environment": deployment.transient,
            "production_environment": deployment.production,
        });
        let call = self.write(
            operation,
            repository,
            "/deployments",
            body,
            NEEDS_DEPLOYMENTS,
        );
        Ok(self.ask::<WireDeployment>(&call).await?.into())
    }

    async fn deployment_statuses(
        &self,
        repository: &RepositoryName,
        deployment: DeploymentId,
    ) -> Result<Vec<DeploymentStatus>, Error> {
        let operation = format!("list the statuses of deployment {deployment} in {repository}");
        let path = with_query(
            &format!("/deployments/{deployment}/statuses"),
            &[("per_page", PER_PAGE)],
        );
        let call = self.read(operation, repository, &path, NEEDS_DEPLOYMENTS_READ);
        self.list::<WireDeploymentStatus>(&call)
            .await?
            .into_iter()
            .map(|wire| into(&call, wire))
            .collect()
    }

    async fn create_deployment_status(
        &self,
        repository: &RepositoryName,
        deployment: DeploymentId,
        status: &NewDeploymentStatus,
    ) -> Result<(), Error> {
        let operation = format!("say where deployment {deployment} in {repository} stands");
        let path = format!("/deployments/{deployment}/statuses");
        let mut body = json!({
            "state": status.state.to_string(),
            "description": short(&status.description),
        });
        if let Some(url) = &status.environment_url {
            body["environment_url"] = json!(url);
        }
        if let Some(url) = &status.log_url {
            body["log_url"] = json!(url);
        }
        let call = self.write(operation, repository, &path, body, NEEDS_DEPLOYMENTS);
        self.ask::<Done>(&call).await.map(drop)
    }

    async fn commit_statuses(
        &self,
        repository: &RepositoryName,
        sha: &Sha,
    ) -> Result<Vec<CommitStatus>, Error> {
        let operation = format!("list the statuses of {} in {repository}", sha.short());
        let path = with_query(
            &format!("/commits/{sha}/statuses"),
            &[("per_page", PER_PAGE)],
        );
        let call = self.read(operation, repository, &path, NEEDS_STATUSES_READ);
        let mut newest: Vec<CommitStatus> = Vec::new();
        // GitHub shows the newest first.
        for wire in self.list::<WireCommitStatus>(&call).await? {
            let status: CommitStatus = into(&call, wire)?;
            if newest.iter().all(|other| other.context != status.context) {
                newest.push(status);
            }
        }
        Ok(newest)
    }

    async fn create_commit_status(
        &self,
        repository: &RepositoryName,
        sha: &Sha,
        status: &NewCommitStatus,
    ) -> Result<(), Error> {
        let operation = format!("set a status on {} in {repository}", sha.short());
        let mut body = json!({
            "state": status.state.to_string(),
            "context": status.context,
            "description": short(&status.description),
        });
        if let Some(url) = &status.target_url {
            body["target_url"] = json!(url);
        }
        let path = format!("/statuses/{sha}");
        let call = self.write(operation, repository, &path, body, NEEDS_STATUSES);
        self.ask::<Done>(&call).await.map(drop)
    }

    fn traffic(&self) -> Traffic {
        *self.channel.traffic()
    }
}

/// An answer in our types, or what of it cannot be read.
fn into<W, T>(call: &Call<'_>, wire: W) -> Result<T, Error>
where
    T: TryFrom<W, Error = String>,
{
    wire.try_into().map_err(|why| call.asked().unreadable(why))
}

/// A description as long as GitHub takes it.
fn short(text: &str) -> String {
    if text.chars().count() <= LONGEST_DESCRIPTION {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(LONGEST_DESCRIPTION - 1).collect();
    short.push('…');
    short
}
