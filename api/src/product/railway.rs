//! `GET /api/v1/railway/…`: what Railway has, and what of it Mirage manages.
//!
//! Needs the right to `list` or `get` the resource `railwayprojects` in the namespace from which the account is seen
//! (`?namespace=`, `default` when absent). No variable's value is ever in an answer.

use std::sync::Arc;

use axum::response::Response;
use http::StatusCode;
use mirage_specs::catalog::Listed;
use serde::Serialize;
use serde_json::json;

use super::kept::Keepers;
use super::stored::GROUP;
use crate::access::Attributes;
use crate::auth::Identity;
use crate::catalog::{AccountName, Catalog, CatalogError};
use crate::error::{Reason, Status};
use crate::kubernetes::access;
use crate::kubernetes::negotiate::Accept;
use crate::kubernetes::request::Query;
use crate::server::Server;

/// The resource by which rights to browse are given.
pub(crate) const RAILWAY_PROJECTS: &str = "railwayprojects";

/// The right to take over what is on Railway.
pub(crate) const IMPORTING: Attributes<'static> = Attributes {
    verb: "import",
    group: GROUP,
    resource: RAILWAY_PROJECTS,
    subresource: "",
    namespace: "",
    name: "",
    path: "",
};

/// Deployments in a list for which nobody said how many.
const DEPLOYMENTS: u64 = 20;

/// What is looked at.
pub(crate) enum Place {
    /// All projects.
    Projects,
    /// The environments of a project.
    Environments { project: String },
    /// One of them, with its services.
    Environment {
        project: String,
        environment: String,
    },
    /// The deployments of a service.
    Deployments {
        project: String,
        environment: String,
        service: String,
    },
}

/// Answers with what is there.
pub(crate) async fn browse(
    server: &Server,
    identity: &Identity,
    query: &Query,
    place: Place,
) -> Result<Response, Status> {
    let account = account(query)?;
    let verb = match place {
        Place::Environment { .. } => "get",
        _ => "list",
    };
    check(server, identity, verb, "", &account.namespace).await?;
    let catalog = catalog(server)?;
    match place {
        Place::Projects => {
            let mut items = catalog.projects(&account).await.map_err(untold)?;
            let keepers = Keepers::read(server, identity).await?;
            for project in items.iter_mut().filter(|it| it.environments.is_some()) {
                let ids = &project.environment_ids;
                let managed = ids.iter().filter(|id| keepers.is_kept(id)).count();
                project.managed = u32::try_from(managed).ok();
                project.external = u32::try_from(ids.len() - managed).ok();
            }
            respond(&Listed { items })
        }
        Place::Environments { project } => {
            let found = catalog.environments(&account, &project).await;
            let mut items = found.map_err(untold)?;
            let keepers = Keepers::read(server, identity).await?;
            items.iter_mut().for_each(|item| keepers.tell(item));
            respond(&Listed { items })
        }
        Place::Environment {
            project,
            environment,
        } => {
            let found = catalog.environment(&account, &project, &environment).await;
            let mut found = found.map_err(untold)?;
            Keepers::read(server, identity).await?.tell(&mut found);
            respond(&found)
        }
        Place::Deployments {
            project,
            environment,
            service,
        } => {
            let limit = query.number("limit")?.unwrap_or(DEPLOYMENTS);
            let limit = u32::try_from(limit).unwrap_or(u32::MAX);
            let place = [project.as_str(), &environment, &service];
            let items = catalog.deployments(&account, place, limit).await;
            let items = items.map_err(untold)?;
            respond(&Listed { items })
        }
    }
}

/// The account that the query names.
pub(super) fn account(query: &Query) -> Result<AccountName, Status> {
    Ok(AccountName {
        namespace: query.namespace()?.to_owned(),
        name: query.name("account")?.unwrap_or("default").to_owned(),
    })
}

/// 403 when the caller may not look.
pub(super) async fn check(
    server: &Server,
    identity: &Identity,
    verb: &str,
    subresource: &str,
    namespace: &str,
) -> Result<(), Status> {
    let asked = Attributes {
        verb,
        group: GROUP,
        resource: RAILWAY_PROJECTS,
        subresource,
        namespace,
        ..Attributes::default()
    };
    access::check(server, identity, &asked).await
}

/// Whoever can look.
pub(super) fn catalog(server: &Server) -> Result<&Arc<dyn Catalog>, Status> {
    server.catalog.as_ref().ok_or_else(|| {
        let message = "this server cannot look at Railway: it serves the API only";
        Status::new(Reason::ServiceUnavailable, message)
    })
}

pub(super) fn untold(error: CatalogError) -> Status {
    match error {
        CatalogError::NotFound(message) => Status::new(Reason::NotFound, message),
        CatalogError::Unavailable(message) => {
            Status::new(Reason::ServiceUnavailable, message).retry_after(5)
        }
    }
}

pub(super) fn respond(body: &impl Serialize) -> Result<Response, Status> {
    Ok(Accept::JSON.respond(StatusCode::OK, &json!(body)))
}
