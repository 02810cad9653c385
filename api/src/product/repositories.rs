//! `GET /api/v1/repositories/{owner}/{name}/services`: what a repository holds that could run.
//!
//! Needs the right to `create` `environments` in the namespace (`?namespace=`, `default` when absent): it is for whoever
//! begins one. `?secret=` shows GitHub a Secret's credential, and needs the right to `get` that Secret.

use axum::response::Response;

use super::railway::{respond, untold};
use super::stored::{ENVIRONMENTS, GROUP};
use crate::access::Attributes;
use crate::auth::Identity;
use crate::error::{Reason, Status};
use crate::finder::Repository;
use crate::kubernetes::access;
use crate::kubernetes::request::Query;
use crate::server::Server;

/// Answers with what was found in `name` (`owner/name`).
pub(crate) async fn services(
    server: &Server,
    identity: &Identity,
    query: &Query,
    name: String,
) -> Result<Response, Status> {
    let repository = Repository {
        name,
        reference: query.get("ref").map(str::to_owned),
        namespace: query.namespace()?.to_owned(),
        secret: query.name("secret")?.map(str::to_owned),
    };
    let creating = Attributes {
        verb: "create",
        group: GROUP,
        resource: ENVIRONMENTS,
        namespace: &repository.namespace,
        ..Attributes::default()
    };
    access::check(server, identity, &creating).await?;
    if let Some(secret) = &repository.secret {
        let reading = Attributes {
            verb: "get",
            resource: "secrets",
            namespace: &repository.namespace,
            name: secret,
            ..Attributes::default()
        };
        access::check(server, identity, &reading).await?;
    }
    let finder = server.finder.as_ref().ok_or_else(|| {
        let message = "this server cannot look into repositories: it serves the API only";
        Status::new(Reason::ServiceUnavailable, message)
    })?;
    respond(&finder.services(&repository).await.map_err(untold)?)
}
