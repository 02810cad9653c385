//! A place outside of Mirage where values of variables live.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::variable::SecretKeyRef;

/// A secret store outside of Mirage, from which variables of the same namespace may take values:
/// `{secretRef: {store: vault, name: path/of/the/secret, key: field}}`. Mirage only reads it, and keeps nothing of it.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "mirage.dev",
    version = "v1alpha1",
    kind = "SecretStore",
    plural = "secretstores",
    singular = "secretstore",
    shortname = "sst",
    category = "mirage",
    namespaced,
    derive = "PartialEq",
    printcolumn = r#"{"name":"Address","type":"string","jsonPath":".spec.vault.address"}"#,
    printcolumn = r#"{"name":"Mount","type":"string","jsonPath":".spec.vault.mount"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretStoreSpec {
    /// HashiCorp Vault, or OpenBao: a KV engine of version 2.
    pub vault: Vault,
}

/// A KV version 2 engine of a Vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Vault {
    /// Where it is, for example `https://vault.example.com:8200`.
    pub address: String,
    /// Path of the KV engine; `secret` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mount: Option<String>,
    /// Vault's own namespace (Vault Enterprise, HCP Vault, OpenBao).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Certificates in PEM that are trusted beside the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_bundle: Option<String>,
    /// How Mirage shows who it is.
    pub auth: VaultAuth,
}

/// How Mirage shows who it is: exactly one of the two.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VaultAuth {
    /// A token in a Secret of the same namespace. One that is renewable is renewed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_secret_ref: Option<SecretKeyRef>,
    /// An AppRole, by which Mirage gets tokens for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_role: Option<AppRole>,
}

/// An AppRole of a Vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AppRole {
    /// Id of the role; not secret by itself.
    pub role_id: String,
    /// The role's secret id, in a Secret of the same namespace.
    pub secret_id_secret_ref: SecretKeyRef,
    /// Path of the auth method; `approle` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mount: Option<String>,
}

impl Vault {
    /// Path of the KV engine, default filled in.
    pub fn mount(&self) -> &str {
        self.mount.as_deref().unwrap_or("secret")
    }
}

impl AppRole {
    /// Path of the auth method, default filled in.
    pub fn mount(&self) -> &str {
        self.mount.as_deref().unwrap_or("approle")
    }
}

/// Whether a path means one place inside an engine: segments between single slashes, none of them `.` or `..`.
pub fn is_path(path: &str) -> bool {
    path.split('/')
        .all(|segment| !segment.is_empty() && segment != "." && segment != "..")
        && !path.contains(|char: char| char.is_control())
}
