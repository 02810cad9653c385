//! Variables that are copied from elsewhere on Railway: from where, whether they can be had, and how their values read here.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use mirage_railway::{
    budget::Priority,
    error::Error,
    id::{EnvironmentId, ProjectId, ServiceId},
    observer::Observer,
    snapshot::{ConfigSnapshot, EnvironmentSnapshot, Presence, ProjectSnapshot, VariableSnapshot},
};
use mirage_specs::{ledger::LedgerEntry, variable::CopyFrom};

use super::{
    effective::{DesiredValue, Effective},
    identity::{Ownership, ownership},
    observe::Observed,
};

/// The place on Railway that a value is copied from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The project.
    pub project: ProjectId,
    /// The environment.
    pub environment: EnvironmentId,
    /// The service; `None` for a shared variable.
    pub service: Option<ServiceId>,
}

/// Why a value cannot be copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It is not there, or nobody may see it.
    Missing(String),
    /// It could not be told.
    Unread(String),
}

/// Where a value is copied from, when it is there and Railway shows it.
///
/// # Errors
/// What stands in the way, for the person who wrote the reference.
pub fn place(from: &CopyFrom, observed: &Observed) -> Result<Place, Trouble> {
    let project = project_of(from, observed)?;
    let environment = environment_of(project, &from.environment).ok_or_else(|| {
        Trouble::Missing(format!(
            "there is no environment {} in project {}",
            from.environment, project.name
        ))
    })?;
    let config = environment.config.as_ref().ok_or_else(|| {
        Trouble::Unread(format!(
            "environment {} could not be read",
            from.environment
        ))
    })?;
    let (service, variables) = match &from.service {
        None => (None, &config.shared_variables),
        Some(name) => {
            let instance = environment.instance_named(name).ok_or_else(|| {
                Trouble::Missing(format!(
                    "environment {} has no service {name}",
                    from.environment
                ))
            })?;
            let service = config
                .services
                .get(&instance.service_id)
                .ok_or_else(|| Trouble::Unread(format!("service {name} could not be read")))?;
            (Some(instance.service_id.clone()), &service.variables)
        }
    };
    match variables.get(&from.name) {
        Some(VariableSnapshot::Value(_)) => Ok(Place {
            project: project.id.clone(),
            environment: environment.id.clone(),
            service,
        }),
        Some(VariableSnapshot::Sealed) => Err(Trouble::Missing(format!(
            "{} is sealed and cannot be read: Railway shows sealed values to nobody",
            from.name
        ))),
        Some(VariableSnapshot::Masked) => Err(Trouble::Missing(format!(
            "{} is not shown to this token",
            from.name
        ))),
        None => Err(Trouble::Missing(format!(
            "there is no variable {} there",
            from.name
        ))),
    }
}

fn project_of<'o>(from: &CopyFrom, observed: &'o Observed) -> Result<&'o ProjectSnapshot, Trouble> {
    let own = match &observed.project {
        Presence::Present(project) => Some(project),
        Presence::Absent | Presence::Unknown(_) => None,
    };
    let Some(id) = &from.project_id else {
        return own.map(|project| project.as_ref()).ok_or_else(|| {
            Trouble::Missing(format!(
                "there is no environment {} in the project",
                from.environment
            ))
        });
    };
    if let Some(own) = own.filter(|own| own.id.as_str() == id) {
        return Ok(own.as_ref());
    }
    match observed.elsewhere.get(&ProjectId::new(id)) {
        Some(Presence::Present(project)) => Ok(project.as_ref()),
        Some(Presence::Absent) => Err(Trouble::Missing(format!(
            "there is no project {id} that this account can see"
        ))),
        Some(Presence::Unknown(why)) => Err(Trouble::Unread(why.clone())),
        None => Err(Trouble::Unread(format!("project {id} was not read yet"))),
    }
}

/// An environment by its name or Railway's id.
pub fn environment_of<'p>(
    project: &'p ProjectSnapshot,
    name_or_id: &str,
) -> Option<&'p EnvironmentSnapshot> {
    project
        .environments
        .get(&EnvironmentId::new(name_or_id))
        .or_else(|| project.environment_named(name_or_id))
}

/// Environments of other projects from which something is still to be copied, by name or id.
pub fn sources(
    effective: &Effective,
    observed: &Observed,
    ledger: &[LedgerEntry],
) -> BTreeMap<ProjectId, BTreeSet<String>> {
    let own = match &observed.project {
        Presence::Present(project) => Some(project),
        Presence::Absent | Presence::Unknown(_) => None,
    };
    let environment = own.and_then(|project| {
        match ownership(&effective.id, &effective.environment_name, ledger, project) {
            Ownership::Ours(environment) | Ownership::Unmarked(environment) => Some(environment),
            Ownership::Foreign(..) | Ownership::Absent | Ownership::Unknown(_) => None,
        }
    });
    let mut sources: BTreeMap<ProjectId, BTreeSet<String>> = BTreeMap::new();
    for (service, name, from) in copied(effective) {
        let Some(id) = &from.project_id else { continue };
        let is_own = own.is_some_and(|project| project.id.as_str() == id);
        if is_own || environment.is_some_and(|environment| has(environment, service, name)) {
            continue;
        }
        sources
            .entry(ProjectId::new(id))
            .or_default()
            .insert(from.environment.clone());
    }
    sources
}

fn copied(effective: &Effective) -> impl Iterator<Item = (Option<&str>, &str, &CopyFrom)> {
    let shared = effective
        .variables
        .iter()
        .map(|(name, value)| (None, name, value));
    let of_services = effective.services.iter().flat_map(|(service, desired)| {
        let variables = desired.variables.iter();
        variables.map(move |(name, value)| (Some(service.as_str()), name, value))
    });
    shared
        .chain(of_services)
        .filter_map(|(service, name, value)| match value {
            DesiredValue::CopyFrom(from) => Some((service, name.as_str(), from)),
            _ => None,
        })
}

fn has(environment: &EnvironmentSnapshot, service: Option<&str>, name: &str) -> bool {
    let Some(config) = environment.config.as_deref() else {
        return false;
    };
    let config: &ConfigSnapshot = config;
    match service {
        None => config.shared_variables.contains_key(name),
        Some(service) => environment
            .instance_named(service)
            .and_then(|instance| config.services.get(&instance.service_id))
            .is_some_and(|service| service.variables.contains_key(name)),
    }
}

/// Looks at other projects, of each only the environments that are named.
///
/// # Errors
/// Whatever the client could not hide by retrying; nothing was learnt then.
pub async fn look(
    observer: &Observer,
    sources: BTreeMap<ProjectId, BTreeSet<String>>,
    priority: Priority,
) -> Result<BTreeMap<ProjectId, Presence<Arc<ProjectSnapshot>>>, Error> {
    let mut seen = BTreeMap::new();
    for (project, environments) in sources {
        let found = observer
            .project_with(&project, environments, priority)
            .await?;
        seen.insert(project, found);
    }
    Ok(seen)
}
