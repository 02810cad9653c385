//! The values of whole environments with one request, for the one purpose of setting them somewhere else on Railway.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{
    client::{Client, config::values_of},
    error::Error,
    id::{EnvironmentId, ProjectId, ServiceId},
    secret::SecretValue,
    snapshot::Presence,
};

/// What an environment's variables say, with references left as they are written. Sealed and masked ones are not among
/// them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvironmentValues {
    /// The shared ones.
    pub shared: BTreeMap<String, SecretValue>,
    /// Those of each service.
    pub services: BTreeMap<ServiceId, BTreeMap<String, SecretValue>>,
}

impl Client {
    /// Reads the values of environments, twenty with a request. What could not be read is unknown and never empty.
    ///
    /// # Errors
    /// When nothing could be learnt of any of them.
    pub async fn read_values(
        &self,
        environments: &[(ProjectId, EnvironmentId)],
    ) -> Result<BTreeMap<EnvironmentId, Presence<EnvironmentValues>>, Error> {
        self.each_config(environments, reading).await
    }
}

fn reading(value: &Map<String, Value>, environment: &EnvironmentId) -> Presence<EnvironmentValues> {
    let is_asked_for = value.get("id").and_then(Value::as_str) == Some(environment.as_str());
    match value.get("config") {
        Some(config) if is_asked_for => match values_of(config) {
            Ok(values) => Presence::Present(values),
            Err(words) => Presence::Unknown(words),
        },
        _ => Presence::Unknown("Railway sent another environment, or no configuration".to_owned()),
    }
}
