//! Effective environments from YAML, and a Railway that is nothing but a snapshot: it takes commits as Railway does.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test a failure is the message"
)]

mod railway;

use std::{collections::BTreeMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use mirage_railway::{
    id::{EnvironmentId, ProjectId, ServiceId},
    secret::{FingerprintKey, SecretValue},
    snapshot::{
        ConfigSnapshot, EnvironmentSnapshot, InstanceSnapshot, Presence, ProjectSnapshot,
        ServiceConfigSnapshot,
    },
};
use mirage_reconcilers::environment::{
    applied,
    diff::{Memory, diff},
    effective::Effective,
    ledger,
    observe::Observed,
    patience::Patience,
    plan::Plan,
    request::Request,
    resolve::{Inputs, layered, resolve, secret_refs},
};
use mirage_specs::{
    Environment,
    ledger::{LedgerEntry, LedgerKind},
    rollout::{GoodState, RestartStatus, RolloutStatus},
    status::Applied,
};
use serde_json::{Value, json};

pub const UID: &str = "11111111-1111-4111-8111-111111111111";

pub fn start() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

pub fn key() -> FingerprintKey {
    FingerprintKey::new([7; 32])
}

/// An Environment `web` in project `shop` with the given rest of its spec.
pub fn environment(spec: &str) -> Environment {
    let spec: Value = serde_yaml::from_str(spec).unwrap();
    let mut object = json!({
        "apiVersion": "mirage.dev/v1alpha1", "kind": "Environment",
        "metadata": {"name": "web", "namespace": "default", "uid": UID, "generation": 1, "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"project": {"name": "shop"}},
    });
    for (name, value) in spec.as_object().unwrap() {
        object["spec"][name] = value.clone();
    }
    serde_json::from_value(object).unwrap()
}

pub fn effective(spec: &str) -> Effective {
    resolved(&environment(spec))
}

pub fn resolved(environment: &Environment) -> Effective {
    let spec = layered(environment, None).unwrap();
    let secrets = secret_refs(&spec)
        .into_iter()
        .map(|reference| {
            let value = format!("value of {}/{}", reference.name, reference.key);
            (reference, SecretValue::new(value))
        })
        .collect();
    resolve(
        environment,
        &spec,
        &Inputs {
            secrets,
            ..Inputs::default()
        },
        &key(),
    )
    .unwrap()
}

/// A Railway project that is a snapshot, and what Mirage remembers of it.
#[derive(Clone)]
pub struct World {
    pub project: Option<ProjectSnapshot>,
    pub ledger: Vec<LedgerEntry>,
    pub applied: Applied,
    pub in_grace: bool,
    pub now: Timestamp,
    pub made: u32,
    pub was_suspended: bool,
    pub retry: bool,
    pub redeploy: Option<Request>,
    pub restart: Option<Request>,
    pub restarts: Option<RestartStatus>,
    pub rollout: Option<RolloutStatus>,
    pub good: BTreeMap<String, GoodState>,
    pub repairs: BTreeMap<String, mirage_specs::status::Repairs>,
}

impl World {
    /// Nothing on Railway, nothing remembered.
    pub fn empty() -> Self {
        Self {
            project: None,
            ledger: Vec::new(),
            applied: Applied::default(),
            in_grace: false,
            now: start(),
            made: 0,
            was_suspended: false,
            retry: false,
            redeploy: None,
            restart: None,
            restarts: None,
            rollout: None,
            good: BTreeMap::new(),
            repairs: BTreeMap::new(),
        }
    }

    /// The project `shop` with Railway's own `production` in it.
    pub fn with_project() -> Self {
        let mut world = Self::empty();
        world.create_project("shop");
        world.ledger.clear();
        world
    }

    /// A world in which everything was applied.
    pub fn synced(effective: &Effective) -> Self {
        let mut world = Self::with_project();
        world.converge(effective);
        world
    }

    pub fn observed(&self) -> Observed {
        let project = self.project.clone().map_or(Presence::Absent, |project| {
            Presence::Present(Arc::new(project))
        });
        Observed {
            project,
            elsewhere: BTreeMap::new(),
            in_grace: self.in_grace,
            patience: Patience::default(),
        }
    }

    pub fn plan(&self, effective: &Effective) -> Plan {
        self.plan_seeing(effective, &self.observed())
    }

    pub fn plan_seeing(&self, effective: &Effective, observed: &Observed) -> Plan {
        let memory = Memory {
            ledger: &self.ledger,
            applied: &self.applied,
            pending: None,
            repairs: &self.repairs,
            was_suspended: self.was_suspended,
            retry: self.retry,
            redeploy: self.redeploy.as_ref(),
            restart: self.restart.as_ref(),
            restarts: self.restarts.as_ref(),
            rollout: self.rollout.as_ref(),
            good: &self.good,
        };
        diff(effective, observed, &memory, self.now)
    }

    /// Plans and applies until nothing is left to do; panics when that never comes.
    pub fn converge(&mut self, effective: &Effective) {
        for _ in 0..12 {
            let plan = self.plan(effective);
            if plan.is_synced() {
                if !effective.suspend {
                    self.applied = applied::record(effective);
                }
                self.was_suspended = effective.suspend;
                return;
            }
            assert!(!plan.entries.is_empty(), "stuck: {:?}", plan.holds);
            self.apply(effective, &plan);
            self.now += SignedDuration::from_mins(10);
        }
        panic!("does not converge: {:#?}", self.plan(effective).entries);
    }

    pub fn environment(&mut self) -> &mut EnvironmentSnapshot {
        let project = self.project.as_mut().unwrap();
        project
            .environments
            .values_mut()
            .find(|environment| environment.name == "web")
            .unwrap()
    }

    pub fn config(&mut self) -> &mut ConfigSnapshot {
        Arc::make_mut(self.environment().config.as_mut().unwrap())
    }

    pub fn service_config(&mut self, name: &str) -> &mut ServiceConfigSnapshot {
        let id = self.service_id(name);
        self.config().services.get_mut(&id).unwrap()
    }

    pub fn service_id(&mut self, name: &str) -> ServiceId {
        self.environment()
            .instance_named(name)
            .unwrap()
            .service_id
            .clone()
    }

    pub fn instance(&mut self, name: &str) -> &mut InstanceSnapshot {
        let id = self.service_id(name);
        self.environment().instances.get_mut(&id).unwrap()
    }

    pub fn remove_service(&mut self, name: &str) {
        let id = self.service_id(name);
        self.environment().instances.remove(&id);
        self.environment()
            .volumes
            .retain(|_, volume| volume.service_id.as_ref() != Some(&id));
        self.config().services.remove(&id);
    }

    /// Somebody makes an environment in Railway's dashboard.
    pub fn create_environment(&mut self, name: &str) -> EnvironmentId {
        let id = EnvironmentId::new(self.id("environment"));
        let environment = EnvironmentSnapshot {
            id: id.clone(),
            name: name.to_owned(),
            created_at: self.now,
            can_access: true,
            etag: Some(self.id("etag")),
            source_environment: None,
            unmerged_changes: 0,
            config: Some(Arc::new(ConfigSnapshot::default())),
            instances: BTreeMap::new(),
            volumes: BTreeMap::new(),
        };
        self.project
            .as_mut()
            .unwrap()
            .environments
            .insert(id.clone(), environment);
        id
    }

    fn create_project(&mut self, name: &str) {
        self.project = Some(ProjectSnapshot {
            id: ProjectId::new("project-1"),
            name: name.to_owned(),
            description: None,
            workspace_id: None,
            created_at: self.now,
            services: BTreeMap::new(),
            volumes: BTreeMap::new(),
            environments: BTreeMap::new(),
            observed_at: self.now,
        });
        ledger::made(
            &mut self.ledger,
            LedgerKind::Project,
            name,
            "project-1",
            self.now,
        );
        self.create_environment("production");
    }
}

/// A plan as people read it.
pub fn text(plan: &Plan) -> String {
    let mut lines: Vec<String> = plan
        .entries
        .iter()
        .map(|entry| {
            let view = entry.view();
            let mark = if view.destroys { "!" } else { " " };
            format!("{mark} {} ({})", view.sentence, view.reason)
        })
        .collect();
    lines.extend(
        plan.reported
            .iter()
            .map(|entry| format!("? left   {} ({})", entry.action, entry.reason)),
    );
    lines.extend(plan.holds.iter().map(|hold| format!("… {hold}")));
    lines.join("\n")
}
