//! Webhooks: others say that it is worth a look.
//!
//! ```text
//!   GitHub ──► github ──► delivery (what it is about) ──► listeners (whom it wakes, by whose secret) ──┐
//!                 │                                                                                  ├──► wake
//!   Railway ─► railway ─► railway_token (which environment) ─────────────────────────────────────────┘     │
//!                 │                                                                     an annotation on the object,
//!                 └► refusals, seen, tally: bounds and counts                           written like anybody's
//! ```
//! # Guarantees
//! - A webhook makes somebody look, and nothing else: what is done follows from what is seen. One that is lost, late,
//!   repeated or out of order changes when it is done, not what.
//! - The answer does not wait for the look. Many webhooks in a short time are one or two writes.
//! - Who cannot prove where a webhook comes from learns nothing, and makes nobody look.
//!
//! They need no bearer token and take no user's place among the requests under way; what is refused is not in the audit
//! log, or anybody could fill it, but counted.

mod delivery;
mod github;
mod listeners;
mod railway;
mod railway_token;
mod refusals;
mod seen;
mod signature;
mod tally;
mod wake;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::post;
use bytes::Bytes;
use http::StatusCode;
use tokio::sync::Semaphore;

use crate::server::Server;
use refusals::Refusals;
use seen::Seen;
use tally::Tally;
use wake::Waking;

pub(crate) use railway::address;
pub use tally::{WebhookCount, WebhookOutcome};

/// Bodies read at the same time: with their limit it bounds what strangers make us hold.
const MOST_AT_ONCE: usize = 32;

/// A sender that takes longer for its body is not one of those that we know.
const BODY_WITHIN: Duration = Duration::from_secs(10);

/// What the server has for them.
pub(crate) struct Webhooks {
    refusals: Refusals,
    seen: Seen,
    tally: Tally,
    waking: Arc<Waking>,
    key: railway_token::Signer,
    places: Semaphore,
}

impl Webhooks {
    pub(crate) fn new() -> Self {
        Self {
            refusals: Refusals::default(),
            seen: Seen::default(),
            tally: Tally::default(),
            waking: Arc::default(),
            key: railway_token::Signer::default(),
            places: Semaphore::new(MOST_AT_ONCE),
        }
    }

    /// How many came, and what became of them.
    pub(crate) fn counts(&self) -> Vec<WebhookCount> {
        self.tally.counts()
    }

    /// How many writes they led to.
    pub(crate) fn writes(&self) -> u64 {
        self.waking.writes()
    }
}

/// Their routes.
pub(crate) fn router(server: Arc<Server>) -> Router {
    Router::new()
        .route("/webhooks/github", post(github::receive))
        .route("/webhooks/railway/{token}", post(railway::receive))
        .with_state(server)
}

/// A body that is not larger than this, and comes in time.
///
/// # Errors
/// The status to answer with.
async fn read(body: Body, limit: usize) -> Result<Bytes, StatusCode> {
    match tokio::time::timeout(BODY_WITHIN, axum::body::to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => {
            let is_too_large = std::error::Error::source(&error)
                .is_some_and(|source| source.is::<http_body_util::LengthLimitError>());
            Err(if is_too_large {
                StatusCode::PAYLOAD_TOO_LARGE
            } else {
                StatusCode::BAD_REQUEST
            })
        }
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}
