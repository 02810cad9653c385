//! Who is asking: bearer tokens, and the files by which a person on this machine gets the first one.
//!
//! A token is 256 random bits that only its owner keeps; the store holds its hash (`record`). The first start makes a
//! token for the administrator and a kubeconfig with it, both readable by the owner of the data folder only: whoever can
//! read that folder could read the database too.

mod admin;
mod authenticator;
mod kubeconfig;
mod record;
mod token;

use async_trait::async_trait;

pub use admin::{ADMIN_TOKEN_FILE, AdminTokenError, OtherAdmins, ensure_admin_token};
pub use authenticator::TokenAuthenticator;
pub use kubeconfig::{KUBECONFIG_FILE, KubeconfigError, write_kubeconfig};
pub use record::{NewToken, TOKENS, TokenError, create_token, revoke_token};
pub use token::Token;

/// Who a request comes from, as far as deciding and recording need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The name that `kubectl auth whoami` shows and the audit record keeps.
    pub username: String,
    /// Groups, to which rights are given.
    pub groups: Vec<String>,
}

/// Turns a bearer token into an [`Identity`].
#[async_trait]
pub trait Authenticator: Send + Sync + 'static {
    /// `None` for every token that is not good: unknown, malformed and expired look alike from outside.
    async fn authenticate(&self, token: &str) -> Option<Identity>;
}
