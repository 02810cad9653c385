//! Volumes: the one kind of thing whose loss cannot be repaired.

use mirage_railway::{
    id::VolumeId,
    snapshot::{EnvironmentSnapshot, VolumeSnapshot},
};
use mirage_specs::{
    ledger::{LedgerKind, LedgerState},
    plan::PlanReason,
};
use serde_json::Value;

use super::{Draft, Scene, service::Pair};
use crate::environment::{
    effective::{DesiredVolume, EffectiveService},
    plan::{Action, Hold},
};

/// A volume's name on Railway, where names are unique per project.
pub fn volume_name(service: &str, volume: &str) -> String {
    format!("{service}-{volume}")
}

impl<'a> Draft<'a> {
    pub(super) fn new_volume(
        &mut self,
        service: &str,
        volume: &str,
        scene: Scene<'a>,
        reason: PlanReason,
    ) {
        let name = volume_name(service, volume);
        let named = scene.project.and_then(|project| {
            let mut volumes = project.volumes.iter();
            volumes.find(|(_, other)| **other == name).map(|(id, _)| id)
        });
        let existing = named
            .or_else(|| self.nameless(&name, scene.environment?))
            .cloned();
        self.push(
            Action::CreateVolume {
                service: service.to_owned(),
                name,
                existing,
            },
            reason,
        );
    }

    /// A volume that was made for an open intention and got neither its name nor its service: making, naming and attaching
    /// are calls of their own, and a process may die between them.
    fn nameless(&self, name: &str, environment: &'a EnvironmentSnapshot) -> Option<&'a VolumeId> {
        let entry = self.memory.entry(LedgerKind::Volume, name)?;
        if entry.state != LedgerState::Intended {
            return None;
        }
        let is_known = |id: &VolumeId| {
            let mut entries = self.memory.ledger.iter();
            entries.any(|entry| entry.railway_id.as_deref() == Some(id.as_str()))
        };
        let mut loose = environment.volumes.values().filter(|volume| {
            volume.service_id.is_none()
                && !volume.is_pending_deletion
                && !is_known(&volume.volume_id)
        });
        loose.next().map(|volume| &volume.volume_id)
    }

    /// A volume of a service that is not there yet, whose creation may have happened and does not show.
    pub(super) fn volume_on_its_way(
        &self,
        service: &str,
        desired: &EffectiveService,
        environment: &'a EnvironmentSnapshot,
    ) -> Option<String> {
        let mut names = desired.volumes.keys().map(|key| volume_name(service, key));
        names.find(|name| {
            self.may_still_appear(LedgerKind::Volume, name)
                && self.nameless(name, environment).is_none()
                && !environment
                    .volumes
                    .values()
                    .any(|volume| volume.name == *name)
        })
    }

    pub(super) fn volumes(&mut self, pair: Pair<'a>, scene: Scene<'a>) {
        let attached: Vec<&VolumeSnapshot> = pair
            .environment
            .volumes
            .values()
            .filter(|volume| {
                volume.service_id.as_ref() == Some(&pair.instance.service_id)
                    && !volume.is_pending_deletion
            })
            .collect();
        for (key, desired) in &pair.desired.volumes {
            let name = volume_name(pair.name, key);
            // Railway attaches one volume to a service: the one that is there is the one that is meant, whatever its name.
            let observed =
                attached
                    .iter()
                    .find(|volume| volume.name == name)
                    .or(match attached.as_slice() {
                        [only] if pair.desired.volumes.len() == 1 => Some(only),
                        _ => None,
                    });
            match observed {
                Some(observed) => self.compare_volume(pair, key, desired, observed),
                // A volume gets its name after it is made: what one crash leaves behind another creation would double.
                None if self.may_still_appear(LedgerKind::Volume, &name)
                    || self.made_a_moment_ago(LedgerKind::Volume, &name) =>
                {
                    self.hold(Hold::AwaitingVisibility {
                        what: format!("volume {name}"),
                    });
                }
                None => {
                    let known = pair
                        .applied
                        .is_some_and(|applied| applied.volumes.contains(key));
                    self.new_volume(
                        pair.name,
                        key,
                        scene,
                        super::service::changed_or_drifted(known),
                    );
                }
            }
        }
        let was_declared = pair
            .applied
            .into_iter()
            .flat_map(|applied| &applied.volumes);
        for key in was_declared.filter(|key| !pair.desired.volumes.contains_key(*key)) {
            let name = volume_name(pair.name, key);
            // By its id too: one that was made and never named has another name than ours.
            let id = self
                .memory
                .entry(LedgerKind::Volume, &name)
                .and_then(|entry| entry.railway_id.clone());
            let ours = attached.iter().find(|volume| {
                volume.name == name || id.as_deref() == Some(volume.volume_id.as_str())
            });
            if let Some(volume) = ours {
                let delete = Action::DeleteVolume {
                    service: pair.name.to_owned(),
                    name,
                    id: volume.volume_id.clone(),
                };
                self.push(delete, PlanReason::NoLongerDeclared);
            }
        }
    }

    fn compare_volume(
        &mut self,
        pair: Pair<'a>,
        key: &str,
        desired: &DesiredVolume,
        observed: &VolumeSnapshot,
    ) {
        let mut changes = Vec::new();
        let mut destroys = false;
        if observed
            .mount_path
            .as_deref()
            .is_some_and(|path| path != desired.mount_path)
        {
            changes.push(format!("mount at {}", desired.mount_path));
        }
        if let (Some(want), Some(have)) = (desired.size_mb, observed.size_mb)
            && want != have
        {
            // Growth is in place; a smaller volume is a new one.
            destroys |= want < have;
            changes.push(format!(
                "{} from {have} MB to {want} MB",
                if want < have { "shrink" } else { "grow" }
            ));
        }
        if let (Some(want), Some(have)) = (&desired.region, &observed.region)
            && want != have
        {
            destroys = true;
            changes.push(format!("move from {have} to {want}"));
        }
        if let Some(want) = &desired.backup_schedules
            && *want != observed_backups(pair, observed)
        {
            changes.push(format!(
                "back up {}",
                if want.is_empty() {
                    "never".to_owned()
                } else {
                    want.join(", ")
                }
            ));
        }
        if changes.is_empty() {
            return;
        }
        let known = pair
            .applied
            .is_some_and(|applied| applied.volumes.iter().any(|other| other == key));
        let same_generation = self.memory.applied.generation == Some(self.effective.generation);
        let action = Action::ChangeVolume {
            service: pair.name.to_owned(),
            name: observed.name.clone(),
            id: observed.volume_id.clone(),
            what: changes.join(", "),
            destroys,
        };
        self.push(
            action,
            super::service::changed_or_drifted(known && same_generation),
        );
    }
}

fn observed_backups(pair: Pair<'_>, observed: &VolumeSnapshot) -> Vec<String> {
    let pointer = format!("/volumeMounts/{}/backupSchedules", observed.volume_id);
    let schedules = pair
        .config
        .settings
        .pointer(&pointer)
        .and_then(Value::as_array);
    schedules
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}
