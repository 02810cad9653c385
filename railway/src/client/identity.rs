//! Who the token is and what it has left.

use jiff::Timestamp;

use crate::{
    client::Client,
    error::Error,
    id::{EnvironmentId, ProjectId, WorkspaceId},
    operations::{
        ApiToken, PlatformStatus as PlatformStatusQuery, ProjectToken, Workspace, api_token,
        platform_status, project_token, workspace,
    },
};

/// What a token can see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Workspaces with their names; of a project token, none.
    pub workspaces: Vec<(WorkspaceId, String)>,
    /// The one environment of a project token.
    pub project: Option<(ProjectId, EnvironmentId)>,
}

/// A workspace's plan and what is left of its budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkspaceFacts {
    /// Its name.
    pub name: String,
    /// `FREE`, `HOBBY`, `PRO`, or what Railway adds.
    pub plan: String,
    /// Absent when Railway does not say.
    pub rate_limit: Option<RateLimit>,
}

/// What Railway says is left, asked for rather than read from headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests left.
    pub remaining: u64,
    /// When the window ends, if the text could be read.
    pub resets_at: Option<Timestamp>,
}

/// How Railway itself is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformStatus {
    /// Railway's own judgement.
    pub is_stable: bool,
    /// What is wrong.
    pub incident: Option<String>,
}

impl Client {
    /// Asks who the token is.
    ///
    /// # Errors
    /// [`Error::Unauthorized`] when it is nobody.
    pub async fn identify(&self) -> Result<Identity, Error> {
        if self.is_project_token() {
            let token = self
                .call::<ProjectToken>(project_token::Variables {})
                .await?
                .project_token;
            return Ok(Identity {
                workspaces: Vec::new(),
                project: Some((
                    ProjectId::new(token.project_id),
                    EnvironmentId::new(token.environment_id),
                )),
            });
        }
        let token = self
            .call::<ApiToken>(api_token::Variables {})
            .await?
            .api_token;
        Ok(Identity {
            workspaces: token
                .workspaces
                .into_iter()
                .map(|workspace| (WorkspaceId::new(workspace.id), workspace.name))
                .collect(),
            project: None,
        })
    }

    /// Plan and budget of a workspace.
    ///
    /// # Errors
    /// Any class of a query.
    pub async fn workspace(&self, id: &WorkspaceId) -> Result<WorkspaceFacts, Error> {
        let variables = workspace::Variables {
            workspace_id: id.to_string(),
        };
        let workspace = self.call::<Workspace>(variables).await?.workspace;
        Ok(WorkspaceFacts {
            name: workspace.name,
            plan: super::facts::name_of(&workspace.plan),
            rate_limit: workspace.api_token_rate_limit.map(|limit| RateLimit {
                remaining: u64::try_from(limit.remaining_points).unwrap_or(0),
                resets_at: limit.resets_at.parse().ok(),
            }),
        })
    }

    /// What is left of the workspace's budget, as Railway counts it.
    ///
    /// # Errors
    /// Any class of a query.
    pub async fn rate_limit(&self, id: &WorkspaceId) -> Result<Option<RateLimit>, Error> {
        Ok(self.workspace(id).await?.rate_limit)
    }

    /// Whether Railway says that it is well.
    ///
    /// # Errors
    /// Any class of a query.
    pub async fn platform_status(&self) -> Result<PlatformStatus, Error> {
        let status = self
            .call::<PlatformStatusQuery>(platform_status::Variables {})
            .await?
            .platform_status;
        Ok(PlatformStatus {
            is_stable: status.is_stable,
            incident: status.incident.map(|incident| incident.message),
        })
    }
}
