//! Services: missing ones are made, present ones are compared setting by setting.

use mirage_railway::snapshot::{
    DeploymentStatus, EnvironmentSnapshot, InstanceSnapshot, ServiceConfigSnapshot,
};
use mirage_specs::{ledger::LedgerKind, plan::PlanReason, status::AppliedService};
use serde_json::Value;

use super::{Draft, Scene};
use crate::environment::{
    applied::setting_fingerprint,
    effective::EffectiveService,
    field::Field,
    normalize,
    plan::{Action, Hold},
    request::is_older,
};

/// One desired service beside what there is of it.
#[derive(Clone, Copy)]
pub(super) struct Pair<'a> {
    pub(super) name: &'a str,
    pub(super) desired: &'a EffectiveService,
    pub(super) environment: &'a EnvironmentSnapshot,
    pub(super) instance: &'a InstanceSnapshot,
    pub(super) config: &'a ServiceConfigSnapshot,
    pub(super) applied: Option<&'a AppliedService>,
}

impl<'a> Draft<'a> {
    pub(super) fn services(&mut self, scene: Scene<'a>) {
        let effective = self.effective;
        for (name, desired) in &effective.services {
            let Some(environment) = scene.environment else {
                self.new_service(name, desired, scene, self.fresh);
                continue;
            };
            let applied = self.memory.applied.services.get(name);
            let Some(instance) = environment.instance_named(name) else {
                if self.made_a_moment_ago(LedgerKind::Service, name)
                    || (self.observed.in_grace && applied.is_some())
                {
                    self.hold(Hold::AwaitingVisibility {
                        what: format!("service {name}"),
                    });
                } else if let Some(volume) = self.volume_on_its_way(name, desired, environment) {
                    self.hold(Hold::AwaitingVisibility {
                        what: format!("volume {volume}"),
                    });
                } else {
                    let reason = if applied.is_some_and(was_committed) {
                        PlanReason::Drifted
                    } else {
                        PlanReason::Missing
                    };
                    self.new_service(name, desired, scene, reason);
                }
                continue;
            };
            let config = environment
                .config
                .as_ref()
                .and_then(|config| config.services.get(&instance.service_id));
            let Some(config) = config else {
                self.hold(Hold::AwaitingVisibility {
                    what: format!("the configuration of service {name}"),
                });
                continue;
            };
            let pair = Pair {
                name,
                desired,
                environment,
                instance,
                config,
                applied,
            };
            let before = self.plan.entries.len();
            self.settings(pair);
            self.variables(pair);
            self.volumes(pair, scene);
            self.tcp_proxies(pair);
            self.domains(pair);
            let untouched = self.plan.entries.len() == before;
            self.deployment(pair, untouched);
        }
    }

    fn new_service(
        &mut self,
        name: &str,
        desired: &EffectiveService,
        scene: Scene<'a>,
        reason: PlanReason,
    ) {
        let service = name.to_owned();
        // Made without them it would start without them, and again with them.
        let Some(variables) = self.settable(&service, &desired.variables) else {
            return;
        };
        let existing = scene
            .project
            .and_then(|project| project.service_named(name))
            .cloned();
        self.push(
            Action::CreateService {
                service: service.clone(),
                existing,
            },
            reason,
        );
        for variable in variables {
            self.push(
                Action::SetVariable {
                    service: service.clone(),
                    name: variable,
                    exists: false,
                },
                reason,
            );
        }
        for volume in desired.volumes.keys() {
            self.new_volume(name, volume, scene, reason);
        }
        for port in &desired.tcp_proxies {
            self.push(
                Action::AddTcpProxy {
                    service: service.clone(),
                    port: *port,
                },
                reason,
            );
        }
        for domain in &desired.domains {
            let (name, port) = (domain.name.clone(), domain.port);
            self.push(
                Action::CreateDomain {
                    service: service.clone(),
                    name,
                    port,
                },
                reason,
            );
        }
    }

    fn settings(&mut self, pair: Pair<'a>) {
        let Pair {
            name,
            desired,
            config,
            applied,
            ..
        } = pair;
        for (field, value) in &desired.settings {
            let to = normalize::canonical(*field, value);
            let from = normalize::observed(*field, &config.settings);
            if to == from {
                continue;
            }
            let known = applied.and_then(|applied| applied.settings.get(field.spec_path()));
            let reason = if known == Some(&setting_fingerprint(*field, value)) {
                PlanReason::Drifted
            } else {
                PlanReason::SpecChanged
            };
            self.push(
                Action::ChangeSetting {
                    service: name.to_owned(),
                    field: *field,
                    from,
                    to,
                },
                reason,
            );
        }
        let was_declared = applied
            .into_iter()
            .flat_map(|applied| applied.settings.keys());
        for field in was_declared.filter_map(|path| Field::from_spec_path(path)) {
            let overlapping = covered_by_sibling(field, desired);
            if desired.settings.contains_key(&field) || overlapping {
                continue;
            }
            if let Some(from) = normalize::observed(field, &config.settings) {
                let change = Action::ChangeSetting {
                    service: name.to_owned(),
                    field,
                    from: Some(from),
                    to: None,
                };
                self.push(change, PlanReason::NoLongerDeclared);
            }
        }
    }

    fn tcp_proxies(&mut self, pair: Pair<'a>) {
        let observed = pair
            .config
            .settings
            .pointer("/networking/tcpProxies")
            .and_then(Value::as_object);
        let is_open = |port: u16| {
            observed.is_some_and(|map| {
                map.get(&port.to_string())
                    .is_some_and(|proxy| !proxy.is_null())
            })
        };
        let service = || pair.name.to_owned();
        for port in &pair.desired.tcp_proxies {
            if !is_open(*port) {
                let known = pair
                    .applied
                    .is_some_and(|applied| applied.tcp_proxies.contains(port));
                self.push(
                    Action::AddTcpProxy {
                        service: service(),
                        port: *port,
                    },
                    changed_or_drifted(known),
                );
            }
        }
        for port in pair
            .applied
            .into_iter()
            .flat_map(|applied| &applied.tcp_proxies)
        {
            if !pair.desired.tcp_proxies.contains(port) && is_open(*port) {
                self.push(
                    Action::RemoveTcpProxy {
                        service: service(),
                        port: *port,
                    },
                    PlanReason::NoLongerDeclared,
                );
            }
        }
    }

    /// A commit deploys what it changes. What it does not change and what never ran is deployed explicitly: Railway
    /// takes a patch equal to the current configuration as nothing to do.
    fn deployment(&mut self, pair: Pair<'a>, untouched: bool) {
        if !untouched || !pair.desired.has_source() || self.observed.in_grace {
            return;
        }
        if let Some(asked) = self.memory.redeploy
            && asked.means(pair.name)
            && is_older(pair.instance, asked.at)
            && !self.is_under_way(pair.name)
        {
            self.push(
                Action::Deploy {
                    service: pair.name.to_owned(),
                    id: pair.instance.service_id.clone(),
                },
                PlanReason::Requested,
            );
            return;
        }
        let stopped = pair.instance.active_deployments.is_empty()
            && pair
                .instance
                .latest_deployment
                .as_ref()
                .is_none_or(|latest| latest.status == DeploymentStatus::Removed);
        if !stopped {
            return;
        }
        let reason = match &pair.instance.latest_deployment {
            _ if self.memory.was_suspended => PlanReason::Suspension,
            None => PlanReason::Missing,
            Some(_) => PlanReason::Drifted,
        };
        self.push(
            Action::Deploy {
                service: pair.name.to_owned(),
                id: pair.instance.service_id.clone(),
            },
            reason,
        );
    }
}

/// A plain count and a count per region are two spellings of one setting: leaving one for the other clears nothing.
fn covered_by_sibling(field: Field, desired: &EffectiveService) -> bool {
    match field {
        Field::Replicas => desired.settings.contains_key(&Field::Regions),
        Field::Regions => desired.settings.contains_key(&Field::Replicas),
        _ => false,
    }
}

/// Whether a service's change was accepted once, and not merely intended.
pub(super) fn was_committed(applied: &AppliedService) -> bool {
    !applied
        .settings
        .values()
        .chain(applied.variables.values())
        .any(|fingerprint| fingerprint == "?")
}

/// The reason for something declared that is not as declared.
pub(super) fn changed_or_drifted(known: bool) -> PlanReason {
    if known {
        PlanReason::Drifted
    } else {
        PlanReason::SpecChanged
    }
}
