//! What we show GitHub to be let in.

use std::fmt;

use secrecy::SecretString;
use url::Url;

use crate::id::{AppId, InstallationId};

/// GitHub's own API; an Enterprise server's is `https://HOST/api/v3`.
pub const GITHUB_API: &str = "https://api.github.com";

/// A credential and the GitHub that it is for.
#[derive(Clone, Debug)]
pub struct Access {
    /// The root of the API: [`GITHUB_API`], or an Enterprise server's.
    pub api_url: Url,
    /// The credential.
    pub credential: Credential,
}

/// A credential. `Debug` shows nothing of what is secret.
#[derive(Clone)]
pub enum Credential {
    /// None: what everybody sees, and few requests an hour.
    Nobody,
    /// A personal access token, classic or fine-grained, or any other bearer token.
    Token(SecretString),
    /// An app, which gets itself tokens of an hour each.
    App {
        /// The app.
        id: AppId,
        /// Its private key: PEM, PKCS#1 as GitHub gives it out, or PKCS#8.
        private_key: SecretString,
        /// Its installation; `None`: the one on the repository that is asked for.
        installation: Option<InstallationId>,
    },
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody => f.write_str("Nobody"),
            Self::Token(_) => f.write_str("Token([hidden])"),
            Self::App {
                id, installation, ..
            } => f
                .debug_struct("App")
                .field("id", id)
                .field("private_key", &"[hidden]")
                .field("installation", installation)
                .finish(),
        }
    }
}
