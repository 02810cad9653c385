//! One change to an environment, told apart from how it is sent.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    id::{EnvironmentId, ProjectId, ServiceId, VolumeId},
    secret::{SecretValue, VariablePatch},
};

/// Everything that one reconcile changes in one environment, sent as one commit where Railway allows it.
#[derive(Clone, Debug, Default)]
pub struct EnvironmentChange {
    /// The project.
    pub project: Option<ProjectId>,
    /// The environment.
    pub environment: Option<EnvironmentId>,
    /// The configuration's etag this change was computed against.
    pub base_etag: Option<String>,
    /// What Railway shows in its history.
    pub message: String,
    /// Shared variables.
    pub shared_variables: VariablePatch,
    /// Services by name.
    pub services: BTreeMap<String, ServiceChange>,
}

/// What happens to one service.
#[derive(Clone, Debug)]
pub enum ServiceChange {
    /// An instance is made in this environment.
    Create(NewService),
    /// The instance is changed.
    Update(ServiceUpdate),
    /// The instance goes, its volumes before it (Railway orphans them otherwise).
    Delete {
        /// The service.
        id: ServiceId,
        /// Volumes attached to it here.
        volumes: Vec<VolumeId>,
    },
}

/// A new instance.
#[derive(Clone, Debug, Default)]
pub struct NewService {
    /// The service, when the project has it already (in another environment).
    pub existing: Option<ServiceId>,
    /// Sparse config JSON: `source`, `build`, `deploy`, `networking.tcpProxies`.
    pub settings: Value,
    /// Variables.
    pub variables: BTreeMap<String, SecretValue>,
    /// Volumes to attach.
    pub volumes: Vec<NewVolume>,
}

/// A volume to make and attach, or to attach when the project has it already.
#[derive(Clone, Debug, Default)]
pub struct NewVolume {
    /// Its name, unique in the project.
    pub name: String,
    /// The volume, when the project has it already (its instance here would be new).
    pub existing: Option<VolumeId>,
    /// Absolute path in the container.
    pub mount_path: String,
    /// Megabytes.
    pub size_mb: Option<u64>,
    /// Region id.
    pub region: Option<String>,
    /// `DAILY`, `WEEKLY`, `MONTHLY`.
    pub backup_schedules: Vec<String>,
}

/// A change to an instance.
#[derive(Clone, Debug)]
pub struct ServiceUpdate {
    /// The service.
    pub id: ServiceId,
    /// Sparse config JSON to merge; `null` clears.
    pub settings: Value,
    /// The observed config JSON, which a change set wants as `before`.
    pub current: Value,
    /// Variables.
    pub variables: VariablePatch,
    /// Volumes to make and attach.
    pub new_volumes: Vec<NewVolume>,
    /// Volumes to change in place: mount path, size, backups.
    pub volume_changes: BTreeMap<VolumeId, NewVolume>,
    /// Volumes to delete.
    pub deleted_volumes: Vec<VolumeId>,
}
