//! `POST /webhooks/github`.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};

use super::WebhookOutcome as Outcome;
use super::delivery::Delivery;
use super::listeners::{self, Listener};
use super::signature::Signature;
use crate::audit;
use crate::error::Status;
use crate::server::Server;

/// What is larger does not come here: GitHub's own limit is 25 MB, which only pushes of thousands of commits reach.
const LIMIT: usize = 4 * 1024 * 1024;

const SOURCE: &str = "github";

/// Takes a delivery. Whom it wakes looks after the answer.
pub(super) async fn receive(State(server): State<Arc<Server>>, request: Request) -> Response {
    let from = audit::address_of(&request, &server.audit);
    let webhooks = &server.webhooks;
    if let Some(wait) = webhooks.refusals.wait(from) {
        webhooks.tally.count(SOURCE, Outcome::Limited);
        let seconds = wait.as_secs() + 1;
        return (
            StatusCode::TOO_MANY_REQUESTS,
            [(header::RETRY_AFTER, seconds.to_string())],
        )
            .into_response();
    }
    let (outcome, status) = take(&server, request).await;
    webhooks.tally.count(SOURCE, outcome);
    if matches!(outcome, Outcome::Refused | Outcome::Malformed) {
        webhooks.refusals.note(from);
    }
    status.into_response()
}

async fn take(server: &Arc<Server>, request: Request) -> (Outcome, StatusCode) {
    let refused = (Outcome::Refused, StatusCode::UNAUTHORIZED);
    let unavailable = (Outcome::Unavailable, StatusCode::SERVICE_UNAVAILABLE);
    let (parts, body) = request.into_parts();
    let Some(signature) = Signature::of(&parts.headers) else {
        return refused;
    };
    let Ok(_place) = server.webhooks.places.try_acquire() else {
        return unavailable;
    };
    let body = match super::read(body, LIMIT).await {
        Ok(body) => body,
        Err(status) => return (Outcome::Malformed, status),
    };
    let delivery = Delivery::read(&parts.headers, &body);
    let genuine = match genuine(server, &signature, &body, delivery.as_ref()).await {
        Ok(genuine) => genuine,
        Err(error) => {
            tracing::error!(%error, "a webhook of GitHub's could not be checked");
            return unavailable;
        }
    };
    if genuine.is_empty() {
        return refused;
    }
    let Some(delivery) = delivery else {
        return (Outcome::Malformed, StatusCode::BAD_REQUEST);
    };
    if !server.webhooks.seen.is_new(&delivery.id) {
        return (Outcome::Repeated, StatusCode::ACCEPTED);
    }
    let mut outcome = Outcome::Ignored;
    for listener in genuine {
        if listener.is_woken_by(&delivery) {
            server.webhooks.waking.wake(server, listener.target);
            outcome = Outcome::Woke;
        }
    }
    let is_ping = delivery.event == "ping";
    (
        outcome,
        if is_ping {
            StatusCode::OK
        } else {
            StatusCode::ACCEPTED
        },
    )
}

/// Those it could be meant for whose secret signed it.
async fn genuine(
    server: &Server,
    signature: &Signature,
    body: &[u8],
    delivery: Option<&Delivery>,
) -> Result<Vec<Listener>, Status> {
    let listeners = listeners::all(server).await;
    let mut genuine = listeners
        .map_err(|error| Status::internal(format!("who listens could not be read: {error}")))?;
    genuine.retain(|listener| delivery.is_none_or(|delivery| listener.could_be_meant_by(delivery)));
    if genuine.is_empty() {
        // As long as a check takes, so that nobody learns from the time which repositories are listened to.
        let _ = signature.is_by(b"nobody", body);
    }
    let mut proven = Vec::new();
    for listener in genuine {
        if let Some(secret) = listeners::secret_of(server, &listener).await?
            && signature.is_by(&secret, body)
        {
            proven.push(listener);
        }
    }
    Ok(proven)
}
