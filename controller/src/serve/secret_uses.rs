//! The controllers say which secret values they used, the API writes it into its audit log.

use async_trait::async_trait;
use mirage_api::{Api, audit::SecretUse};
use mirage_reconcilers::environment::uses::{Purpose, Use, UseError, UseRecorder};

/// Writes uses into the audit log of the server in this process.
pub(super) struct AuditLog {
    pub(super) api: Api,
    /// Who used them.
    pub(super) username: &'static str,
}

#[async_trait]
impl UseRecorder for AuditLog {
    async fn record(&self, uses: &[Use]) -> Result<(), UseError> {
        let uses = uses.iter().map(told).collect();
        let recorded = self.api.record_secret_uses(self.username, uses).await;
        recorded.map_err(|status| UseError(status.to_string()))
    }
}

fn told(it: &Use) -> SecretUse {
    SecretUse {
        namespace: it.namespace.clone(),
        environment: it.environment.clone(),
        environment_id: it.environment_id.clone(),
        store: it.reference.store.clone(),
        name: it.reference.name.clone(),
        key: it.reference.key.clone(),
        version: it.version.clone(),
        purpose: <&str>::from(&it.purpose),
        plan: match &it.purpose {
            Purpose::Sent { plan } => Some(plan.clone()),
            Purpose::Compared => None,
        },
        variables: it.variables.clone(),
    }
}
