//! Projects as a list, and making one.

use std::sync::atomic::Ordering;

use jiff::Timestamp;

use crate::{
    budget::{Creation, Wait},
    client::{Client, call::unreadable},
    error::{Class, Error, Failure},
    id::{EnvironmentId, ProjectId, WorkspaceId},
    operations::{
        Kind, ProjectCreate, ProjectPresence, Projects, project_create, project_presence, projects,
    },
};

/// A project in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectSummary {
    /// Railway's id.
    pub id: ProjectId,
    /// Its name; not unique.
    pub name: String,
    /// Its description.
    pub description: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A project to make.
#[derive(Clone, Debug)]
pub struct NewProject {
    /// Its name.
    pub name: String,
    /// Its description: the only text that can carry a mark.
    pub description: String,
    /// Where.
    pub workspace: WorkspaceId,
    /// The first environment's name; Railway's default is `production`.
    pub default_environment: Option<String>,
    /// Whose place in the queue of creations it is: the Mirage environment's uid.
    pub key: String,
}

impl Client {
    /// All projects of a workspace, deleted ones left out. The workspace is never left out: without one Railway shows
    /// an account token nothing at all (observed).
    ///
    /// # Errors
    /// Any class of a query; there is no partial list.
    pub async fn projects(&self, workspace: &WorkspaceId) -> Result<Vec<ProjectSummary>, Error> {
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let variables = projects::Variables {
                workspace_id: workspace.to_string(),
                after,
            };
            let page = self.call::<Projects>(variables).await?.projects;
            for edge in page.edges {
                let node = edge.node;
                if node.deleted_at.is_some() {
                    continue;
                }
                let created_at = node.created_at.parse().map_err(|_| {
                    unreadable("Projects", Kind::Query, "a project has no readable time")
                })?;
                found.push(ProjectSummary {
                    id: ProjectId::new(node.id),
                    name: node.name,
                    description: node.description,
                    created_at,
                });
            }
            after = match (page.page_info.has_next_page, page.page_info.end_cursor) {
                (false, _) => return Ok(found),
                (true, Some(cursor)) => Some(cursor),
                (true, None) => {
                    return Err(unreadable("Projects", Kind::Query, "a page has no cursor"));
                }
            };
        }
    }

    /// Makes a project with one environment. Each call makes another: look before.
    ///
    /// # Errors
    /// [`Error::RateLimited`] at once, without a request, while others are before it in the queue of creations;
    /// [`Error::NotYet`] while this process makes one of that name, or has just made it: look again.
    pub async fn create_project(
        &self,
        project: NewProject,
    ) -> Result<(ProjectId, EnvironmentId), Error> {
        let (key, name) = (project.key, project.name.clone());
        if !self.inner.recent_projects.begin(&name) {
            let words = "a project of that name is being made, or was made a moment ago";
            return Err(Error::NotYet(Failure::new("ProjectCreate", words)));
        }
        let variables = project_create::Variables {
            input: project_create::ProjectCreateInput {
                name: Some(project.name),
                description: Some(project.description),
                workspace_id: Some(project.workspace.to_string()),
                default_environment_name: project.default_environment,
            },
        };
        self.inner.project_creations.fetch_add(1, Ordering::SeqCst);
        let result = self
            .create(
                Creation::Project,
                &key,
                "ProjectCreate",
                self.call::<ProjectCreate>(variables),
            )
            .await;
        self.inner.project_creations.fetch_add(1, Ordering::SeqCst);
        let made = match result {
            Ok(made) => made.project_create,
            Err(error) => {
                if error.class() != Class::Ambiguous {
                    self.inner.recent_projects.failed(&name);
                }
                return Err(error);
            }
        };
        self.inner
            .recent_projects
            .made(&name, ProjectId::new(made.id.clone()));
        let environment = made.environments.edges.into_iter().next().ok_or_else(|| {
            unreadable(
                "ProjectCreate",
                Kind::Mutation,
                "the project came without an environment",
            )
        })?;
        Ok((
            ProjectId::new(made.id),
            EnvironmentId::new(environment.node.id),
        ))
    }

    /// Whether a project is there and not deleted, asked by its id alone.
    ///
    /// # Errors
    /// [`Error::NotFound`] and [`Error::Unauthorized`] tell what a list that skips cannot.
    pub(crate) async fn is_project_alive(&self, id: &ProjectId) -> Result<bool, Error> {
        let variables = project_presence::Variables { id: id.to_string() };
        Ok(self
            .call::<ProjectPresence>(variables)
            .await?
            .project
            .deleted_at
            .is_none())
    }

    /// Whether it is the key's turn to make one of the things that Railway throttles. Costs nothing, and keeps the place.
    ///
    /// # Errors
    /// [`Error::RateLimited`] while others are before it.
    pub fn line_up(&self, kind: Creation, key: &str) -> Result<(), Error> {
        self.budget()
            .line_up(kind, key)
            .map_err(|wait| self.others_are_before(kind, "LineUp", wait))
    }

    fn others_are_before(&self, kind: Creation, operation: &'static str, wait: Wait) -> Error {
        let message = format!("Railway makes one {kind} per 30 s; others are before this one");
        self.rate_limited(operation, &message, wait)
    }

    /// Makes one of the things that Railway throttles: takes its turn, and gives it back when nothing left.
    pub(super) async fn create<T>(
        &self,
        kind: Creation,
        key: &str,
        operation: &'static str,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let budget = self.budget();
        budget
            .reserve(kind, key)
            .map_err(|wait| self.others_are_before(kind, operation, wait))?;
        let result = call.await;
        match &result {
            Err(Error::Transient(_)) => budget.give_back(kind, key),
            Err(Error::RateLimited { failure, wait, .. }) => {
                // By Railway's own throttle, or by the hour's limit: nothing was made, and the place stays the first.
                let until = budget.creation_refused(kind, key);
                let throttle = until.saturating_duration_since(tokio::time::Instant::now());
                return Err(self.rate_limited_for(failure.clone(), throttle.max(*wait)));
            }
            _ => {}
        }
        result
    }
}
