//! A change as a sparse configuration that is merged into the environment's.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::{
    change::{EnvironmentChange, NewService, NewVolume, ServiceChange, ServiceUpdate},
    id::{ServiceId, VolumeId},
    secret::{SecretValue, VariablePatch},
};

/// Ids of what was made in the project for this change, by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Made {
    pub(super) services: BTreeMap<String, ServiceId>,
    pub(super) volumes: BTreeMap<String, VolumeId>,
}

#[derive(Default)]
struct Patch {
    services: Map<String, Value>,
    volumes: Map<String, Value>,
}

/// The patch. Everything that is new to the project must have been made.
pub(super) fn patch(change: &EnvironmentChange, made: &Made) -> Value {
    let mut patch = Patch::default();
    for (name, service) in &change.services {
        match service {
            ServiceChange::Create(new) => {
                if let Some(id) = new.existing.as_ref().or_else(|| made.services.get(name)) {
                    let entry = patch.created(new, made);
                    patch.services.insert(id.to_string(), entry);
                }
            }
            ServiceChange::Update(update) => {
                let entry = patch.updated(update, made);
                patch.services.insert(update.id.to_string(), entry);
            }
            ServiceChange::Delete { id, volumes } => {
                // In the same patch as its volumes: a service deleted before them leaves orphans.
                for volume in volumes {
                    patch
                        .volumes
                        .insert(volume.to_string(), json!({ "isDeleted": true }));
                }
                patch
                    .services
                    .insert(id.to_string(), json!({ "isDeleted": true }));
            }
        }
    }
    let mut whole = Map::new();
    let shared = variable_patch(&change.shared_variables);
    for (key, map) in [
        ("services", patch.services),
        ("sharedVariables", shared),
        ("volumes", patch.volumes),
    ] {
        if !map.is_empty() {
            whole.insert(key.to_owned(), map.into());
        }
    }
    Value::Object(whole)
}

impl Patch {
    fn created(&mut self, new: &NewService, made: &Made) -> Value {
        let mut entry = settings(&new.settings);
        // Without the marker Railway ignores an instance that is new here (the official CLI calls it critical).
        entry.insert("isCreated".to_owned(), true.into());
        if !new.variables.is_empty() {
            let variables: Map<_, _> = new
                .variables
                .iter()
                .map(|(name, value)| (name.clone(), variable(value)))
                .collect();
            entry.insert("variables".to_owned(), variables.into());
        }
        self.mount(&mut entry, &new.volumes, made);
        Value::Object(entry)
    }

    fn updated(&mut self, update: &ServiceUpdate, made: &Made) -> Value {
        let mut entry = settings(&update.settings);
        if !update.variables.is_empty() {
            entry.insert(
                "variables".to_owned(),
                variable_patch(&update.variables).into(),
            );
        }
        self.mount(&mut entry, &update.new_volumes, made);
        for (id, volume) in &update.volume_changes {
            mounts(&mut entry).insert(id.to_string(), mount(volume));
            if let Some(size) = volume.size_mb {
                self.volumes
                    .insert(id.to_string(), json!({ "sizeMB": size }));
            }
        }
        for id in &update.deleted_volumes {
            mounts(&mut entry).insert(id.to_string(), Value::Null);
            self.volumes
                .insert(id.to_string(), json!({ "isDeleted": true }));
        }
        Value::Object(entry)
    }

    fn mount(&mut self, entry: &mut Map<String, Value>, volumes: &[NewVolume], made: &Made) {
        for volume in volumes {
            let Some(id) = volume
                .existing
                .as_ref()
                .or_else(|| made.volumes.get(&volume.name))
            else {
                continue;
            };
            mounts(entry).insert(id.to_string(), mount(volume));
            let mut instance = Map::new();
            if volume.existing.is_some() {
                instance.insert("isCreated".to_owned(), true.into());
                if let Some(region) = &volume.region {
                    instance.insert("region".to_owned(), region.as_str().into());
                }
            }
            if let Some(size) = volume.size_mb {
                instance.insert("sizeMB".to_owned(), size.into());
            }
            if !instance.is_empty() {
                self.volumes.insert(id.to_string(), instance.into());
            }
        }
    }
}

fn mounts(entry: &mut Map<String, Value>) -> &mut Map<String, Value> {
    let mounts = entry.entry("volumeMounts").or_insert_with(|| json!({}));
    if !mounts.is_object() {
        *mounts = json!({});
    }
    mounts
        .as_object_mut()
        .expect("made an object in the line above")
}

fn settings(settings: &Value) -> Map<String, Value> {
    settings.as_object().cloned().unwrap_or_default()
}

fn mount(volume: &NewVolume) -> Value {
    let mut mount = Map::new();
    mount.insert("mountPath".to_owned(), volume.mount_path.as_str().into());
    if !volume.backup_schedules.is_empty() {
        mount.insert("backupSchedules".to_owned(), json!(volume.backup_schedules));
    }
    mount.into()
}

fn variable(value: &SecretValue) -> Value {
    json!({ "value": value.expose() })
}

/// Null deletes.
fn variable_patch(variables: &VariablePatch) -> Map<String, Value> {
    variables
        .iter()
        .map(|(name, value)| (name.clone(), value.as_ref().map_or(Value::Null, variable)))
        .collect()
}
