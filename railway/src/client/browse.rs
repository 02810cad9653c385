//! Details that only somebody who looks wants to know: what a service runs, and what ran before.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    client::{
        Client,
        call::unreadable,
        facts::{name_of, time},
    },
    error::Error,
    id::{DeploymentId, EnvironmentId, ProjectId, ServiceId},
    operations::{BrowseDeployments, BrowseInstances, Kind, browse_deployments, browse_instances},
    snapshot::DeploymentStatus,
};

/// What a service of an environment runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstanceDetail {
    /// The image that is configured.
    pub image: Option<String>,
    /// The repository that is configured.
    pub repo: Option<String>,
    /// Region id, as Railway shows it.
    pub region: Option<String>,
    /// Copies of the process.
    pub replicas: Option<u32>,
    /// What the newest deployment was made from.
    pub deployed: Deployed,
}

/// What a deployment was made from, as Railway noted it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deployed {
    /// Image.
    pub image: Option<String>,
    /// Repository, `owner/name`.
    pub repo: Option<String>,
    /// Branch.
    pub branch: Option<String>,
    /// Commit id.
    pub commit: Option<String>,
    /// The commit's message.
    pub commit_message: Option<String>,
    /// The commit's author.
    pub commit_author: Option<String>,
}

/// A deployment with what it was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownDeployment {
    /// Railway's id.
    pub id: DeploymentId,
    /// Its status.
    pub status: DeploymentStatus,
    /// Whether its process has ended or was stopped.
    pub stopped: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its public host name.
    pub host: Option<String>,
    /// What it was made from.
    pub deployed: Deployed,
}

impl Deployed {
    /// `meta` is untyped and grows; of it only these texts are taken.
    fn of(meta: Option<&Value>) -> Self {
        let text = |name: &str| {
            let value = meta.and_then(|meta| meta.get(name))?.as_str()?;
            (!value.is_empty()).then(|| value.to_owned())
        };
        Self {
            image: text("image"),
            repo: text("repo"),
            branch: text("branch"),
            commit: text("commitHash"),
            commit_message: text("commitMessage"),
            commit_author: text("commitAuthor"),
        }
    }
}

impl Client {
    /// What the services of an environment run, by service.
    ///
    /// # Errors
    /// Any class of a query.
    pub async fn browse_instances(
        &self,
        project: &ProjectId,
        environment: &EnvironmentId,
    ) -> Result<BTreeMap<ServiceId, InstanceDetail>, Error> {
        let mut found = BTreeMap::new();
        let mut after = None;
        loop {
            let variables = browse_instances::Variables {
                id: environment.to_string(),
                project_id: project.to_string(),
                after,
            };
            let page = self
                .call::<BrowseInstances>(variables)
                .await?
                .environment
                .service_instances;
            for edge in page.edges {
                let node = edge.node;
                let (image, repo) = node
                    .source
                    .map(|source| (source.image, source.repo))
                    .unwrap_or_default();
                let meta = node.latest_deployment.and_then(|latest| latest.meta);
                let detail = InstanceDetail {
                    image,
                    repo,
                    region: node.region,
                    replicas: node
                        .num_replicas
                        .and_then(|count| u32::try_from(count).ok()),
                    deployed: Deployed::of(meta.as_ref()),
                };
                found.insert(ServiceId::new(node.service_id), detail);
            }
            after = match (page.page_info.has_next_page, page.page_info.end_cursor) {
                (false, _) => return Ok(found),
                (true, Some(cursor)) => Some(cursor),
                (true, None) => {
                    let words = "a page has no cursor";
                    return Err(unreadable("BrowseInstances", Kind::Query, words));
                }
            };
        }
    }

    /// The newest deployments of a service in an environment, newest first, at most `limit`.
    ///
    /// # Errors
    /// Any class of a query.
    pub async fn browse_deployments(
        &self,
        project: &ProjectId,
        environment: &EnvironmentId,
        service: &ServiceId,
        limit: u32,
    ) -> Result<Vec<ShownDeployment>, Error> {
        let variables = browse_deployments::Variables {
            input: browse_deployments::DeploymentListInput {
                project_id: Some(project.to_string()),
                environment_id: Some(environment.to_string()),
                service_id: Some(service.to_string()),
            },
            first: i64::from(limit),
        };
        let page = self.call::<BrowseDeployments>(variables).await?.deployments;
        let mut found = Vec::with_capacity(page.edges.len());
        for edge in page.edges {
            let node = edge.node;
            let status = name_of(&node.status);
            let created_at = time(&node.created_at)
                .map_err(|words| unreadable("BrowseDeployments", Kind::Query, &words))?;
            found.push(ShownDeployment {
                id: DeploymentId::new(node.id),
                status: status.parse().unwrap_or(DeploymentStatus::Other(status)),
                stopped: node.deployment_stopped,
                created_at,
                host: node.static_url,
                deployed: Deployed::of(node.meta.as_ref()),
            });
        }
        found.sort_by_key(|deployment| std::cmp::Reverse(deployment.created_at));
        Ok(found)
    }
}
