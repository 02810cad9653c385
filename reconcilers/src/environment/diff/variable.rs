//! Variables, compared by keyed fingerprint and never by value.

use std::collections::BTreeMap;

use mirage_railway::snapshot::{MARK, VariableSnapshot};
use mirage_specs::plan::PlanReason;

use super::{Draft, Scene, service::Pair};
use crate::environment::{
    applied::{NOT_OURS, UNCERTAIN},
    copies::{self, Trouble},
    effective::DesiredValue,
    plan::{Action, Hold},
};

/// What is to happen to one variable.
enum Verdict {
    Leave,
    Set { exists: bool, reason: PlanReason },
}

/// Whether a variable has a value to set.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Availability {
    Here,
    Nowhere,
    Unknown,
}

impl<'a> Draft<'a> {
    pub(super) fn shared_variables(&mut self, scene: Scene<'a>) {
        let effective = self.effective;
        let Some(config) = scene
            .environment
            .and_then(|environment| environment.config.as_ref())
        else {
            let settable = self.settable("", &effective.variables);
            for name in settable.unwrap_or_default() {
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
                && self.can_be_had(name, desired)
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
        let none = BTreeMap::new();
        let applied = pair.applied.map_or(&none, |applied| &applied.variables);
        for (name, desired) in &pair.desired.variables {
            let verdict = judge(desired, pair.config.variables.get(name), applied.get(name));
            if let Verdict::Set { exists, reason } = verdict
                && self.can_be_had(name, desired)
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

    /// The variables of something new that have a value to set; `None` while it cannot be told of all of them.
    pub(super) fn settable(
        &mut self,
        service: &str,
        variables: &BTreeMap<String, DesiredValue>,
    ) -> Option<Vec<String>> {
        let names = variables
            .iter()
            .filter(|(_, desired)| !matches!(desired, DesiredValue::Preserve));
        let mut settable = Vec::new();
        let mut is_complete = true;
        for (name, desired) in names {
            let shown = if service.is_empty() {
                name.clone()
            } else {
                format!("{service}.{name}")
            };
            match self.availability(&shown, desired) {
                Availability::Here => settable.push(name.clone()),
                Availability::Nowhere => {}
                Availability::Unknown => is_complete = false,
            }
        }
        is_complete.then_some(settable)
    }

    fn can_be_had(&mut self, name: &str, desired: &DesiredValue) -> bool {
        self.availability(name, desired) == Availability::Here
    }

    fn availability(&mut self, name: &str, desired: &DesiredValue) -> Availability {
        let DesiredValue::CopyFrom(from) = desired else {
            return Availability::Here;
        };
        match copies::place(from, self.observed) {
            Ok(_) => Availability::Here,
            Err(Trouble::Missing(from)) => {
                self.hold(Hold::CopySourceMissing {
                    variable: name.to_owned(),
                    from,
                });
                Availability::Nowhere
            }
            Err(Trouble::Unread(why)) => {
                self.hold(Hold::Unobserved {
                    why: format!("variable {name} is to be copied: {why}"),
                });
                Availability::Unknown
            }
        }
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
