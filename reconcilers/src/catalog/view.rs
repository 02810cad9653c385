//! Snapshots as people see them. Pure.

use std::{collections::BTreeMap, sync::Arc};

use mirage_railway::{
    client::{Deployed, InstanceDetail, ProjectSummary, ShownDeployment},
    id::ServiceId,
    snapshot::{
        DeploymentSnapshot, EnvironmentSnapshot, InstanceSnapshot, Presence, ProjectSnapshot,
        VolumeSnapshot,
    },
};
use mirage_specs::{
    ServiceState,
    catalog::{
        Keeper, RailwayDeployment, RailwayEnvironment, RailwayProject, RailwayService,
        RailwayVolume,
    },
};

use crate::environment::{
    health::{Health, health, is_ready},
    status::dashboard,
};

/// A project of the list, unless it is gone.
pub(super) fn project(
    listed: ProjectSummary,
    seen: Presence<Arc<ProjectSnapshot>>,
) -> Option<RailwayProject> {
    let mut shown = RailwayProject {
        dashboard_url: format!("https://railway.com/project/{}", listed.id),
        railway_project_id: listed.id.to_string(),
        name: listed.name,
        description: listed.description.filter(|text| !text.is_empty()),
        created_at: listed.created_at,
        environments: None,
        services: None,
        managed: None,
        external: None,
        unreadable: None,
        environment_ids: Vec::new(),
    };
    match seen {
        Presence::Absent => return None,
        Presence::Unknown(why) => shown.unreadable = Some(why),
        Presence::Present(project) => {
            shown.environments = u32::try_from(project.environments.len()).ok();
            shown.services = u32::try_from(project.services.len()).ok();
            shown.environment_ids = project
                .environments
                .keys()
                .map(ToString::to_string)
                .collect();
        }
    }
    Some(shown)
}

/// An environment without its services. Whose it is, the caller adds.
pub(super) fn environment(
    project: &ProjectSnapshot,
    environment: &EnvironmentSnapshot,
) -> RailwayEnvironment {
    let states: Vec<ServiceState> = environment
        .instances
        .values()
        .map(|instance| judged(instance).state)
        .collect();
    let ready = states.iter().filter(|state| is_ready(**state)).count();
    let deployed = environment
        .instances
        .values()
        .filter_map(|instance| instance.latest_deployment.as_ref())
        .map(|deployment| deployment.created_at);
    RailwayEnvironment {
        railway_environment_id: environment.id.to_string(),
        name: environment.name.clone(),
        railway_project_id: project.id.to_string(),
        project_name: project.name.clone(),
        created_at: environment.created_at,
        dashboard_url: dashboard(&project.id, &environment.id),
        keeper: Keeper::External,
        kept_by: None,
        forked_from: environment
            .source_environment
            .as_ref()
            .map(ToString::to_string),
        readable: environment.can_access,
        state: worst(&states, environment.can_access),
        services_ready: format!("{ready}/{}", states.len()),
        urls: environment.instances.values().flat_map(urls).collect(),
        last_deployed_at: deployed.max(),
        unmerged_changes: environment.unmerged_changes,
        services: Vec::new(),
    }
}

/// The services of an environment, by name.
pub(super) fn services(
    environment: &EnvironmentSnapshot,
    details: &BTreeMap<ServiceId, InstanceDetail>,
) -> Vec<RailwayService> {
    let unknown = InstanceDetail::default();
    let mut all: Vec<RailwayService> = environment
        .instances
        .values()
        .map(|instance| {
            let detail = details.get(&instance.service_id).unwrap_or(&unknown);
            let Health { state, message } = judged(instance);
            let latest = instance.latest_deployment.as_ref();
            RailwayService {
                railway_service_id: instance.service_id.to_string(),
                name: instance.service_name.clone(),
                state,
                message,
                urls: urls(instance),
                image: detail.image.clone(),
                repo: detail.repo.clone(),
                region: detail.region.clone(),
                replicas: detail.replicas,
                volumes: environment
                    .volumes
                    .values()
                    .filter(|volume| volume.service_id.as_ref() == Some(&instance.service_id))
                    .map(volume)
                    .collect(),
                last_deployment: latest
                    .map(|latest| newest(instance, latest, detail.deployed.clone())),
            }
        })
        .collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// A deployment of a list.
pub(super) fn deployment(
    instance: &InstanceSnapshot,
    detail: ShownDeployment,
) -> RailwayDeployment {
    let facts = DeploymentSnapshot {
        id: detail.id,
        status: detail.status,
        status_since: None,
        stopped: detail.stopped,
        created_at: detail.created_at,
    };
    RailwayDeployment {
        url: detail.host.map(|host| format!("https://{host}")),
        ..newest(instance, &facts, detail.deployed)
    }
}

fn newest(
    instance: &InstanceSnapshot,
    facts: &DeploymentSnapshot,
    deployed: Deployed,
) -> RailwayDeployment {
    RailwayDeployment {
        railway_deployment_id: facts.id.to_string(),
        status: facts.status.to_string(),
        stopped: facts.stopped,
        active: instance
            .active_deployments
            .iter()
            .any(|active| active.id == facts.id),
        created_at: facts.created_at,
        url: None,
        image: deployed.image,
        repo: deployed.repo,
        branch: deployed.branch,
        commit: deployed.commit,
        commit_message: deployed.commit_message,
        commit_author: deployed.commit_author,
    }
}

fn volume(volume: &VolumeSnapshot) -> RailwayVolume {
    RailwayVolume {
        railway_volume_id: volume.volume_id.to_string(),
        name: volume.name.clone(),
        mount_path: volume.mount_path.clone(),
        size_mb: volume.size_mb,
        region: volume.region.clone(),
    }
}

/// What never ran and serves nothing may simply have no source.
fn judged(instance: &InstanceSnapshot) -> Health {
    health(instance, instance.latest_deployment.is_some())
}

fn urls(instance: &InstanceSnapshot) -> Vec<String> {
    instance
        .custom_domains
        .iter()
        .chain(&instance.service_domains)
        .map(|domain| format!("https://{}", domain.domain))
        .collect()
}

/// The state that somebody should look at first.
fn worst(states: &[ServiceState], readable: bool) -> ServiceState {
    const ORDER: [ServiceState; 8] = [
        ServiceState::Failed,
        ServiceState::Blocked,
        ServiceState::Unknown,
        ServiceState::Deploying,
        ServiceState::Pending,
        ServiceState::Stopped,
        ServiceState::Ready,
        ServiceState::Sleeping,
    ];
    if !readable {
        return ServiceState::Unknown;
    }
    ORDER
        .into_iter()
        .find(|state| states.contains(state))
        .unwrap_or(ServiceState::Ready)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dot_of_an_environment_shows_its_worst_service() {
        use ServiceState::{Deploying, Failed, Ready, Sleeping, Unknown};
        for (states, readable, dot) in [
            (&[Ready, Sleeping] as &[_], true, Ready),
            (&[Ready, Deploying], true, Deploying),
            (&[Deploying, Failed, Ready], true, Failed),
            (&[], true, Ready),
            (&[Ready], false, Unknown),
        ] {
            assert_eq!(worst(states, readable), dot, "{states:?}");
        }
    }
}
