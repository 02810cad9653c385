//! How the clients reach a server that comes and goes, and the clock that orders what they do.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;
use tokio::sync::watch;

use super::journal::Moment;

/// A client whose server is away tries again after so long, or as soon as it is told of a new one.
const AGAIN: Duration = Duration::from_millis(20);

/// Longer than any answer takes; a server that is killed hangs up at once.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where the server is, in this life of its.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// `http://127.0.0.1:1234`
    pub url: String,
    /// The administrator's token.
    pub token: String,
}

/// What came of a request.
#[derive(Debug)]
pub enum Reply {
    /// A code and a whole body.
    Answer(u16, Value),
    /// Nobody was there to take it.
    NotSent,
    /// It may have arrived.
    Lost,
}

/// What all clients share. Cloning it gives another client.
#[derive(Clone)]
pub struct Line {
    http: reqwest::Client,
    place: watch::Receiver<Option<Place>>,
    clock: Arc<AtomicU64>,
}

impl Line {
    /// To wherever the server is said to be.
    ///
    /// # Errors
    /// There is no HTTP client.
    pub fn new(place: watch::Receiver<Option<Place>>) -> Result<Self> {
        // A process may do this once; every later time it is done already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(Self {
            http: reqwest::Client::builder().build()?,
            place,
            clock: Arc::default(),
        })
    }

    /// This moment; no two are the same.
    pub fn now(&self) -> Moment {
        self.clock.fetch_add(1, Ordering::SeqCst)
    }

    /// Waits until there is a server, and begins a request to it.
    ///
    /// # Errors
    /// There will be none any more.
    pub async fn request(
        &mut self,
        method: reqwest::Method,
        path: &str,
    ) -> Result<reqwest::RequestBuilder> {
        let place = self.place.wait_for(Option::is_some).await;
        let place = place
            .context("the server is gone for good")?
            .clone()
            .context("waited for")?;
        Ok(self
            .http
            .request(method, format!("{}{path}", place.url))
            .bearer_auth(place.token))
    }

    /// Sends it and waits for the whole answer.
    pub async fn ask(&self, request: reqwest::RequestBuilder) -> Reply {
        let response = match request.timeout(PATIENCE).send().await {
            Ok(response) => response,
            Err(error) if error.is_connect() => return Reply::NotSent,
            Err(_) => return Reply::Lost,
        };
        let code = response.status().as_u16();
        match response.json().await {
            Ok(body) => Reply::Answer(code, body),
            Err(_) => Reply::Lost,
        }
    }

    /// Waits a little for another server, after this one did not answer.
    pub async fn pause(&mut self) {
        // Whichever comes first; a line that is closed shows at the next request.
        let _ = tokio::time::timeout(AGAIN, self.place.changed()).await;
    }
}
