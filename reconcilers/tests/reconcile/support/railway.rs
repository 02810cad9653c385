//! A Railway that is a snapshot: it takes commits and calls as Railway does.

use std::collections::BTreeMap;

use mirage_railway::{
    change::{NewVolume, ServiceChange},
    id::{DeploymentId, DomainId, ServiceId, VolumeId},
    secret::SecretValue,
    snapshot::{
        DeploymentSnapshot, DeploymentStatus, DomainSnapshot, InstanceSnapshot, MARK,
        ServiceConfigSnapshot, VariableSnapshot, VolumeSnapshot,
    },
};
use mirage_reconcilers::environment::{
    applied,
    commit::{Target, Values, commit},
    effective::{DesiredValue, Effective},
    ledger,
    plan::{Action, Entry, Plan},
};
use mirage_specs::{ledger::LedgerKind, status::Applied};
use serde_json::{Map, Value, json};

use super::{World, key};

impl World {
    pub(super) fn id(&mut self, kind: &str) -> String {
        self.made += 1;
        format!("{kind}-{}", self.made)
    }

    /// What `apply` would do to a Railway without faults.
    pub fn apply(&mut self, effective: &Effective, plan: &Plan) {
        let mut commit_entries = Vec::new();
        for entry in &plan.entries {
            match &entry.action {
                Action::CreateProject { name } => self.create_project(name),
                Action::CreateEnvironment { name, .. } => {
                    let id = self.create_environment(name);
                    self.ledger
                        .retain(|entry| entry.kind == LedgerKind::Project);
                    self.applied = Applied::default();
                    ledger::made(
                        &mut self.ledger,
                        LedgerKind::Environment,
                        name,
                        id.as_str(),
                        self.now,
                    );
                }
                Action::CreateDomain {
                    service,
                    name,
                    port,
                } => self.create_domain(service, name.as_deref(), *port),
                Action::DeleteDomain { service, id, .. } => {
                    let instance = self.instance(service);
                    instance.service_domains.retain(|domain| domain.id != *id);
                    instance.custom_domains.retain(|domain| domain.id != *id);
                }
                Action::Deploy { service, .. } => self.deploy(service),
                Action::Stop { service, .. } => {
                    let instance = self.instance(service);
                    instance.active_deployments.clear();
                    instance.latest_deployment.as_mut().unwrap().status = DeploymentStatus::Removed;
                }
                Action::DeleteEnvironment { id, .. } => {
                    self.project.as_mut().unwrap().environments.remove(id);
                }
                Action::Rollback { service, .. } => self.deploy(service),
                Action::Cancel { service, .. } => {
                    let instance = self.instance(service);
                    instance.latest_deployment.as_mut().unwrap().status = DeploymentStatus::Removed;
                }
                Action::Restart { service, .. } => {
                    let now = self.now;
                    let instance = self.instance(service);
                    instance.latest_deployment.as_mut().unwrap().status_since = Some(now);
                }
                Action::Unmark { .. } => self.config().mark = None,
                _ => commit_entries.push(entry),
            }
        }
        self.commit(effective, &commit_entries);
    }

    fn create_domain(&mut self, service: &str, name: Option<&str>, port: Option<u16>) {
        if self.environment().instance_named(service).is_none() {
            return;
        }
        let id = DomainId::new(self.id("domain"));
        let domain = name.map_or_else(|| format!("{service}-web.up.railway.app"), str::to_owned);
        ledger::made(
            &mut self.ledger,
            LedgerKind::Domain,
            name.unwrap_or(service),
            id.as_str(),
            self.now,
        );
        let recorded = name.unwrap_or(applied::GENERATED_DOMAIN).to_owned();
        let domains = &mut self
            .applied
            .services
            .entry(service.to_owned())
            .or_default()
            .domains;
        if !domains.contains(&recorded) {
            domains.push(recorded);
        }
        let instance = self.instance(service);
        let domain = DomainSnapshot {
            id,
            domain,
            target_port: port,
        };
        if name.is_some() {
            instance.custom_domains.push(domain)
        } else {
            instance.service_domains.push(domain)
        }
    }

    pub fn deploy(&mut self, service: &str) {
        let deployment = DeploymentSnapshot {
            id: DeploymentId::new(self.id("deployment")),
            status: DeploymentStatus::Success,
            status_since: Some(self.now),
            stopped: false,
            created_at: self.now,
        };
        let instance = self.instance(service);
        instance.latest_deployment = Some(deployment.clone());
        instance.active_deployments = vec![deployment];
    }

    fn commit(&mut self, effective: &Effective, entries: &[&Entry]) {
        if entries.is_empty() {
            return;
        }
        let values: Values = entries
            .iter()
            .filter_map(|entry| {
                let (service, name) = match &entry.action {
                    Action::SetSharedVariable { name, .. } => (None, name),
                    Action::SetVariable { service, name, .. } => (Some(service.clone()), name),
                    _ => return None,
                };
                let desired = match &service {
                    None => effective.variables.get(name)?,
                    Some(service) => effective.services.get(service)?.variables.get(name)?,
                };
                let secret = match desired {
                    DesiredValue::Value { secret, .. } => secret.clone(),
                    _ => SecretValue::new("made up"),
                };
                Some(((service, name.clone()), secret))
            })
            .collect();
        let project = self.project.clone().unwrap();
        let environment = self.environment().clone();
        let target = Target {
            project: &project.id,
            environment: &environment.id,
            observed: Some(&environment),
        };
        let change = commit(&effective.id, effective, target, entries, &values);
        for (name, value) in change.shared_variables {
            if name == MARK {
                self.config().mark = value.map(|value| value.expose().to_owned());
                continue;
            }
            set(&mut self.config().shared_variables, name, value);
        }
        let mut touched = Vec::new();
        for (name, service) in change.services {
            touched.push(name.clone());
            match service {
                ServiceChange::Create(new) => {
                    let id = new
                        .existing
                        .unwrap_or_else(|| ServiceId::new(self.id("service")));
                    self.project
                        .as_mut()
                        .unwrap()
                        .services
                        .insert(id.clone(), name.clone());
                    self.environment()
                        .instances
                        .insert(id.clone(), instance(&id, &name));
                    let mut config = ServiceConfigSnapshot {
                        settings: railways_defaults(),
                        ..ServiceConfigSnapshot::default()
                    };
                    merge_settings(&mut config.settings, &new.settings);
                    for (variable, value) in new.variables {
                        set(&mut config.variables, variable, Some(value));
                    }
                    self.config().services.insert(id.clone(), config);
                    self.attach(&id, new.volumes);
                    if effective
                        .services
                        .get(&name)
                        .is_some_and(|desired| desired.has_source())
                    {
                        self.deploy(&name);
                    }
                }
                ServiceChange::Update(update) => {
                    let config = self.service_config(&name);
                    merge_settings(&mut config.settings, &update.settings);
                    for (variable, value) in update.variables {
                        set(&mut config.variables, variable, value);
                    }
                    self.point_domains(&name, &update.settings);
                    self.attach(&update.id, update.new_volumes);
                    for (id, volume) in update.volume_changes {
                        let backups = json!({"mountPath": volume.mount_path, "backupSchedules": volume.backup_schedules});
                        let observed = self.environment().volumes.get_mut(&id).unwrap();
                        observed.mount_path = Some(volume.mount_path);
                        observed.size_mb = volume.size_mb.or(observed.size_mb);
                        observed.region = volume.region.or(observed.region.take());
                        self.service_config(&name).settings["volumeMounts"][id.as_str()] = backups;
                    }
                    for id in update.deleted_volumes {
                        self.environment().volumes.remove(&id);
                    }
                }
                ServiceChange::Delete { volumes, .. } => {
                    for id in volumes {
                        self.environment().volumes.remove(&id);
                    }
                    self.remove_service(&name);
                }
            }
        }
        let mut next = applied::record(effective);
        let before = std::mem::take(&mut self.applied);
        next.services.retain(|name, _| touched.contains(name));
        for (name, service) in before.services {
            if effective.services.contains_key(&name) {
                next.services.entry(name).or_insert(service);
            }
        }
        self.applied = next;
    }

    fn point_domains(&mut self, service: &str, settings: &Value) {
        for kind in ["serviceDomains", "customDomains"] {
            let ports: Vec<(String, u16)> = settings
                .pointer(&format!("/networking/{kind}"))
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
                .filter_map(|(domain, to)| {
                    Some((
                        domain.clone(),
                        u16::try_from(to.get("port")?.as_u64()?).ok()?,
                    ))
                })
                .collect();
            let instance = self.instance(service);
            for domain in instance
                .service_domains
                .iter_mut()
                .chain(&mut instance.custom_domains)
            {
                if let Some((_, port)) = ports.iter().find(|(name, _)| *name == domain.domain) {
                    domain.target_port = Some(*port);
                }
            }
        }
    }

    fn attach(&mut self, service: &ServiceId, volumes: Vec<NewVolume>) {
        for volume in volumes {
            let id = volume
                .existing
                .clone()
                .unwrap_or_else(|| VolumeId::new(self.id("volume")));
            self.project
                .as_mut()
                .unwrap()
                .volumes
                .insert(id.clone(), volume.name.clone());
            let mounts =
                json!({"mountPath": volume.mount_path, "backupSchedules": volume.backup_schedules});
            let config = self.config().services.get_mut(service).unwrap();
            config.settings["volumeMounts"][id.as_str()] = mounts;
            let snapshot = VolumeSnapshot {
                volume_id: id.clone(),
                name: volume.name,
                service_id: Some(service.clone()),
                mount_path: Some(volume.mount_path),
                size_mb: volume.size_mb.or(Some(5000)),
                region: volume.region.or(Some("us-west2".to_owned())),
                state: Some("READY".to_owned()),
                is_pending_deletion: false,
            };
            self.environment().volumes.insert(id, snapshot);
        }
    }
}

fn instance(id: &ServiceId, name: &str) -> InstanceSnapshot {
    InstanceSnapshot {
        service_id: id.clone(),
        service_name: name.to_owned(),
        latest_deployment: None,
        active_deployments: Vec::new(),
        service_domains: Vec::new(),
        custom_domains: Vec::new(),
    }
}

fn set(
    variables: &mut BTreeMap<String, VariableSnapshot>,
    name: String,
    value: Option<SecretValue>,
) {
    match value {
        Some(value) => drop(variables.insert(
            name,
            VariableSnapshot::Value(key().fingerprint(value.expose())),
        )),
        None => drop(variables.remove(&name)),
    }
}

/// What Railway shows of a service of which nothing was said.
fn railways_defaults() -> Value {
    json!({
        "source": {"checkSuites": false, "branch": "main", "rootDirectory": ""},
        "build": {"builder": "RAILPACK", "buildEnvironment": "V3", "buildCommand": "", "dockerfilePath": "Dockerfile"},
        "deploy": {
            "runtime": "V2", "useLegacyStacker": false, "ipv6EgressEnabled": false,
            "multiRegionConfig": {"us-west2": {"numReplicas": 1}}, "restartPolicyType": "ON_FAILURE",
        },
    })
}

/// Railway keeps a plain count in the only region.
fn merge_settings(into: &mut Value, patch: &Value) {
    merge(into, patch);
    let Some(deploy) = into.get_mut("deploy").and_then(Value::as_object_mut) else {
        return;
    };
    let cleared = patch
        .pointer("/deploy/numReplicas")
        .is_some_and(Value::is_null);
    if let Some(count) = deploy.remove("numReplicas").or(cleared.then(|| json!(1))) {
        deploy.insert(
            "multiRegionConfig".to_owned(),
            json!({"us-west2": {"numReplicas": count}}),
        );
    }
}

/// Railway's merge: deep, null removes, arrays replace.
fn merge(into: &mut Value, patch: &Value) {
    if let (Value::Object(into), Value::Object(patch)) = (&mut *into, patch) {
        for (name, value) in patch {
            match value {
                Value::Null => drop(into.remove(name)),
                _ => merge(
                    into.entry(name.clone())
                        .or_insert_with(|| Value::Object(Map::new())),
                    value,
                ),
            }
        }
        return;
    }
    *into = patch.clone();
}
