//! Changing one environment as kubectl would.

use kube::api::{DynamicObject, Patch, PatchParams};
use serde_json::Value;

use crate::cli::{
    apply::FIELD_MANAGER, connection::Connection, failure::Failure, kind::ENVIRONMENT,
};

/// Reads an environment.
pub(crate) async fn read(connection: &Connection, name: &str) -> Result<DynamicObject, Failure> {
    connection
        .api(&ENVIRONMENT, &connection.namespace)
        .get(name)
        .await
        .map_err(|error| connection.failed(error))
}

/// Sends a merge patch, and answers with the environment as it is then.
pub(crate) async fn merge(
    connection: &Connection,
    name: &str,
    patch: &Value,
) -> Result<DynamicObject, Failure> {
    let params = PatchParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PatchParams::default()
    };
    connection
        .api(&ENVIRONMENT, &connection.namespace)
        .patch(name, &params, &Patch::Merge(patch))
        .await
        .map_err(|error| connection.failed(error))
}
