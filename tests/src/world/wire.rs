//! The controllers' way to Railway.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use mirage_railway::transport::{Transport, TransportError};
use mirage_railway_simulator::Simulator;
use serde::Deserialize;

use super::power::Power;

/// Straight into the simulator.
pub(super) struct Wire {
    simulator: Simulator,
    power: Arc<Power>,
}

impl Wire {
    pub(super) fn new(simulator: Simulator, power: Arc<Power>) -> Self {
        Self { simulator, power }
    }
}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(default, rename = "operationName")]
    operation_name: Option<&'a str>,
    #[serde(borrow)]
    query: std::borrow::Cow<'a, str>,
}

/// What a request does to Railway, if anything.
fn effect(body: &[u8]) -> Option<String> {
    let document: Document<'_> = serde_json::from_slice(body).ok()?;
    let mutates = document
        .query
        .lines()
        .any(|line| line.trim_start().starts_with("mutation"));
    mutates.then(|| {
        format!(
            "railway {}",
            document.operation_name.unwrap_or("a mutation")
        )
    })
}

#[async_trait]
impl Transport for Wire {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let effect = effect(request.body());
        let simulator = self.simulator.clone();
        let call = async move {
            // A task of its own: what has left goes on at Railway's, whatever becomes of the process that sent it.
            let answer = tokio::spawn(async move { simulator.handle(request).await }).await;
            match answer {
                Ok(Ok(response)) => Ok(response),
                Ok(Err(_)) => Err(TransportError::NoAnswer("the connection broke".to_owned())),
                Err(error) => Err(TransportError::NoAnswer(format!(
                    "the simulator failed: {error}"
                ))),
            }
        };
        self.power.carry(effect, call).await
    }
}
