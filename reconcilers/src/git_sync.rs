//! GitSyncs: what a folder of a Git repository declares is applied, and kept applied.
//!
//! ```text
//!  spec, Secrets ─► resolve ─► fetch ─► parse ─► declare ─► observe ─► diff ─► apply ─► status
//!                   (pure)             (pure)    (pure)               (pure)            (pure)
//! ```
//!
//! Objects are applied by server-side apply under one manager's name, marked with whose they are, and listed in
//! `status.inventory` before they are made. Only what is in the inventory *and* carries the mark is ever deleted, and
//! nothing is while it is in doubt what Git declares.

pub mod allowed;
pub mod apply;
pub mod commit_status;
mod contest;
pub mod declare;
pub mod diff;
mod farewell;
pub mod fetch;
mod inputs;
pub mod key;
pub mod kinds;
pub mod mark;
pub mod metrics;
pub mod observe;
pub mod order;
pub mod parse;
mod publish;
pub mod resolve;
pub mod status;
pub mod substitute;
pub mod syncer;
mod visit;
pub mod wake;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use kube::{
    Api, ResourceExt as _,
    api::{Patch, PatchParams},
    runtime::controller::Action,
};
use mirage_specs::GitSync;
use serde_json::json;

use allowed::Bounds;
use key::group_of;
use parse::Documents;
use syncer::Syncer;

/// Keeps the object until what it brought was let go of.
pub const FINALIZER: &str = "mirage.dev/gitsync";

/// A visit that could not be finished.
#[derive(Debug, thiserror::Error)]
#[error("the API server could not be reached")]
pub struct SyncError(#[from] kube::Error);

/// One visit to one GitSync.
///
/// # Errors
/// When the API server does not answer. What the repository and its files are at fault for goes into the status.
#[tracing::instrument(
    name = "reconcile", skip_all,
    fields(
        kind = "GitSync", namespace = seen.namespace(), name = %seen.name_any(),
        generation = seen.metadata.generation, outcome = tracing::field::Empty,
    )
)]
pub async fn reconcile(seen: Arc<GitSync>, syncer: Arc<Syncer>) -> Result<Action, SyncError> {
    let namespace = seen.namespace().unwrap_or_default();
    let ctx = &syncer.context;
    let api: Api<GitSync> = Api::namespaced(ctx.client.clone(), &namespace);
    // As it is now and not as the watch last told: an old inventory would forget what was just made.
    let Some(sync) = api.get_opt(&seen.name_any()).await? else {
        return Ok(Action::await_change());
    };
    let is_ours = sync
        .finalizers()
        .iter()
        .any(|finalizer| finalizer == FINALIZER);
    let visited = match (sync.metadata.deletion_timestamp.is_some(), is_ours) {
        (true, false) => Ok(("gone", Action::await_change())),
        (true, true) => farewell::visit(&sync, &namespace, &syncer).await,
        (false, false) => {
            // Before anything exists that would need it. The write wakes the next visit.
            let finalizers: Vec<&str> = sync
                .finalizers()
                .iter()
                .map(String::as_str)
                .chain([FINALIZER])
                .collect();
            let patch = json!({"metadata": {
                "finalizers": finalizers,
                "resourceVersion": sync.resource_version(),
            }});
            api.patch(
                &sync.name_any(),
                &PatchParams::default(),
                &Patch::Merge(patch),
            )
            .await?;
            Ok(("adopted", Action::requeue(Duration::ZERO)))
        }
        (false, true) => visit::visit(&sync, &namespace, &syncer).await,
    };
    let (outcome, action) = visited.inspect_err(|_| ctx.metrics.reconciled("GitSync", "error"))?;
    tracing::Span::current().record("outcome", outcome);
    ctx.metrics.reconciled("GitSync", outcome);
    Ok(action)
}

/// What happens after a visit that could not be finished: again, a little later.
pub fn on_error(_: Arc<GitSync>, error: &SyncError, syncer: Arc<Syncer>) -> Action {
    tracing::warn!(%error, "a reconcile could not be finished and is repeated");
    Action::requeue(syncer.context.intervals.active)
}

/// The kinds that documents use and may use. The API server is not asked about any other.
fn allowed_kinds(documents: &Documents, bounds: &Bounds) -> BTreeSet<(String, String)> {
    documents
        .placed
        .iter()
        .map(|placed| &placed.document)
        .filter(|document| !document.api_version.is_empty() && !document.kind.is_empty())
        .filter(|document| {
            bounds
                .refuse_kind(group_of(&document.api_version), &document.kind)
                .is_none()
        })
        .map(|document| (document.api_version.clone(), document.kind.clone()))
        .collect()
}
