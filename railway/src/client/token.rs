//! The three kinds of token and the header each goes into.

use http::{HeaderName, HeaderValue, header::AUTHORIZATION};

use crate::secret::SecretValue;

/// A token for Railway's API (Railway docs: "Public API", tokens).
#[derive(Clone, Debug)]
pub enum Token {
    /// Everything its user may do.
    Account(SecretValue),
    /// Everything inside one workspace.
    Workspace(SecretValue),
    /// One environment of one project; it can create no environment.
    Project(SecretValue),
}

/// A token as it is sent.
pub(super) struct Credential {
    /// None when the token cannot be a header's value, so that it cannot be a token either.
    pub(super) header: Option<(HeaderName, HeaderValue)>,
    pub(super) is_project: bool,
}

impl Credential {
    pub(super) fn new(token: Token) -> Self {
        let (name, text, is_project) = match &token {
            Token::Account(secret) | Token::Workspace(secret) => (
                AUTHORIZATION,
                format!("Bearer {}", secret.expose().trim()),
                false,
            ),
            Token::Project(secret) => (
                HeaderName::from_static("project-access-token"),
                secret.expose().trim().to_owned(),
                true,
            ),
        };
        let header = HeaderValue::from_str(&text).ok().map(|mut value| {
            value.set_sensitive(true);
            (name, value)
        });
        Self { header, is_project }
    }
}
