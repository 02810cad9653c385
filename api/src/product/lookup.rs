//! Environments by id: Mirage's (`metadata.uid`), or Railway's, which is resolved first.

use serde_json::{Value, json};

use super::stored::{self, ENVIRONMENTS};
use crate::auth::Identity;
use crate::error::{Reason, Status};
use crate::kubernetes::access;
use crate::server::Server;
use crate::store::Stored;

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
pub(super) async fn all(server: &Server) -> Result<Vec<Stored>, Status> {
    stored::all(server, stored::kind(server, ENVIRONMENTS)?, None).await
}

/// Whether the caller may look at the environment.
pub(super) async fn may_see(server: &Server, identity: &Identity, stored: &Stored) -> bool {
    let Ok(kind) = stored::kind(server, ENVIRONMENTS) else {
        return false;
    };
    let asked = stored::asked("get", kind, &stored.key.namespace, &stored.key.name);
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
