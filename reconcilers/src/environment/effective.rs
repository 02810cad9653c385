//! What an Environment asks for once templates, defaults, engines and Secrets are resolved.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use mirage_railway::{
    id::ProjectId,
    secret::{Fingerprint, SecretValue},
};
use mirage_specs::{
    EnvironmentType,
    environment::{Approval, Deletion, Drift, Rollout},
    variable::CopyFrom,
};
use serde_json::Value;

use super::{field::Field, identity::MirageId, pause::Pause};

/// The whole desired state, with nothing left to look up.
#[derive(Clone, Debug)]
pub struct Effective {
    /// `metadata.uid` of the Environment.
    pub id: MirageId,
    /// `namespace/name`, for people.
    pub display_name: String,
    /// Generation of the spec this came from.
    pub generation: i64,
    /// What it is for.
    pub environment_type: EnvironmentType,
    /// The project.
    pub project: ProjectTarget,
    /// Name on Railway.
    pub environment_name: String,
    /// Services by name.
    pub services: BTreeMap<String, EffectiveService>,
    /// Shared variables, without the mark.
    pub variables: BTreeMap<String, DesiredValue>,
    /// For a copy of another environment: services that have another name here, by their name there.
    pub renamed: BTreeMap<String, String>,
    /// What to do about drift.
    pub drift: Drift,
    /// How changes reach the services.
    pub rollout: Rollout,
    /// What deletion of the object means.
    pub deletion: Deletion,
    /// Which plans wait for a person.
    pub approval: Approval,
    /// Whether it is to be stopped.
    pub suspend: bool,
    /// Who stopped it, why and until when.
    pub pause: Pause,
    /// When it is to be torn down.
    pub expires_at: Option<Timestamp>,
    /// Name of the credential that acts.
    pub account: String,
}

/// The project an environment belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProjectTarget {
    /// By name in the account's workspace; made when it is not there.
    Named(String),
    /// By Railway's id; never made.
    Id(ProjectId),
}

/// One desired service.
#[derive(Clone, Debug, Default)]
pub struct EffectiveService {
    /// Declared settings, in the form Railway's config uses.
    pub settings: BTreeMap<Field, Value>,
    /// Declared variables.
    pub variables: BTreeMap<String, DesiredValue>,
    /// Declared domains.
    pub domains: Vec<DesiredDomain>,
    /// Declared TCP proxies, by application port.
    pub tcp_proxies: BTreeSet<u16>,
    /// Declared volumes by their name in the spec.
    pub volumes: BTreeMap<String, DesiredVolume>,
    /// Services that come first.
    pub depends_on: BTreeSet<String>,
}

impl EffectiveService {
    /// Whether there is something to deploy.
    pub fn has_source(&self) -> bool {
        self.settings.contains_key(&Field::Image) || self.settings.contains_key(&Field::Repo)
    }
}

/// What a variable is to be.
#[derive(Clone, Debug)]
pub enum DesiredValue {
    /// This value.
    Value {
        /// The value, for the call that sets it.
        secret: SecretValue,
        /// Its fingerprint, for everything else.
        fingerprint: Fingerprint,
    },
    /// Whatever Railway has.
    Preserve,
    /// Copied once, then whatever Railway has.
    CopyFrom(CopyFrom),
    /// Made up once, then whatever Railway has.
    Generate {
        /// Characters.
        length: u16,
    },
}

/// A domain: own when it has a name, generated when not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DesiredDomain {
    /// The domain.
    pub name: Option<String>,
    /// The application's port.
    pub port: Option<u16>,
}

/// A volume.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DesiredVolume {
    /// Path in the container.
    pub mount_path: String,
    /// Megabytes.
    pub size_mb: Option<u64>,
    /// Region id.
    pub region: Option<String>,
    /// `DAILY`, `WEEKLY`, `MONTHLY`; `None` when not declared.
    pub backup_schedules: Option<Vec<String>>,
}

impl Effective {
    /// An environment of which only the place is known: what a teardown works with.
    pub fn shell(id: MirageId, environment_name: String, project: ProjectTarget) -> Self {
        Self {
            display_name: environment_name.clone(),
            id,
            generation: 0,
            environment_type: EnvironmentType::default(),
            project,
            environment_name,
            services: BTreeMap::new(),
            variables: BTreeMap::new(),
            renamed: BTreeMap::new(),
            drift: Drift::default(),
            rollout: Rollout::default(),
            deletion: Deletion::default(),
            approval: Approval::default(),
            suspend: false,
            pause: Pause::default(),
            expires_at: None,
            account: String::new(),
        }
    }
}
