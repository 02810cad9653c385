//! Objects of Mirage's own kinds as they are stored, and the rights to look at them.

use std::sync::Arc;

use mirage_specs::{EnvironmentTemplate, template::EnvironmentTemplateSpec, templates};

use crate::access::Attributes;
use crate::auth::Identity;
use crate::error::Status;
use crate::kinds::Kind;
use crate::kubernetes::access;
use crate::server::Server;
use crate::store::{Key, ListQuery, Stored};

/// The group of Mirage's kinds.
pub(super) const GROUP: &str = "mirage.dev";
/// Their version.
pub(super) const VERSION: &str = "v1alpha1";
/// The plural of Environment.
pub(super) const ENVIRONMENTS: &str = "environments";
/// The plural of EnvironmentTemplate.
pub(super) const TEMPLATES: &str = "environmenttemplates";

/// One of Mirage's own kinds, by its plural.
pub(super) fn kind<'a>(server: &'a Server, plural: &str) -> Result<&'a Arc<Kind>, Status> {
    server
        .registry
        .find(GROUP, VERSION, plural)
        .ok_or_else(Status::unknown_path)
}

/// The object of a name, if it is there. Whoever answers with it has asked for the right.
pub(super) async fn find(
    server: &Server,
    kind: &Kind,
    namespace: &str,
    name: &str,
) -> Result<Option<Stored>, Status> {
    server
        .store
        .get(&Key::new(kind.resource(), namespace, name))
        .await
        .map_err(|error| Status::from_store(kind, name, error))
}

/// All objects of a kind, of one namespace or of every one. Whoever answers with them has asked for the right.
pub(super) async fn all(
    server: &Server,
    kind: &Kind,
    namespace: Option<&str>,
) -> Result<Vec<Stored>, Status> {
    let query = ListQuery {
        resource: kind.resource(),
        namespace: namespace.map(str::to_owned),
        after: None,
        limit: None,
    };
    let page = server.store.list(&query).await;
    Ok(page
        .map_err(|error| Status::from_store(kind, "", error))?
        .items)
}

/// The right to do `verb` with one object.
pub(super) fn asked<'a>(
    verb: &'a str,
    kind: &'a Kind,
    namespace: &'a str,
    name: &'a str,
) -> Attributes<'a> {
    Attributes {
        verb,
        group: GROUP,
        resource: &kind.plural,
        namespace,
        name,
        ..Attributes::default()
    }
}

/// The object of a name, for a caller who may read it.
///
/// # Errors
/// 403 without the right, 404 when it is not there.
pub(super) async fn readable(
    server: &Server,
    identity: &Identity,
    kind: &Kind,
    namespace: &str,
    name: &str,
) -> Result<Stored, Status> {
    access::check(server, identity, &asked("get", kind, namespace, name)).await?;
    let found = find(server, kind, namespace, name).await?;
    found.ok_or_else(|| Status::not_found(kind, name))
}

/// The template of a name with its generation: one of the namespace, if the caller may read it, since its layers come to be
/// in the answer; else the one that ships.
///
/// # Errors
/// 403 when there is one that the caller may not read.
pub(super) async fn template(
    server: &Server,
    identity: &Identity,
    namespace: &str,
    name: &str,
) -> Result<Option<(Option<i64>, EnvironmentTemplateSpec)>, Status> {
    let kind = kind(server, TEMPLATES)?;
    let Some(own) = find(server, kind, namespace, name).await? else {
        let shipped = templates::shipped(name);
        return Ok(shipped.map(|template| (None, template.spec.clone())));
    };
    access::check(server, identity, &asked("get", kind, namespace, name)).await?;
    let own: EnvironmentTemplate =
        serde_json::from_value(own.object.into_value()).map_err(Status::internal)?;
    Ok(Some((own.metadata.generation, own.spec)))
}
