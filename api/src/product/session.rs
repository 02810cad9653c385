//! `/api/v1/session`: how a browser signs in and out.
//!
//! `POST` takes `{"token": "mir_…"}` and answers with a cookie; `DELETE` ends the session for good. What stands in the
//! cookie is a token of its own, made with the one that was shown and for as long as a session lasts, so that the one that
//! was shown need not be kept in a browser.

use std::sync::Arc;

use axum::body::Body as AxumBody;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::json;

use crate::audit::Origin;
use crate::auth::{Identity, TokenRef, session};
use crate::error::{Reason, Status};
use crate::kinds::token::{GROUP, PLURAL};
use crate::kubernetes::body::Body;
use crate::kubernetes::call::Call;
use crate::kubernetes::negotiate::Accept;
use crate::kubernetes::request::{Query, RequestInfo, Verb};
use crate::kubernetes::{delete, token};
use crate::server::Server;

const VERSION: &str = "v1alpha1";

/// Marks the tokens that are sessions, for people who look at the list.
const LABEL: &str = "auth.mirage.dev/session";

/// The token that the body of a sign-in shows.
///
/// # Errors
/// 403 from another site's page, which could otherwise sign somebody in as someone else; 400 for another body.
pub(crate) fn shown(parts: &Parts, body: &Body) -> Result<String, Status> {
    if !session::is_of_our_pages(&Method::POST, &parts.headers) {
        let message = "signing in is for Mirage's own pages: send a bearer token in the header Authorization instead";
        return Err(Status::new(Reason::Forbidden, message));
    }
    let body = body.json()?.value;
    body["token"]
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| Status::bad_request("token: a text is required"))
}

/// Begins a session for whoever showed their token.
pub(crate) async fn begin(
    server: &Arc<Server>,
    parts: &Parts,
    identity: Identity,
) -> Result<Response, Status> {
    // Whoever revokes the token that was shown means its sessions too, also where it has no end of its own.
    let token = identity.token.map(|token| TokenRef {
        is_bounded: true,
        ..token
    });
    let identity = Identity { token, ..identity };
    let hours = session::LIFE.as_secs() / 3600;
    let object = json!({
        "apiVersion": format!("{GROUP}/{VERSION}"),
        "kind": "Token",
        "metadata": {"generateName": "session-", "labels": {LABEL: "true"}},
        "spec": {"ttl": format!("{hours}h")},
    });
    let call = call(
        server,
        parts,
        identity,
        Verb::Create,
        None,
        &object.to_string(),
    )?;
    let made = token::make(&call).await?.object.shown(&call.kind);
    let token = made["status"]["token"]
        .as_str()
        .ok_or_else(|| Status::internal("a token was made and not shown"))?;
    answer(&session::begun(token, &parts.headers))
}

/// Ends the session that the request came with. Whoever came with a bearer token has no session to end.
pub(crate) async fn end(
    server: &Arc<Server>,
    parts: &Parts,
    identity: Identity,
) -> Result<Response, Status> {
    let name = identity.token.as_ref().map(|token| token.name.clone());
    if let Some(name) = name.filter(|_| !parts.headers.contains_key(header::AUTHORIZATION)) {
        let call = call(server, parts, identity, Verb::Delete, Some(name), "")?;
        match delete::delete(&call).await {
            Ok(_) => {}
            Err(status) if status.reason() == Reason::NotFound => {}
            Err(status) => return Err(status),
        }
    }
    answer(&session::ended(&parts.headers))
}

/// A request for tokens on the caller's account: nobody needs a right to their own session, and it gives them none.
fn call(
    server: &Arc<Server>,
    parts: &Parts,
    identity: Identity,
    verb: Verb,
    name: Option<String>,
    body: &str,
) -> Result<Call, Status> {
    let info = RequestInfo {
        verb,
        group: GROUP.to_owned(),
        version: VERSION.to_owned(),
        namespace: None,
        resource: PLURAL.to_owned(),
        name,
        subresource: None,
    };
    let kind = server.registry.find(GROUP, VERSION, PLURAL);
    let origin = Origin::within(&parts.extensions);
    origin.understood(&info);
    let json = [(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    )];
    Ok(Call {
        server: Arc::clone(server),
        kind: Arc::clone(kind.ok_or_else(Status::unknown_path)?),
        info,
        query: Query::default(),
        identity,
        origin,
        accept: Accept::JSON,
        body: Body::new(&json.into_iter().collect(), body.to_owned().into()),
        user_agent: "mirage-session".to_owned(),
    })
}

fn answer(cookie: &str) -> Result<Response, Status> {
    let mut response = Response::new(AxumBody::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let cookie = HeaderValue::from_str(cookie).map_err(Status::internal)?;
    let headers = response.headers_mut();
    headers.insert(header::SET_COOKIE, cookie);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
