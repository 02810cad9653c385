//! A GitHub App: it proves itself with its key, and gets a token of an hour for each account that installed it.

mod assertion;

use std::collections::BTreeMap;

use http::Method;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;

use crate::{
    client::{
        Client,
        call::{Behalf, Call},
    },
    error::Error,
    id::{AppId, InstallationId, Login, RepositoryName},
};
use assertion::Key;

/// A token with less left than this is renewed, so that none dies on its way.
const RENEWED_BEFORE: SignedDuration = SignedDuration::from_mins(5);

/// An app at one GitHub.
pub(crate) struct App {
    id: AppId,
    key: Key,
    installation: Option<InstallationId>,
    /// By account. Held while a token is got, so that many who need it get it once; each wait is bounded by the
    /// transport's time limit.
    tokens: Mutex<BTreeMap<Login, Token>>,
}

struct Token {
    secret: SecretString,
    expires_at: Timestamp,
}

#[derive(Deserialize)]
struct WireInstallation {
    id: InstallationId,
}

#[derive(Deserialize)]
struct WireToken {
    token: String,
    expires_at: Timestamp,
}

impl App {
    /// Takes an app's key.
    pub(crate) fn new(
        id: AppId,
        private_key: &SecretString,
        installation: Option<InstallationId>,
    ) -> Result<Self, Error> {
        Ok(Self {
            id,
            key: Key::from_pem(private_key)?,
            installation,
            tokens: Mutex::default(),
        })
    }

    pub(crate) fn id(&self) -> AppId {
        self.id
    }

    /// What the app shows to speak for itself.
    pub(crate) fn assertion(&self, now: Timestamp) -> Result<SecretString, Error> {
        self.key.assertion(self.id, now)
    }

    /// A token for a repository.
    pub(crate) async fn token(
        &self,
        client: &Client,
        repository: &RepositoryName,
    ) -> Result<SecretString, Error> {
        let account = Login::new(repository.owner());
        let now = client.now();
        let mut tokens = self.tokens.lock().await;
        if let Some(token) = tokens.get(&account)
            && token.expires_at.duration_since(now) > RENEWED_BEFORE
        {
            return Ok(token.secret.clone());
        }
        let assertion = self.assertion(now)?;
        let installation = match self.installation {
            Some(installation) => installation,
            None => installation_on(client, repository, &assertion).await?,
        };
        let call = Call {
            operation: format!("give the app {} a token for {account}", self.id),
            method: Method::POST,
            address: client.address(&format!("/app/installations/{installation}/access_tokens")),
            body: Some(json!({})),
            needs: "the app to be installed and not suspended",
            on_behalf_of: Behalf::Token(&assertion),
        };
        // A token that was made and never came is harmless: it dies within the hour.
        let made: WireToken = client.ask(&call).await.map_err(|error| match error {
            Error::Ambiguous(failure) => Error::Transient(failure),
            error => error,
        })?;
        let secret = SecretString::from(made.token);
        tokens.insert(
            account,
            Token {
                secret: secret.clone(),
                expires_at: made.expires_at,
            },
        );
        Ok(secret)
    }

    /// Forgets a token that GitHub refused; whether it was one of ours, and another can be had.
    pub(crate) async fn forget(&self, refused: &SecretString) -> bool {
        let mut tokens = self.tokens.lock().await;
        let before = tokens.len();
        tokens.retain(|_, token| token.secret.expose_secret() != refused.expose_secret());
        // One that somebody else forgot meanwhile was ours too.
        before > tokens.len() || tokens.is_empty()
    }
}

async fn installation_on(
    client: &Client,
    repository: &RepositoryName,
    assertion: &SecretString,
) -> Result<InstallationId, Error> {
    let call = Call {
        operation: format!("find the app's installation on {repository}"),
        method: Method::GET,
        address: client.address(&format!("/repos/{repository}/installation")),
        body: None,
        needs: "the app to be installed on the repository",
        on_behalf_of: Behalf::Token(assertion),
    };
    client
        .ask::<WireInstallation>(&call)
        .await
        .map(|installation| installation.id)
}
