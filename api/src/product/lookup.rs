//! Environments by id: Mirage's (`metadata.uid`), or Railway's, which is resolved first.

use serde_json::{Value, json};

use crate::access::Attributes;
use crate::auth::Identity;
use crate::error::{Reason, Status};
use crate::kinds::Kind;
use crate::kubernetes::access;
use crate::server::Server;
use crate::store::{ListQuery, Stored};

pub(crate) const GROUP: &str = "mirage.dev";
pub(crate) const VERSION: &str = "v1alpha1";
pub(crate) const RESOURCE: &str = "environments";

/// The kind.
pub(crate) fn kind(server: &Server) -> Result<&std::sync::Arc<Kind>, Status> {
    server
        .registry
        .find(GROUP, VERSION, RESOURCE)
        .ok_or_else(Status::unknown_path)
}

/// The environment that an id means, if the caller may look at it. To others it does not exist: an id alone tells nobody
/// what something is called.
///
/// # Errors
/// 404 when there is none of that id, or none that the caller may see.
pub(crate) async fn environment(
    server: &Server,
    identity: &Identity,
    id: &str,
) -> Result<Stored, Status> {
    let mut by_uid = None;
    for stored in all(server).await? {
        if stored.object["status"]["railway"]["environmentId"] == *id {
            by_uid = Some(stored);
            break;
        }
        if stored.object["metadata"]["uid"] == *id {
            by_uid = Some(stored);
        }
    }
    match by_uid {
        Some(stored) if may_see(server, identity, &stored).await => Ok(stored),
        _ => Err(Status::new(
            Reason::NotFound,
            format!(
                "no environment that you may see has the id {id:?}, neither as metadata.uid nor as its id on Railway"
            ),
        )),
    }
}

/// Every environment of every namespace. Whoever answers with them asks [`may_see`] first.
pub(crate) async fn all(server: &Server) -> Result<Vec<Stored>, Status> {
    let kind = kind(server)?;
    let query = ListQuery {
        resource: kind.resource(),
        namespace: None,
        after: None,
        limit: None,
    };
    let page = server.store.list(&query).await;
    Ok(page
        .map_err(|error| Status::from_store(kind, "", error))?
        .items)
}

/// Whether the caller may look at the environment.
pub(crate) async fn may_see(server: &Server, identity: &Identity, stored: &Stored) -> bool {
    let asked = Attributes {
        verb: "get",
        group: GROUP,
        resource: RESOURCE,
        namespace: &stored.key.namespace,
        name: &stored.key.name,
        ..Attributes::default()
    };
    access::may(server, identity, &asked).await
}

/// An environment as answers name it: both ids, and where it is.
pub(crate) fn named(object: &Value) -> Value {
    json!({
        "environmentId": object["metadata"]["uid"],
        "railwayEnvironmentId": object["status"]["railway"]["environmentId"],
        "namespace": object["metadata"]["namespace"],
        "name": object["metadata"]["name"],
    })
}
