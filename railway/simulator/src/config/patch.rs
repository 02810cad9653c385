//! Applying a patch to an environment: lifecycle markers, merge, records that follow the config, deployments.

use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

use super::defaults::{MASK, canonical, fill, strip};
use super::etag::{effective, etag};
use super::merge::merge;
use super::references::{Reference, references_of, shared_values};
use crate::lifecycle::{deploy, instance, network};
use crate::quirk::Quirk;
use crate::refusal::Refusal;
use crate::state::{Id, World};

/// What a patch led to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Effects {
    pub(crate) changed: bool,
    pub(crate) deployments: Vec<Id>,
}

/// Refuses a patch that cannot be applied, before anything happens.
pub(crate) fn check(world: &World, environment: &str, patch: &Value) -> Result<(), Refusal> {
    let found = world.environment(environment)?;
    if found.deleted_at.is_some() {
        return Err(Refusal::NotFound("Environment"));
    }
    let project = world.project(&found.project)?;
    let Some(patch) = patch.as_object() else {
        return Err(Refusal::Problem);
    };
    let invents = world.has(Quirk::PatchAcceptsUnknownServiceIds);
    for (id, service) in entries(patch, "services")? {
        let created = service.get("isCreated") == Some(&json!(true));
        let may_be_new = created && invents;
        if !project.services.contains(id) && !may_be_new {
            return Err(Refusal::NotFound("Service"));
        }
        for block in ["source", "build", "deploy", "networking", "volumeMounts"] {
            object_or_nothing(service, block)?;
        }
        let most = world
            .workspaces
            .get(&project.workspace)
            .map_or(1, |workspace| workspace.plan.replicas_per_service());
        if wanted_replicas(service) > most {
            return Err(Refusal::Input(format!(
                "This plan allows at most {most} replicas per service"
            )));
        }
        if let Some(networking) = service.get("networking").and_then(Value::as_object) {
            for kind in ["serviceDomains", "customDomains", "tcpProxies"] {
                object_or_nothing(networking, kind)?;
            }
        }
        for variable in entries(service, "variables")? {
            if variable
                .1
                .get("value")
                .is_some_and(|v| !v.is_string() && !v.is_null())
            {
                return Err(Refusal::Problem);
            }
        }
        let domains = service
            .get("networking")
            .and_then(|networking| networking.get("customDomains"))
            .and_then(Value::as_object);
        for (domain, setting) in domains.into_iter().flatten() {
            let elsewhere = world
                .domains
                .get(domain)
                .is_some_and(|owner| *owner != network::owner(environment, id));
            if !setting.is_null() && elsewhere {
                return Err(Refusal::DomainTaken(domain.clone()));
            }
        }
    }
    entries(patch, "sharedVariables")?;
    entries(patch, "buckets")?;
    for (id, volume) in entries(patch, "volumes")? {
        let created = volume.get("isCreated") == Some(&json!(true));
        let may_be_new = created && invents;
        if !project.volumes.contains(id) && !may_be_new {
            return Err(Refusal::NotFound("VolumeInstance"));
        }
    }
    Ok(())
}

/// The replicas that a patch names, in either spelling.
fn wanted_replicas(service: &Map<String, Value>) -> i64 {
    let Some(deploy) = service.get("deploy") else {
        return 0;
    };
    let legacy = deploy["numReplicas"].as_i64().unwrap_or(0);
    let regions = deploy["multiRegionConfig"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(_, region)| region["numReplicas"].as_i64())
        .fold(0_i64, i64::saturating_add);
    legacy.max(regions)
}

fn object_or_nothing(map: &Map<String, Value>, key: &str) -> Result<(), Refusal> {
    match map.get(key) {
        None | Some(Value::Null | Value::Object(_)) => Ok(()),
        Some(_) => Err(Refusal::Problem),
    }
}

/// An id or name with its settings.
type Entry<'a> = (&'a String, &'a Map<String, Value>);

/// The object entries of a map in the patch; nulls and absent maps are nothing, other types a malformed request.
fn entries<'a>(patch: &'a Map<String, Value>, key: &str) -> Result<Vec<Entry<'a>>, Refusal> {
    match patch.get(key) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Object(map)) => map
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(id, value)| {
                value
                    .as_object()
                    .map(|value| (id, value))
                    .ok_or(Refusal::Problem)
            })
            .collect(),
        Some(_) => Err(Refusal::Problem),
    }
}

/// Applies a patch at once. `deploys`: whether services whose settings changed start a deployment.
pub(crate) fn apply(
    world: &mut World,
    environment: &str,
    patch: &Value,
    deploys: bool,
) -> Result<Effects, Refusal> {
    check(world, environment, patch)?;
    let patch = patch.as_object().cloned().unwrap_or_default();
    let before = Picture::of(world, environment)?;
    invent(world, environment, &patch)?;
    lifecycle(world, environment, &patch)?;
    settings(world, environment, &patch)?;
    network::follow_config(world, environment)?;
    finish(world, environment, &before, deploys)
}

/// Changes the config directly, with the same consequences as a patch.
pub(crate) fn change(
    world: &mut World,
    environment: &str,
    deploys: bool,
    edit: impl FnOnce(&mut Value),
) -> Result<Effects, Refusal> {
    let before = Picture::of(world, environment)?;
    edit(&mut world.environment_mut(environment)?.config);
    network::follow_config(world, environment)?;
    finish(world, environment, &before, deploys)
}

/// The parts of a config that decide about deployments.
struct Picture {
    effective: Value,
    services: BTreeMap<Id, Value>,
}

impl Picture {
    fn of(world: &World, environment: &str) -> Result<Self, Refusal> {
        let environment = world.environment(environment)?;
        let shared = shared_values(environment);
        let services = environment
            .instances
            .keys()
            .map(|id| {
                let config = environment.service_config(id);
                let mut view = strip(config);
                view.retain(|key, _| {
                    matches!(
                        key.as_str(),
                        "source" | "build" | "deploy" | "variables" | "volumeMounts"
                    )
                });
                let shared_used: BTreeMap<String, Option<String>> = references_of(config)
                    .into_iter()
                    .filter_map(|reference| match reference {
                        Reference::Shared(name) => {
                            let value = shared.get(&name).cloned();
                            Some((name, value))
                        }
                        _ => None,
                    })
                    .collect();
                view.insert("shared".to_owned(), json!(shared_used));
                (id.clone(), Value::Object(view))
            })
            .collect();
        Ok(Self {
            effective: effective(&environment.config),
            services,
        })
    }
}

/// Services and volumes that the patch invents, where the quirk allows it.
fn invent(world: &mut World, environment: &str, patch: &Map<String, Value>) -> Result<(), Refusal> {
    let project = world.environment(environment)?.project.clone();
    for (id, service) in entries(patch, "services")? {
        if !world.services.contains_key(id) {
            let name = service.get("name").and_then(Value::as_str).unwrap_or(id);
            instance::register_service(world, &project, Some(id.clone()), name, None)?;
        }
    }
    for (id, volume) in entries(patch, "volumes")? {
        if !world.volumes.contains_key(id) {
            let name = volume
                .get("name")
                .and_then(Value::as_str)
                .map(str::to_owned);
            instance::register_volume(world, &project, Some(id.clone()), name)?;
        }
    }
    Ok(())
}

fn lifecycle(
    world: &mut World,
    environment: &str,
    patch: &Map<String, Value>,
) -> Result<(), Refusal> {
    let marked = |entry: &Map<String, Value>, key: &str| entry.get(key) == Some(&json!(true));
    for (id, volume) in entries(patch, "volumes")? {
        if marked(volume, "isDeleted") {
            instance::remove_volume(world, environment, id)?;
        } else if marked(volume, "isCreated") {
            let region = volume.get("region").and_then(Value::as_str);
            instance::add_volume(world, environment, id, region)?;
        }
    }
    for (id, bucket) in entries(patch, "buckets")? {
        if marked(bucket, "isDeleted") {
            instance::remove_bucket(world, environment, id)?;
        }
    }
    for (id, service) in entries(patch, "services")? {
        if marked(service, "isDeleted") {
            instance::remove_service(world, environment, id)?;
        } else if marked(service, "isCreated") {
            instance::add_service(world, environment, id)?;
        }
    }
    Ok(())
}

/// Merges the settings. Entries of services and volumes without an instance here are ignored, as Railway does.
fn settings(
    world: &mut World,
    environment: &str,
    patch: &Map<String, Value>,
) -> Result<(), Refusal> {
    let mut generated = Vec::new();
    let found = world.environment_mut(environment)?;
    let mut sparse = patch.clone();
    // A null map is no map: it does not wipe out everything (inferred).
    sparse.retain(|_, value| !value.is_null());
    for (key, present) in [
        (
            "services",
            found.instances.keys().cloned().collect::<BTreeSet<_>>(),
        ),
        ("volumes", found.volume_instances.keys().cloned().collect()),
    ] {
        if let Some(entries) = sparse.get_mut(key).and_then(Value::as_object_mut) {
            entries.retain(|id, value| present.contains(id) && value.is_object());
        }
    }
    if let Some(buckets) = sparse.get_mut("buckets").and_then(Value::as_object_mut) {
        buckets.retain(|_, bucket| bucket.get("isDeleted") != Some(&json!(true)));
    }
    for key in ["services", "volumes", "buckets", "groups"] {
        let entries = sparse.get_mut(key).and_then(Value::as_object_mut);
        for (id, entry) in entries.into_iter().flatten() {
            if let Some(entry) = entry.as_object_mut() {
                entry.remove("isCreated");
                entry.remove("isDeleted");
                if key == "services" {
                    entry.remove("name");
                    unambiguous(entry, found.service_config(id));
                }
            }
        }
    }
    let sealed: Vec<(Option<Id>, String)> = sealed_variables(&found.config);
    if let Some(config) = found.config.as_object_mut() {
        merge(config, &sparse);
    }
    // Sealing cannot be undone (Railway docs).
    for (service, name) in sealed {
        let variables = match &service {
            Some(service) => &mut found.config["services"][service.as_str()]["variables"],
            None => &mut found.config["sharedVariables"],
        };
        if let Some(variable) = variables.get_mut(&name).and_then(Value::as_object_mut) {
            variable.insert("isSealed".to_owned(), json!(true));
        }
    }
    if let Some(services) = found.config["services"].as_object_mut() {
        for (id, service) in services.iter_mut() {
            if let Some(service) = service.as_object_mut() {
                canonical(service);
                for (name, variable) in service
                    .get("variables")
                    .and_then(Value::as_object)
                    .into_iter()
                    .flatten()
                {
                    if let (None, Some(generator)) =
                        (variable.get("value"), variable["generator"].as_str())
                    {
                        generated.push((id.clone(), name.clone(), generator.to_owned()));
                    }
                }
            }
        }
    }
    for (service, name, generator) in generated {
        let value = generate(world, &generator);
        let found = world.environment_mut(environment)?;
        let variable = &mut found.config["services"][service.as_str()]["variables"][name.as_str()];
        if let Some(variable) = variable.as_object_mut() {
            variable.remove("generator");
            variable.insert("value".to_owned(), json!(value));
        }
    }
    Ok(())
}

/// Makes sense of two spellings in one patch. Of a replica count and regions, the one that differs from what is there
/// counts; credentials that come back masked, as they were read, are left alone (both inferred).
fn unambiguous(settings: &mut Map<String, Value>, present: &Map<String, Value>) {
    let shown = fill(present);
    let Some(deploy) = settings.get_mut("deploy").and_then(Value::as_object_mut) else {
        return;
    };
    if deploy
        .get("numReplicas")
        .is_some_and(|count| !count.is_null())
        && let Some(regions) = deploy.get("multiRegionConfig")
    {
        let repeated = shown
            .get("deploy")
            .and_then(|deploy| deploy.get("multiRegionConfig"));
        let loser = if repeated == Some(regions) {
            "multiRegionConfig"
        } else {
            "numReplicas"
        };
        deploy.remove(loser);
    }
    let is_masked = deploy
        .get("registryCredentials")
        .is_some_and(|credentials| credentials["password"] == MASK);
    if is_masked {
        deploy.remove("registryCredentials");
    }
}

fn sealed_variables(config: &Value) -> Vec<(Option<Id>, String)> {
    let sealed = |variables: Option<&Value>| super::references::sealed_names(variables);
    let shared = sealed(config.get("sharedVariables"))
        .into_iter()
        .map(|name| (None, name));
    let services = config["services"]
        .as_object()
        .into_iter()
        .flatten()
        .flat_map(|(id, service)| {
            sealed(service.get("variables"))
                .into_iter()
                .map(|name| (Some(id.clone()), name))
                .collect::<Vec<_>>()
        });
    shared.chain(services).collect()
}

/// `secret(32, "abc")` and `randomInt(1, 10)`, the functions of templates (Railway docs).
fn generate(world: &mut World, generator: &str) -> String {
    let (function, arguments) = generator
        .trim()
        .trim_start_matches("${{")
        .trim_end_matches("}}")
        .trim()
        .split_once('(')
        .unwrap_or((generator, ""));
    let arguments: Vec<&str> = arguments
        .trim_end_matches(')')
        .split(',')
        .map(|argument| argument.trim().trim_matches('"'))
        .collect();
    let number = |index: usize, default: u64| {
        arguments
            .get(index)
            .and_then(|argument| argument.parse().ok())
            .unwrap_or(default)
    };
    match function.trim() {
        "randomInt" => {
            let (low, high) = (number(0, 0), number(1, 100));
            world.random.between(low, high).to_string()
        }
        _ => {
            let alphabet = arguments
                .get(1)
                .filter(|alphabet| !alphabet.is_empty())
                .copied()
                .unwrap_or("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
            let length = number(0, 32).min(4096) as usize;
            world.random.text(length, alphabet)
        }
    }
}

fn finish(
    world: &mut World,
    environment: &str,
    before: &Picture,
    deploys: bool,
) -> Result<Effects, Refusal> {
    let after = Picture::of(world, environment)?;
    let now = world.now;
    let found = world.environment_mut(environment)?;
    let changed = after.effective != before.effective;
    if changed {
        found.updated = now;
        found.etag = etag(&found.config, found.etag_salt);
    }
    let mut affected = Vec::new();
    for instance in found.instances_by_age() {
        let id = &instance.service;
        if after.services.get(id) != before.services.get(id) {
            affected.push(id.clone());
        }
    }
    for id in &affected {
        if let Some(instance) = found.instances.get_mut(id) {
            instance.updated = now;
        }
    }
    let deployments = if deploys {
        deploy::batch(world, environment, &affected)
    } else {
        Vec::new()
    };
    Ok(Effects {
        changed,
        deployments,
    })
}
