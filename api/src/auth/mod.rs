//! Who is asking: bearer tokens, and the files by which a person on this machine gets the first one.

use async_trait::async_trait;

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
