//! A way into a Vault.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use url::Url;

/// How a Vault is reached, and as whom.
#[derive(Clone)]
pub struct Connection {
    /// Scheme, host and port.
    pub address: Url,
    /// Sent as `X-Vault-Namespace`.
    pub namespace: Option<String>,
    /// Certificates in PEM that are trusted beside the system's.
    pub ca_bundle: Option<String>,
    /// Who asks.
    pub auth: Auth,
}

/// Who asks.
#[derive(Clone)]
pub enum Auth {
    /// A token that somebody made.
    Token(SecretString),
    /// A role by which tokens are had.
    AppRole {
        /// Path of the auth method.
        mount: String,
        /// The role.
        role_id: String,
        /// Its password.
        secret_id: SecretString,
    },
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connection({})", self.address)
    }
}

/// Stands for a connection without telling its credentials.
pub(crate) type Key = [u8; 32];

impl Connection {
    /// Equal for equal connections, and for no others.
    pub(crate) fn key(&self) -> Key {
        let mut digest = Sha256::new();
        let mut part = |text: &str| {
            digest.update((text.len() as u64).to_be_bytes());
            digest.update(text.as_bytes());
        };
        part(self.address.as_str());
        part(self.namespace.as_deref().unwrap_or_default());
        part(self.ca_bundle.as_deref().unwrap_or_default());
        match &self.auth {
            Auth::Token(token) => part(token.expose_secret()),
            Auth::AppRole {
                mount,
                role_id,
                secret_id,
            } => {
                part(mount);
                part(role_id);
                part(secret_id.expose_secret());
            }
        }
        digest.finalize().into()
    }
}
