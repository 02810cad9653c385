//! Every route on one screen.
//!
//! What Kubernetes' paths mean is decided by [`request::parse`]; here each meaning gets its handler.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::middleware;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use futures::FutureExt as _;
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, header};
use mirage_specs::CopyOptions;
use tracing::Instrument as _;
use zeroize::Zeroizing;

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
use crate::product;
use crate::product::railway::Place;
use crate::server::Server;
use crate::store::StoreError;
use crate::webhooks;

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
        .route("/api/v1/plan", post(plan).fallback(kubernetes))
        .route(
            "/api/v1/environments/{namespace}/{name}/effective",
            get(effective).post(effective).fallback(kubernetes),
        )
        .route(
            "/api/v1/templates/{namespace}/{name}/plan",
            post(template_plan).fallback(kubernetes),
        )
        .route("/api/v1/audit", get(audit_log).fallback(kubernetes))
        .route(
            "/api/v1/environments/{namespace}/{name}/running",
            get(running).fallback(kubernetes),
        )
        .route(
            "/api/v1/environments/{id}/clone",
            post(clone).fallback(kubernetes),
        )
        .route(
            "/api/v1/environments/{id}/clone-preview",
            get(clone_preview).post(clone_preview).fallback(kubernetes),
        )
        .route(
            "/api/v1/environments/{id}/clones",
            get(clones).fallback(kubernetes),
        )
        .route(
            "/api/v1/environments/{id}/lineage",
            get(lineage).fallback(kubernetes),
        )
        .route(
            "/api/v1/webhooks/railway",
            get(railway_webhook).fallback(kubernetes),
        )
        .route(
            "/api/v1/session",
            post(sign_in).delete(sign_out).fallback(kubernetes),
        )
        .route("/api/v1/secrets/keys", get(key_state).fallback(kubernetes))
        .route(
            "/api/v1/secrets/rotate-key",
            post(rotate_key).fallback(kubernetes),
        )
        .route(
            "/api/v1/secrets/retire-key",
            post(retire_key).fallback(kubernetes),
        )
        .route(
            "/api/v1/railway/projects",
            get(railway_projects).fallback(kubernetes),
        )
        .route(
            "/api/v1/railway/projects/{project}/environments",
            get(railway_environments).fallback(kubernetes),
        )
        .route(
            "/api/v1/railway/projects/{project}/environments/{environment}",
            get(railway_environment).fallback(kubernetes),
        )
        .route(
            "/api/v1/railway/projects/{project}/environments/{environment}/services/{service}/deployments",
            get(railway_deployments).fallback(kubernetes),
        )
        .route(
            "/api/v1/import/validate",
            post(import_validate).fallback(kubernetes),
        )
        .route("/api/v1/import", post(import).fallback(kubernetes))
        .route("/api/v1/import/{id}", get(import_progress).fallback(kubernetes))
        .route(
            "/api/v1/environments/{namespace}/{name}/export",
            get(export).fallback(kubernetes),
        )
        .route(
            "/api/v1/environments/{namespace}/{name}/save-as-template",
            post(save_as_template).fallback(kubernetes),
        )
        .route("/api/v1/openapi.json", get(openapi_document).fallback(kubernetes))
        .route("/api/v1/docs", get(openapi_page).fallback(kubernetes))
        .fallback(kubernetes)
        .layer(middleware::from_fn_with_state(
            Arc::clone(&server),
            audit::observe,
        ))
        .with_state(Door { server, callers })
        .merge(webhooks)
}

/// `POST /api/v1/plan?namespace=`: what an environment would do, without doing it.
async fn plan(State(door): State<Door>, request: Request) -> Response {
    let answer = async {
        let (parts, body) = request.into_parts();
        let identity = door.identify(&parts).await?;
        let _permit = door.admit(&identity)?;
        let query = Query::parse(parts.uri.query());
        let namespace = query.get("namespace").unwrap_or("default");
        let body = read_body(&parts.headers, body).await?;
        product::plan::plan(&door.server, &identity, namespace, &body).await
    };
    answer.await.unwrap_or_else(Status::into_response)
}

/// `GET /api/v1/environments/{namespace}/{name}/effective`: what an environment comes to, and where each value is from;
/// by `POST` for one that is written in the body.
async fn effective(
    State(door): State<Door>,
    Path((namespace, name)): Path<(String, String)>,
    request: Request,
) -> Response {
    let answer = async {
        let (parts, body) = request.into_parts();
        let identity = door.identify(&parts).await?;
        let _permit = door.admit(&identity)?;
        let written = match parts.method {
            Method::POST => Some(read_body(&parts.headers, body).await?),
            _ => None,
        };
        let server = &door.server;
        product::effective::effective(server, &identity, &namespace, &name, written.as_ref()).await
    };
    answer.await.unwrap_or_else(Status::into_response)
}

/// `POST /api/v1/templates/{namespace}/{name}/plan`: what a template, stored or as written in the body, would change about
/// its environments.
async fn template_plan(
    State(door): State<Door>,
    Path((namespace, name)): Path<(String, String)>,
    request: Request,
) -> Response {
    let answer = async {
        let (parts, body) = request.into_parts();
        let identity = door.identify(&parts).await?;
        let _permit = door.admit(&identity)?;
        let body = read_body(&parts.headers, body).await?;
        product::template_plan::plan(&door.server, &identity, &namespace, &name, &body).await
    };
    answer.await.unwrap_or_else(Status::into_response)
}

/// `GET /api/v1/environments/{namespace}/{name}/running`: what the services of an environment run.
async fn running(
    State(door): State<Door>,
    Path((namespace, name)): Path<(String, String)>,
    request: Request,
) -> Response {
    let answer = async {
        let (parts, _) = request.into_parts();
        let identity = door.identify(&parts).await?;
        let _permit = door.admit(&identity)?;
        product::running::running(&door.server, &identity, &namespace, &name).await
    };
    answer.await.unwrap_or_else(Status::into_response)
}

/// `GET /api/v1/audit`: who did what.
async fn audit_log(State(door): State<Door>, request: Request) -> Response {
    let answer = async {
        let (parts, _) = request.into_parts();
        let identity = door.identify(&parts).await?;
        let query = Query::parse(parts.uri.query());
        // Who follows is like a watch: it lasts, and costs little.
        let _permit = match query.flag("follow")? {
            true => None,
            false => door.admit(&identity)?,
        };
        product::audit::audit(&door.server, &identity, &query).await
    };
    answer.await.unwrap_or_else(Status::into_response)
}

/// `POST /api/v1/environments/{id}/clone`: another environment like this one.
async fn clone(State(door): State<Door>, Path(id): Path<String>, request: Request) -> Response {
    let answer = async {
        let (asked, options, _permit) = door.about_a_copy(id, request).await?;
        product::clone::clone(asked, options).await
    };
    answer.await.unwrap_or_else(Status::into_response)
}

/// `GET` or `POST /api/v1/environments/{id}/clone-preview`: the same, without doing it.
async fn clone_preview(
    State(door): State<Door>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let answer = async {
        let (asked, options, _permit) = door.about_a_copy(id, request).await?;
        product::clone::preview(asked, options).await
    };
    answer.await.unwrap_or_else(Status::into_response)
}

/// `GET /api/v1/environments/{id}/clones`: what was copied from it.
async fn clones(State(door): State<Door>, Path(id): Path<String>, request: Request) -> Response {
    let answer = async {
        let (parts, _) = request.into_parts();
        let identity = door.identify(&parts).await?;
        let _permit = door.admit(&identity)?;
        product::lineage::clones(&door.server, &identity, &id).await
    };
    answer.await.unwrap_or_else(Status::into_response)
}

/// `GET /api/v1/environments/{id}/lineage`: what it was copied from, and what was copied from it in turn.
async fn lineage(State(door): State<Door>, Path(id): Path<String>, request: Request) -> Response {
    let answer = async {
        let (parts, _) = request.into_parts();
        let identity = door.identify(&parts).await?;
        let _permit = door.admit(&identity)?;
        product::lineage::lineage(&door.server, &identity, &id).await
    };
    answer.await.unwrap_or_else(Status::into_response)
}

/// `GET /api/v1/webhooks/railway?namespace=&name=`: where Railway's webhooks about an environment go.
async fn railway_webhook(State(door): State<Door>, request: Request) -> Response {
    let answer = async {
        let (parts, _) = request.into_parts();
        let identity = door.identify(&parts).await?;
        let _permit = door.admit(&identity)?;
        let query = Query::parse(parts.uri.query());
        let namespace = query.get("namespace").unwrap_or("default");
        let name = query
            .get("name")
            .ok_or_else(|| Status::bad_request("name is required: that of an environment"))?;
        webhooks::address(&door.server, &identity, namespace, name).await
    };
    answer.await.unwrap_or_else(Status::into_response)
}

/// `POST /api/v1/session`: a token for a session's cookie.
async fn sign_in(State(door): State<Door>, request: Request) -> Response {
    let answer = async {
        let (parts, body) = request.into_parts();
        let body = read_body(&parts.headers, body).await?;
        let token = Zeroizing::new(product::session::shown(&parts, &body)?);
        let identity = door.bearer(&token).await?;
        Origin::within(&parts.extensions).identified(&identity);
        let _permit = door.admit(&identity)?;
        product::session::begin(&door.server, &parts, identity).await
    };
    answer.await.unwrap_or_else(Status::into_response)
}

/// `DELETE /api/v1/session`: the end of a session.
async fn sign_out(State(door): State<Door>, request: Request) -> Response {
    let answer = async {
        let (parts, _) = request.into_parts();
        let identity = door.identify(&parts).await?;
        product::session::end(&door.server, &parts, identity).await
    };
    answer.await.unwrap_or_else(Status::into_response)
}

/// `GET /api/v1/secrets/keys`: which master keys there are, and what needs them.
async fn key_state(State(door): State<Door>, request: Request) -> Response {
    let answer = async {
        let (parts, _) = request.into_parts();
        let (identity, _permit) = door.enter(&parts).await?;
        product::master_key::state(&door.server, &identity).await
    };
    answer.await.unwrap_or_else(Status::into_response)
}

/// `POST /api/v1/secrets/rotate-key?prepare=`: another master key, with everything sealed anew.
async fn rotate_key(State(door): State<Door>, request: Request) -> Response {
    let answer = async {
        let (parts, _) = request.into_parts();
        let (identity, _permit) = door.enter(&parts).await?;
        let query = Query::parse(parts.uri.query());
        let origin = Origin::within(&parts.extensions);
        product::master_key::rotate(&door.server, &identity, origin, query.flag("prepare")?).await
    };
    answer.await.unwrap_or_else(Status::into_response)
}

/// `POST /api/v1/secrets/retire-key`: away with what nothing needs.
async fn retire_key(State(door): State<Door>, request: Request) -> Response {
    let answer = async {
        let (parts, _) = request.into_parts();
        let (identity, _permit) = door.enter(&parts).await?;
        let origin = Origin::within(&parts.extensions);
        product::master_key::retire(&door.server, &identity, &origin).await
    };
    answer.await.unwrap_or_else(Status::into_response)
}

/// `GET /api/v1/railway/projects`
async fn railway_projects(State(door): State<Door>, request: Request) -> Response {
    browse(&door, request, Place::Projects).await
}

/// `GET /api/v1/railway/projects/{project}/environments`
async fn railway_environments(
    State(door): State<Door>,
    Path(project): Path<String>,
    request: Request,
) -> Response {
    browse(&door, request, Place::Environments { project }).await
}

/// `GET /api/v1/railway/projects/{project}/environments/{environment}`
async fn railway_environment(
    State(door): State<Door>,
    Path((project, environment)): Path<(String, String)>,
    request: Request,
) -> Response {
    let place = Place::Environment {
        project,
        environment,
    };
    browse(&door, request, place).await
}

/// `GET /api/v1/railway/projects/{project}/environments/{environment}/services/{service}/deployments`
async fn railway_deployments(
    State(door): State<Door>,
    Path((project, environment, service)): Path<(String, String, String)>,
    request: Request,
) -> Response {
    let place = Place::Deployments {
        project,
        environment,
        service,
    };
    browse(&door, request, place).await
}

/// What Railway has.
async fn browse(door: &Door, request: Request, place: Place) -> Response {
    let answer = async {
        let (parts, _) = request.into_parts();
        let identity = door.identify(&parts).await?;
        let _permit = door.admit(&identity)?;
        let query = Query::parse(parts.uri.query());
        product::railway::browse(&door.server, &identity, &query, place).await
    };
    answer.await.unwrap_or_else(Status::into_response)
}

/// `POST /api/v1/import/validate`: what would come of taking environments over.
async fn import_validate(State(door): State<Door>, request: Request) -> Response {
    let answer = async {
        let (parts, body) = request.into_parts();
        let identity = door.identify(&parts).await?;
        let _permit = door.admit(&identity)?;
        let body = read_body(&parts.headers, body).await?;
        product::import::validate(&door.server, &identity, &body).await
    };
    answer.await.unwrap_or_else(Status::into_response)
}

/// `POST /api/v1/import`: takes environments over.
async fn import(State(door): State<Door>, request: Request) -> Response {
    let answer = async {
        let (parts, body) = request.into_parts();
        let identity = door.identify(&parts).await?;
        let _permit = door.admit(&identity)?;
        let origin = Origin::within(&parts.extensions);
        let body = read_body(&parts.headers, body).await?;
        product::import::import(&door.server, &identity, &origin, &body).await
    };
    answer.await.unwrap_or_else(Status::into_response)
}

/// `GET /api/v1/import/{id}`: how far an import is.
async fn import_progress(
    State(door): State<Door>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let answer = async {
        let (parts, _) = request.into_parts();
        let identity = door.identify(&parts).await?;
        let _permit = door.admit(&identity)?;
        product::import::progress(&door.server, &identity, &id).await
    };
    answer.await.unwrap_or_else(Status::into_response)
}

/// `GET /api/v1/environments/{namespace}/{name}/export?format=`
async fn export(
    State(door): State<Door>,
    Path((namespace, name)): Path<(String, String)>,
    request: Request,
) -> Response {
    let answer = async {
        let (parts, _) = request.into_parts();
        let identity = door.identify(&parts).await?;
        let _permit = door.admit(&identity)?;
        let query = Query::parse(parts.uri.query());
        product::export::export(&door.server, &identity, [&namespace, &name], &query).await
    };
    answer.await.unwrap_or_else(Status::into_response)
}

/// `POST /api/v1/environments/{namespace}/{name}/save-as-template`
async fn save_as_template(
    State(door): State<Door>,
    Path((namespace, name)): Path<(String, String)>,
    request: Request,
) -> Response {
    let answer = async {
        let (parts, body) = request.into_parts();
        let identity = door.identify(&parts).await?;
        let _permit = door.admit(&identity)?;
        let origin = Origin::within(&parts.extensions);
        let body = read_body(&parts.headers, body).await?;
        let place = [namespace.as_str(), &name];
        product::export::save_as_template(&door.server, &identity, &origin, place, &body).await
    };
    answer.await.unwrap_or_else(Status::into_response)
}

/// `GET /api/v1/openapi.json`: this API, for programs.
async fn openapi_document(State(door): State<Door>, request: Request) -> Response {
    let answer = async {
        let (parts, _) = request.into_parts();
        let identity = door.identify(&parts).await?;
        let _permit = door.admit(&identity)?;
        Ok(product::openapi::document(&door.server.version))
    };
    answer.await.unwrap_or_else(Status::into_response)
}

/// `GET /api/v1/docs`: this API, for people. A browser shows no token, and there is nothing secret in it.
async fn openapi_page(State(door): State<Door>) -> Response {
    product::openapi::page(&door.server.version)
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

    /// Who asks for a copy, and of what kind.
    async fn about_a_copy(
        &self,
        id: String,
        request: Request,
    ) -> Result<(product::clone::Asked<'_>, CopyOptions, Option<Permit>), Status> {
        let (parts, body) = request.into_parts();
        let identity = self.identify(&parts).await?;
        let permit = self.admit(&identity)?;
        let user_agent = parts
            .headers
            .get(header::USER_AGENT)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let body = read_body(&parts.headers, body).await?;
        let query = Query::parse(parts.uri.query());
        let options = product::clone::options_of(&body, &query)?;
        let asked = product::clone::Asked {
            server: &self.server,
            identity,
            origin: Origin::within(&parts.extensions),
            user_agent,
            id,
        };
        Ok((asked, options, permit))
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

async fn read_body(headers: &HeaderMap, body: axum::body::Body) -> Result<Body, Status> {
    let bytes = axum::body::to_bytes(body, LIMIT).await.map_err(|error| {
        let is_too_large = std::error::Error::source(&error)
            .is_some_and(|source| source.is::<http_body_util::LengthLimitError>());
        if is_too_large {
            let message = format!("Request entity too large: limit is {LIMIT}");
            Status::new(Reason::RequestEntityTooLarge, message)
        } else {
            Status::bad_request("the body could not be read to its end")
        }
    })?;
    Ok(Body::new(headers, bytes))
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
