//! What a user of a history wants, as plain data that can be written as a manifest and checked against Railway.

use std::collections::BTreeMap;

use mirage_specs::environment::DriftMode;
use serde_json::json;

/// One Environment.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Name of the object.
    pub name: String,
    /// Name of the project.
    pub project: String,
    /// Name on Railway.
    pub railway_name: String,
    /// Services by name.
    pub services: BTreeMap<String, WishService>,
    /// Shared variables.
    pub variables: BTreeMap<String, Value>,
    /// Whether it is stopped.
    pub suspend: bool,
    /// Whether services change one after the other.
    pub sequential: bool,
    /// Whether a failed rollout goes back.
    pub rollback: bool,
    /// What happens about drift.
    pub drift: DriftMode,
    /// Whether the Railway environment stays when the object goes.
    pub retain: bool,
    /// Time to live in minutes.
    pub ttl_minutes: Option<u64>,
    /// Whether its place is another's, so that it must be refused.
    pub is_refused: bool,
}

/// One service.
#[derive(Clone, Debug, Default)]
pub struct WishService {
    /// Its image.
    pub image: String,
    /// A database's short form instead.
    pub engine: Option<&'static str>,
    /// Copies.
    pub replicas: Option<u16>,
    /// Command that starts it.
    pub start_command: Option<String>,
    /// Healthcheck path.
    pub healthcheck: Option<&'static str>,
    /// Variables.
    pub variables: BTreeMap<String, Value>,
    /// Whether it has a generated domain.
    pub domain: bool,
    /// Own domains.
    pub custom_domains: Vec<String>,
    /// Ports behind a TCP proxy.
    pub tcp_proxies: Vec<u16>,
    /// Name of its volume.
    pub volume: Option<String>,
    /// What it depends on.
    pub depends_on: Vec<String>,
}

/// A variable's value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// In the spec.
    Plain(String),
    /// In the Secret `keys`, under this key.
    Secret(String),
    /// Made up by Mirage.
    Generated,
}

impl Value {
    fn manifest(&self) -> serde_json::Value {
        match self {
            Self::Plain(text) => json!(text),
            Self::Secret(key) => json!({"secretRef": {"name": "keys", "key": key}}),
            Self::Generated => json!({"generate": {"length": 24}}),
        }
    }
}

fn variables(variables: &BTreeMap<String, Value>) -> serde_json::Value {
    variables
        .iter()
        .map(|(name, value)| (name.clone(), value.manifest()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

impl Wish {
    /// As its owner writes it.
    pub fn manifest(&self) -> serde_json::Value {
        let services: serde_json::Map<_, _> = self
            .services
            .iter()
            .map(|(name, service)| (name.clone(), service.manifest()))
            .collect();
        let mut spec = json!({
            "project": {"name": self.project},
            "name": self.railway_name,
            "services": services,
            "variables": variables(&self.variables),
        });
        if self.suspend {
            spec["suspend"] = json!(true);
        }
        if self.sequential {
            spec["rollout"]["strategy"] = json!("sequential");
        }
        if self.rollback {
            spec["rollout"]["onFailure"] = json!("rollback");
        }
        if self.drift != DriftMode::Repair {
            spec["drift"] = json!({"mode": self.drift});
        }
        if self.retain {
            spec["deletion"] = json!("retain");
        }
        if let Some(minutes) = self.ttl_minutes {
            spec["ttl"] = json!(format!("{minutes}m"));
        }
        json!({
            "apiVersion": "mirage.dev/v1alpha1",
            "kind": "Environment",
            "metadata": {"name": self.name},
            "spec": spec,
        })
    }
}

impl WishService {
    fn manifest(&self) -> serde_json::Value {
        if let Some(engine) = self.engine {
            return json!({"engine": engine, "variables": variables(&self.variables)});
        }
        let mut service =
            json!({"source": {"image": self.image}, "variables": variables(&self.variables)});
        if let Some(replicas) = self.replicas {
            service["deploy"]["replicas"] = json!(replicas);
        }
        if let Some(command) = &self.start_command {
            service["deploy"]["startCommand"] = json!(command);
        }
        if let Some(path) = self.healthcheck {
            service["deploy"]["healthcheck"] = json!({"path": path});
        }
        let mut domains: Vec<_> = self
            .custom_domains
            .iter()
            .map(|name| json!({"name": name, "port": 8080}))
            .collect();
        if self.domain {
            domains.push(json!({"port": 8080}));
        }
        if !domains.is_empty() {
            service["domains"] = json!(domains);
        }
        if !self.tcp_proxies.is_empty() {
            service["tcpProxies"] = json!(self.tcp_proxies);
        }
        if let Some(volume) = &self.volume {
            service["volumes"] = json!({volume.as_str(): {"mountPath": "/data"}});
        }
        if !self.depends_on.is_empty() {
            service["dependsOn"] = json!(self.depends_on);
        }
        service
    }
}
