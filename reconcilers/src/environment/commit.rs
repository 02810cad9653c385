//! The entries of one commit as one change for Railway. Pure: values are handed in.

use std::collections::BTreeMap;

use mirage_railway::{
    change::{EnvironmentChange, NewService, NewVolume, ServiceChange, ServiceUpdate},
    id::{EnvironmentId, ProjectId, ServiceId, VolumeId},
    secret::SecretValue,
    snapshot::{EnvironmentSnapshot, MARK},
};
use serde_json::{Value, json};

use super::{
    diff::volume_name,
    effective::{DesiredVolume, Effective, EffectiveService},
    field::{Field, put},
    identity::MirageId,
    plan::{Action, Entry},
};

/// Values for the variables of one commit: by service (`None` for shared) and name.
pub type Values = BTreeMap<(Option<String>, String), SecretValue>;

/// Where a commit goes.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The project.
    pub project: &'a ProjectId,
    /// The environment.
    pub environment: &'a EnvironmentId,
    /// What was observed of it; `None` when it was made in this visit and so is empty.
    pub observed: Option<&'a EnvironmentSnapshot>,
}

/// Gathers the whole change, so that it is sent once.
pub fn commit(
    id: &MirageId,
    effective: &Effective,
    target: Target<'_>,
    entries: &[&Entry],
    values: &Values,
) -> EnvironmentChange {
    let mut change = EnvironmentChange {
        project: Some(target.project.clone()),
        environment: Some(target.environment.clone()),
        base_etag: target
            .observed
            .and_then(|environment| environment.etag.clone()),
        message: format!(
            "Mirage: {} (generation {})",
            effective.display_name, effective.generation
        ),
        ..EnvironmentChange::default()
    };
    let value = |service: Option<&str>, name: &str| {
        values
            .get(&(service.map(str::to_owned), name.to_owned()))
            .cloned()
    };
    for entry in entries {
        match &entry.action {
            Action::Mark => {
                change
                    .shared_variables
                    .insert(MARK.to_owned(), Some(SecretValue::new(id.as_str())));
            }
            Action::SetSharedVariable { name, .. } => {
                if let Some(value) = value(None, name) {
                    change.shared_variables.insert(name.clone(), Some(value));
                }
            }
            Action::DeleteSharedVariable { name } => {
                change.shared_variables.insert(name.clone(), None);
            }
            Action::CreateService { service, existing } => {
                if let Some(desired) = effective.services.get(service) {
                    let new = new_service(desired, existing.clone());
                    change
                        .services
                        .insert(service.clone(), ServiceChange::Create(new));
                }
            }
            Action::DeleteService {
                service,
                id,
                volumes,
            } => {
                let delete = ServiceChange::Delete {
                    id: id.clone(),
                    volumes: volumes.clone(),
                };
                change.services.insert(service.clone(), delete);
            }
            Action::ChangeSetting {
                service, field, to, ..
            } => {
                let to = to
                    .clone()
                    .unwrap_or_else(|| cleared(effective, service, *field));
                setting(&mut change, target, service, field.pointer(), to);
            }
            Action::AddTcpProxy { service, port } => {
                setting(
                    &mut change,
                    target,
                    service,
                    &format!("/networking/tcpProxies/{port}"),
                    json!({}),
                );
            }
            Action::RemoveTcpProxy { service, port } => {
                setting(
                    &mut change,
                    target,
                    service,
                    &format!("/networking/tcpProxies/{port}"),
                    Value::Null,
                );
            }
            Action::ChangeDomainPort {
                service,
                domain,
                custom,
                port,
            } => {
                let kind = if *custom {
                    "customDomains"
                } else {
                    "serviceDomains"
                };
                // A domain holds no slash, so it stands in a pointer as it is.
                setting(
                    &mut change,
                    target,
                    service,
                    &format!("/networking/{kind}/{domain}"),
                    json!({ "port": port }),
                );
            }
            Action::SetVariable { service, name, .. } => {
                if let Some(value) = value(Some(service), name) {
                    variable(&mut change, target, service, name, Some(value));
                }
            }
            Action::DeleteVariable { service, name } => {
                variable(&mut change, target, service, name, None)
            }
            Action::CreateVolume {
                service,
                name,
                existing,
            } => {
                if let Some(desired) = desired_volume(effective, service, name) {
                    new_volume(
                        &mut change,
                        target,
                        service,
                        volume(name, existing.clone(), desired),
                    );
                }
            }
            Action::ChangeVolume {
                service, name, id, ..
            } => {
                if let Some(desired) = desired_volume(effective, service, name)
                    && let Some(update) = update(&mut change, target, service)
                {
                    update
                        .volume_changes
                        .insert(id.clone(), volume(name, Some(id.clone()), desired));
                }
            }
            Action::DeleteVolume { service, id, .. } => {
                if let Some(update) = update(&mut change, target, service) {
                    update.deleted_volumes.push(id.clone());
                }
            }
            Action::CreateProject { .. }
            | Action::CreateEnvironment { .. }
            | Action::CreateDomain { .. }
            | Action::DeleteDomain { .. }
            | Action::Deploy { .. }
            | Action::Stop { .. }
            | Action::Rollback { .. }
            | Action::Cancel { .. }
            | Action::Restart { .. }
            | Action::DeleteEnvironment { .. }
            | Action::Unmark { .. } => {}
        }
    }
    change
}

fn new_service(desired: &EffectiveService, existing: Option<ServiceId>) -> NewService {
    let mut settings = json!({});
    for (field, value) in &desired.settings {
        put(&mut settings, field.pointer(), value.clone());
    }
    NewService {
        existing,
        settings,
        ..NewService::default()
    }
}

/// What is sent for a setting that shall be Railway's default: the default itself where it is declared, else nothing. A
/// count of replicas is always sent, because Railway keeps it in another place than the one that is written (observed).
fn cleared(effective: &Effective, service: &str, field: Field) -> Value {
    let declared = effective
        .services
        .get(service)
        .and_then(|service| service.settings.get(&field));
    match declared {
        Some(value) => value.clone(),
        None if field == Field::Replicas => json!(1),
        None => Value::Null,
    }
}

/// The desired volume of a Railway name. A volume that was renamed on Railway is the only one its service has.
fn desired_volume<'a>(
    effective: &'a Effective,
    service: &str,
    name: &str,
) -> Option<&'a DesiredVolume> {
    let volumes = &effective.services.get(service)?.volumes;
    let by_name = volumes
        .iter()
        .find(|(key, _)| volume_name(service, key) == name);
    by_name
        .or_else(|| volumes.iter().next().filter(|_| volumes.len() == 1))
        .map(|(_, desired)| desired)
}

fn volume(name: &str, existing: Option<VolumeId>, desired: &DesiredVolume) -> NewVolume {
    NewVolume {
        name: name.to_owned(),
        existing,
        mount_path: desired.mount_path.clone(),
        size_mb: desired.size_mb,
        region: desired.region.clone(),
        backup_schedules: desired.backup_schedules.clone().unwrap_or_default(),
    }
}

fn setting(
    change: &mut EnvironmentChange,
    target: Target<'_>,
    service: &str,
    pointer: &str,
    value: Value,
) {
    match change.services.get_mut(service) {
        Some(ServiceChange::Create(new)) => put(&mut new.settings, pointer, value),
        _ => {
            if let Some(update) = update(change, target, service) {
                put(&mut update.settings, pointer, value);
            }
        }
    }
}

fn variable(
    change: &mut EnvironmentChange,
    target: Target<'_>,
    service: &str,
    name: &str,
    value: Option<SecretValue>,
) {
    match (change.services.get_mut(service), value) {
        (Some(ServiceChange::Create(new)), Some(value)) => {
            new.variables.insert(name.to_owned(), value);
        }
        (Some(ServiceChange::Create(_)), None) => {}
        (_, value) => {
            if let Some(update) = update(change, target, service) {
                update.variables.insert(name.to_owned(), value);
            }
        }
    }
}

fn new_volume(
    change: &mut EnvironmentChange,
    target: Target<'_>,
    service: &str,
    volume: NewVolume,
) {
    match change.services.get_mut(service) {
        Some(ServiceChange::Create(new)) => new.volumes.push(volume),
        _ => {
            if let Some(update) = update(change, target, service) {
                update.new_volumes.push(volume);
            }
        }
    }
}

/// The update of a service that is there; begun with what was observed of it.
fn update<'c>(
    change: &'c mut EnvironmentChange,
    target: Target<'_>,
    service: &str,
) -> Option<&'c mut ServiceUpdate> {
    if !change.services.contains_key(service) {
        let environment = target.observed?;
        let id = environment.instance_named(service)?.service_id.clone();
        let current = environment
            .config
            .as_ref()
            .and_then(|config| config.services.get(&id))
            .map_or_else(|| json!({}), |config| config.settings.clone());
        let update = ServiceUpdate {
            id,
            settings: json!({}),
            current,
            variables: BTreeMap::new(),
            new_volumes: Vec::new(),
            volume_changes: BTreeMap::new(),
            deleted_volumes: Vec::new(),
        };
        change
            .services
            .insert(service.to_owned(), ServiceChange::Update(update));
    }
    match change.services.get_mut(service) {
        Some(ServiceChange::Update(update)) => Some(update),
        _ => None,
    }
}
