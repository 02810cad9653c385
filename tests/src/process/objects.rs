//! Environments through a client of the API.

use anyhow::{Context as _, Result, bail};
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api, Client,
    api::{DeleteParams, Patch, PatchParams},
};
use mirage_specs::{Environment, EnvironmentStatus, ledger::LedgerState};
use serde_json::Value;

use super::waiting::{Look, until};

/// Somebody who applies.
const MANAGER: &str = "tests";

/// The environments of the namespace.
pub fn environments(client: &Client) -> Api<Environment> {
    Api::namespaced(client.clone(), "default")
}

/// Applies an Environment, as `kubectl apply --server-side` would.
///
/// # Errors
/// It was refused.
pub async fn apply(client: &Client, manifest: &Value) -> Result<Environment> {
    let name = manifest["metadata"]["name"]
        .as_str()
        .context("a manifest has a name")?;
    let params = PatchParams::apply(MANAGER).force();
    Ok(environments(client)
        .patch(name, &params, &Patch::Apply(manifest))
        .await?)
}

/// Applies a Secret.
///
/// # Errors
/// It was refused.
pub async fn apply_secret(client: &Client, manifest: &Value) -> Result<()> {
    let name = manifest["metadata"]["name"]
        .as_str()
        .context("a manifest has a name")?;
    let secrets: Api<Secret> = Api::namespaced(client.clone(), "default");
    secrets
        .patch(
            name,
            &PatchParams::apply(MANAGER).force(),
            &Patch::Apply(manifest),
        )
        .await?;
    Ok(())
}

/// Asks for an Environment's deletion and does not wait.
///
/// # Errors
/// It was refused.
pub async fn delete(client: &Client, name: &str) -> Result<()> {
    environments(client)
        .delete(name, &DeleteParams::default())
        .await?;
    Ok(())
}

/// Waits until nothing is left to be done: what was asked for last is ready, synced, and every ledger entry is closed.
///
/// # Errors
/// It does not come to that.
pub async fn settled(client: &Client, name: &str) -> Result<Environment> {
    until(&format!("{name} to settle"), async || {
        let Some(environment) = environments(client).get_opt(name).await? else {
            bail!("{name} is gone")
        };
        let found = is_settled(&environment).then(|| environment.clone());
        Ok(Look::when(found, || told(&environment)))
    })
    .await
}

/// Waits until a condition holds with a reason among these.
///
/// # Errors
/// It does not come to that.
pub async fn condition(
    client: &Client,
    name: &str,
    kind: &str,
    status: &str,
    reasons: &[&str],
) -> Result<Environment> {
    until(
        &format!("{kind}={status} of {name} for {reasons:?}"),
        async || {
            let environment = environments(client).get(name).await?;
            let holds = conditions(&environment).any(|(own, is, reason, _)| {
                own == kind && is == status && (reasons.is_empty() || reasons.contains(&reason))
            });
            let found = holds.then(|| environment.clone());
            Ok(Look::when(found, || told(&environment)))
        },
    )
    .await
}

/// Waits until an Environment is no more.
///
/// # Errors
/// It does not come to that.
pub async fn gone(client: &Client, name: &str) -> Result<()> {
    until(&format!("{name} to be gone"), async || {
        let found = environments(client).get_opt(name).await?;
        let seen = found.as_ref().map(told).unwrap_or_default();
        Ok(Look::when(found.is_none().then_some(()), || seen))
    })
    .await
}

/// Whether nothing is left to be done.
pub fn is_settled(environment: &Environment) -> bool {
    let status = environment.status.clone().unwrap_or_default();
    let is = |kind: &str| conditions(environment).any(|(own, is, ..)| own == kind && is == "True");
    status.observed_generation == environment.metadata.generation
        && is("Ready")
        && is("Synced")
        && status.pending_change.is_none()
        && status
            .ledger
            .iter()
            .all(|entry| entry.state == LedgerState::Made)
}

/// Type, status, reason and message of its conditions.
pub fn conditions(environment: &Environment) -> impl Iterator<Item = (&str, &str, &str, &str)> {
    environment
        .status
        .iter()
        .flat_map(|status| &status.conditions)
        .map(|condition| {
            (
                condition.type_.as_str(),
                condition.status.as_str(),
                condition.reason.as_str(),
                condition.message.as_str(),
            )
        })
}

fn told(environment: &Environment) -> String {
    let EnvironmentStatus {
        phase,
        observed_generation,
        ledger,
        pending_change,
        services_ready,
        ..
    } = environment.status.clone().unwrap_or_default();
    let open: Vec<_> = ledger
        .iter()
        .filter(|entry| entry.state != LedgerState::Made)
        .collect();
    format!(
        "phase {phase:?}, services {services_ready:?}, generation {:?} of {:?}, pending {pending_change:?}, open {open:?}, {:#?}",
        observed_generation,
        environment.metadata.generation,
        conditions(environment).collect::<Vec<_>>(),
    )
}
