//! A change as Railway's intent-level change set, version 1 (the shape that the official CLI sends).

use serde_json::{Map, Value, json};

use crate::{
    change::{EnvironmentChange, NewService, NewVolume, ServiceChange, ServiceUpdate},
    secret::SecretValue,
    write::path::FIELDS,
};

/// The input of `environmentApplyChangeSet`. Volumes come before the services that mount them.
pub(super) fn input(change: &EnvironmentChange) -> Value {
    let mut volumes = Vec::new();
    let mut services = Vec::new();
    for (name, service) in &change.services {
        match service {
            ServiceChange::Create(new) => {
                volumes.extend(new.volumes.iter().map(create_volume));
                services.push(create_service(name, new));
            }
            ServiceChange::Update(update) => services.extend(update_service(name, update)),
            // The way is chosen so that there is none.
            ServiceChange::Delete { .. } => {}
        }
    }
    volumes.extend(services);
    json!({ "version": 1, "diagnostics": [], "changes": volumes })
}

fn create_volume(volume: &NewVolume) -> Value {
    let address = format!("volume.{}", volume.name);
    let mut config = Map::new();
    if let Some(region) = &volume.region {
        config.insert("region".to_owned(), region.as_str().into());
    }
    if let Some(size) = volume.size_mb {
        config.insert("sizeMB".to_owned(), size.into());
    }
    json!({
        "kind": "resource.create",
        "address": address,
        "resource": { "address": address, "type": "volume", "name": volume.name, "config": config },
        "path": format!("resources.{address}"),
        "summary": format!("Create volume {}", volume.name),
        "severity": "safe",
        "deployEffect": "none",
    })
}

fn create_service(name: &str, new: &NewService) -> Value {
    let address = format!("service.{name}");
    let mut node = Map::new();
    node.insert("address".to_owned(), address.as_str().into());
    node.insert("type".to_owned(), "service".into());
    node.insert("name".to_owned(), name.into());
    let source = new.settings.get("source");
    node.insert("kind".to_owned(), kind(source).into());
    for field in FIELDS {
        if let Some(block) = new.settings.get(field).filter(|block| !block.is_null()) {
            let block = if field == "source" {
                typed_source(block)
            } else {
                block.clone()
            };
            node.insert(field.to_owned(), block);
        }
    }
    let variables: Map<String, Value> = new
        .variables
        .iter()
        .map(|(name, value)| (name.clone(), literal(value)))
        .collect();
    node.insert("variables".to_owned(), variables.into());
    let attachments: Map<String, Value> = new
        .volumes
        .iter()
        .map(|volume| (volume.name.clone(), attachment(volume)))
        .collect();
    if !attachments.is_empty() {
        node.insert("volumeAttachments".to_owned(), attachments.into());
    }
    json!({
        "kind": "resource.create",
        "address": address,
        "resource": node,
        "path": format!("resources.{address}"),
        "summary": format!("Create service {name}"),
        "severity": "safe",
        "deployEffect": "deploy",
    })
}

fn update_service(name: &str, update: &ServiceUpdate) -> Vec<Value> {
    let address = format!("service.{name}");
    let mut changes = Vec::new();
    for field in FIELDS {
        let Some(wanted) = update.settings.get(field) else {
            continue;
        };
        let before = update.current.get(field).cloned().unwrap_or(Value::Null);
        let mut after = before.clone();
        merge(&mut after, wanted);
        let (before, after) = if field == "source" {
            (typed_source(&before), typed_source(&after))
        } else {
            (before, after)
        };
        changes.push(json!({
            "kind": "resource.update",
            "address": address,
            "field": field,
            "before": before,
            "after": after,
            "details": [],
            "path": format!("resources.{address}.{field}"),
            "summary": format!("Update {field} of {name}"),
            "severity": "safe",
            "deployEffect": "deploy",
        }));
    }
    for (variable, value) in &update.variables {
        let path = format!("resources.{address}.variables.{variable}");
        changes.push(match value {
            Some(value) => json!({
                "kind": "variable.set",
                "address": address,
                "variable": variable,
                "after": literal(value),
                "details": [],
                "path": path,
                "summary": format!("Set {variable} of {name}"),
                "severity": "safe",
                "deployEffect": "deploy",
            }),
            None => json!({
                "kind": "variable.delete",
                "address": address,
                "variable": variable,
                "path": path,
                "summary": format!("Delete {variable} of {name}"),
                "severity": "destructive",
                "deployEffect": "deploy",
            }),
        });
    }
    changes
}

/// Whether the server replaces a block by `after` or merges it in, the result is the same: what stays is repeated, and
/// what goes is null in both.
fn merge(target: &mut Value, change: &Value) {
    match (target, change) {
        (Value::Object(target), Value::Object(change)) => {
            for (key, value) in change {
                merge(target.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (target, change) => *target = change.clone(),
    }
}

fn attachment(volume: &NewVolume) -> Value {
    json!({
        "volume": format!("volume.{}", volume.name),
        "mountPath": volume.mount_path,
        "backupSchedules": volume.backup_schedules,
    })
}

fn literal(value: &SecretValue) -> Value {
    json!({ "type": "literal", "value": value.expose() })
}

fn has_text(source: &Value, key: &str) -> bool {
    source.get(key).is_some_and(Value::is_string)
}

fn kind(source: Option<&Value>) -> &'static str {
    match source {
        Some(source) if has_text(source, "image") => "docker-image",
        Some(source) if has_text(source, "repo") => "github",
        _ => "empty",
    }
}

/// A change set's source says its type; a configuration's does not.
fn typed_source(source: &Value) -> Value {
    let Value::Object(source) = source else {
        return source.clone();
    };
    let mut typed = source.clone();
    let block = Value::Object(source.clone());
    if has_text(&block, "image") {
        typed.insert("type".to_owned(), "image".into());
    } else if has_text(&block, "repo") {
        typed.insert("type".to_owned(), "github".into());
    }
    Value::Object(typed)
}
