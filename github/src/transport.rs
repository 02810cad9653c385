//! How a request gets to GitHub and back: over the network, or, in tests, straight into a fake one.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};

/// GitHub gives up on a request after 10 s (source: REST API, timeouts); the rest is for the way and for slow proxies.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Carries one request and brings its answer.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends a request to an absolute address. Any HTTP status is an answer, redirects too; an error means that there is
    /// none.
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError>;
}

/// No answer came; the variant says whether the request may have arrived.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TransportError {
    /// The connection was never made: the request did not leave.
    #[error("no connection: {0}")]
    NotSent(String),
    /// The request left, or may have left, and the answer got lost.
    #[error("no answer: {0}")]
    NoAnswer(String),
}

/// HTTPS with rustls.
#[derive(Clone, Debug)]
pub struct HttpTransport {
    client: reqwest::Client,
}

impl HttpTransport {
    /// A transport with its own connection pool.
    ///
    /// # Errors
    /// When the TLS roots of this machine cannot be loaded.
    pub fn new() -> Result<Self, TransportError> {
        // Whoever was first in this process has chosen the same provider: there is only one in the build.
        let _ = rustls::crypto::ring::default_provider().install_default();
        reqwest::Client::builder()
            .timeout(REQUEST_TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map(|client| Self { client })
            .map_err(|error| TransportError::NotSent(in_full(&error)))
    }
}

#[async_trait]
impl Transport for HttpTransport {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let request = reqwest::Request::try_from(request)
            .map_err(|error| TransportError::NotSent(in_full(&error)))?;
        let answer = self.client.execute(request).await.map_err(lost)?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer.bytes().await.map_err(lost)?;
        let mut response = Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

fn lost(error: reqwest::Error) -> TransportError {
    let text = in_full(&error);
    if error.is_connect() || error.is_builder() {
        TransportError::NotSent(text)
    } else {
        TransportError::NoAnswer(text)
    }
}

/// The error with its causes, without the URL: the first line alone says only that sending failed.
fn in_full(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() {
        "timed out".to_owned()
    } else {
        "request failed".to_owned()
    };
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
