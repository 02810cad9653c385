//! Volumes, and volumes in environments.

use serde_json::Value;

use super::{Answer, unknown};
use crate::engine::{Context, Entity, Resolved};
use crate::refusal::Refusal;

pub(super) fn volume(context: &Context<'_>, id: &str, name: &str) -> Answer {
    let world = context.world.borrow();
    let found = world.volume(id)?;
    Ok(match name {
        "id" => found.id.clone().into(),
        "name" => found.name.clone().into(),
        "projectId" => found.project.clone().into(),
        "project" => Resolved::Entity(Entity::Project(found.project.clone())),
        "createdAt" => world.iso(found.created).into(),
        "volumeInstances" => Resolved::Page(
            world
                .environments
                .values()
                .filter(|environment| environment.volume_instances.contains_key(id))
                .map(|environment| Entity::VolumeInstance {
                    environment: environment.id.clone(),
                    volume: id.to_owned(),
                })
                .collect(),
        ),
        _ => return unknown("Volume", name),
    })
}

pub(super) fn instance(
    context: &Context<'_>,
    environment: &str,
    volume: &str,
    name: &str,
) -> Answer {
    let world = context.world.borrow();
    let found = world
        .environment(environment)?
        .volume_instances
        .get(volume)
        .ok_or(Refusal::NotFound("VolumeInstance"))?;
    Ok(match name {
        "id" => found.id.clone().into(),
        "volumeId" => volume.into(),
        "volume" => Resolved::Entity(Entity::Volume(volume.to_owned())),
        "environmentId" => environment.into(),
        "environment" => Resolved::Entity(Entity::Environment(environment.to_owned())),
        "serviceId" => found.service.clone().into(),
        "service" => match &found.service {
            Some(service) => Resolved::Entity(Entity::Service(service.clone())),
            None => return Err(Refusal::NotFound("Service")),
        },
        "mountPath" => found.mount_path.clone().into(),
        "sizeMB" => found.size_mb.into(),
        "currentSizeMB" => 0.0.into(),
        "state" => "READY".into(),
        "region" => found.region.clone().into(),
        "isPendingDeletion" => false.into(),
        "createdAt" => world.iso(found.created).into(),
        "deletedAt" | "externalId" => Value::Null.into(),
        _ => return unknown("VolumeInstance", name),
    })
}
