//! Every route on one screen.
//!
//! What Kubernetes' paths mean is decided by [`request::parse`]; here each meaning gets its handler.

mod product;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures::FutureExt as _;
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tracing::Instrument as _;

use crate::audit::{self, Origin};
use crate::auth::{Identity, session};
use crate::dashboard::Dashboard;
use crate::error::{Reason, Status};
use crate::in_flight::{InFlight, Permit};
use crate::kubernetes::access;
use crate::kubernetes::body::{Body, LIMIT};
use crate::kubernetes::call::Call;
use crate::kubernetes::negotiate::Accept;
use crate::kubernetes::request::{self, Document, Query, RequestInfo, Target, Verb};
use crate::kubernetes::{
    delete, discovery, gzip, health, openapi, patch, read, review, token, version, watch, write,
};
use crate::server::Server;
use crate::store::StoreError;
use crate::webhooks;

/// Bytes of a body beyond [`LIMIT`] that are taken in, and forgotten, before it is refused.
const DISCARDED: usize = 16 * 1024 * 1024;

/// Where callers come from.
#[derive(Clone)]
struct Door {
    server: Arc<Server>,
    callers: Callers,
}

/// Who comes in by a door.
#[derive(Clone)]
pub(crate) enum Callers {
    /// Every request needs a bearer token or a session, except for health, version and the dashboard's files, and takes
    /// a place among its user's.
    Bearers {
        in_flight: Arc<InFlight>,
        dashboard: Arc<Dashboard>,
    },
    /// One caller in the same process, where there is nobody to ask for a token.
    Trusted(Identity),
}

/// All routes, for these callers.
pub(crate) fn router(server: Arc<Server>, callers: Callers) -> Router {
    // Outside of the layer: who sends webhooks has no token, and what is refused of them fills no audit log.
    let webhooks = match &callers {
        Callers::Bearers { .. } => webhooks::router(Arc::clone(&server)),
        Callers::Trusted(_) => Router::new(),
    };
    Router::new()
        .merge(product::routes())
        .fallback(kubernetes)
        .layer(middleware::from_fn_with_state(
            Arc::clone(&server),
            audit::observe,
        ))
        .with_state(Door { server, callers })
        .merge(webhooks)
}

async fn kubernetes(State(door): State<Door>, request: Request) -> Response {
    if let Callers::Bearers { dashboard, .. } = &door.callers
        && let Some(page) =
            dashboard.answer(request.method(), request.uri().path(), request.headers())
    {
        return page;
    }
    let span =
        tracing::debug_span!("request", method = %request.method(), path = request.uri().path());
    let takes_gzip = gzip::is_taken(request.headers());
    // A panic is a bug of ours; the caller gets a Status all the same, and the server goes on.
    let answer = AssertUnwindSafe(dispatch(door, request))
        .catch_unwind()
        .instrument(span)
        .await;
    let mut response = match answer {
        Ok(Ok(response)) => response,
        Ok(Err(status)) => status.into_response(),
        Err(_) => Status::internal("the request could not be handled; the server's log says more")
            .into_response(),
    };
    if takes_gzip {
        response = gzip::compressed(response);
    }
    response
}

async fn dispatch(door: Door, request: Request) -> Result<Response, Status> {
    let (parts, body) = request.into_parts();
    let query = Query::parse(parts.uri.query());
    let target = request::parse(&parts.method, parts.uri.path(), &query);
    let registry = &door.server.registry;
    let origin = Origin::within(&parts.extensions);
    if let Ok(Target::Resource(info)) = &target {
        origin.understood(info);
    }
    // A wrong token is said to be wrong everywhere, even where none is needed.
    if !parts.headers.contains_key(header::AUTHORIZATION) {
        match &target {
            Ok(Target::Document(Document::Version)) => {
                return Ok(version::version(&door.server.version));
            }
            Ok(Target::Document(Document::Health(probe))) => {
                return health::probe(&door.server, probe, &query).await;
            }
            _ => {}
        }
    }
    let identity = door.identify(&parts).await?;
    let headers = &parts.headers;
    let target = target?;
    let _permit = match &target {
        Target::Resource(info) if info.verb == Verb::Watch => None,
        Target::Document(Document::Version | Document::Health(_)) => None,
        _ => door.admit(&identity)?,
    };
    match target {
        Target::Document(document) => match document {
            Document::Version => Ok(version::version(&door.server.version)),
            Document::Health(probe) => health::probe(&door.server, &probe, &query).await,
            Document::Index => Ok(index()),
            Document::CoreVersions => Ok(discovery::core_versions(registry, headers)),
            Document::Groups => Ok(discovery::groups(registry, headers)),
            Document::Group(group) => discovery::group(registry, &group),
            Document::GroupVersion { group, version } => {
                discovery::resources(registry, &group, &version)
            }
            Document::OpenApi => Ok(openapi::index(registry, headers)),
            Document::OpenApiV2 => openapi::v2(registry, headers),
            Document::OpenApiOf(path) => openapi::of(registry, &path, &query, headers),
        },
        Target::Resource(info) => {
            let asked = Asked {
                identity,
                origin,
                info,
                query,
            };
            resource(&door, asked, headers, body).await
        }
    }
}

/// Who asks for which objects, and how.
struct Asked {
    identity: Identity,
    origin: Arc<Origin>,
    info: RequestInfo,
    query: Query,
}

async fn resource(
    door: &Door,
    asked: Asked,
    headers: &HeaderMap,
    body: axum::body::Body,
) -> Result<Response, Status> {
    let Asked {
        identity,
        origin,
        info,
        query,
    } = asked;
    access::check_request(&door.server, &identity, &info, &query).await?;
    let accept = Accept::negotiate(headers)?.pretty(&query)?;
    let body = read_body(headers, body).await?;
    if let Some(kind) = review::find(&info) {
        return review::answer(kind, &door.server, &info, &identity, accept, &body).await;
    }
    let kind = door
        .server
        .registry
        .find(&info.group, &info.version, &info.resource);
    let kind = Arc::clone(kind.ok_or_else(Status::unknown_path)?);
    if !kind.namespaced && info.namespace.is_some() {
        return Err(Status::unknown_path());
    }
    if kind.namespaced && info.namespace.is_none() && !matches!(info.verb, Verb::List | Verb::Watch)
    {
        return Err(Status::unknown_path());
    }
    match info.subresource.as_deref() {
        None if kind.verbs.contains(&info.verb) => {}
        Some("status")
            if kind.has_status && matches!(info.verb, Verb::Get | Verb::Update | Verb::Patch) => {}
        None => return Err(Status::method_not_allowed()),
        Some(_) => return Err(Status::unknown_path()),
    }
    let user_agent = headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let call = Call {
        server: Arc::clone(&door.server),
        user_agent: user_agent.to_owned(),
        kind,
        info,
        query,
        identity,
        origin,
        accept,
        body,
    };
    let (server, info) = (Arc::clone(&door.server), call.info.clone());
    let disclosure = audit::disclosure(&call);
    let answer = match call.info.verb {
        Verb::Get => read::get(&call).await,
        Verb::List => read::list(&call).await,
        Verb::Watch => watch::watch(call).await,
        Verb::Create if token::is_one(&call.kind) => token::create(&call).await,
        Verb::Create => write::create(&call).await,
        Verb::Update => write::update(&call).await,
        Verb::Patch => patch::patch(&call).await,
        Verb::Delete => delete::delete(&call).await,
        Verb::DeleteCollection => delete::delete_collection(&call).await,
    };
    access::after_write(&server, &info).await;
    if let (Ok(_), Some(record)) = (&answer, disclosure) {
        door.server.audit.disclosed(record);
    }
    answer
}

impl Door {
    /// Who is asking, with a place among the requests under way.
    async fn enter(&self, parts: &Parts) -> Result<(Identity, Option<Permit>), Status> {
        let identity = self.identify(parts).await?;
        let permit = self.admit(&identity)?;
        Ok((identity, permit))
    }

    /// Who is asking.
    ///
    /// # Errors
    /// 401 without a good token; 403 for impersonation, which a caller must not believe to have happened.
    async fn identify(&self, parts: &Parts) -> Result<Identity, Status> {
        let headers = &parts.headers;
        let identity = match &self.callers {
            Callers::Trusted(identity) => identity.clone(),
            Callers::Bearers { .. } => {
                // Who sends a token means that one, whatever cookie a browser may have added.
                let token = match headers.get(header::AUTHORIZATION) {
                    Some(value) => value.to_str().ok().and_then(|value| {
                        let (scheme, token) = value.split_once(' ')?;
                        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
                    }),
                    None => session::token(&parts.method, headers),
                };
                self.bearer(token.unwrap_or_default()).await?
            }
        };
        Origin::within(&parts.extensions).identified(&identity);
        if let Some(name) = headers
            .keys()
            .find(|name| name.as_str().starts_with("impersonate-"))
        {
            let why = format!(
                "User {:?} cannot impersonate: {name} is not supported",
                identity.username
            );
            return Err(Status::forbidden("", "users", "", why));
        }
        Ok(identity)
    }

    /// Who bears the token.
    ///
    /// # Errors
    /// 401 for one that is not good, 503 when nobody can tell.
    async fn bearer(&self, token: &str) -> Result<Identity, Status> {
        let asked = self.server.authenticator.authenticate(token).await;
        let found = asked.map_err(untold)?;
        found.ok_or_else(|| Status::new(Reason::Unauthorized, "Unauthorized"))
    }

    /// A place among the requests that are under way; callers in the same process need none.
    ///
    /// # Errors
    /// 429 when this user has too many.
    fn admit(&self, identity: &Identity) -> Result<Option<Permit>, Status> {
        match &self.callers {
            Callers::Bearers { in_flight, .. } => in_flight.enter(&identity.username),
            Callers::Trusted(_) => Ok(None),
        }
    }
}

/// Not 401, at which clients throw a good token away.
fn untold(error: StoreError) -> Status {
    tracing::error!(
        error = &error as &dyn std::error::Error,
        "a token could not be checked"
    );
    let message = "the store is unavailable, so no token can be checked; try again shortly";
    Status::new(Reason::ServiceUnavailable, message).retry_after(1)
}

async fn read_body(headers: &HeaderMap, mut body: axum::body::Body) -> Result<Body, Status> {
    match Limited::new(&mut body, LIMIT).collect().await {
        Ok(read) => Ok(Body::new(headers, read.to_bytes())),
        Err(error) if error.is::<LengthLimitError>() => {
            discard(body).await;
            let message = format!("Request entity too large: limit is {LIMIT}");
            Err(Status::new(Reason::RequestEntityTooLarge, message))
        }
        Err(_) => Err(Status::bad_request("the body could not be read to its end")),
    }
}

/// What is left of a body that is too large, up to a bound. Over HTTP/2 a client that is answered before it has sent
/// everything is told to stop, and some (curl 7.88) take that for a broken connection and never show the answer.
async fn discard(mut body: axum::body::Body) {
    let mut left = DISCARDED;
    while left > 0
        && let Some(Ok(frame)) = body.frame().await
    {
        left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
    }
}

fn index() -> Response {
    let paths = [
        "/api",
        "/apis",
        "/healthz",
        "/livez",
        "/openapi/v2",
        "/openapi/v3",
        "/readyz",
        "/version",
    ];
    Accept::JSON.respond(StatusCode::OK, &serde_json::json!({"paths": paths}))
}
