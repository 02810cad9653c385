//! Reading projects: several with one request, each to its last page.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    client::{Client, by_environment::Rest, facts},
    error::{Class, Error},
    id::{EnvironmentId, ProjectId, ServiceId, VolumeId, WorkspaceId},
    operations::{ObserveProjects, ProjectPage, observe_projects, project_page},
    snapshot::{EnvironmentSnapshot, Presence, ProjectSnapshot},
};

/// Projects per request. Railway tells no limit of complexity; a refused batch is halved until it is one project.
const BATCH: usize = 20;

/// A project as one read showed it.
#[derive(Clone, Debug, PartialEq)]
pub struct ProjectReading {
    /// What it has. Configurations are not in it.
    pub snapshot: ProjectSnapshot,
    /// Railway marks it as deleted.
    pub is_deleted: bool,
    /// Environments that Railway lists and marks as deleted; they are not in the snapshot.
    pub deleted_environments: BTreeSet<EnvironmentId>,
}

/// Where a project's lists go on.
#[derive(Clone, Debug, Default)]
pub(super) struct ProjectRest {
    pub(super) more: bool,
    pub(super) environments_after: Option<String>,
    pub(super) services_after: Option<String>,
    pub(super) volumes_after: Option<String>,
}

mod first_page {
    crate::client::facts::project_facts!(observe_projects);
}

mod next_page {
    crate::client::facts::project_facts!(project_page);
}

impl Client {
    /// Reads projects without their configurations. `Absent` means that Railway left it out, which it does with deleted
    /// projects and with those that the token may not see alike.
    ///
    /// # Errors
    /// When nothing could be learnt: Railway is not reachable, the rate is used up, the token is dead.
    pub async fn read_projects(
        &self,
        ids: &[ProjectId],
    ) -> Result<BTreeMap<ProjectId, Presence<ProjectReading>>, Error> {
        let mut found = BTreeMap::new();
        let mut batches: Vec<&[ProjectId]> = ids.chunks(BATCH).rev().collect();
        while let Some(batch) = batches.pop() {
            match self.read_batch(batch).await {
                Ok(projects) => found.extend(projects),
                Err(error) if concerns_everything(&error) => return Err(error),
                Err(error) => match batch {
                    [] => {}
                    // One project in which something may not be seen spoils the nested read.
                    [id] => {
                        let reading = match self.read_by_environment(id).await {
                            Ok(reading) => Presence::Present(reading),
                            Err(error) if concerns_everything(&error) => return Err(error),
                            Err(error) => Presence::Unknown(error.to_string()),
                        };
                        found.insert(id.clone(), reading);
                    }
                    _ => {
                        if error.class() == Class::Unauthorized {
                            // A dead token would be halved into many refusals.
                            self.identify().await?;
                        }
                        let (first, second) = batch.split_at(batch.len() / 2);
                        batches.extend([second, first]);
                    }
                },
            }
        }
        Ok(found)
    }

    async fn read_batch(
        &self,
        ids: &[ProjectId],
    ) -> Result<BTreeMap<ProjectId, Presence<ProjectReading>>, Error> {
        let variables = observe_projects::Variables {
            ids: ids.iter().map(ToString::to_string).collect(),
        };
        let answer = self.call::<ObserveProjects>(variables).await?;
        let mut found: BTreeMap<_, _> = ids
            .iter()
            .map(|id| (id.clone(), Presence::Absent))
            .collect();
        for project in answer.projects_by_ids {
            let id = ProjectId::new(project.id.clone());
            let reading = match self.first_page(project) {
                Ok((reading, rest, environments)) => {
                    self.read_rest(reading, rest, environments).await?
                }
                Err(words) => Presence::Unknown(words),
            };
            found.insert(id, reading);
        }
        Ok(found)
    }

    #[expect(
        clippy::type_complexity,
        reason = "what is read, and where the two levels go on"
    )]
    fn first_page(
        &self,
        project: observe_projects::ObserveProjectsProjectsByIds,
    ) -> Result<(ProjectReading, ProjectRest, Vec<(EnvironmentId, Rest)>), facts::Unreadable> {
        let mut reading = ProjectReading {
            snapshot: ProjectSnapshot {
                id: ProjectId::new(project.id),
                name: project.name,
                description: project.description,
                workspace_id: project.workspace_id.map(WorkspaceId::new),
                created_at: facts::time(&project.created_at)?,
                services: BTreeMap::new(),
                volumes: BTreeMap::new(),
                environments: BTreeMap::new(),
                observed_at: self.now(),
            },
            is_deleted: project.deleted_at.is_some(),
            deleted_environments: BTreeSet::new(),
        };
        let mut unfinished = Vec::new();
        for edge in project.environments.edges {
            if edge.node.deleted_at.is_some() {
                reading
                    .deleted_environments
                    .insert(EnvironmentId::new(edge.node.id));
                continue;
            }
            let (environment, rest) = first_page::environment(edge.node)?;
            take(&mut reading.snapshot, environment, rest, &mut unfinished);
        }
        for edge in project.services.edges {
            if edge.node.deleted_at.is_none() {
                let id = ServiceId::new(edge.node.id);
                reading.snapshot.services.insert(id, edge.node.name);
            }
        }
        for edge in project.volumes.edges {
            reading
                .snapshot
                .volumes
                .insert(VolumeId::new(edge.node.id), edge.node.name);
        }
        let pages = [
            project.environments.page_info.has_next_page,
            project.services.page_info.has_next_page,
            project.volumes.page_info.has_next_page,
        ];
        let rest = ProjectRest {
            more: pages.contains(&true),
            environments_after: project.environments.page_info.end_cursor,
            services_after: project.services.page_info.end_cursor,
            volumes_after: project.volumes.page_info.end_cursor,
        };
        Ok((reading, rest, unfinished))
    }

    /// Follows every list to its end. What cannot be read to the end is unknown as a whole.
    async fn read_rest(
        &self,
        mut reading: ProjectReading,
        mut rest: ProjectRest,
        mut unfinished: Vec<(EnvironmentId, Rest)>,
    ) -> Result<Presence<ProjectReading>, Error> {
        while rest.more {
            match self.next_page(&mut reading, &rest, &mut unfinished).await {
                Ok(next) => rest = next,
                Err(error) if concerns_everything(&error) => return Err(error),
                Err(error) => return Ok(Presence::Unknown(error.to_string())),
            }
        }
        let project = reading.snapshot.id.clone();
        for (id, rest) in unfinished {
            let Some(environment) = reading.snapshot.environments.get_mut(&id) else {
                continue;
            };
            match self.read_contents(&project, environment, rest).await {
                Ok(()) => {}
                Err(error) if concerns_everything(&error) => return Err(error),
                Err(error) => return Ok(Presence::Unknown(error.to_string())),
            }
        }
        Ok(Presence::Present(reading))
    }

    async fn next_page(
        &self,
        reading: &mut ProjectReading,
        rest: &ProjectRest,
        unfinished: &mut Vec<(EnvironmentId, Rest)>,
    ) -> Result<ProjectRest, Error> {
        let variables = project_page::Variables {
            id: reading.snapshot.id.to_string(),
            environments_after: rest.environments_after.clone(),
            services_after: rest.services_after.clone(),
            volumes_after: rest.volumes_after.clone(),
        };
        let page = self.call::<ProjectPage>(variables).await?.project;
        for edge in page.environments.edges {
            if edge.node.deleted_at.is_some() {
                reading
                    .deleted_environments
                    .insert(EnvironmentId::new(edge.node.id));
                continue;
            }
            let (environment, rest) = next_page::environment(edge.node)
                .map_err(|words| words_error("ProjectPage", &words))?;
            take(&mut reading.snapshot, environment, rest, unfinished);
        }
        for edge in page.services.edges {
            if edge.node.deleted_at.is_none() {
                let id = ServiceId::new(edge.node.id);
                reading.snapshot.services.insert(id, edge.node.name);
            }
        }
        for edge in page.volumes.edges {
            reading
                .snapshot
                .volumes
                .insert(VolumeId::new(edge.node.id), edge.node.name);
        }
        let next = ProjectRest {
            more: false,
            environments_after: page
                .environments
                .page_info
                .end_cursor
                .or_else(|| rest.environments_after.clone()),
            services_after: page
                .services
                .page_info
                .end_cursor
                .or_else(|| rest.services_after.clone()),
            volumes_after: page
                .volumes
                .page_info
                .end_cursor
                .or_else(|| rest.volumes_after.clone()),
        };
        let more = page.environments.page_info.has_next_page
            || page.services.page_info.has_next_page
            || page.volumes.page_info.has_next_page;
        advance("ProjectPage", more, rest, next)
    }
}

/// A list that claims to go on from where it was asked to begin would never end.
pub(super) fn advance(
    operation: &'static str,
    more: bool,
    before: &ProjectRest,
    next: ProjectRest,
) -> Result<ProjectRest, Error> {
    let stands_still = (
        &next.environments_after,
        &next.services_after,
        &next.volumes_after,
    ) == (
        &before.environments_after,
        &before.services_after,
        &before.volumes_after,
    );
    if more && stands_still {
        return Err(words_error(operation, "a page does not lead on"));
    }
    Ok(ProjectRest { more, ..next })
}

fn take(
    project: &mut ProjectSnapshot,
    environment: EnvironmentSnapshot,
    rest: Rest,
    unfinished: &mut Vec<(EnvironmentId, Rest)>,
) {
    if rest.more && environment.can_access {
        unfinished.push((environment.id.clone(), rest));
    }
    project
        .environments
        .insert(environment.id.clone(), environment);
}

pub(super) fn words_error(operation: &'static str, words: &str) -> Error {
    Error::Invalid(crate::error::Failure::new(operation, words))
}

/// Errors that say nothing of one project in particular.
pub(super) fn concerns_everything(error: &Error) -> bool {
    matches!(
        error.class(),
        Class::Transient | Class::RateLimited | Class::Unsupported
    )
}
