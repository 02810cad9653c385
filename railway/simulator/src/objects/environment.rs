//! Environments, their variables and patches.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Answer, Arguments, unknown};
use crate::config::masking::{Shown, mask, shown_config};
use crate::config::references::{Reference, references_of, sealed_names};
use crate::engine::{Context, Entity, PatchRef, Resolved};
use crate::refusal::Refusal;
use crate::state::{Environment, Id, PatchStatus};

/// The fields that a token without access to the contents may still read.
const OUTSIDE: [&str; 12] = [
    "id",
    "name",
    "projectId",
    "createdAt",
    "updatedAt",
    "deletedAt",
    "isEphemeral",
    "canAccess",
    "sourceEnvironment",
    "meta",
    "unmergedChangesCount",
    "configEtag",
];

pub(super) fn environment(
    context: &Context<'_>,
    id: &str,
    name: &str,
    arguments: &Arguments,
) -> Answer {
    let world = context.world.borrow();
    let found = world.environment(id)?;
    if !OUTSIDE.contains(&name) {
        context.grant.may_environment(&world, id)?;
    }
    Ok(match name {
        "id" => found.id.clone().into(),
        "name" => found.name.clone().into(),
        "projectId" => found.project.clone().into(),
        "createdAt" => world.iso(found.created).into(),
        "updatedAt" => world.iso(found.updated).into(),
        "deletedAt" => found
            .deleted_at
            .map_or(Value::Null, |at| world.iso(at).into())
            .into(),
        "isEphemeral" => found.is_ephemeral.into(),
        "canAccess" => found.can_access.into(),
        "sourceEnvironment" => match &found.source {
            Some(source) if world.environments.contains_key(source) => {
                Resolved::Entity(Entity::Environment(source.clone()))
            }
            _ => Value::Null.into(),
        },
        "meta" => Value::Null.into(),
        "unmergedChangesCount" => staged_count(found).into(),
        "configEtag" => found.etag.clone().into(),
        "canvasGroupRefs" => json!({}).into(),
        "config" => {
            let decrypt = arguments.get("decryptVariables") == Some(&json!(true));
            shown_config(found, Shown::asked_for(&world, decrypt)).into()
        }
        "serviceInstances" => Resolved::Page(
            found
                .instances_by_age()
                .into_iter()
                .filter(|instance| context.mutation || instance.visible_at <= world.now)
                .map(|instance| Entity::Instance {
                    environment: id.to_owned(),
                    service: instance.service.clone(),
                })
                .collect(),
        ),
        "volumeInstances" => {
            let mut all: Vec<_> = found
                .volume_instances
                .values()
                .filter(|volume| context.mutation || volume.visible_at <= world.now)
                .collect();
            all.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
            Resolved::Page(
                all.into_iter()
                    .map(|volume| Entity::VolumeInstance {
                        environment: id.to_owned(),
                        volume: volume.volume.clone(),
                    })
                    .collect(),
            )
        }
        "variables" => Resolved::Page(variables(found)),
        "deployments" => {
            let mut all: Vec<_> = found
                .instances
                .values()
                .flat_map(|instance| &instance.deployments)
                .collect();
            all.sort_by_key(|deployment| std::cmp::Reverse((deployment.created, &deployment.id)));
            Resolved::Page(
                all.into_iter()
                    .map(|deployment| Entity::Deployment(deployment.id.clone()))
                    .collect(),
            )
        }
        "deploymentTriggers" => Resolved::Page(triggers(found)),
        _ => return unknown("Environment", name),
    })
}

/// Top-level entries of the draft: services, variables, volumes.
fn staged_count(environment: &Environment) -> usize {
    environment
        .staged
        .as_ref()
        .and_then(|staged| staged.patch.as_object())
        .into_iter()
        .flatten()
        .filter_map(|(_, entries)| entries.as_object())
        .map(serde_json::Map::len)
        .sum()
}

fn variables(environment: &Environment) -> Vec<Entity> {
    let names = |variables: Option<&Value>, service: Option<&Id>| -> Vec<Entity> {
        variables
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(name, _)| Entity::Variable {
                environment: environment.id.clone(),
                service: service.cloned(),
                name: name.clone(),
            })
            .collect()
    };
    let mut all = names(environment.config.get("sharedVariables"), None);
    for instance in environment.instances_by_age() {
        let config = environment.service_config(&instance.service);
        all.extend(names(config.get("variables"), Some(&instance.service)));
    }
    all
}

/// Branch triggers are the repositories of the config.
pub(crate) fn triggers(environment: &Environment) -> Vec<Entity> {
    environment
        .instances_by_age()
        .into_iter()
        .filter_map(|instance| {
            let source = environment
                .service_config(&instance.service)
                .get("source")?;
            let repository = source["repo"].as_str()?;
            Some(Entity::Record(json!({
                "id": derived_id(&[&instance.id, "trigger"]),
                "branch": source["branch"].as_str().unwrap_or("main"),
                "repository": repository,
                "provider": "github",
                "checkSuites": source["checkSuites"].as_bool().unwrap_or(false),
                "validCheckSuites": 0,
                "environmentId": environment.id,
                "projectId": environment.project,
                "serviceId": instance.service,
            })))
        })
        .collect()
}

/// A stable id for something that has no record of its own.
pub(crate) fn derived_id(parts: &[&str]) -> String {
    let digest = Sha256::digest(parts.join("/").as_bytes());
    let mut bytes = [0u8; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_random_bytes(bytes)
        .into_uuid()
        .to_string()
}

pub(super) fn variable(
    context: &Context<'_>,
    environment: &str,
    service: Option<&str>,
    variable: &str,
    name: &str,
) -> Answer {
    let world = context.world.borrow();
    let found = world.environment(environment)?;
    let variables = match service {
        Some(service) => found.service_config(service).get("variables"),
        None => found.config.get("sharedVariables"),
    };
    Ok(match name {
        "id" => derived_id(&[environment, service.unwrap_or("shared"), variable]).into(),
        "name" => variable.into(),
        "environmentId" => environment.into(),
        "serviceId" => service.map_or(Value::Null, Value::from).into(),
        "isSealed" => sealed_names(variables).contains(variable).into(),
        "createdAt" => world.iso(found.created).into(),
        "updatedAt" => world.iso(found.updated).into(),
        "environment" => Resolved::Entity(Entity::Environment(environment.to_owned())),
        "service" => match service {
            Some(service) => Resolved::Entity(Entity::Service(service.to_owned())),
            None => return Err(Refusal::NotFound("Service")),
        },
        "references" => {
            let mut one = serde_json::Map::new();
            let value = variables.and_then(|all| all.get(variable)).cloned();
            one.insert("variables".to_owned(), json!({variable: value}));
            let texts: Vec<String> = references_of(&one)
                .into_iter()
                .map(|reference| match reference {
                    Reference::Service { service, variable } => format!("{service}.{variable}"),
                    Reference::Shared(name) => format!("shared.{name}"),
                    Reference::Own(name) => name,
                })
                .collect();
            json!(texts).into()
        }
        _ => return unknown("Variable", name),
    })
}

pub(super) fn patch(
    context: &Context<'_>,
    environment: &str,
    patch: &PatchRef,
    name: &str,
    arguments: &Arguments,
) -> Answer {
    let world = context.world.borrow();
    let found = world.environment(environment)?;
    let (status, record) = match patch {
        PatchRef::Committed(id) => {
            let record = found
                .patches
                .iter()
                .find(|patch| patch.id == *id)
                .ok_or(Refusal::NotFound("EnvironmentPatch"))?;
            (record.status, Some(record))
        }
        PatchRef::Staged => {
            let applying = found
                .patches
                .iter()
                .rev()
                .find(|patch| patch.status == PatchStatus::Applying);
            match found.staged.as_ref().or(applying) {
                Some(record) => (record.status, Some(record)),
                // Nothing is staged: a placeholder, never null (client code).
                None => (PatchStatus::Staged, None),
            }
        }
    };
    let date = |at: Option<i64>| at.map_or(Value::Null, |at| world.iso(at).into());
    Ok(match name {
        "id" => record
            .map_or_else(
                || derived_id(&[environment, "staged"]),
                |patch| patch.id.clone(),
            )
            .into(),
        "status" => match status {
            PatchStatus::Staged => "STAGED",
            PatchStatus::Applying => "APPLYING",
            PatchStatus::Committed => "COMMITTED",
        }
        .into(),
        "patch" => {
            let decrypt = arguments.get("decryptVariables") == Some(&json!(true));
            let mut shown = record.map_or_else(|| json!({}), |patch| patch.patch.clone());
            mask(&mut shown, Shown::asked_for(&world, decrypt));
            shown.into()
        }
        "message" => record.and_then(|patch| patch.message.clone()).into(),
        "createdAt" => world
            .iso(record.map_or(found.created, |p| p.created))
            .into(),
        "updatedAt" => world
            .iso(record.map_or(found.created, |p| p.updated))
            .into(),
        "appliedAt" => date(record.and_then(|patch| patch.applied_at)).into(),
        "lastAppliedError" => record.and_then(|patch| patch.last_error.clone()).into(),
        "appliedBy" => Value::Null.into(),
        "environmentId" => environment.into(),
        "environment" => Resolved::Entity(Entity::Environment(environment.to_owned())),
        _ => return unknown("EnvironmentPatch", name),
    })
}
