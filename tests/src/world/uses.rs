//! Which secret values Mirage used, into the world's own audit log.

use async_trait::async_trait;
use mirage_api::{Api, audit::SecretUse};
use mirage_reconcilers::environment::uses::{Use, UseError, UseRecorder};

pub(super) struct AuditLog(pub(super) Api);

#[async_trait]
impl UseRecorder for AuditLog {
    async fn record(&self, uses: &[Use]) -> Result<(), UseError> {
        let uses = uses.iter().map(|it| SecretUse {
            namespace: it.namespace.clone(),
            environment: it.environment.clone(),
            environment_id: it.environment_id.clone(),
            store: it.reference.store.clone(),
            name: it.reference.name.clone(),
            key: it.reference.key.clone(),
            version: it.version.clone(),
            purpose: <&str>::from(&it.purpose),
            plan: None,
            variables: it.variables.clone(),
        });
        let recorded = self
            .0
            .record_secret_uses("system:mirage-controllers", uses.collect());
        recorded
            .await
            .map_err(|status| UseError(status.to_string()))
    }
}
