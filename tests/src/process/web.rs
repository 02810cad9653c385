//! Environment `web`, which kubectl writes and reads while no controller touches it: versions and generations are the
//! test's own.

use anyhow::Result;
use serde_json::Value;

use super::{kubectl::Kubectl, mirage::Mirage};

/// Environment `web` as an owner writes it, and the same after an edit that changes one value, drops one and adds one.
pub fn manifest(level: &str, second: &str) -> String {
    format!(
        "apiVersion: mirage.dev/v1alpha1
kind: Environment
metadata:
  name: web
  namespace: default
  labels: {{app: web}}
spec:
  project: {{name: web}}
  variables:
    LOG_LEVEL: {level}
    {second}: kept
  services:
    site:
      source: {{image: \"nginx:1.29\"}}
"
    )
}

/// A server and a kubectl for it, with `env.yaml` and `env2.yaml`; nothing where there is no kubectl.
///
/// # Errors
/// The server did not come up.
pub async fn begin() -> Result<Option<(Mirage, Kubectl)>> {
    let mirage = Mirage::api_only().await?;
    mirage.write("env.yaml", &manifest("info", "FIRST"))?;
    mirage.write("env2.yaml", &manifest("debug", "SECOND"))?;
    Ok(Kubectl::of(&mirage).await?.map(|kubectl| (mirage, kubectl)))
}

/// The object as it is, with its managed fields.
///
/// # Errors
/// It is not there.
pub async fn object(kubectl: &Kubectl) -> Result<Value> {
    Ok(serde_json::from_str(
        &kubectl
            .does(&[
                "get",
                "environment",
                "web",
                "-o",
                "json",
                "--show-managed-fields",
            ])
            .await?,
    )?)
}
