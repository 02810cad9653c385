//! What becomes of each variable. Pure.
//!
//! | in the source | in the copy |
//! |---|---|
//! | a text | the text, references under their new names |
//! | a reference to a Secret | the same, if the copy's namespace has it |
//! | generated | generated anew: the data behind a password is not copied either |
//! | preserved, copied, or only on Railway | copied from the source on Railway, when the copy is made |
//! | sealed on Railway | refused: nobody can read it |

use std::collections::BTreeMap;

use kube::ResourceExt as _;
use mirage_railway::snapshot::{MARK, VariableSnapshot};
use mirage_specs::{
    CopyOptions, ServiceSpec, Variable,
    name::VariableName,
    variable::{CopyFrom, ValueRef},
};

use super::{
    OnRailway, Remarks, Source, Surroundings,
    naming::{Naming, is_mention_of},
};

type Declared = BTreeMap<String, Option<Variable>>;

/// Works the variables of a copy out.
pub(super) struct Variables<'a> {
    pub(super) source: Source<'a>,
    pub(super) options: &'a CopyOptions,
    pub(super) around: Surroundings<'a>,
    pub(super) naming: &'a Naming,
}

/// A variable that is being copied.
#[derive(Clone, Copy)]
struct Place<'p> {
    /// In the source.
    service: Option<&'p str>,
    name: &'p str,
}

impl Place<'_> {
    /// The field in the copy's spec, in the source's names: that is what the person knows.
    fn field(self) -> String {
        match self.service {
            Some(service) => format!("spec.services.{service}.variables.{}", self.name),
            None => format!("spec.variables.{}", self.name),
        }
    }

    fn option(self) -> String {
        match self.service {
            Some(service) => format!("{service}.{}", self.name),
            None => self.name.to_owned(),
        }
    }
}

impl Variables<'_> {
    /// The shared variables.
    pub(super) fn shared(&self, remarks: &mut Remarks) -> Declared {
        let observed = match self.source.railway {
            OnRailway::Seen(_, environment) => environment
                .config
                .as_ref()
                .map(|config| &config.shared_variables),
            OnRailway::NeverMade | OnRailway::Unread(_) => None,
        };
        let declared = &self.source.spec.variables;
        self.all(None, declared, &self.options.variables, observed, remarks)
    }

    /// The variables of one service, by its name in the source.
    pub(super) fn of_service(
        &self,
        service: &str,
        spec: &ServiceSpec,
        remarks: &mut Remarks,
    ) -> Declared {
        let observed = match self.source.railway {
            OnRailway::Seen(_, environment) => environment
                .instance_named(service)
                .and_then(|instance| {
                    let config = environment.config.as_ref()?;
                    config.services.get(&instance.service_id)
                })
                .map(|config| &config.variables),
            OnRailway::NeverMade | OnRailway::Unread(_) => None,
        };
        let none = BTreeMap::new();
        let overrides = self
            .options
            .services
            .get(service)
            .map_or(&none, |options| &options.variables);
        self.all(Some(service), &spec.variables, overrides, observed, remarks)
    }

    fn all(
        &self,
        service: Option<&str>,
        declared: &Declared,
        overrides: &Declared,
        observed: Option<&BTreeMap<String, VariableSnapshot>>,
        remarks: &mut Remarks,
    ) -> Declared {
        let mut copied = Declared::new();
        let is_declared = |name: &str| declared.get(name).is_some_and(Option::is_some);
        for (name, variable) in declared {
            let (Some(variable), false) = (variable, overrides.contains_key(name)) else {
                continue;
            };
            let place = Place { service, name };
            let seen = observed.and_then(|observed| observed.get(name));
            if let Some(variable) = self.declared(place, variable, seen, remarks) {
                copied.insert(name.clone(), Some(variable));
            }
        }
        for (name, seen) in observed.into_iter().flatten() {
            // Railway's own are not among them; the mark is the source's.
            let is_settable = name != MARK && name.parse::<VariableName>().is_ok();
            if is_declared(name) || overrides.contains_key(name) || !is_settable {
                continue;
            }
            let place = Place { service, name };
            if let Some(variable) = self.on_railway(place, seen, remarks) {
                copied.insert(name.clone(), Some(variable));
            }
        }
        for (name, variable) in overrides {
            let Some(variable) = variable else { continue };
            let place = Place { service, name };
            let variable = match variable {
                Variable::Plain(text) => self.text(place, text, remarks),
                Variable::SecretRef(key) => self.secret(place, key, remarks),
                other => other.clone(),
            };
            copied.insert(name.clone(), Some(variable));
        }
        copied
    }

    fn declared(
        &self,
        place: Place<'_>,
        variable: &Variable,
        seen: Option<&VariableSnapshot>,
        remarks: &mut Remarks,
    ) -> Option<Variable> {
        match (variable, seen) {
            (Variable::Plain(text), _) => Some(self.text(place, text, remarks)),
            (Variable::SecretRef(key), _) => Some(self.secret(place, key, remarks)),
            (Variable::Generate(generate), _) => Some(Variable::Generate(generate.clone())),
            (Variable::Preserve | Variable::CopyFrom(_), Some(seen)) => {
                self.on_railway(place, seen, remarks)
            }
            (Variable::Preserve, None) => Some(Variable::Preserve),
            // The source has not got it yet either.
            (Variable::CopyFrom(from), None) => Some(Variable::CopyFrom(CopyFrom {
                project_id: from.project_id.clone().or_else(|| self.source_project()),
                ..from.clone()
            })),
        }
    }

    fn text(&self, place: Place<'_>, text: &str, remarks: &mut Remarks) -> Variable {
        let followed = self.naming.follow(text);
        for service in &followed.left_out {
            remarks.refuse(place.field(), refers_to(service, place));
        }
        Variable::Plain(followed.text)
    }

    fn secret(&self, place: Place<'_>, from: &ValueRef, remarks: &mut Remarks) -> Variable {
        if !self.around.secrets.contains(from) {
            let of_source = || self.source.environment.namespace();
            let namespace = self.options.namespace.clone().or_else(of_source);
            let namespace = namespace.unwrap_or_else(|| "default".to_owned());
            let ValueRef { name, key, .. } = from;
            let holder = match &from.store {
                None => format!("in a Secret {name:?}"),
                Some(store) => format!(
                    "at {name:?} in the secret store {store:?}, or it could not be read there,"
                ),
            };
            remarks.refuse(
                place.field(),
                format!(
                    "there is no key {key:?} {holder} of namespace {namespace:?}; make it there, or give {} another value",
                    place.option()
                ),
            );
        }
        Variable::SecretRef(from.clone())
    }

    /// A value that only Railway has.
    fn on_railway(
        &self,
        place: Place<'_>,
        seen: &VariableSnapshot,
        remarks: &mut Remarks,
    ) -> Option<Variable> {
        let refusal = match seen {
            VariableSnapshot::Value(_) => None,
            VariableSnapshot::Sealed => {
                Some("is sealed, and Railway shows sealed values to nobody")
            }
            VariableSnapshot::Masked => Some("is not shown to this account's token"),
        };
        if let Some(why) = refusal {
            let option = place.option();
            remarks.refuse(
                place.field(),
                format!("{option} {why}; give {option} a value, or leave it out"),
            );
            return None;
        }
        let OnRailway::Seen(_, environment) = self.source.railway else {
            return None;
        };
        let key = (place.service.map(str::to_owned), place.name.to_owned());
        for mentioned in self.around.mentions.get(&key).into_iter().flatten() {
            let left_out = |service: &&str| is_mention_of(mentioned, service);
            if let Some(service) = self.naming.left_out().find(left_out) {
                remarks.refuse(place.field(), refers_to(service, place));
            }
        }
        Some(Variable::CopyFrom(CopyFrom {
            project_id: self.source_project(),
            environment: environment.name.clone(),
            service: place.service.map(str::to_owned),
            name: place.name.to_owned(),
        }))
    }

    /// The source's project, as far as the copy is in another one.
    fn source_project(&self) -> Option<String> {
        match self.source.railway {
            OnRailway::Seen(project, _) if !self.around.is_same_project => {
                Some(project.to_string())
            }
            _ => None,
        }
    }
}

fn refers_to(service: &str, place: Place<'_>) -> String {
    format!(
        "refers to {service}, which is left out; include {service}, or give {} a value of its own",
        place.option()
    )
}
