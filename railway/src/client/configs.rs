//! Configurations of several environments with one request.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{
    client::{Client, call::Entry, config::config_snapshot},
    error::Error,
    id::{EnvironmentId, ProjectId, ServiceId},
    operations::{Kind, by_alias},
    secret::FingerprintKey,
    snapshot::{ConfigSnapshot, Presence},
};

/// Environments per request: a configuration with thirty services is some tens of kilobytes.
const BATCH: usize = 20;

/// A configuration and the version it was read at.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigReading {
    /// Opaque version.
    pub etag: String,
    /// The configuration.
    pub config: ConfigSnapshot,
}

/// Texts of variables that were to be seen: by service (`None` for shared) and name.
pub type Disclosed = BTreeMap<(Option<ServiceId>, String), String>;

/// A configuration, and of its variables those texts that the reader was to see.
#[derive(Clone, Debug, PartialEq)]
pub struct DisclosedConfig {
    /// The configuration.
    pub reading: ConfigReading,
    /// The texts.
    pub texts: Disclosed,
}

/// Whether a variable's text may be seen: its environment, its service (`None` for a shared one), its name and the text.
pub type MayShow<'a> =
    &'a (dyn Fn(&EnvironmentId, Option<&ServiceId>, &str, &str) -> bool + Send + Sync);

impl Client {
    /// Reads configurations; what could not be read is unknown and never empty.
    ///
    /// # Errors
    /// When nothing could be learnt of any of them.
    pub async fn read_configs(
        &self,
        environments: &[(ProjectId, EnvironmentId)],
        key: &FingerprintKey,
    ) -> Result<BTreeMap<EnvironmentId, Presence<ConfigReading>>, Error> {
        self.each_config(environments, |value, environment| {
            reading(value, environment, key)
        })
        .await
    }

    /// The same, with the texts that `may_show` lets through: references, which are no secrets, and what a person asked for.
    /// Every other value is dropped as it is read.
    ///
    /// # Errors
    /// When nothing could be learnt of any of them.
    pub async fn read_configs_showing(
        &self,
        environments: &[(ProjectId, EnvironmentId)],
        key: &FingerprintKey,
        may_show: MayShow<'_>,
    ) -> Result<BTreeMap<EnvironmentId, Presence<DisclosedConfig>>, Error> {
        self.each_config(environments, |value, environment| {
            match reading(value, environment, key) {
                Presence::Present(reading) => Presence::Present(DisclosedConfig {
                    texts: texts(value, environment, may_show),
                    reading,
                }),
                Presence::Absent => Presence::Absent,
                Presence::Unknown(why) => Presence::Unknown(why),
            }
        })
        .await
    }

    /// Reads configurations, each with what `read` makes of it.
    pub(super) async fn each_config<T>(
        &self,
        environments: &[(ProjectId, EnvironmentId)],
        read: impl Fn(&Map<String, Value>, &EnvironmentId) -> Presence<T>,
    ) -> Result<BTreeMap<EnvironmentId, Presence<T>>, Error> {
        let mut found = BTreeMap::new();
        for batch in environments.chunks(BATCH) {
            let mut variables = Map::new();
            for (index, (project, environment)) in batch.iter().enumerate() {
                variables.insert(format!("i{index}"), environment.as_str().into());
                variables.insert(format!("p{index}"), project.as_str().into());
            }
            let document = by_alias::environment_configs(batch.len());
            let body = self
                .call_by_alias(
                    by_alias::ENVIRONMENT_CONFIGS,
                    &document,
                    Value::Object(variables),
                )
                .await?;
            for (index, (_, environment)) in batch.iter().enumerate() {
                let alias = format!("e{index}");
                let value = body.data.as_ref().and_then(|data| data.get(&alias));
                let reading = match (value, self.refusal(&body.errors, &alias)) {
                    (Some(Value::Object(value)), None) => read(value, environment),
                    (
                        _,
                        Some(Error::RateLimited {
                            failure,
                            until,
                            wait,
                        }),
                    ) => {
                        return Err(Error::RateLimited {
                            failure,
                            until,
                            wait,
                        });
                    }
                    (_, Some(error)) => Presence::Unknown(error.to_string()),
                    (_, None) => Presence::Unknown("Railway left the configuration out".to_owned()),
                };
                found.insert(environment.clone(), reading);
            }
        }
        Ok(found)
    }

    /// The error that concerns an alias. One without a path, or any when a required root pulled all data down with it,
    /// may concern each.
    fn refusal(&self, errors: &[Entry], alias: &str) -> Option<Error> {
        let concerns = |entry: &&Entry| match entry.path.as_deref() {
            Some([Value::String(root), ..]) => root == alias,
            _ => true,
        };
        errors
            .iter()
            .find(concerns)
            .map(|entry| self.entry_error(by_alias::ENVIRONMENT_CONFIGS, Kind::Query, entry))
    }
}

fn reading(
    value: &Map<String, Value>,
    environment: &EnvironmentId,
    key: &FingerprintKey,
) -> Presence<ConfigReading> {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let (Some(id), Some(etag), Some(config)) =
        (text("id"), text("configEtag"), value.get("config"))
    else {
        return Presence::Unknown("Railway sent an environment without a configuration".to_owned());
    };
    if id != environment.as_str() {
        return Presence::Unknown("Railway sent another environment".to_owned());
    }
    match config_snapshot(config, key) {
        Ok(config) => Presence::Present(ConfigReading {
            etag: etag.to_owned(),
            config,
        }),
        Err(words) => Presence::Unknown(words),
    }
}

/// The texts that may be shown of a configuration that was readable.
fn texts(
    value: &Map<String, Value>,
    environment: &EnvironmentId,
    may_show: MayShow<'_>,
) -> Disclosed {
    let Some(config) = value.get("config") else {
        return Disclosed::new();
    };
    let of_services = config
        .get("services")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(id, service)| (Some(ServiceId::new(id)), service.get("variables")));
    let scopes = std::iter::once((None, config.get("sharedVariables"))).chain(of_services);
    let mut shown = Disclosed::new();
    for (service, variables) in scopes {
        for (name, variable) in variables.and_then(Value::as_object).into_iter().flatten() {
            let is_sealed = variable.get("isSealed").and_then(Value::as_bool) == Some(true);
            let text = variable.get("value").and_then(Value::as_str);
            if let Some(text) = text.filter(|_| !is_sealed)
                && may_show(environment, service.as_ref(), name, text)
            {
                shown.insert((service.clone(), name.clone()), text.to_owned());
            }
        }
    }
    shown
}
