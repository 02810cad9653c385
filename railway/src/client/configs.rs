//! Configurations of several environments with one request.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{
    client::{Client, call::Entry, config::config_snapshot},
    error::Error,
    id::{EnvironmentId, ProjectId},
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
                    (Some(Value::Object(value)), None) => reading(value, environment, key),
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
