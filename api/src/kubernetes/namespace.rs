//! What lives in a namespace depends on it: nothing is created outside one, and a namespace goes after its contents.
//!
//! There is no background worker for that. Deleting a namespace marks it and deletes what is inside; each removal of the last
//! object of a marked namespace removes the namespace. At start, [`resume`] does the same for what a crash left marked.

use serde_json::Value;

use super::call::Call;
use super::{delete, metadata};
use crate::audit::Origin;
use crate::error::{CauseReason, Fault, Reason, Status};
use crate::kinds::Kind;
use crate::server::Server;
use crate::store::{Effect, Expect, Key, ListQuery, StoreError, Stored, Write};

/// The namespaces that there always are.
pub(crate) const PERMANENT: &[&str] = &["default", "kube-system", "kube-public"];

/// Whether the kind is Namespace itself.
pub(super) fn is_one(kind: &Kind) -> bool {
    kind.group.is_empty() && kind.plural == "namespaces"
}

/// Whether this is a namespace that must stay.
pub(super) fn is_permanent(kind: &Kind, name: &str) -> bool {
    is_one(kind) && PERMANENT.contains(&name)
}

/// Refuses to create in a namespace that is not there or on its way out.
pub(super) async fn admit(call: &Call) -> Result<(), Status> {
    let name = call.namespace();
    if name.is_empty() {
        return Err(Status::bad_request(
            "a namespace is required to create an object of a namespaced kind",
        ));
    }
    let Some(namespace) = call.server.namespace(name).await? else {
        return Err(Status::not_found(
            call.server.core_kind("namespaces")?,
            name,
        ));
    };
    if metadata::is_deleting(&namespace.object) {
        let why = format!(
            "unable to create new content in namespace {name} because it is being terminated"
        );
        let message = format!("namespace {name} is being terminated");
        let cause = Fault::new(
            "metadata.namespace",
            CauseReason::NamespaceTerminating,
            message,
        );
        let object_name = call.info.name.as_deref().unwrap_or_default();
        return Err(
            Status::forbidden(&call.kind.group, &call.kind.plural, object_name, why)
                .with_causes(vec![cause]),
        );
    }
    Ok(())
}

/// Something in this namespace is gone; perhaps it was the last thing that held the namespace.
pub(super) async fn after_removal(
    server: &Server,
    origin: &Origin,
    namespace: &str,
) -> Result<(), Status> {
    if namespace.is_empty() {
        return Ok(());
    }
    match server.namespace(namespace).await? {
        Some(stored) if metadata::is_deleting(&stored.object) => {
            close(server, origin, stored).await
        }
        _ => Ok(()),
    }
}

/// Deletes all that is in the namespace, and the namespace if nothing holds out.
pub(super) async fn empty(server: &Server, origin: &Origin, namespace: &str) -> Result<(), Status> {
    let options = delete::Options::default();
    for kind in contained(server) {
        for stored in contents(server, kind, namespace, None).await? {
            let removal = delete::remove(server, origin, kind, stored, &options);
            // Removing the last object closes the namespace, which comes back to this function's caller.
            match Box::pin(removal).await {
                Ok(_) => {}
                Err(status) if status.reason() == Reason::NotFound => {}
                Err(status) => return Err(status),
            }
        }
    }
    Box::pin(after_removal(server, origin, namespace)).await
}

/// Takes up the deletions that a crash interrupted.
pub(crate) async fn resume(server: &Server) -> Result<(), Status> {
    let (kind, origin) = (server.core_kind("namespaces")?, server.own_origin());
    for stored in contents(server, kind, "", None).await? {
        if metadata::is_deleting(&stored.object) {
            empty(server, &origin, &stored.key.name).await?;
        }
    }
    Ok(())
}

/// Removes a marked namespace that is empty and that nobody holds.
async fn close(server: &Server, origin: &Origin, namespace: Stored) -> Result<(), Status> {
    if !metadata::finalizers(&namespace.object).is_empty() {
        return Ok(());
    }
    for kind in contained(server) {
        if !contents(server, kind, &namespace.key.name, Some(1))
            .await?
            .is_empty()
        {
            return Ok(());
        }
    }
    let kind = server.core_kind("namespaces")?;
    let name = namespace.key.name.clone();
    let write = Write {
        key: Key::new(kind.resource(), "", &name),
        expect: Expect::Revision(namespace.revision),
        effect: Effect::Delete(namespace.object.clone()),
    };
    match server.write(origin, write, Some(&namespace.object)).await {
        // Whoever else saw it empty has removed it; whoever changed it looks at it again.
        Ok(_) | Err(StoreError::NotFound | StoreError::Conflict { .. }) => Ok(()),
        Err(error) => Err(Status::from_store(kind, &name, error)),
    }
}

/// The kinds whose objects live in namespaces, each stored resource once.
fn contained(server: &Server) -> impl Iterator<Item = &Kind> {
    server
        .registry
        .kinds()
        .map(|kind| &**kind)
        .filter(|kind| kind.namespaced && kind.stored_as.is_none())
}

async fn contents(
    server: &Server,
    kind: &Kind,
    namespace: &str,
    limit: Option<usize>,
) -> Result<Vec<Stored>, Status> {
    let query = ListQuery {
        resource: kind.resource(),
        namespace: Some(namespace.to_owned()),
        after: None,
        limit,
    };
    let page = server
        .store
        .list(&query)
        .await
        .map_err(|error| Status::from_store(kind, "", error))?;
    Ok(page.items)
}

/// A namespace as the server itself makes it.
pub(crate) fn new(name: &str) -> Value {
    serde_json::json!({
        "metadata": {"labels": {"kubernetes.io/metadata.name": name}},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    })
}
