//! Reading values, for the one purpose of setting them somewhere else on Railway.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    client::{Client, call::unreadable},
    error::Error,
    id::{EnvironmentId, ProjectId, ServiceId},
    operations::{Kind, Variables, variables},
    secret::SecretValue,
};

impl Client {
    /// The variables of a service, or the shared ones, with references left as they are written. Sealed ones are not
    /// among them (Railway docs: sealed variables).
    ///
    /// # Errors
    /// Any class of a query.
    pub async fn read_variables(
        &self,
        project: &ProjectId,
        environment: &EnvironmentId,
        service: Option<&ServiceId>,
    ) -> Result<BTreeMap<String, SecretValue>, Error> {
        let variables = variables::Variables {
            project_id: project.to_string(),
            environment_id: environment.to_string(),
            service_id: service.map(ToString::to_string),
        };
        let Value::Object(read) = self.call::<Variables>(variables).await?.variables else {
            // None at all and none that could be read are two things.
            return Err(unreadable(
                "Variables",
                Kind::Query,
                "variables are not an object",
            ));
        };
        Ok(read
            .into_iter()
            .filter_map(|(name, value)| match value {
                Value::String(value) => Some((name, SecretValue::new(value))),
                _ => None,
            })
            .collect())
    }
}
