//! Why nothing was read. No message holds a token or a value.

use std::time::Duration;

/// Why nothing was read, by what can be done about it. The names are Vault's own terms.
#[derive(Clone, Debug, thiserror::Error, strum::IntoStaticStr)]
pub enum Error {
    /// Vault is sealed: a person has to unseal it. Heals without Mirage.
    #[error("Vault is sealed; unseal it (vault operator unseal)")]
    Sealed,
    /// Vault is there and cannot answer: starting, standing by, or with trouble of its own. Trying again helps.
    #[error("Vault does not answer (HTTP {status})")]
    Unavailable {
        /// The status.
        status: u16,
    },
    /// No connection, or none that is trusted. Trying again may help.
    #[error("Vault cannot be reached: {0}")]
    Unreachable(String),
    /// Too many requests for a quota of Vault's. Trying again after the wait helps.
    #[error("Vault asks for fewer requests{}", in_seconds(wait))]
    RateLimited {
        /// How long to wait, if Vault said so.
        wait: Option<Duration>,
    },
    /// Vault does not know who is asking: the token has ended, or role and secret id do not fit.
    #[error("Vault refused the login; is the token good, or the role id and the secret id?")]
    LoginRefused,
    /// The token is good and may not read this; Vault says the same of paths that no engine serves.
    #[error("Vault does not let Mirage read {place}: a policy must give `read` on {policy_path}")]
    Forbidden {
        /// What was asked for.
        place: String,
        /// The path that a policy has to name.
        policy_path: String,
    },
    /// There is nothing at this path, or never was this version.
    #[error("there is nothing at {place} in Vault")]
    NotFound {
        /// What was asked for.
        place: String,
    },
    /// The version was deleted; `vault kv undelete` brings it back.
    #[error(
        "version {version} of {place} in Vault was deleted at {at}; vault kv undelete brings it back"
    )]
    Deleted {
        /// What was asked for.
        place: String,
        /// The version.
        version: u64,
        /// When, as Vault writes it.
        at: String,
    },
    /// The version was destroyed and cannot come back.
    #[error("version {version} of {place} in Vault was destroyed; write a new one")]
    Destroyed {
        /// What was asked for.
        place: String,
        /// The version.
        version: u64,
    },
    /// The answer is not what a KV version 2 engine says.
    #[error("{place} in Vault is not answered as by a KV engine of version 2: {what}")]
    Malformed {
        /// What was asked for.
        place: String,
        /// What is wrong.
        what: &'static str,
    },
    /// The connection makes no sense: its certificates cannot be read, or its address is none.
    #[error("the way to Vault cannot be used: {0}")]
    Connection(String),
}

impl Error {
    /// Whether time alone may heal it.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Sealed
            | Self::Unavailable { .. }
            | Self::Unreachable(_)
            | Self::RateLimited { .. } => true,
            Self::LoginRefused
            | Self::Forbidden { .. }
            | Self::NotFound { .. }
            | Self::Deleted { .. }
            | Self::Destroyed { .. }
            | Self::Malformed { .. }
            | Self::Connection(_) => false,
        }
    }
}

fn in_seconds(wait: &Option<Duration>) -> String {
    wait.map_or_else(String::new, |wait| {
        format!("; again in {} s", wait.as_secs())
    })
}
