//! Secret values that were used by Mirage's own parts: which, for whom, and what for.

use http::StatusCode;
use serde_json::json;

use super::{Origin, Outcome, User};
use crate::Api;
use crate::error::Status;

/// The verb of a record about a value that was used.
const USE: &str = "use";

/// One use of one value, without the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretUse {
    /// Of the Environment, and of the Secret or the SecretStore.
    pub namespace: String,
    /// The Environment's name.
    pub environment: String,
    /// Its `metadata.uid`.
    pub environment_id: String,
    /// The SecretStore; absent when the value is in a Secret.
    pub store: Option<String>,
    /// The Secret's name, or the path in the store.
    pub name: String,
    /// The key in it.
    pub key: String,
    /// The Secret's `resourceVersion`, or the version in the store.
    pub version: String,
    /// `sent` or `compared`.
    pub purpose: &'static str,
    /// The plan that carries it, if it is sent.
    pub plan: Option<String>,
    /// The variables that take it.
    pub variables: Vec<String>,
}

impl Api {
    /// Writes down who used which secret values. What the server's own parts read is in the log only by this.
    ///
    /// # Errors
    /// When the store does not answer; none of them may count as written then.
    pub async fn record_secret_uses(
        &self,
        username: &str,
        uses: Vec<SecretUse>,
    ) -> Result<(), Status> {
        let server = &self.server;
        let user = User {
            name: username.to_owned(),
            ..User::default()
        };
        let id = server.ids.request_id().to_string();
        let origin = Origin::of_part(id, server.now(), user);
        let entries = uses.into_iter().map(|it| entry(&origin, it)).collect();
        let recorded = server.store.record(entries).await;
        recorded.map_err(|error| Status::internal(format!("the audit log: {error}")))
    }
}

fn entry(origin: &Origin, it: SecretUse) -> crate::store::audit::AuditEntry {
    let mut record = origin.record(Outcome {
        code: StatusCode::OK.as_u16(),
        reason: String::new(),
        message: String::new(),
    });
    USE.clone_into(&mut record.verb);
    let mut about = json!({
        "key": it.key,
        "version": it.version,
        "purpose": it.purpose,
        "variables": it.variables,
        "environment": {
            "namespace": &it.namespace, "name": it.environment, "environmentId": it.environment_id,
        },
    });
    if let Some(plan) = it.plan {
        about["plan"] = json!(plan);
    }
    match it.store {
        Some(store) => {
            "secretstores.mirage.dev".clone_into(&mut record.resource);
            record.name = store;
            about["path"] = json!(it.name);
        }
        None => {
            "secrets".clone_into(&mut record.resource);
            record.name = it.name;
        }
    }
    record.namespace = it.namespace;
    record.object = Some(about);
    record.entry()
}
