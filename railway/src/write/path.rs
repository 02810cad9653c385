//! Which way a change goes.

use serde_json::Value;

use crate::change::{EnvironmentChange, NewVolume, ServiceChange};

/// How a change reaches Railway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display)]
#[strum(serialize_all = "kebab-case")]
pub enum WritePath {
    /// One change set: Railway makes services and volumes itself and guards the whole with the configuration's etag.
    ChangeSet,
    /// What is new to the project is made first, a request each; then one patch is committed.
    Patch,
}

/// Blocks of a service's settings that a change set has a field for.
pub(super) const FIELDS: [&str; 4] = ["source", "build", "deploy", "networking"];

/// A change set where it saves requests and says all there is to say, else a patch.
pub(super) fn choose(change: &EnvironmentChange, has_change_sets: bool) -> WritePath {
    let needs_creation = new_services(change) > 0 || new_volumes(change) > 0;
    if has_change_sets && needs_creation && fits_change_set(change) {
        WritePath::ChangeSet
    } else {
        WritePath::Patch
    }
}

/// Requests that a change takes on a way, when nothing fails.
pub(super) fn requests(change: &EnvironmentChange, path: WritePath) -> u32 {
    if is_empty(change) {
        return 0;
    }
    match path {
        WritePath::ChangeSet => 1 + u32::from(!change.shared_variables.is_empty()),
        // A volume is made and then named.
        WritePath::Patch => 1 + new_services(change) + 2 * new_volumes(change),
    }
}

pub(super) fn is_empty(change: &EnvironmentChange) -> bool {
    change.services.is_empty() && change.shared_variables.is_empty()
}

/// Left to the patch: deletions (a change set's may reach beyond the environment), what the project has already (whether a
/// `create` adopts it is not documented), attachments of volumes whose names we do not have, and shared variables
/// that services which exist may use, because those must be deployed with them.
fn fits_change_set(change: &EnvironmentChange) -> bool {
    let mut updates = false;
    let services_fit = change.services.values().all(|service| match service {
        ServiceChange::Create(new) => {
            new.existing.is_none()
                && new.volumes.iter().all(|volume| volume.existing.is_none())
                && has_only_fields(&new.settings)
        }
        ServiceChange::Update(update) => {
            updates = true;
            update.new_volumes.is_empty()
                && update.volume_changes.is_empty()
                && update.deleted_volumes.is_empty()
                && has_only_fields(&update.settings)
        }
        ServiceChange::Delete { .. } => false,
    });
    let shared_fit = change.shared_variables.is_empty()
        || (!updates && change.shared_variables.values().all(Option::is_some));
    services_fit && shared_fit
}

fn has_only_fields(settings: &Value) -> bool {
    match settings {
        Value::Null => true,
        Value::Object(settings) => settings.keys().all(|key| FIELDS.contains(&key.as_str())),
        _ => false,
    }
}

fn new_services(change: &EnvironmentChange) -> u32 {
    count(
        change.services.values().filter(
            |service| matches!(service, ServiceChange::Create(new) if new.existing.is_none()),
        ),
    )
}

fn new_volumes(change: &EnvironmentChange) -> u32 {
    let volumes = change.services.values().flat_map(|service| match service {
        ServiceChange::Create(new) => new.volumes.as_slice(),
        ServiceChange::Update(update) => update.new_volumes.as_slice(),
        ServiceChange::Delete { .. } => &[],
    });
    count(volumes.filter(|volume: &&NewVolume| volume.existing.is_none()))
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}
