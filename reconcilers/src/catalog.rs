//! Looking at what Railway has, and at what of it could be taken over.
//!
//! ```text
//! view.rs     snapshots            →  what people see              pure
//! adopt.rs    an environment       →  the spec that describes it   pure
//! harmless.rs a variable's text    →  whether it may be shown      pure
//! survey.rs   wishes to import     →  what would come of each      reads
//! ```
//!
//! Everything is read through the observers' snapshots; what those do not hold is asked for as a person's request.

mod adopt;
mod harmless;
mod survey;
mod view;

use std::{collections::BTreeSet, sync::Arc};

use mirage_railway::{
    budget::Priority,
    client::Clock,
    error::Error,
    id::{EnvironmentId, ProjectId, ServiceId},
    secret::FingerprintKey,
    snapshot::{EnvironmentSnapshot, Presence, ProjectSnapshot},
};
use mirage_specs::catalog::{RailwayDeployment, RailwayEnvironment, RailwayProject};

pub use adopt::{Adopted, adopt};
pub use harmless::is_harmless;

use crate::{
    accounts::{Account, Accounts},
    environment::patience::Patience,
};

/// Deployments in a list at most; Railway keeps more, and nobody reads them.
pub const MOST_DEPLOYMENTS: u32 = 100;

/// Looks at Railway for people.
pub struct Catalog {
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) key: FingerprintKey,
    pub(crate) clock: Clock,
    pub(crate) patience: Patience,
}

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The credential cannot be used.
    #[error("{0}")]
    Account(String),
    /// There is no such thing that the credential can see.
    #[error("{0}")]
    NotFound(String),
    /// It is there and cannot be read now.
    #[error("{0}")]
    Unknown(String),
    /// Railway could not be read.
    #[error("Railway could not be read: {0}. {step}", step = .0.next_step())]
    Railway(#[from] Error),
}

impl Catalog {
    /// Every project that a credential sees, by name.
    ///
    /// # Errors
    /// When the list could not be read; a project that cannot be read alone says so in its entry.
    pub async fn projects(
        &self,
        namespace: &str,
        account: &str,
    ) -> Result<Vec<RailwayProject>, CatalogError> {
        let account = self.account(namespace, account).await?;
        let observer = &account.observer;
        let mut list = observer.list_projects(Priority::User).await?;
        list.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        let ids: BTreeSet<ProjectId> = list.iter().map(|project| project.id.clone()).collect();
        let mut snapshots = observer.glance(&ids, Priority::User).await?;
        Ok(list
            .into_iter()
            .filter_map(|project| {
                let seen = snapshots.remove(&project.id)?;
                view::project(project, seen)
            })
            .collect())
    }

    /// The environments of a project, by name.
    ///
    /// # Errors
    /// When there is none of that id or name, or it cannot be read.
    pub async fn environments(
        &self,
        namespace: &str,
        account: &str,
        project: &str,
    ) -> Result<Vec<RailwayEnvironment>, CatalogError> {
        let account = self.account(namespace, account).await?;
        let project = find_project(&account, project).await?;
        let mut all: Vec<_> = project
            .environments
            .values()
            .map(|environment| view::environment(&project, environment))
            .collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    }

    /// One environment with its services.
    ///
    /// # Errors
    /// When there is none of that id or name, or it cannot be read.
    pub async fn environment(
        &self,
        namespace: &str,
        account: &str,
        project: &str,
        environment: &str,
    ) -> Result<RailwayEnvironment, CatalogError> {
        let account = self.account(namespace, account).await?;
        let project = find_project(&account, project).await?;
        let environment = find_environment(&project, environment)?;
        let mut shown = view::environment(&project, environment);
        if environment.can_access {
            let client = account.client.with_priority(Priority::User);
            let details = client
                .browse_instances(&project.id, &environment.id)
                .await?;
            shown.services = view::services(environment, &details);
        }
        Ok(shown)
    }

    /// The newest deployments of a service, newest first.
    ///
    /// # Errors
    /// When there is no such service in the environment, or it cannot be read.
    pub async fn deployments(
        &self,
        namespace: &str,
        account: &str,
        place: [&str; 3],
        limit: u32,
    ) -> Result<Vec<RailwayDeployment>, CatalogError> {
        let [project, environment, service] = place;
        let account = self.account(namespace, account).await?;
        let project = find_project(&account, project).await?;
        let environment = find_environment(&project, environment)?;
        let by_id = environment.instances.get(&ServiceId::new(service));
        let instance = by_id
            .or_else(|| environment.instance_named(service))
            .ok_or_else(|| {
                CatalogError::NotFound(format!(
                    "environment {} has no service {service}",
                    environment.name
                ))
            })?;
        let client = account.client.with_priority(Priority::User);
        let limit = limit.clamp(1, MOST_DEPLOYMENTS);
        let all = client
            .browse_deployments(&project.id, &environment.id, &instance.service_id, limit)
            .await?;
        Ok(all
            .into_iter()
            .map(|deployment| view::deployment(instance, deployment))
            .collect())
    }

    async fn account(&self, namespace: &str, name: &str) -> Result<Arc<Account>, CatalogError> {
        self.accounts
            .ready(namespace, name)
            .await
            .map_err(CatalogError::Account)
    }
}

/// The project of that id, or the only one of that name.
async fn find_project(
    account: &Account,
    wanted: &str,
) -> Result<Arc<ProjectSnapshot>, CatalogError> {
    let list = account.observer.list_projects(Priority::User).await?;
    let named: Vec<&ProjectId> = list
        .iter()
        .filter(|project| project.name == wanted)
        .map(|project| &project.id)
        .collect();
    let by_id = list.iter().find(|project| project.id.as_str() == wanted);
    let id = match (by_id, named.as_slice()) {
        (Some(project), _) => &project.id,
        (None, [only]) => *only,
        (None, []) => {
            return Err(CatalogError::NotFound(format!(
                "there is no project {wanted:?} that this account can see"
            )));
        }
        (None, several) => {
            return Err(CatalogError::NotFound(format!(
                "{} projects are called {wanted:?}: give the id of the one that is meant",
                several.len()
            )));
        }
    };
    let ids = BTreeSet::from([id.clone()]);
    let seen = account.observer.glance(&ids, Priority::User).await?;
    match seen.into_values().next() {
        Some(Presence::Present(project)) => Ok(project),
        Some(Presence::Unknown(why)) => Err(CatalogError::Unknown(why)),
        Some(Presence::Absent) | None => Err(CatalogError::NotFound(format!(
            "project {wanted:?} is gone from Railway"
        ))),
    }
}

fn find_environment<'a>(
    project: &'a ProjectSnapshot,
    wanted: &str,
) -> Result<&'a EnvironmentSnapshot, CatalogError> {
    project
        .environments
        .get(&EnvironmentId::new(wanted))
        .or_else(|| project.environment_named(wanted))
        .ok_or_else(|| {
            CatalogError::NotFound(format!(
                "project {} has no environment {wanted:?}",
                project.name
            ))
        })
}
