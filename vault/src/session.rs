//! One way into a Vault: an HTTP client with its trust, and a token that is kept alive.

use std::time::Duration;

use reqwest::{Certificate, Client, Method, redirect};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use crate::answer::{self, Answer, Grant};
use crate::{Auth, Connection, Error, Place, StoredSecret};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

/// KV version 2 takes no secret over 1 MiB by default (Vault documentation: limits and maximums); the rest is for metadata.
const LARGEST: usize = 2 << 20;

/// A token is renewed, or had anew, when less than this part of its time is left.
const PART_LEFT: u32 = 3;

pub(crate) struct Session {
    connection: Connection,
    http: Client,
    /// Locked while a token is being had, so that one login serves all who wait.
    token: Mutex<Option<Held>>,
}

struct Held {
    grant: Grant,
    since: Instant,
}

impl Held {
    fn left(&self) -> Option<Duration> {
        let lease = self.grant.lease?;
        Some(lease.saturating_sub(self.since.elapsed()))
    }

    /// Whether it is time to see to another.
    fn is_ageing(&self) -> bool {
        match (self.grant.lease, self.left()) {
            (Some(lease), Some(left)) => left <= lease / PART_LEFT,
            _ => false,
        }
    }

    fn is_over(&self) -> bool {
        self.left() == Some(Duration::ZERO)
    }
}

impl Session {
    pub(crate) fn open(connection: Connection) -> Result<Self, Error> {
        // Whoever was first in this process has chosen the same provider: there is only one in the build.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let unusable = |error: reqwest::Error| Error::Connection(in_full(&error));
        let mut builder = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            // A redirect would carry the token to an address that nobody named.
            .redirect(redirect::Policy::none());
        if let Some(bundle) = &connection.ca_bundle {
            let trusted = Certificate::from_pem_bundle(bundle.as_bytes()).map_err(unusable)?;
            builder = builder.tls_certs_merge(trusted);
        }
        Ok(Self {
            http: builder.build().map_err(unusable)?,
            connection,
            token: Mutex::new(None),
        })
    }

    pub(crate) async fn read(&self, place: &Place) -> Result<StoredSecret, Error> {
        let path = [place.mount.as_str(), "data", place.path.as_str()];
        let mut url = self.url(&path)?;
        if let Some(version) = place.version {
            url.query_pairs_mut()
                .append_pair("version", &version.to_string());
        }
        let (token, is_fresh) = self.token().await?;
        let answer = self
            .ask(Method::GET, url.clone(), Some(&token), None)
            .await?;
        match answer::read(&answer, place) {
            // A token that was revoked before its time is refused like one without rights; a fresh one tells.
            Err(Error::Forbidden { .. }) if !is_fresh => {
                self.forget(&token).await;
                let (token, _) = self.token().await?;
                let answer = self.ask(Method::GET, url, Some(&token), None).await?;
                answer::read(&answer, place)
            }
            other => other,
        }
    }

    /// A token, and whether it was had just now.
    async fn token(&self) -> Result<(SecretString, bool), Error> {
        let mut held = self.token.lock().await;
        if let Some(it) = held.as_ref().filter(|it| !it.is_ageing()) {
            return Ok((it.grant.token.clone(), false));
        }
        let grant = match held.as_ref().filter(|it| !it.is_over()) {
            Some(old) => match self.next(&old.grant).await {
                Ok(grant) => grant,
                // It is good for a while yet, and there is time to ask again.
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "a token of Vault could not be renewed"
                    );
                    return Ok((old.grant.token.clone(), false));
                }
            },
            None => self.first().await?,
        };
        let token = grant.token.clone();
        *held = Some(Held {
            grant,
            since: Instant::now(),
        });
        Ok((token, true))
    }

    /// In the place of a token that ends soon: the same for longer, or another.
    async fn next(&self, old: &Grant) -> Result<Grant, Error> {
        if old.is_renewable {
            let url = self.url(&["auth/token/renew-self"])?;
            let answer = self
                .ask(Method::POST, url, Some(&old.token), Some(&json!({})))
                .await?;
            match answer::login(&answer) {
                // A lease near its largest extent grows by little; then only a new login helps.
                Ok(grant) if grant.lease.is_none() || grant.lease > old.lease.map(|it| it / 2) => {
                    return Ok(grant);
                }
                Ok(grant) if matches!(self.connection.auth, Auth::Token(_)) => return Ok(grant),
                Ok(_) | Err(Error::LoginRefused) => {}
                Err(error) => return Err(error),
            }
        }
        self.first().await
    }

    async fn first(&self) -> Result<Grant, Error> {
        match &self.connection.auth {
            Auth::Token(token) => {
                let url = self.url(&["auth/token/lookup-self"])?;
                let answer = self.ask(Method::GET, url, Some(token), None).await?;
                answer::look_up(&answer, token.clone())
            }
            Auth::AppRole {
                mount,
                role_id,
                secret_id,
            } => {
                let url = self.url(&["auth", mount, "login"])?;
                let body = json!({"role_id": role_id, "secret_id": secret_id.expose_secret()});
                let answer = self.ask(Method::POST, url, None, Some(&body)).await?;
                answer::login(&answer)
            }
        }
    }

    async fn forget(&self, token: &SecretString) {
        let mut held = self.token.lock().await;
        // Another reader may have been here first, with a new one since.
        held.take_if(|it| it.grant.token.expose_secret() == token.expose_secret());
    }

    fn url(&self, path: &[&str]) -> Result<Url, Error> {
        let mut url = self.connection.address.clone();
        let segments = path.iter().flat_map(|part| part.split('/'));
        url.path_segments_mut()
            .map_err(|()| Error::Connection("the address has no host".to_owned()))?
            .clear()
            .push("v1")
            .extend(segments);
        Ok(url)
    }

    async fn ask(
        &self,
        method: Method,
        url: Url,
        token: Option<&SecretString>,
        body: Option<&Value>,
    ) -> Result<Answer, Error> {
        // Vault's agents and proxies refuse requests without it, against forgery.
        let mut request = self
            .http
            .request(method, url)
            .header("X-Vault-Request", "true");
        if let Some(namespace) = &self.connection.namespace {
            request = request.header("X-Vault-Namespace", namespace);
        }
        if let Some(token) = token {
            let mut value = reqwest::header::HeaderValue::from_str(token.expose_secret())
                .map_err(|_| Error::LoginRefused)?;
            value.set_sensitive(true);
            request = request.header("X-Vault-Token", value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let unreachable = |error: reqwest::Error| Error::Unreachable(in_full(&error));
        let mut response = request.send().await.map_err(unreachable)?;
        let status = response.status().as_u16();
        let retry_after = response
            .headers()
            .get(reqwest::header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .map(Duration::from_secs);
        let mut whole = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if whole.len() + chunk.len() > LARGEST {
                return Err(Error::Unreachable("the answer is too long".to_owned()));
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(Answer {
            status,
            retry_after,
            body: whole.into(),
        })
    }
}

/// The error with its causes, without the address: who asked knows it.
fn in_full(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() {
        "timed out".to_owned()
    } else {
        "the request failed".to_owned()
    };
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
