//! What there is: for tests that look for duplicates and orphans.

use serde::Serialize;
use std::collections::BTreeMap;

use crate::config::defaults;
use crate::config::references::{shared_values, variable_values};
use crate::state::{Environment, Instance, World};

/// Everything that exists, deleted projects left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Inventory {
    /// In the order of creation.
    pub projects: Vec<ProjectEntry>,
}

/// A project.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the fields are Railway's own words")]
pub struct ProjectEntry {
    pub id: String,
    pub name: String,
    pub workspace_id: String,
    pub environments: Vec<EnvironmentEntry>,
    pub services: Vec<NamedEntry>,
    pub volumes: Vec<NamedEntry>,
    pub buckets: Vec<NamedEntry>,
}

/// Something with an id and a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the fields are Railway's own words")]
pub struct NamedEntry {
    pub id: String,
    pub name: String,
}

/// An environment.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the fields are Railway's own words")]
pub struct EnvironmentEntry {
    pub id: String,
    pub name: String,
    /// The environment it was cloned from.
    pub fork_of: Option<String>,
    pub is_ephemeral: bool,
    /// Its teardown has begun.
    pub deleting: bool,
    pub etag: String,
    /// Somebody's draft is waiting.
    pub staged: bool,
    /// Values only where they were asked for.
    pub shared_variables: BTreeMap<String, Option<String>>,
    pub services: Vec<InstanceEntry>,
    pub volumes: Vec<VolumeEntry>,
}

/// A service in an environment.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the fields are Railway's own words")]
pub struct InstanceEntry {
    pub service_id: String,
    pub name: String,
    pub image: Option<String>,
    pub repo: Option<String>,
    pub replicas: i64,
    /// Values only where they were asked for.
    pub variables: BTreeMap<String, Option<String>>,
    pub service_domains: Vec<String>,
    pub custom_domains: Vec<String>,
    /// Application port to proxy port.
    pub tcp_proxies: BTreeMap<String, u16>,
    /// Oldest first.
    pub deployments: Vec<DeploymentEntry>,
}

/// A deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the fields are Railway's own words")]
pub struct DeploymentEntry {
    pub id: String,
    pub status: String,
    pub stopped: bool,
    pub image: Option<String>,
}

/// A volume in an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the fields are Railway's own words")]
pub struct VolumeEntry {
    pub volume_id: String,
    pub name: String,
    pub service_id: Option<String>,
    pub mount_path: String,
    pub size_mb: i64,
}

impl Inventory {
    /// The project of that name.
    #[must_use]
    pub fn project(&self, name: &str) -> Option<&ProjectEntry> {
        self.projects.iter().find(|project| project.name == name)
    }

    /// The environment of that name in the project of that name.
    #[must_use]
    pub fn environment(&self, project: &str, name: &str) -> Option<&EnvironmentEntry> {
        self.project(project)?.environment(name)
    }

    pub(crate) fn of(world: &World, values: bool) -> Self {
        let mut projects: Vec<_> = world
            .projects
            .values()
            .filter(|project| project.deleted_at.is_none())
            .collect();
        projects.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
        let named = |id: &String, name: Option<&String>| NamedEntry {
            id: id.clone(),
            name: name.cloned().unwrap_or_default(),
        };
        Self {
            projects: projects
                .into_iter()
                .map(|project| ProjectEntry {
                    id: project.id.clone(),
                    name: project.name.clone(),
                    workspace_id: project.workspace.clone(),
                    environments: project
                        .environments
                        .iter()
                        .filter_map(|id| world.environments.get(id))
                        .map(|environment| EnvironmentEntry::of(world, environment, values))
                        .collect(),
                    services: project
                        .services
                        .iter()
                        .map(|id| named(id, world.services.get(id).map(|s| &s.name)))
                        .collect(),
                    volumes: project
                        .volumes
                        .iter()
                        .map(|id| named(id, world.volumes.get(id).map(|v| &v.name)))
                        .collect(),
                    buckets: project
                        .buckets
                        .iter()
                        .map(|id| named(id, world.buckets.get(id).map(|b| &b.name)))
                        .collect(),
                })
                .collect(),
        }
    }
}

impl ProjectEntry {
    /// The environment of that name.
    #[must_use]
    pub fn environment(&self, name: &str) -> Option<&EnvironmentEntry> {
        self.environments
            .iter()
            .find(|environment| environment.name == name)
    }
}

impl EnvironmentEntry {
    /// The service of that name.
    #[must_use]
    pub fn service(&self, name: &str) -> Option<&InstanceEntry> {
        self.services.iter().find(|service| service.name == name)
    }

    fn of(world: &World, environment: &Environment, values: bool) -> Self {
        let mut volumes: Vec<_> = environment.volume_instances.values().collect();
        volumes.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
        Self {
            id: environment.id.clone(),
            name: environment.name.clone(),
            fork_of: environment.source.clone(),
            is_ephemeral: environment.is_ephemeral,
            deleting: environment.deleted_at.is_some(),
            etag: environment.etag.clone(),
            staged: environment.staged.is_some(),
            shared_variables: hidden(shared_values(environment), values),
            services: environment
                .instances_by_age()
                .into_iter()
                .map(|instance| InstanceEntry::of(world, environment, instance, values))
                .collect(),
            volumes: volumes
                .into_iter()
                .map(|volume| VolumeEntry {
                    volume_id: volume.volume.clone(),
                    name: world
                        .volumes
                        .get(&volume.volume)
                        .map(|found| found.name.clone())
                        .unwrap_or_default(),
                    service_id: volume.service.clone(),
                    mount_path: volume.mount_path.clone(),
                    size_mb: volume.size_mb,
                })
                .collect(),
        }
    }
}

fn hidden(variables: BTreeMap<String, String>, values: bool) -> BTreeMap<String, Option<String>> {
    variables
        .into_iter()
        .map(|(name, value)| (name, values.then_some(value)))
        .collect()
}

impl InstanceEntry {
    /// The newest deployment's status.
    #[must_use]
    pub fn status(&self) -> Option<&str> {
        self.deployments
            .last()
            .map(|deployment| deployment.status.as_str())
    }

    fn of(world: &World, environment: &Environment, instance: &Instance, values: bool) -> Self {
        let config = environment.service_config(&instance.service);
        let source = |key: &str| {
            config
                .get("source")
                .and_then(|source| source[key].as_str())
                .map(str::to_owned)
        };
        Self {
            service_id: instance.service.clone(),
            name: world
                .services
                .get(&instance.service)
                .map(|service| service.name.clone())
                .unwrap_or_default(),
            image: source("image"),
            repo: source("repo"),
            replicas: defaults::replicas(config),
            variables: hidden(variable_values(config), values),
            service_domains: instance.service_domains.keys().cloned().collect(),
            custom_domains: instance.custom_domains.keys().cloned().collect(),
            tcp_proxies: instance
                .tcp_proxies
                .iter()
                .map(|(port, proxy)| (port.clone(), proxy.proxy_port))
                .collect(),
            deployments: instance
                .deployments
                .iter()
                .map(|deployment| DeploymentEntry {
                    id: deployment.id.clone(),
                    status: deployment.status.to_string(),
                    stopped: deployment.stopped,
                    image: deployment.image().map(str::to_owned),
                })
                .collect(),
        }
    }
}
