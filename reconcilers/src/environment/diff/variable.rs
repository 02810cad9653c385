//! Variables, compared by keyed fingerprint and never by value.

use std::collections::BTreeMap;

use mirage_railway::snapshot::{MARK, ProjectSnapshot, VariableSnapshot};
use mirage_specs::{plan::PlanReason, variable::CopyFrom};

use super::{Draft, Scene, service::Pair};
use crate::environment::{
    applied::{NOT_OURS, UNCERTAIN},
    effective::DesiredValue,
    plan::{Action, Hold},
};

/// What is to happen to one variable.
enum Verdict {
    Leave,
    Set { exists: bool, reason: PlanReason },
}

impl<'a> Draft<'a> {
    pub(super) fn shared_variables(&mut self, scene: Scene<'a>) {
        let effective = self.effective;
        let Some(config) = scene
            .environment
            .and_then(|environment| environment.config.as_ref())
        else {
            for name in self.settable("", &effective.variables, scene) {
                self.push(
                    Action::SetSharedVariable {
                        name,
                        exists: false,
                    },
                    self.fresh,
                );
            }
            return;
        };
        let applied = &self.memory.applied.variables;
        for (name, desired) in &effective.variables {
            let verdict = judge(
                desired,
                config.shared_variables.get(name),
                applied.get(name),
            );
            if let Verdict::Set { exists, reason } = verdict
                && self.can_be_had(name, desired, scene)
            {
                self.push(
                    Action::SetSharedVariable {
                        name: name.clone(),
                        exists,
                    },
                    reason,
                );
            }
        }
        for name in no_longer_declared(applied, &effective.variables) {
            if name != MARK && config.shared_variables.contains_key(name) {
                self.push(
                    Action::DeleteSharedVariable { name: name.clone() },
                    PlanReason::NoLongerDeclared,
                );
            }
        }
    }

    pub(super) fn variables(&mut self, pair: Pair<'a>) {
        let scene = Scene {
            project: self.present_project(),
            environment: Some(pair.environment),
        };
        let none = BTreeMap::new();
        let applied = pair.applied.map_or(&none, |applied| &applied.variables);
        for (name, desired) in &pair.desired.variables {
            let verdict = judge(desired, pair.config.variables.get(name), applied.get(name));
            if let Verdict::Set { exists, reason } = verdict
                && self.can_be_had(name, desired, scene)
            {
                let service = pair.name.to_owned();
                self.push(
                    Action::SetVariable {
                        service,
                        name: name.clone(),
                        exists,
                    },
                    reason,
                );
            }
        }
        for name in no_longer_declared(applied, &pair.desired.variables) {
            if pair.config.variables.contains_key(name) {
                let action = Action::DeleteVariable {
                    service: pair.name.to_owned(),
                    name: name.clone(),
                };
                self.push(action, PlanReason::NoLongerDeclared);
            }
        }
    }

    /// The variables of something new that have a value to set.
    pub(super) fn settable(
        &mut self,
        service: &str,
        variables: &BTreeMap<String, DesiredValue>,
        scene: Scene<'a>,
    ) -> Vec<String> {
        let names = variables
            .iter()
            .filter(|(_, desired)| !matches!(desired, DesiredValue::Preserve));
        let mut settable = Vec::new();
        for (name, desired) in names {
            let shown = if service.is_empty() {
                name.clone()
            } else {
                format!("{service}.{name}")
            };
            if self.can_be_had(&shown, desired, scene) {
                settable.push(name.clone());
            }
        }
        settable
    }

    fn present_project(&self) -> Option<&'a ProjectSnapshot> {
        match &self.observed.project {
            mirage_railway::snapshot::Presence::Present(project) => Some(project),
            _ => None,
        }
    }

    fn can_be_had(&mut self, name: &str, desired: &DesiredValue, scene: Scene<'a>) -> bool {
        let DesiredValue::CopyFrom(from) = desired else {
            return true;
        };
        match copy_source(from, scene.project) {
            Ok(()) => true,
            Err(why) => {
                self.hold(Hold::CopySourceMissing {
                    variable: name.to_owned(),
                    from: why,
                });
                false
            }
        }
    }
}

fn copy_source(from: &CopyFrom, project: Option<&ProjectSnapshot>) -> Result<(), String> {
    let environment = project
        .and_then(|project| project.environment_named(&from.environment))
        .ok_or_else(|| {
            format!(
                "there is no environment {} in the project",
                from.environment
            )
        })?;
    let config = environment
        .config
        .as_ref()
        .ok_or_else(|| format!("environment {} could not be read", from.environment))?;
    let variables = match &from.service {
        None => &config.shared_variables,
        Some(service) => {
            let instance = environment.instance_named(service).ok_or_else(|| {
                format!("environment {} has no service {service}", from.environment)
            })?;
            let config = config.services.get(&instance.service_id);
            &config
                .ok_or_else(|| format!("service {service} could not be read"))?
                .variables
        }
    };
    match variables.get(&from.name) {
        Some(VariableSnapshot::Value(_)) => Ok(()),
        Some(VariableSnapshot::Sealed) => Err(format!(
            "{} is sealed and cannot be read: Railway shows sealed values to nobody",
            from.name
        )),
        Some(VariableSnapshot::Masked) => Err(format!("{} is not shown to this token", from.name)),
        None => Err(format!("there is no variable {} there", from.name)),
    }
}

fn judge(
    desired: &DesiredValue,
    observed: Option<&VariableSnapshot>,
    applied: Option<&String>,
) -> Verdict {
    let applied_is = |fingerprint: &str| applied.is_some_and(|applied| applied == fingerprint);
    match (desired, observed) {
        (DesiredValue::Preserve, _) => Verdict::Leave,
        (DesiredValue::CopyFrom(_) | DesiredValue::Generate { .. }, Some(_)) => Verdict::Leave,
        (DesiredValue::CopyFrom(_) | DesiredValue::Generate { .. }, None) => Verdict::Set {
            exists: false,
            reason: if applied.is_some_and(|a| a != UNCERTAIN) {
                PlanReason::Drifted
            } else {
                PlanReason::SpecChanged
            },
        },
        (DesiredValue::Value { fingerprint, .. }, None) => Verdict::Set {
            exists: false,
            reason: super::service::changed_or_drifted(applied_is(fingerprint.as_str())),
        },
        (DesiredValue::Value { fingerprint, .. }, Some(VariableSnapshot::Value(seen)))
            if seen == fingerprint =>
        {
            Verdict::Leave
        }
        (DesiredValue::Value { fingerprint, .. }, Some(VariableSnapshot::Value(_))) => {
            Verdict::Set {
                exists: true,
                reason: super::service::changed_or_drifted(applied_is(fingerprint.as_str())),
            }
        }
        // Cannot be compared: what was applied last is believed to be there still.
        (
            DesiredValue::Value { fingerprint, .. },
            Some(VariableSnapshot::Sealed | VariableSnapshot::Masked),
        ) => {
            if applied_is(fingerprint.as_str()) {
                Verdict::Leave
            } else {
                Verdict::Set {
                    exists: true,
                    reason: PlanReason::SpecChanged,
                }
            }
        }
    }
}

fn no_longer_declared<'a>(
    applied: &'a BTreeMap<String, String>,
    desired: &'a BTreeMap<String, DesiredValue>,
) -> impl Iterator<Item = &'a String> {
    applied
        .iter()
        .filter(|(name, fingerprint)| *fingerprint != NOT_OURS && !desired.contains_key(*name))
        .map(|(name, _)| name)
}
