//! What Railway last showed of a project, without any variable's value.
//!
//! Absent, unknown and present are three things. A list in here was read to its last page, so what is not in it is
//! absent; a part that could not be read is `None` or `Masked`, and nothing may be concluded from it.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    id::{
        DeploymentId, DomainId, EnvironmentId, ProjectId, ServiceId, TcpProxyId, VolumeId,
        WorkspaceId,
    },
    secret::Fingerprint,
};

/// Name of the shared variable that says which Mirage environment a Railway environment belongs to.
pub const MARK: &str = "MIRAGE_ENVIRONMENT_ID";

/// What a look for something found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence<T> {
    /// It is there.
    Present(T),
    /// Railway answered completely, and it is not there.
    Absent,
    /// It could not be told; why, in words for the person.
    Unknown(String),
}

/// A project.
#[derive(Clone, Debug, PartialEq)]
pub struct ProjectSnapshot {
    /// Railway's id.
    pub id: ProjectId,
    /// Its name; not unique in a workspace.
    pub name: String,
    /// Its description; projects that Mirage makes carry their maker's id in it.
    pub description: Option<String>,
    /// The workspace it is in.
    pub workspace_id: Option<WorkspaceId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Services of the project by id, whether or not an environment has an instance.
    pub services: BTreeMap<ServiceId, String>,
    /// Volumes of the project by id.
    pub volumes: BTreeMap<VolumeId, String>,
    /// Environments, without those marked as deleted.
    pub environments: BTreeMap<EnvironmentId, EnvironmentSnapshot>,
    /// Railway's time of the read, by our clock.
    pub observed_at: Timestamp,
}

impl ProjectSnapshot {
    /// The environment of that exact name.
    pub fn environment_named(&self, name: &str) -> Option<&EnvironmentSnapshot> {
        self.environments
            .values()
            .find(|environment| environment.name == name)
    }

    /// The id of a service by name. Railway compares names without case.
    pub fn service_named(&self, name: &str) -> Option<&ServiceId> {
        self.services
            .iter()
            .find(|(_, other)| other.eq_ignore_ascii_case(name))
            .map(|(id, _)| id)
    }
}

/// An environment.
#[derive(Clone, Debug, PartialEq)]
pub struct EnvironmentSnapshot {
    /// Railway's id.
    pub id: EnvironmentId,
    /// Its name, unique in its project.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Whether the token may look inside; without, everything below is unknown.
    pub can_access: bool,
    /// Opaque version of its configuration.
    pub etag: Option<String>,
    /// Set for a fork.
    pub source_environment: Option<EnvironmentId>,
    /// Somebody's staged changes that are not committed.
    pub unmerged_changes: u32,
    /// Its configuration as of `etag`; `None` when it could not be read.
    pub config: Option<Arc<ConfigSnapshot>>,
    /// Services that have an instance here.
    pub instances: BTreeMap<ServiceId, InstanceSnapshot>,
    /// Volumes that have an instance here.
    pub volumes: BTreeMap<VolumeId, VolumeSnapshot>,
}

impl EnvironmentSnapshot {
    /// The instance of a service by name.
    pub fn instance_named(&self, name: &str) -> Option<&InstanceSnapshot> {
        self.instances
            .values()
            .find(|instance| instance.service_name.eq_ignore_ascii_case(name))
    }
}

/// A service's instance in an environment.
#[derive(Clone, Debug, PartialEq)]
pub struct InstanceSnapshot {
    /// The service.
    pub service_id: ServiceId,
    /// Its name.
    pub service_name: String,
    /// The newest deployment, whatever became of it.
    pub latest_deployment: Option<DeploymentSnapshot>,
    /// Deployments that serve.
    pub active_deployments: Vec<DeploymentSnapshot>,
    /// Generated domains.
    pub service_domains: Vec<DomainSnapshot>,
    /// Own domains.
    pub custom_domains: Vec<DomainSnapshot>,
}

/// A deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeploymentSnapshot {
    /// Railway's id.
    pub id: DeploymentId,
    /// Its status.
    pub status: DeploymentStatus,
    /// Since when it has that status, by Railway's clock. A restart keeps the deployment and moves this.
    pub status_since: Option<Timestamp>,
    /// Whether its process has ended or was stopped.
    pub stopped: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Railway's deployment statuses (schema: `DeploymentStatus`); values added later are kept as text.
#[derive(
    Clone, Debug, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumString,
)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
#[allow(
    missing_docs,
    reason = "the names are Railway's own and are explained in its documentation"
)]
pub enum DeploymentStatus {
    Initializing,
    Queued,
    Waiting,
    NeedsApproval,
    Building,
    Deploying,
    Success,
    Sleeping,
    Crashed,
    Failed,
    Skipped,
    Removing,
    Removed,
    #[strum(default)]
    Other(String),
}

/// A domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainSnapshot {
    /// Railway's id.
    pub id: DomainId,
    /// The domain.
    pub domain: String,
    /// The application's port, when one is set.
    pub target_port: Option<u16>,
}

/// A TCP proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpProxySnapshot {
    /// Railway's id, once it is made.
    pub id: Option<TcpProxyId>,
    /// The application's port.
    pub application_port: u16,
}

/// A volume's instance in an environment.
#[derive(Clone, Debug, PartialEq)]
pub struct VolumeSnapshot {
    /// The volume.
    pub volume_id: VolumeId,
    /// Its name.
    pub name: String,
    /// The service it is attached to.
    pub service_id: Option<ServiceId>,
    /// Where.
    pub mount_path: Option<String>,
    /// Size in megabytes as Railway counts them.
    pub size_mb: Option<u64>,
    /// Region id.
    pub region: Option<String>,
    /// Railway's state, for example `READY`.
    pub state: Option<String>,
    /// Whether its deletion is under way.
    pub is_pending_deletion: bool,
}

/// The configuration of an environment, values replaced by fingerprints.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConfigSnapshot {
    /// Per service instance; entries that Railway marks as deleted are left out.
    pub services: BTreeMap<ServiceId, ServiceConfigSnapshot>,
    /// Shared variables.
    pub shared_variables: BTreeMap<String, VariableSnapshot>,
    /// Value of the mark ([`MARK`]), which is not a secret.
    pub mark: Option<String>,
}

/// The configuration of one service instance.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServiceConfigSnapshot {
    /// Railway's config JSON (`source`, `build`, `deploy`, `networking`, `volumeMounts`, …) without `variables` and without
    /// registry credentials.
    pub settings: Value,
    /// Its own variables.
    pub variables: BTreeMap<String, VariableSnapshot>,
}

/// What is known of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VariableSnapshot {
    /// Its unrendered value, as a fingerprint.
    Value(Fingerprint),
    /// Sealed: there, and not readable by anyone.
    Sealed,
    /// There, and not shown to this token.
    Masked,
}
