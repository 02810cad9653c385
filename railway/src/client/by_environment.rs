//! Reading a project environment by environment: slower, and the only way when one of them may not be looked into,
//! because a single refused part spoils a nested answer.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    client::{
        Client, facts,
        reading::{ProjectReading, ProjectRest, advance, words_error},
    },
    error::Error,
    id::{EnvironmentId, ProjectId, ServiceId, VolumeId, WorkspaceId},
    operations::{EnvironmentContents, ProjectOutline, environment_contents, project_outline},
    snapshot::{EnvironmentSnapshot, ProjectSnapshot},
};

/// Where an environment's lists go on.
#[derive(Clone, Debug, Default)]
pub(super) struct Rest {
    pub(super) more: bool,
    pub(super) instances_after: Option<String>,
    pub(super) volumes_after: Option<String>,
}

mod contents_page {
    crate::client::facts::content_facts!(environment_contents);

    pub(in crate::client) fn take(
        facts: wire::EnvironmentContentsEnvironment,
        environment: &mut crate::snapshot::EnvironmentSnapshot,
    ) -> Result<crate::client::by_environment::Rest, Unreadable> {
        environment.source_environment = facts
            .source_environment
            .map(|source| crate::id::EnvironmentId::new(source.id));
        environment.unmerged_changes = facts
            .unmerged_changes_count
            .and_then(|count| u32::try_from(count).ok())
            .unwrap_or(0);
        Ok(contents!(facts, environment))
    }
}

impl Client {
    /// Reads what an environment has, from where a page left off to the end.
    pub(super) async fn read_contents(
        &self,
        project: &ProjectId,
        environment: &mut EnvironmentSnapshot,
        mut rest: Rest,
    ) -> Result<(), Error> {
        loop {
            let variables = environment_contents::Variables {
                id: environment.id.to_string(),
                project_id: project.to_string(),
                instances_after: rest.instances_after.clone(),
                volumes_after: rest.volumes_after.clone(),
            };
            let answer = self.call::<EnvironmentContents>(variables).await?;
            let next = contents_page::take(answer.environment, environment)
                .map_err(|words| words_error("EnvironmentContents", &words))?;
            let next = Rest {
                more: next.more,
                instances_after: next
                    .instances_after
                    .or_else(|| rest.instances_after.clone()),
                volumes_after: next.volumes_after.or_else(|| rest.volumes_after.clone()),
            };
            if !next.more {
                return Ok(());
            }
            if (&next.instances_after, &next.volumes_after)
                == (&rest.instances_after, &rest.volumes_after)
            {
                return Err(words_error(
                    "EnvironmentContents",
                    "a page does not lead on",
                ));
            }
            rest = next;
        }
    }

    /// Reads a project's outline, then each environment that may be looked into.
    pub(super) async fn read_by_environment(
        &self,
        id: &ProjectId,
    ) -> Result<ProjectReading, Error> {
        let mut rest = ProjectRest::default();
        let mut reading: Option<ProjectReading> = None;
        loop {
            let variables = project_outline::Variables {
                id: id.to_string(),
                environments_after: rest.environments_after.clone(),
                services_after: rest.services_after.clone(),
                volumes_after: rest.volumes_after.clone(),
            };
            let page = self.call::<ProjectOutline>(variables).await?.project;
            let created_at = facts::time(&page.created_at)
                .map_err(|words| words_error("ProjectOutline", &words))?;
            let reading = reading.get_or_insert_with(|| ProjectReading {
                snapshot: ProjectSnapshot {
                    id: id.clone(),
                    name: page.name.clone(),
                    description: page.description.clone(),
                    workspace_id: page.workspace_id.clone().map(WorkspaceId::new),
                    created_at,
                    services: BTreeMap::new(),
                    volumes: BTreeMap::new(),
                    environments: BTreeMap::new(),
                    observed_at: self.now(),
                },
                is_deleted: page.deleted_at.is_some(),
                deleted_environments: BTreeSet::new(),
            });
            for edge in page.environments.edges {
                let facts = edge.node;
                let id = EnvironmentId::new(facts.id);
                if facts.deleted_at.is_some() {
                    reading.deleted_environments.insert(id);
                    continue;
                }
                let created_at = facts::time(&facts.created_at)
                    .map_err(|words| words_error("ProjectOutline", &words))?;
                let environment = EnvironmentSnapshot {
                    id: id.clone(),
                    name: facts.name,
                    created_at,
                    can_access: facts.can_access,
                    etag: Some(facts.config_etag),
                    source_environment: None,
                    unmerged_changes: 0,
                    config: None,
                    instances: BTreeMap::new(),
                    volumes: BTreeMap::new(),
                };
                reading.snapshot.environments.insert(id, environment);
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
            rest = advance("ProjectOutline", more, &rest, next)?;
            if !rest.more {
                break;
            }
        }
        let mut reading =
            reading.ok_or_else(|| words_error("ProjectOutline", "there was no page at all"))?;
        for environment in reading.snapshot.environments.values_mut() {
            if environment.can_access {
                self.read_contents(id, environment, Rest::default()).await?;
            }
        }
        Ok(reading)
    }
}
