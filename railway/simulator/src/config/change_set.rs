//! Change sets: compiled into registrations and one patch, applied as a whole.

use serde_json::{Map, Value, json};

use super::change_set_input::{self as input, Address, Change, ResourceKind};
use super::patch;
use crate::lifecycle::instance;
use crate::quirk::Quirk;
use crate::refusal::Refusal;
use crate::state::{ChangeSetApply, Event, Id, World};

/// Accepts a change set. `wait`: apply it before answering.
pub(crate) fn accept(
    world: &mut World,
    environment: &str,
    change_set: &Value,
    base_etag: Option<&str>,
    wait: bool,
) -> Result<Id, Refusal> {
    let changes = input::changes(change_set)?;
    if base_etag.is_some_and(|etag| {
        world
            .environment(environment)
            .is_ok_and(|found| found.etag != etag)
    }) {
        return Err(Refusal::Stale);
    }
    let diagnostics = diagnose(world, environment, &changes)?;
    let failed = !diagnostics.is_empty();
    let id = world.uuid();
    let status = if failed { "failed" } else { "applying" };
    let results = results(&changes, if failed { "skipped" } else { "pending" });
    world.environment_mut(environment)?.change_sets.insert(
        id.clone(),
        ChangeSetApply {
            id: id.clone(),
            status: status.to_owned(),
            changes: results,
            diagnostics: Value::Array(diagnostics),
        },
    );
    if failed {
        return Ok(id);
    }
    let span = world.rules.timing.patch_apply;
    let due = world.later(span);
    if wait {
        finish(world, environment, &id, change_set);
    } else {
        // Always through the agenda: an asynchronous apply is never finished in its first answer.
        world.agenda.plan(
            due,
            Event::ApplyChangeSet {
                environment: environment.to_owned(),
                apply: id.clone(),
                input: change_set.clone(),
            },
        );
    }
    Ok(id)
}

/// The change set takes effect.
pub(crate) fn finish(world: &mut World, environment: &str, id: &str, change_set: &Value) {
    let outcome = perform(world, environment, change_set);
    let Ok(found) = world.environment_mut(environment) else {
        return;
    };
    if let Some(apply) = found.change_sets.get_mut(id) {
        let status = match &outcome {
            Ok(_) => "applied",
            Err(refusal) => {
                apply.diagnostics = json!([diagnostic("error", &refusal.to_string(), None)]);
                "failed"
            }
        };
        apply.status = status.to_owned();
        for change in apply.changes.as_array_mut().into_iter().flatten() {
            change["status"] = json!(status);
        }
    }
}

fn perform(world: &mut World, environment: &str, change_set: &Value) -> Result<(), Refusal> {
    let changes: Vec<Change> = input::changes(change_set)?
        .into_iter()
        .map(|(change, _)| change)
        .collect();
    // Whole or not at all: what fails half-way leaves the world as it was.
    let mut trial = world.clone();
    let patch = compile(&mut trial, environment, &changes)?;
    patch::apply(&mut trial, environment, &patch, true)?;
    *world = trial;
    Ok(())
}

/// Registers what is new in the project and turns the rest into one patch.
fn compile(world: &mut World, environment: &str, changes: &[Change]) -> Result<Value, Refusal> {
    let project = world.environment(environment)?.project.clone();
    // Volumes and services first, so that attachments and variables find their ids.
    for change in changes {
        if let Change::Create { address, resource } = change {
            let name = resource["name"]
                .as_str()
                .unwrap_or(&address.name)
                .to_owned();
            match address.kind {
                ResourceKind::Volume if world.volume_named(&project, &name).is_none() => {
                    instance::register_volume(world, &project, None, Some(name))?;
                }
                ResourceKind::Service if world.service_named(&project, &name).is_none() => {
                    let icon = resource["icon"].as_str().map(str::to_owned);
                    instance::register_service(world, &project, None, &name, icon)?;
                }
                _ => {}
            }
        }
    }
    let mut patch = json!({});
    for change in changes {
        compile_one(world, &project, change, &mut patch)?;
    }
    Ok(patch)
}

fn service_id(world: &World, project: &str, name: &str) -> Result<Id, Refusal> {
    world
        .service_named(project, name)
        .map(|service| service.id.clone())
        .ok_or(Refusal::NotFound("Service"))
}

fn volume_id(world: &World, project: &str, name: &str) -> Result<Id, Refusal> {
    world
        .volume_named(project, name)
        .map(|volume| volume.id.clone())
        .ok_or(Refusal::NotFound("VolumeInstance"))
}

fn compile_one(
    world: &mut World,
    project: &str,
    change: &Change,
    patch: &mut Value,
) -> Result<(), Refusal> {
    match change {
        Change::Create { address, resource } => create(world, project, address, resource, patch),
        Change::Update {
            address,
            field,
            after,
        } => update(world, project, address, field, after, patch),
        Change::Delete { address } => {
            match address.kind {
                ResourceKind::Service => {
                    if let Ok(id) = service_id(world, project, &address.name) {
                        patch["services"][id]["isDeleted"] = json!(true);
                    }
                }
                ResourceKind::Volume => {
                    if let Ok(id) = volume_id(world, project, &address.name) {
                        patch["volumes"][id]["isDeleted"] = json!(true);
                    }
                }
                ResourceKind::Bucket if !world.has(Quirk::BucketDeleteIgnored) => {
                    let id = world
                        .buckets
                        .values()
                        .find(|bucket| bucket.project == project && bucket.name == address.name)
                        .map(|bucket| bucket.id.clone());
                    if let Some(id) = id {
                        patch["buckets"][id]["isDeleted"] = json!(true);
                    }
                }
                ResourceKind::Bucket | ResourceKind::Group => {}
            }
            Ok(())
        }
        Change::SetVariable {
            address,
            name,
            after,
        } => {
            if let Some(variable) = input::variable(after) {
                *variable_slot(world, project, address.as_ref(), name, patch)? = variable;
            }
            Ok(())
        }
        Change::DeleteVariable { address, name } => {
            *variable_slot(world, project, address.as_ref(), name, patch)? = Value::Null;
            Ok(())
        }
    }
}

fn variable_slot<'a>(
    world: &World,
    project: &str,
    address: Option<&Address>,
    name: &str,
    patch: &'a mut Value,
) -> Result<&'a mut Value, Refusal> {
    Ok(match address {
        None => &mut patch["sharedVariables"][name],
        Some(address) => {
            let id = service_id(world, project, &address.name)?;
            &mut patch["services"][id]["variables"][name]
        }
    })
}

fn create(
    world: &mut World,
    project: &str,
    address: &Address,
    resource: &Value,
    patch: &mut Value,
) -> Result<(), Refusal> {
    let name = resource["name"].as_str().unwrap_or(&address.name);
    match address.kind {
        ResourceKind::Service => {
            let id = service_id(world, project, name)?;
            let mut entry = json!({"isCreated": true});
            for field in [
                "source",
                "build",
                "deploy",
                "networking",
                "groupId",
                "configFile",
            ] {
                match (&resource[field], field) {
                    (Value::Null, _) => {}
                    (value, "source") => entry["source"] = input::source(value),
                    (value, _) => entry[field] = value.clone(),
                }
            }
            if entry.get("source").is_none()
                && let Some(image) = resource["image"].as_str()
            {
                entry["source"] = json!({"image": image});
            }
            for (name, graph) in resource["variables"].as_object().into_iter().flatten() {
                if let Some(variable) = input::variable(graph) {
                    entry["variables"][name.as_str()] = variable;
                }
            }
            let mounts = attachments(world, project, &resource["volumeAttachments"])?;
            if !mounts.is_empty() {
                entry["volumeMounts"] = Value::Object(mounts);
            }
            patch["services"][id] = entry;
        }
        ResourceKind::Volume => {
            let id = volume_id(world, project, name)?;
            let mut entry = resource["config"].as_object().cloned().unwrap_or_default();
            entry.insert("isCreated".to_owned(), json!(true));
            patch["volumes"][id] = Value::Object(entry);
        }
        ResourceKind::Bucket | ResourceKind::Group => {
            return Err(Refusal::NotSimulated(
                "creating buckets and groups by change set".to_owned(),
            ));
        }
    }
    Ok(())
}

/// Mounts by volume id, out of attachments by volume address.
fn attachments(world: &World, project: &str, graph: &Value) -> Result<Map<String, Value>, Refusal> {
    let mut mounts = Map::new();
    for (name, attachment) in graph.as_object().into_iter().flatten() {
        let volume = attachment["volume"].as_str().unwrap_or(name);
        let volume = volume.strip_prefix("volume.").unwrap_or(volume);
        let id = volume_id(world, project, volume)?;
        if attachment.is_null() {
            mounts.insert(id, Value::Null);
            continue;
        }
        let mut mount = Map::new();
        for key in ["mountPath", "backupSchedules"] {
            if let Some(value) = attachment.get(key).filter(|value| !value.is_null()) {
                mount.insert(key.to_owned(), value.clone());
            }
        }
        mounts.insert(id, Value::Object(mount));
    }
    Ok(mounts)
}

fn update(
    world: &mut World,
    project: &str,
    address: &Address,
    field: &str,
    after: &Value,
    patch: &mut Value,
) -> Result<(), Refusal> {
    if address.kind == ResourceKind::Volume {
        let id = volume_id(world, project, &address.name)?;
        if field == "config" {
            patch["volumes"][id] = after.clone();
        }
        return Ok(());
    }
    let id = service_id(world, project, &address.name)?;
    match field {
        "name" => {
            let name = after.as_str().ok_or(Refusal::Problem)?;
            if world
                .service_named(project, name)
                .is_some_and(|other| other.id != id)
            {
                return Err(Refusal::ServiceNameTaken(name.to_owned()));
            }
            if let Some(service) = world.services.get_mut(&id) {
                service.name = name.to_owned();
            }
        }
        "source" => patch["services"][id]["source"] = input::source(after),
        "volumeAttachments" => {
            let mounts = attachments(world, project, after)?;
            patch["services"][id]["volumeMounts"] = Value::Object(mounts);
        }
        "build" | "deploy" | "networking" | "groupId" => {
            let mut block = after.clone();
            if world.has(Quirk::BlockReplaceDropsKeys) {
                nullify_unnamed(world, project, &id, field, &mut block);
            }
            patch["services"][id][field] = block;
        }
        other => {
            return Err(Refusal::Input(format!(
                "Field \"{other}\" cannot be updated"
            )));
        }
    }
    Ok(())
}

/// Turns a block into one that also removes the keys it does not name, in every environment's present config.
fn nullify_unnamed(world: &World, project: &str, service: &str, field: &str, block: &mut Value) {
    let Ok(project) = world.project(project) else {
        return;
    };
    for environment in &project.environments {
        let Ok(found) = world.environment(environment) else {
            continue;
        };
        let present = found.service_config(service).get(field);
        for key in present
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(key, _)| key)
        {
            if let Some(block) = block.as_object_mut() {
                block.entry(key.clone()).or_insert(Value::Null);
            }
        }
    }
}

fn diagnostic(severity: &str, message: &str, path: Option<&Value>) -> Value {
    json!({"severity": severity, "message": message, "path": path})
}

/// What keeps a change set from being applied. Custom domains must be registered in the dashboard (client code).
fn diagnose(
    world: &World,
    environment: &str,
    changes: &[(Change, Value)],
) -> Result<Vec<Value>, Refusal> {
    let found = world.environment(environment)?;
    let mut problems = Vec::new();
    for (change, raw) in changes {
        let (address, networking) = match change {
            Change::Create { address, resource } => (address, &resource["networking"]),
            Change::Update {
                address,
                field,
                after,
            } if field == "networking" => (address, after),
            Change::Update { address, .. } => (address, &Value::Null),
            _ => continue,
        };
        let service = world.service_named(&found.project, &address.name);
        let present = service
            .and_then(|service| found.instances.get(&service.id))
            .map(|instance| &instance.custom_domains);
        for (domain, setting) in networking["customDomains"]
            .as_object()
            .into_iter()
            .flatten()
        {
            let known = present.is_some_and(|domains| domains.contains_key(domain));
            if !setting.is_null() && !known {
                let message = format!(
                    "Custom domain {domain} cannot be registered by a change set: add it to the service first"
                );
                problems.push(diagnostic("error", &message, raw.get("path")));
            }
        }
        let missing = match address.kind {
            _ if matches!(change, Change::Create { .. }) => false,
            ResourceKind::Service => service.is_none(),
            ResourceKind::Volume => world.volume_named(&found.project, &address.name).is_none(),
            _ => false,
        };
        if missing {
            let message = format!("Resource {} does not exist", address.name);
            problems.push(diagnostic("error", &message, raw.get("path")));
        }
    }
    Ok(problems)
}

fn results(changes: &[(Change, Value)], status: &str) -> Value {
    changes
        .iter()
        .map(|(_, raw)| {
            json!({
                "kind": raw["kind"],
                "path": raw["path"],
                "summary": raw["summary"],
                "status": status,
                "outputs": null,
            })
        })
        .collect()
}

/// What an apply would do: the changes without those that change nothing.
pub(crate) fn preview(
    world: &World,
    environment: &str,
    change_set: &Value,
) -> Result<Value, Refusal> {
    let changes = input::changes(change_set)?;
    let diagnostics = diagnose(world, environment, &changes)?;
    let mut trial = world.clone();
    let mut kept = Vec::new();
    let mut effects = Vec::new();
    for (change, raw) in changes {
        let before = trial.environment(environment)?.etag.clone();
        let names: Vec<String> = trial.services.values().map(|s| s.name.clone()).collect();
        let outcome = compile(&mut trial, environment, std::slice::from_ref(&change))
            .and_then(|patch| patch::apply(&mut trial, environment, &patch, true));
        let after = &trial.environment(environment)?.etag;
        let renamed = names
            != trial
                .services
                .values()
                .map(|s| s.name.clone())
                .collect::<Vec<_>>();
        match outcome {
            Ok(effect) if effect.changed || *after != before || renamed => {
                effects
                    .push(json!({"path": raw["path"], "deploys": !effect.deployments.is_empty()}));
                kept.push(raw);
            }
            // What fails here will be told by its diagnostics when applied.
            Err(_) => kept.push(raw),
            Ok(_) => {}
        }
    }
    let mut shown = change_set.clone();
    shown["changes"] = Value::Array(kept);
    Ok(json!({"changeSet": shown, "diagnostics": diagnostics, "effects": effects}))
}
