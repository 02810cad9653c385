//! A service's disk.

use mirage_railway::snapshot::{
    EnvironmentSnapshot, InstanceSnapshot, ServiceConfigSnapshot, VolumeSnapshot,
};
use mirage_specs::quantity::format_bytes;
use serde_json::{Value, json};

/// `volumes` of a service: at most one, as Railway attaches no more.
pub(super) fn volumes(
    environment: &EnvironmentSnapshot,
    instance: &InstanceSnapshot,
    config: &ServiceConfigSnapshot,
    remarks: &mut Vec<String>,
) -> Value {
    let mut attached = environment.volumes.values().filter(|volume| {
        volume.service_id.as_ref() == Some(&instance.service_id) && !volume.is_pending_deletion
    });
    let Some(volume) = attached.next() else {
        return json!({});
    };
    for other in attached {
        remarks.push(format!(
            "service {} has a second volume, {}, which is left out",
            instance.service_name, other.name
        ));
    }
    let mut spec = json!({});
    if let Some(path) = &volume.mount_path {
        spec["mountPath"] = json!(path);
    }
    if let Some(size) = volume.size_mb.and_then(|mb| format_bytes(mb << 20)) {
        spec["size"] = json!(size);
    }
    if let Some(region) = &volume.region {
        spec["region"] = json!(region);
    }
    let schedules: Vec<String> = config
        .settings
        .pointer(&format!(
            "/volumeMounts/{}/backupSchedules",
            volume.volume_id
        ))
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|schedule| schedule.as_str())
        .map(str::to_lowercase)
        .collect();
    if !schedules.is_empty() {
        spec["backups"] = json!(schedules);
    }
    json!({ (volume_key(&instance.service_name, volume)): spec })
}

/// The word by which a spec calls a volume: without the service's name, which Mirage puts before it.
fn volume_key(service: &str, volume: &VolumeSnapshot) -> String {
    let bare = volume.name.strip_prefix(service);
    let bare = bare.and_then(|rest| rest.strip_prefix('-'));
    let key: String = bare
        .unwrap_or(&volume.name)
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect();
    match key.trim_matches('-') {
        "" => "data".to_owned(),
        key => key.to_owned(),
    }
}
