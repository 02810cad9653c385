//! `POST /webhooks/railway/TOKEN`, and where an environment's token is told.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};
use serde_json::json;

use super::WebhookOutcome as Outcome;
use super::railway_token::Named;
use super::wake::Target;
use crate::access::Attributes;
use crate::audit;
use crate::auth::Identity;
use crate::error::Status;
use crate::kubernetes::access;
use crate::kubernetes::negotiate::Accept;
use crate::server::Server;
use crate::store::{Key, StoreError};

const SOURCE: &str = "railway";
const GROUP: &str = "mirage.dev";
const VERSION: &str = "v1alpha1";
const PLURAL: &str = "environments";

/// An event is a few kilobytes. It is read and thrown away: anybody who knows the address could have written it.
const LIMIT: usize = 256 * 1024;

/// Takes an event of Railway's. The environment's look comes after the answer.
pub(super) async fn receive(
    State(server): State<Arc<Server>>,
    Path(token): Path<String>,
    request: Request,
) -> Response {
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
    let (outcome, status) = take(&server, &token, request).await;
    webhooks.tally.count(SOURCE, outcome);
    if matches!(outcome, Outcome::Refused | Outcome::Malformed) {
        webhooks.refusals.note(from);
    }
    status.into_response()
}

async fn take(server: &Arc<Server>, token: &str, request: Request) -> (Outcome, StatusCode) {
    match find(server, token).await {
        Ok(Some(target)) => {
            let Ok(_place) = server.webhooks.places.try_acquire() else {
                return (Outcome::Unavailable, StatusCode::SERVICE_UNAVAILABLE);
            };
            if let Err(status) = super::read(request.into_body(), LIMIT).await {
                return (Outcome::Malformed, status);
            }
            server.webhooks.waking.wake(server, target);
            (Outcome::Woke, StatusCode::ACCEPTED)
        }
        Ok(None) => (Outcome::Refused, StatusCode::NOT_FOUND),
        Err(error) => {
            tracing::error!(%error, "a webhook of Railway's could not be checked");
            (Outcome::Unavailable, StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}

async fn find(server: &Server, token: &str) -> Result<Option<Target>, StoreError> {
    let (Some(named), Some(kind)) = (
        Named::parse(token),
        server.registry.find(GROUP, VERSION, PLURAL),
    ) else {
        return Ok(None);
    };
    let key = Key::new(kind.resource(), &named.namespace, &named.name);
    let stored = server.store.get(&key).await?;
    let uid = stored
        .as_ref()
        .and_then(|stored| stored.object["metadata"]["uid"].as_str())
        .unwrap_or_default();
    let is_genuine = server
        .webhooks
        .key
        .is_of(&*server.store, &named, uid)
        .await?;
    Ok((is_genuine && !uid.is_empty()).then(|| Target {
        group: GROUP.to_owned(),
        version: VERSION.to_owned(),
        plural: PLURAL.to_owned(),
        namespace: named.namespace,
        name: named.name,
        annotation: mirage_specs::wake::WAKE_AT,
    }))
}

/// `GET /api/v1/webhooks/railway?namespace=&name=`: the address of an environment's webhook, for who may change it.
///
/// # Errors
/// 403 without the right to patch the environment, 404 without the environment.
pub(crate) async fn address(
    server: &Server,
    identity: &Identity,
    namespace: &str,
    name: &str,
) -> Result<Response, Status> {
    let kind = server
        .registry
        .find(GROUP, VERSION, PLURAL)
        .ok_or_else(Status::unknown_path)?;
    let asked = Attributes {
        verb: "patch",
        group: GROUP,
        resource: PLURAL,
        namespace,
        name,
        ..Attributes::default()
    };
    access::check(server, identity, &asked).await?;
    let from_store = |error| Status::from_store(kind, name, error);
    let stored = server
        .store
        .get(&Key::new(kind.resource(), namespace, name))
        .await;
    let stored = stored
        .map_err(from_store)?
        .ok_or_else(|| from_store(StoreError::NotFound))?;
    let uid = stored.object["metadata"]["uid"]
        .as_str()
        .unwrap_or_default();
    let token = server
        .webhooks
        .key
        .token(&*server.store, namespace, name, uid)
        .await;
    let path = format!("/webhooks/railway/{}", token.map_err(from_store)?);
    Ok(Accept::JSON.respond(StatusCode::OK, &json!({"path": path})))
}
