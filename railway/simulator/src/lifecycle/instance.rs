//! Services and volumes: once in the project, and an instance in each environment that has them.

use serde_json::json;

use crate::config::defaults;
use crate::refusal::Refusal;
use crate::state::{Id, Instance, Service, Volume, VolumeInstance, World};

/// The longest service name (Railway docs).
const LONGEST_NAME: usize = 32;

/// Adds a service to the project, without an instance anywhere.
pub(crate) fn register_service(
    world: &mut World,
    project: &str,
    id: Option<Id>,
    name: &str,
    icon: Option<String>,
) -> Result<Id, Refusal> {
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        return Err(Refusal::Input(format!(
            "Service name must be between 1 and {LONGEST_NAME} characters"
        )));
    }
    if world.service_named(project, name).is_some() {
        return Err(Refusal::ServiceNameTaken(name.to_owned()));
    }
    let id = id.unwrap_or_else(|| world.uuid());
    let visible_at = world.visible_from();
    let now = world.now;
    world.project_mut(project)?.services.push(id.clone());
    world.services.insert(
        id.clone(),
        Service {
            id: id.clone(),
            project: project.to_owned(),
            name: name.to_owned(),
            icon,
            created: now,
            updated: now,
            visible_at,
        },
    );
    Ok(id)
}

/// A name for a service that was given none.
pub(crate) fn generated_name(world: &mut World, project: &str) -> String {
    const FIRST: [&str; 8] = [
        "bold", "calm", "eager", "gentle", "keen", "lucid", "proud", "quiet",
    ];
    const SECOND: [&str; 8] = [
        "cedar", "delta", "ember", "harbor", "meadow", "orbit", "river", "summit",
    ];
    loop {
        let first = FIRST[world.random.between(0, 7) as usize];
        let second = SECOND[world.random.between(0, 7) as usize];
        let digits = world.random.text(4, "0123456789");
        let name = format!("{first}-{second}-{digits}");
        if world.service_named(project, &name).is_none() {
            return name;
        }
    }
}

/// Gives a service an instance here. Existing instances stay as they are.
pub(crate) fn add_service(
    world: &mut World,
    environment: &str,
    service: &str,
) -> Result<(), Refusal> {
    if world
        .environment(environment)?
        .instances
        .contains_key(service)
    {
        return Ok(());
    }
    let id = world.uuid();
    let visible_at = world.visible_from();
    let now = world.now;
    let found = world.environment_mut(environment)?;
    let order = found
        .instances
        .values()
        .map(|i| i.order + 1)
        .max()
        .unwrap_or(0);
    found.instances.insert(
        service.to_owned(),
        Instance {
            id,
            service: service.to_owned(),
            order,
            created: now,
            updated: now,
            visible_at,
            deployments: Vec::new(),
            service_domains: Default::default(),
            custom_domains: Default::default(),
            tcp_proxies: Default::default(),
        },
    );
    found.config["services"][service] = json!({});
    Ok(())
}

/// Takes a service out of an environment. Its volumes stay behind, attached to nothing; with its last instance the
/// service leaves the project.
pub(crate) fn remove_service(
    world: &mut World,
    environment: &str,
    service: &str,
) -> Result<(), Refusal> {
    let found = world.environment_mut(environment)?;
    let Some(instance) = found.instances.remove(service) else {
        return Ok(());
    };
    if let Some(services) = found.config["services"].as_object_mut() {
        services.remove(service);
    }
    for volume in found.volume_instances.values_mut() {
        if volume.service.as_deref() == Some(service) {
            volume.service = None;
        }
    }
    let project = found.project.clone();
    for deployment in &instance.deployments {
        world.deployments.remove(&deployment.id);
    }
    for domain in instance
        .service_domains
        .keys()
        .chain(instance.custom_domains.keys())
    {
        world.domains.remove(domain);
    }
    let lives_on = world
        .project(&project)?
        .environments
        .iter()
        .filter_map(|id| world.environments.get(id))
        .any(|environment| environment.instances.contains_key(service));
    if !lives_on {
        world.services.remove(service);
        world
            .project_mut(&project)?
            .services
            .retain(|id| id != service);
    }
    Ok(())
}

/// Adds a volume to the project, without an instance anywhere.
pub(crate) fn register_volume(
    world: &mut World,
    project: &str,
    id: Option<Id>,
    name: Option<String>,
) -> Result<Id, Refusal> {
    let name = match name {
        Some(name) if world.volume_named(project, &name).is_some() => {
            return Err(Refusal::VolumeNameTaken(name));
        }
        Some(name) => name,
        None => loop {
            let name = format!(
                "volume-{}",
                world.random.text(4, "abcdefghijklmnopqrstuvwxyz")
            );
            if world.volume_named(project, &name).is_none() {
                break name;
            }
        },
    };
    let id = id.unwrap_or_else(|| world.uuid());
    let visible_at = world.visible_from();
    let now = world.now;
    world.project_mut(project)?.volumes.push(id.clone());
    world.volumes.insert(
        id.clone(),
        Volume {
            id: id.clone(),
            project: project.to_owned(),
            name,
            created: now,
            visible_at,
        },
    );
    Ok(id)
}

/// Gives a volume an instance here, empty and attached to nothing.
pub(crate) fn add_volume(
    world: &mut World,
    environment: &str,
    volume: &str,
    region: Option<&str>,
) -> Result<(), Refusal> {
    if world
        .environment(environment)?
        .volume_instances
        .contains_key(volume)
    {
        return Ok(());
    }
    let id = world.uuid();
    let visible_at = world.visible_from();
    let now = world.now;
    let region = region.unwrap_or(defaults::REGION).to_owned();
    let found = world.environment_mut(environment)?;
    found.config["volumes"][volume] = json!({"region": region});
    found.volume_instances.insert(
        volume.to_owned(),
        VolumeInstance {
            id,
            volume: volume.to_owned(),
            service: None,
            mount_path: "/data".to_owned(),
            size_mb: 5000,
            region,
            created: now,
            visible_at,
        },
    );
    Ok(())
}

/// Takes a volume out of an environment; with its last instance it leaves the project.
pub(crate) fn remove_volume(
    world: &mut World,
    environment: &str,
    volume: &str,
) -> Result<(), Refusal> {
    let found = world.environment_mut(environment)?;
    if found.volume_instances.remove(volume).is_none() {
        return Ok(());
    }
    if let Some(volumes) = found.config["volumes"].as_object_mut() {
        volumes.remove(volume);
    }
    for service in found.config["services"]
        .as_object_mut()
        .into_iter()
        .flat_map(serde_json::Map::values_mut)
    {
        if let Some(mounts) = service
            .get_mut("volumeMounts")
            .and_then(|m| m.as_object_mut())
        {
            mounts.remove(volume);
        }
    }
    let project = found.project.clone();
    let lives_on = world
        .project(&project)?
        .environments
        .iter()
        .filter_map(|id| world.environments.get(id))
        .any(|environment| environment.volume_instances.contains_key(volume));
    if !lives_on {
        world.volumes.remove(volume);
        world
            .project_mut(&project)?
            .volumes
            .retain(|id| id != volume);
    }
    Ok(())
}

/// Takes a bucket out of an environment; when no other has it, it leaves the project.
pub(crate) fn remove_bucket(
    world: &mut World,
    environment: &str,
    bucket: &str,
) -> Result<(), Refusal> {
    let found = world.environment_mut(environment)?;
    if let Some(buckets) = found.config["buckets"].as_object_mut() {
        buckets.remove(bucket);
    }
    let project = found.project.clone();
    let lives_on = world
        .project(&project)?
        .environments
        .iter()
        .filter_map(|id| world.environments.get(id))
        .any(|environment| environment.config["buckets"].get(bucket).is_some());
    if !lives_on {
        world.buckets.remove(bucket);
        world
            .project_mut(&project)?
            .buckets
            .retain(|id| id != bucket);
    }
    Ok(())
}
