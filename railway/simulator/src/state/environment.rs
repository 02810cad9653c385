//! What exists once per environment.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

use super::{Deployment, Id};

/// An environment. Settings live in `config`, in the shape of Railway's `EnvironmentConfig`; the other maps hold what
/// that shape has no room for (ids, dates, deployments) and follow it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Environment {
    pub(crate) id: Id,
    pub(crate) project: Id,
    pub(crate) name: String,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) visible_at: i64,
    pub(crate) deleted_at: Option<i64>,
    pub(crate) is_ephemeral: bool,
    pub(crate) can_access: bool,
    /// Set for a clone, which makes it a fork.
    pub(crate) source: Option<Id>,
    pub(crate) config: Value,
    /// Hash over the effective config; moves only with it.
    pub(crate) etag: String,
    pub(crate) instances: BTreeMap<Id, Instance>,
    pub(crate) volume_instances: BTreeMap<Id, VolumeInstance>,
    pub(crate) staged: Option<Patch>,
    /// Newest last.
    pub(crate) patches: Vec<Patch>,
    pub(crate) change_sets: BTreeMap<Id, ChangeSetApply>,
    /// Counts deployments for the quirk that lets them move the etag.
    pub(crate) etag_salt: u64,
}

impl Environment {
    pub(crate) fn empty_config() -> Value {
        json!({"services": {}, "sharedVariables": {}, "volumes": {}, "buckets": {}})
    }

    pub(crate) fn is_fork(&self) -> bool {
        self.source.is_some()
    }

    /// Settings of one service; empty when there are none.
    pub(crate) fn service_config(&self, service: &str) -> &Map<String, Value> {
        static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
        self.config["services"]
            .get(service)
            .and_then(Value::as_object)
            .unwrap_or(&NONE)
    }

    /// Instances in the order in which they were made.
    pub(crate) fn instances_by_age(&self) -> Vec<&Instance> {
        let mut all: Vec<&Instance> = self.instances.values().collect();
        all.sort_by(|a, b| (a.order, &a.id).cmp(&(b.order, &b.id)));
        all
    }
}

/// A service in an environment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Instance {
    pub(crate) id: Id,
    pub(crate) service: Id,
    /// Position among its siblings.
    pub(crate) order: u64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) visible_at: i64,
    /// Oldest first.
    pub(crate) deployments: Vec<Deployment>,
    /// By domain name.
    pub(crate) service_domains: BTreeMap<String, Domain>,
    pub(crate) custom_domains: BTreeMap<String, Domain>,
    /// By application port.
    pub(crate) tcp_proxies: BTreeMap<String, TcpProxy>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Domain {
    pub(crate) id: Id,
    pub(crate) created: i64,
    pub(crate) active_at: i64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TcpProxy {
    pub(crate) id: Id,
    pub(crate) created: i64,
    pub(crate) active_at: i64,
    pub(crate) proxy_port: u16,
    pub(crate) domain: String,
}

/// A volume in an environment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct VolumeInstance {
    pub(crate) id: Id,
    pub(crate) volume: Id,
    pub(crate) service: Option<Id>,
    pub(crate) mount_path: String,
    pub(crate) size_mb: i64,
    pub(crate) region: String,
    pub(crate) created: i64,
    pub(crate) visible_at: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum PatchStatus {
    Staged,
    Applying,
    Committed,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Patch {
    pub(crate) id: Id,
    pub(crate) status: PatchStatus,
    pub(crate) patch: Value,
    pub(crate) message: Option<String>,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) applied_at: Option<i64>,
    pub(crate) last_error: Option<String>,
}

/// A change set on its way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ChangeSetApply {
    pub(crate) id: Id,
    /// `applying`, `applied` or `failed`.
    pub(crate) status: String,
    pub(crate) changes: Value,
    pub(crate) diagnostics: Value,
}
