//! Who is asking: bearer tokens, and the files by which a person on this machine gets the first one.
//!
//! A token is 256 random bits that only its owner keeps; the store holds its hash (`record`). The first start makes a
//! token for the administrator and a kubeconfig with it, both readable by the owner of the data folder only: whoever can
//! read that folder could read the database too. Others get theirs as objects of kind Token (`kubernetes::token`).

mod admin;
mod authenticator;
mod kubeconfig;
mod record;
pub(crate) mod session;
mod token;
mod upgrade;
mod used;

use async_trait::async_trait;

pub use admin::{ADMIN_TOKEN_FILE, AdminTokenError, OtherAdmins, ensure_admin_token};
pub(crate) use authenticator::AUTHENTICATED;
pub use authenticator::TokenAuthenticator;
pub use kubeconfig::{KUBECONFIG_FILE, KubeconfigError, kubeconfig, pem_of, write_kubeconfig};
pub(crate) use record::status_of;
pub use record::{NewToken, TOKENS, TokenError, create_token, revoke_token};
pub use token::Token;

use crate::access::Limits;
use crate::store::StoreError;

/// Who a request comes from, as far as deciding and recording need it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// The name that `kubectl auth whoami` shows and the audit record keeps.
    pub username: String,
    /// Groups, to which rights are given.
    pub groups: Vec<String>,
    /// By which token they showed who they are; `None` where none is needed.
    pub token: Option<TokenRef>,
    /// What the token, and those that it was made by, take away from their rights. Each must leave a request.
    pub limits: Vec<Limits>,
}

/// A token, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRef {
    /// Its `metadata.name`.
    pub name: String,
    /// Its `metadata.uid`.
    pub uid: String,
    /// Whether it ends or is limited, so that what is made with it must be too.
    pub is_bounded: bool,
}

/// Turns a bearer token into an [`Identity`].
#[async_trait]
pub trait Authenticator: Send + Sync + 'static {
    /// `None` for every token that is not good: unknown, malformed and expired look alike from outside.
    ///
    /// # Errors
    /// When nobody can tell, because the store does not answer. That is no verdict on the token: whoever is told that
    /// theirs is not good throws it away.
    async fn authenticate(&self, token: &str) -> Result<Option<Identity>, StoreError>;

    /// Housekeeping, every minute or so: whatever is better not written once a request.
    ///
    /// # Errors
    /// When the store does not answer; the next call does what this one left.
    async fn sweep(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
