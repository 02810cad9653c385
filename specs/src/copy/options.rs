//! What may be asked of a copy. Names of services are always the source's.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    duration::Span,
    environment::{EnvironmentType, ProjectRef},
    service::Limits,
    setting::Setting,
    variable::Variable,
};

/// How long a copy may take to become ready when nothing is said.
pub const DEFAULT_TIMEOUT_SECONDS: u64 = 30 * 60;

/// How a copy is to differ from its source.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CopyOptions {
    /// Name of the new Environment, which is also its name on Railway.
    pub name: String,
    /// Its namespace; the source's when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its Railway project, made when no project has that name; the source's when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectRef>,
    /// What it is for; as the source when absent.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub environment_type: Option<EnvironmentType>,
    /// How long it lives; as the source when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Span>,
    /// Only these services; all when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// Not these services.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    /// Shared variables that differ; `null` leaves one out.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, Option<Variable>>,
    /// What differs in single services.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<String, ServiceOptions>,
    /// Put before the name of every service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Put behind the name of every service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suffix: Option<String>,
    /// What becomes of a copy that does not become ready.
    pub on_failure: CopyFailure,
    /// How long it may take to become ready; 30m when absent. Only with `onFailure: rollback`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// Copies a source that is not healthy, too.
    pub force: bool,
}

/// How one service is to differ.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ServiceOptions {
    /// Variables that differ; `null` leaves one out.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, Option<Variable>>,
    /// Copies of the process, in the default region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u16>,
    /// Upper bounds for one replica; what is left out stays as in the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
}

/// What becomes of a copy that fails, or is not ready in time.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum CopyFailure {
    /// It is torn down, with everything that was made for it but the project.
    #[default]
    Rollback,
    /// It stays, and is tried again as any other environment.
    Keep,
}

/// A short form that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not {expected}")]
pub struct InvalidShortForm {
    given: String,
    expected: &'static str,
}

impl CopyOptions {
    /// `NAME=VALUE` for a shared variable, `SERVICE.NAME=VALUE` for one of a service.
    ///
    /// # Errors
    /// When there is no `=`. What was given is not repeated: it may be a secret.
    pub fn set(&mut self, text: &str) -> Result<(), InvalidShortForm> {
        let (place, value) = text.split_once('=').ok_or(InvalidShortForm {
            given: "…".to_owned(),
            expected: "NAME=VALUE or SERVICE.NAME=VALUE",
        })?;
        *self.variable(place) = Some(Variable::Plain(value.to_owned()));
        Ok(())
    }

    /// `NAME` or `SERVICE.NAME`: leaves the variable out.
    pub fn unset(&mut self, place: &str) {
        *self.variable(place) = None;
    }

    fn variable(&mut self, place: &str) -> &mut Option<Variable> {
        let entry = match place.split_once('.') {
            Some((service, name)) => self.service(service).variables.entry(name.to_owned()),
            None => self.variables.entry(place.to_owned()),
        };
        entry.or_default()
    }

    /// `SERVICE=COUNT`.
    ///
    /// # Errors
    /// When it is not of that form.
    pub fn replicas(&mut self, text: &str) -> Result<(), InvalidShortForm> {
        let (service, count) = of_service(text, "SERVICE=COUNT")?;
        self.service(service).replicas = Some(count);
        Ok(())
    }

    /// `SERVICE=VCPUS`.
    ///
    /// # Errors
    /// When it is not of that form.
    pub fn cpu(&mut self, text: &str) -> Result<(), InvalidShortForm> {
        let (service, cpu) = of_service(text, "SERVICE=VCPUS, for example web=0.5")?;
        self.service(service).limits.get_or_insert_default().cpu = Setting::Set(cpu);
        Ok(())
    }

    /// `SERVICE=SIZE`.
    ///
    /// # Errors
    /// When it is not of that form.
    pub fn memory(&mut self, text: &str) -> Result<(), InvalidShortForm> {
        let (service, size) = of_service(text, "SERVICE=SIZE, for example web=512Mi")?;
        self.service(service).limits.get_or_insert_default().memory = Setting::Set(size);
        Ok(())
    }

    fn service(&mut self, name: &str) -> &mut ServiceOptions {
        self.services.entry(name.to_owned()).or_default()
    }
}

fn of_service<'a, T: std::str::FromStr>(
    text: &'a str,
    expected: &'static str,
) -> Result<(&'a str, T), InvalidShortForm> {
    let read = text
        .split_once('=')
        .and_then(|(service, value)| Some((service, value.parse().ok()?)));
    read.filter(|(service, _)| !service.is_empty())
        .ok_or_else(|| InvalidShortForm {
            given: text.to_owned(),
            expected,
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn short_forms_say_what_the_long_ones_say() {
        let mut short = CopyOptions {
            name: "copy".to_owned(),
            ..CopyOptions::default()
        };
        short.set("LEVEL=debug=1").unwrap();
        short.set("web.URL=http://x.y").unwrap();
        short.unset("web.TOKEN");
        short.replicas("web=2").unwrap();
        short.cpu("my db=0.5").unwrap();
        short.memory("my db=512Mi").unwrap();
        let long: CopyOptions = serde_json::from_value(json!({
            "name": "copy",
            "variables": {"LEVEL": "debug=1"},
            "services": {
                "web": {"variables": {"URL": "http://x.y", "TOKEN": null}, "replicas": 2},
                "my db": {"limits": {"cpu": 0.5, "memory": "512Mi"}},
            },
        }))
        .unwrap();
        assert_eq!(short, long);
        let again: CopyOptions =
            serde_json::from_value(serde_json::to_value(&long).unwrap()).unwrap();
        assert_eq!(again, long);
    }

    #[test]
    fn a_slip_is_told_and_a_value_is_not_repeated() {
        let mut options = CopyOptions::default();
        for (told, given) in [
            (options.replicas("web"), "web"),
            (options.replicas("web=x"), "x"),
            (options.cpu("=1"), "=1"),
        ] {
            assert!(told.unwrap_err().to_string().contains(given));
        }
        let told = options.set("canary").unwrap_err().to_string();
        assert!(!told.contains("canary"), "{told}");
    }
}
