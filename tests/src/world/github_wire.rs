//! The controllers' way to GitHub.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Request, Response};
use mirage_github::transport::{Transport, TransportError};

use super::power::Power;

/// Passes requests on to some GitHub and counts those that write.
pub(super) struct GitHubWire {
    github: Arc<dyn Transport>,
    power: Arc<Power>,
}

impl GitHubWire {
    pub(super) fn new(github: Arc<dyn Transport>, power: Arc<Power>) -> Self {
        Self { github, power }
    }
}

#[async_trait]
impl Transport for GitHubWire {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let writes = request.method() != Method::GET;
        let effect =
            writes.then(|| format!("github {} {}", request.method(), request.uri().path()));
        let github = Arc::clone(&self.github);
        let call = async move {
            // A task of its own: what has left goes on at GitHub's, whatever becomes of the process that sent it.
            let answer = tokio::spawn(async move { github.send(request).await }).await;
            answer.unwrap_or_else(|error| {
                Err(TransportError::NoAnswer(format!("GitHub failed: {error}")))
            })
        };
        self.power.carry(effect, call).await
    }
}

/// No GitHub at all: nobody in this world has pull requests.
pub(super) struct Nowhere;

#[async_trait]
impl Transport for Nowhere {
    async fn send(&self, _: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        Err(TransportError::NotSent(
            "there is no GitHub here".to_owned(),
        ))
    }
}
