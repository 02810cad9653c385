//! Volumes.

use serde_json::{Value, json};

use super::{Handled, absent, input, optional, text};
use crate::config::patch;
use crate::engine::{Context, Entity, Resolved};
use crate::lifecycle::instance;
use crate::objects::{Answer, Arguments};
use crate::refusal::Refusal;
use crate::state::Id;

pub(super) fn query(context: &Context<'_>, name: &str, arguments: &Arguments) -> Handled {
    Some(match name {
        "volumeInstance" => one(context, text(arguments, "id")),
        _ => return None,
    })
}

pub(super) fn mutation(context: &Context<'_>, name: &str, arguments: &Arguments) -> Handled {
    let id = text(arguments, "volumeId");
    let given = input(arguments);
    Some(match name {
        "volumeCreate" => create(context, &given),
        "volumeUpdate" => rename(context, id, &given),
        "volumeInstanceUpdate" => update(context, id, optional(arguments, "environmentId"), &given),
        "volumeDelete" => delete(context, id),
        _ => return None,
    })
}

fn one(context: &Context<'_>, id: &str) -> Answer {
    let world = context.world.borrow();
    let (environment, volume) = world
        .environments
        .values()
        .flat_map(|place| place.volume_instances.values().map(move |v| (place, v)))
        .find(|(_, volume)| volume.id == id)
        .ok_or(Refusal::NotFound("VolumeInstance"))?;
    context.grant.may_environment(&world, &environment.id)?;
    Ok(Resolved::Entity(Entity::VolumeInstance {
        environment: environment.id.clone(),
        volume: volume.volume.clone(),
    }))
}

/// Not idempotent: every call makes another volume. Without an environment it appears in all ordinary ones.
fn create(context: &Context<'_>, input: &Arguments) -> Answer {
    let mut world = context.world.borrow_mut();
    let project = text(input, "projectId").to_owned();
    let workspace = world.project(&project)?.workspace.clone();
    context.grant.may_project(&world, &project)?;
    let service = optional(input, "serviceId");
    if let Some(service) = service {
        world.service(service)?;
    }
    let places: Vec<Id> = match optional(input, "environmentId") {
        Some(place) => {
            context.grant.may_environment(&world, place)?;
            vec![place.to_owned()]
        }
        None => world
            .project(&project)?
            .environments
            .iter()
            .filter(|id| {
                world
                    .environments
                    .get(*id)
                    .is_some_and(|place| !place.is_fork())
            })
            .cloned()
            .collect(),
    };
    let refusal = Refusal::TooQuickly {
        plural: "volumes",
        singular: "volume",
    };
    world.throttle("volume", &workspace, refusal)?;
    let id = instance::register_volume(&mut world, &project, None, None)?;
    for place in places {
        let mut change = json!({"volumes": {id.as_str(): {"isCreated": true}}});
        if let Some(region) = optional(input, "region") {
            change["volumes"][id.as_str()]["region"] = json!(region);
        }
        if let Some(service) = service {
            change["services"][service]["volumeMounts"][id.as_str()] =
                json!({"mountPath": text(input, "mountPath")});
        }
        // Mounting takes effect with the next deployment.
        patch::apply(&mut world, &place, &change, false)?;
    }
    Ok(Resolved::Entity(Entity::Volume(id)))
}

fn rename(context: &Context<'_>, id: &str, input: &Arguments) -> Answer {
    let mut world = context.world.borrow_mut();
    let project = world.volume(id)?.project.clone();
    context.grant.may_project(&world, &project)?;
    if let Some(name) = optional(input, "name") {
        if world
            .volume_named(&project, name)
            .is_some_and(|other| other.id != id)
        {
            return Err(Refusal::VolumeNameTaken(name.to_owned()));
        }
        if let Some(volume) = world.volumes.get_mut(id) {
            volume.name = name.to_owned();
        }
    }
    Ok(Resolved::Entity(Entity::Volume(id.to_owned())))
}

/// Where it is mounted; `serviceId: null` detaches. Without an environment: everywhere.
fn update(context: &Context<'_>, id: &str, environment: Option<&str>, input: &Arguments) -> Answer {
    let mut world = context.world.borrow_mut();
    let project = world.volume(id)?.project.clone();
    context.grant.may_project(&world, &project)?;
    let places: Vec<Id> = match environment {
        Some(place) => vec![place.to_owned()],
        None => world.project(&project)?.environments.clone(),
    };
    for place in places {
        let Some(found) = world.environment(&place)?.volume_instances.get(id) else {
            continue;
        };
        let (holder, path) = (found.service.clone(), found.mount_path.clone());
        let path = optional(input, "mountPath").map_or(path, str::to_owned);
        let wanted = match input.get("serviceId") {
            None => holder.clone(),
            Some(service) => service.as_str().map(str::to_owned),
        };
        let mut change = json!({});
        if let Some(holder) = holder.filter(|holder| wanted.as_ref() != Some(holder)) {
            change["services"][holder]["volumeMounts"][id] = Value::Null;
        }
        if let Some(service) = wanted {
            change["services"][service]["volumeMounts"][id] = json!({"mountPath": path});
        }
        patch::apply(&mut world, &place, &change, false)?;
    }
    Ok(true.into())
}

fn delete(context: &Context<'_>, id: &str) -> Answer {
    let project = {
        let world = context.world.borrow();
        world.volume(id).map(|volume| volume.project.clone())
    };
    let project = project.map_err(|_| absent(context, Refusal::NotFound("VolumeInstance")))?;
    let mut world = context.world.borrow_mut();
    context.grant.may_project(&world, &project)?;
    for place in world.project(&project)?.environments.clone() {
        let change = json!({"volumes": {id: {"isDeleted": true}}});
        // With its last instance the volume leaves the project; later places have nothing to delete.
        if world.environment(&place)?.volume_instances.contains_key(id) {
            patch::apply(&mut world, &place, &change, false)?;
        }
    }
    Ok(true.into())
}
