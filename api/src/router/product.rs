//! The routes of what Mirage offers beyond Kubernetes' protocol. Other methods, and paths that are none of these, are
//! Kubernetes' to answer.

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::Method;
use mirage_specs::CopyOptions;
use zeroize::Zeroizing;

use super::{Door, kubernetes, read_body};
use crate::audit::Origin;
use crate::error::Status;
use crate::in_flight::Permit;
use crate::kubernetes::request::Query;
use crate::product;
use crate::product::railway::Place;
use crate::webhooks;

pub(super) fn routes() -> Router<Door> {
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
            "/api/v1/repositories/{owner}/{name}/services",
            get(found_services).fallback(kubernetes),
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
}

/// `POST /api/v1/plan?namespace=`: what an environment would do, without doing it.
async fn plan(State(door): State<Door>, request: Request) -> Result<Response, Status> {
    let (parts, body) = request.into_parts();
    let (identity, _permit) = door.enter(&parts).await?;
    let query = Query::parse(parts.uri.query());
    let namespace = query.namespace()?;
    let body = read_body(&parts.headers, body).await?;
    product::plan::plan(&door.server, &identity, namespace, &body).await
}

/// `GET /api/v1/environments/{namespace}/{name}/effective`: what an environment comes to, and where each value is from;
/// by `POST` for one that is written in the body.
async fn effective(
    State(door): State<Door>,
    Path((namespace, name)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Status> {
    let (parts, body) = request.into_parts();
    let (identity, _permit) = door.enter(&parts).await?;
    let written = match parts.method {
        Method::POST => Some(read_body(&parts.headers, body).await?),
        _ => None,
    };
    let server = &door.server;
    product::effective::effective(server, &identity, &namespace, &name, written.as_ref()).await
}

/// `POST /api/v1/templates/{namespace}/{name}/plan`: what a template, stored or as written in the body, would change about
/// its environments.
async fn template_plan(
    State(door): State<Door>,
    Path((namespace, name)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Status> {
    let (parts, body) = request.into_parts();
    let (identity, _permit) = door.enter(&parts).await?;
    let body = read_body(&parts.headers, body).await?;
    product::template_plan::plan(&door.server, &identity, &namespace, &name, &body).await
}

/// `GET /api/v1/environments/{namespace}/{name}/running`: what the services of an environment run.
async fn running(
    State(door): State<Door>,
    Path((namespace, name)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Status> {
    let (parts, _) = request.into_parts();
    let (identity, _permit) = door.enter(&parts).await?;
    product::running::running(&door.server, &identity, &namespace, &name).await
}

/// `GET /api/v1/audit`: who did what.
async fn audit_log(State(door): State<Door>, request: Request) -> Result<Response, Status> {
    let (parts, _) = request.into_parts();
    let identity = door.identify(&parts).await?;
    let query = Query::parse(parts.uri.query());
    // Who follows is like a watch: it lasts, and costs little.
    let _permit = match query.flag("follow")? {
        true => None,
        false => door.admit(&identity)?,
    };
    product::audit::audit(&door.server, &identity, &query).await
}

/// `POST /api/v1/environments/{id}/clone`: another environment like this one.
async fn clone(
    State(door): State<Door>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Status> {
    let (asked, options, _permit) = door.about_a_copy(id, request).await?;
    product::clone::clone(asked, options).await
}

/// `GET` or `POST /api/v1/environments/{id}/clone-preview`: the same, without doing it.
async fn clone_preview(
    State(door): State<Door>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Status> {
    let (asked, options, _permit) = door.about_a_copy(id, request).await?;
    product::clone::preview(asked, options).await
}

/// `GET /api/v1/environments/{id}/clones`: what was copied from it.
async fn clones(
    State(door): State<Door>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Status> {
    let (parts, _) = request.into_parts();
    let (identity, _permit) = door.enter(&parts).await?;
    product::lineage::clones(&door.server, &identity, &id).await
}

/// `GET /api/v1/environments/{id}/lineage`: what it was copied from, and what was copied from it in turn.
async fn lineage(
    State(door): State<Door>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Status> {
    let (parts, _) = request.into_parts();
    let (identity, _permit) = door.enter(&parts).await?;
    product::lineage::lineage(&door.server, &identity, &id).await
}

/// `GET /api/v1/webhooks/railway?namespace=&name=`: where Railway's webhooks about an environment go.
async fn railway_webhook(State(door): State<Door>, request: Request) -> Result<Response, Status> {
    let (parts, _) = request.into_parts();
    let (identity, _permit) = door.enter(&parts).await?;
    let query = Query::parse(parts.uri.query());
    let namespace = query.namespace()?;
    let name = query
        .get("name")
        .ok_or_else(|| Status::bad_request("name is required: that of an environment"))?;
    webhooks::address(&door.server, &identity, namespace, name).await
}

/// `POST /api/v1/session`: a token for a session's cookie.
async fn sign_in(State(door): State<Door>, request: Request) -> Result<Response, Status> {
    let (parts, body) = request.into_parts();
    let body = read_body(&parts.headers, body).await?;
    let token = Zeroizing::new(product::session::shown(&parts, &body)?);
    let identity = door.bearer(&token).await?;
    Origin::within(&parts.extensions).identified(&identity);
    let _permit = door.admit(&identity)?;
    product::session::begin(&door.server, &parts, identity).await
}

/// `DELETE /api/v1/session`: the end of a session.
async fn sign_out(State(door): State<Door>, request: Request) -> Result<Response, Status> {
    let (parts, _) = request.into_parts();
    let identity = door.identify(&parts).await?;
    product::session::end(&door.server, &parts, identity).await
}

/// `GET /api/v1/secrets/keys`: which master keys there are, and what needs them.
async fn key_state(State(door): State<Door>, request: Request) -> Result<Response, Status> {
    let (parts, _) = request.into_parts();
    let (identity, _permit) = door.enter(&parts).await?;
    product::master_key::state(&door.server, &identity).await
}

/// `POST /api/v1/secrets/rotate-key?prepare=`: another master key, with everything sealed anew.
async fn rotate_key(State(door): State<Door>, request: Request) -> Result<Response, Status> {
    let (parts, _) = request.into_parts();
    let (identity, _permit) = door.enter(&parts).await?;
    let query = Query::parse(parts.uri.query());
    let origin = Origin::within(&parts.extensions);
    product::master_key::rotate(&door.server, &identity, origin, query.flag("prepare")?).await
}

/// `POST /api/v1/secrets/retire-key`: away with what nothing needs.
async fn retire_key(State(door): State<Door>, request: Request) -> Result<Response, Status> {
    let (parts, _) = request.into_parts();
    let (identity, _permit) = door.enter(&parts).await?;
    let origin = Origin::within(&parts.extensions);
    product::master_key::retire(&door.server, &identity, &origin).await
}

/// `GET /api/v1/repositories/{owner}/{name}/services`
async fn found_services(
    State(door): State<Door>,
    Path((owner, name)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Status> {
    let (parts, _) = request.into_parts();
    let (identity, _permit) = door.enter(&parts).await?;
    let query = Query::parse(parts.uri.query());
    product::repositories::services(&door.server, &identity, &query, format!("{owner}/{name}"))
        .await
}

/// `GET /api/v1/railway/projects`
async fn railway_projects(State(door): State<Door>, request: Request) -> Result<Response, Status> {
    browse(&door, request, Place::Projects).await
}

/// `GET /api/v1/railway/projects/{project}/environments`
async fn railway_environments(
    State(door): State<Door>,
    Path(project): Path<String>,
    request: Request,
) -> Result<Response, Status> {
    browse(&door, request, Place::Environments { project }).await
}

/// `GET /api/v1/railway/projects/{project}/environments/{environment}`
async fn railway_environment(
    State(door): State<Door>,
    Path((project, environment)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Status> {
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
) -> Result<Response, Status> {
    let place = Place::Deployments {
        project,
        environment,
        service,
    };
    browse(&door, request, place).await
}

/// What Railway has.
async fn browse(door: &Door, request: Request, place: Place) -> Result<Response, Status> {
    let (parts, _) = request.into_parts();
    let (identity, _permit) = door.enter(&parts).await?;
    let query = Query::parse(parts.uri.query());
    product::railway::browse(&door.server, &identity, &query, place).await
}

/// `POST /api/v1/import/validate`: what would come of taking environments over.
async fn import_validate(State(door): State<Door>, request: Request) -> Result<Response, Status> {
    let (parts, body) = request.into_parts();
    let (identity, _permit) = door.enter(&parts).await?;
    let body = read_body(&parts.headers, body).await?;
    product::import::validate(&door.server, &identity, &body).await
}

/// `POST /api/v1/import`: takes environments over.
async fn import(State(door): State<Door>, request: Request) -> Result<Response, Status> {
    let (parts, body) = request.into_parts();
    let (identity, _permit) = door.enter(&parts).await?;
    let origin = Origin::within(&parts.extensions);
    let body = read_body(&parts.headers, body).await?;
    product::import::import(&door.server, &identity, &origin, &body).await
}

/// `GET /api/v1/import/{id}`: how far an import is.
async fn import_progress(
    State(door): State<Door>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Status> {
    let (parts, _) = request.into_parts();
    let (identity, _permit) = door.enter(&parts).await?;
    product::import::progress(&door.server, &identity, &id).await
}

/// `GET /api/v1/environments/{namespace}/{name}/export?format=`
async fn export(
    State(door): State<Door>,
    Path((namespace, name)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Status> {
    let (parts, _) = request.into_parts();
    let (identity, _permit) = door.enter(&parts).await?;
    let query = Query::parse(parts.uri.query());
    product::export::export(&door.server, &identity, [&namespace, &name], &query).await
}

/// `POST /api/v1/environments/{namespace}/{name}/save-as-template`
async fn save_as_template(
    State(door): State<Door>,
    Path((namespace, name)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Status> {
    let (parts, body) = request.into_parts();
    let (identity, _permit) = door.enter(&parts).await?;
    let origin = Origin::within(&parts.extensions);
    let body = read_body(&parts.headers, body).await?;
    let place = [namespace.as_str(), &name];
    product::export::save_as_template(&door.server, &identity, &origin, place, &body).await
}

/// `GET /api/v1/openapi.json`: this API, for programs.
async fn openapi_document(State(door): State<Door>, request: Request) -> Result<Response, Status> {
    let (parts, _) = request.into_parts();
    let (_, _permit) = door.enter(&parts).await?;
    Ok(product::openapi::document(&door.server.version))
}

/// `GET /api/v1/docs`: this API, for people. A browser shows no token, and there is nothing secret in it.
async fn openapi_page(State(door): State<Door>) -> Response {
    product::openapi::page(&door.server.version)
}

impl Door {
    /// Who asks for a copy, and of what kind.
    async fn about_a_copy(
        &self,
        id: String,
        request: Request,
    ) -> Result<(product::clone::Asked<'_>, CopyOptions, Option<Permit>), Status> {
        let (parts, body) = request.into_parts();
        let (identity, permit) = self.enter(&parts).await?;
        let body = read_body(&parts.headers, body).await?;
        let query = Query::parse(parts.uri.query());
        let options = product::clone::options_of(&body, &query)?;
        let asked = product::clone::Asked {
            server: &self.server,
            identity,
            origin: Origin::within(&parts.extensions),
            id,
        };
        Ok((asked, options, permit))
    }
}
