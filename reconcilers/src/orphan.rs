//! Orphans: receipts that go when what they stand for is gone.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, Patch, PatchParams},
    runtime::controller::Action,
};
use mirage_railway::{
    budget::Priority,
    id::{EnvironmentId, ProjectId},
    snapshot::{Presence, ProjectSnapshot},
};
use mirage_specs::{Orphan, orphan::OrphanStatus};
use serde_json::json;

use crate::{
    accounts::{Standing, missing},
    context::Context,
    environment::{
        condition::whole_seconds,
        identity::{MirageId, mark},
    },
};

/// How often an orphan is tried again: it costs at most one request each.
const AGAIN: Duration = Duration::from_secs(600);

/// A visit that could not be finished.
#[derive(Debug, thiserror::Error)]
#[error("the API server could not be reached")]
pub struct OrphanError(#[from] kube::Error);

/// What an orphan's place shows.
#[derive(Debug, PartialEq, Eq)]
enum Remains {
    Gone,
    /// Still there, and still ours to remove.
    Ours(EnvironmentId),
    /// There, or not seen; in words.
    Left(String),
}

/// One visit to one orphan: gone, or tried once more.
///
/// # Errors
/// When the API server does not answer.
#[tracing::instrument(
    name = "reconcile", skip_all,
    fields(kind = "Orphan", namespace = orphan.namespace(), name = %orphan.name_any())
)]
pub async fn reconcile(orphan: Arc<Orphan>, ctx: Arc<Context>) -> Result<Action, OrphanError> {
    if orphan.metadata.deletion_timestamp.is_some() {
        return Ok(Action::await_change());
    }
    let namespace = orphan.namespace().unwrap_or_default();
    let api: Api<Orphan> = Api::namespaced(ctx.client.clone(), &namespace);
    let account = orphan
        .spec
        .account_ref
        .as_ref()
        .map_or("default", |account| account.name.as_str());
    let message = match ctx.accounts.get(&namespace, account) {
        Standing::Refused(why) => why,
        Standing::Untried => missing(&namespace, account),
        Standing::Ready(account) => {
            let Some(project) = orphan.spec.project_id.as_deref().map(ProjectId::new) else {
                return Ok(Action::await_change());
            };
            let seen = account
                .observer
                .project_with(
                    &project,
                    orphan.spec.railway_id.clone(),
                    Priority::Observation,
                )
                .await;
            let remains = match &seen {
                Err(error) => Remains::Left(error.to_string()),
                Ok(Presence::Unknown(why)) => Remains::Left(why.clone()),
                Ok(Presence::Absent) => Remains::Gone,
                Ok(Presence::Present(project)) => remains(&orphan, project),
            };
            match remains {
                Remains::Gone => {
                    api.delete(&orphan.name_any(), &DeleteParams::background())
                        .await?;
                    return Ok(Action::await_change());
                }
                Remains::Left(why) => why,
                Remains::Ours(id) => match account.client.delete_environment(&id).await {
                    Ok(()) => {
                        account.observer.wrote(&project);
                        "Railway accepted its removal".to_owned()
                    }
                    Err(error) => error.to_string(),
                },
            }
        }
    };
    publish(&api, &orphan, message, ctx.now()).await?;
    Ok(Action::requeue(AGAIN))
}

/// What happens after a visit that could not be finished.
pub fn on_error(_: Arc<Orphan>, error: &OrphanError, ctx: Arc<Context>) -> Action {
    tracing::warn!(%error, "a reconcile could not be finished and is repeated");
    Action::requeue(ctx.intervals.active)
}

fn remains(orphan: &Orphan, project: &ProjectSnapshot) -> Remains {
    let Some(id) = orphan.spec.railway_id.as_deref().map(EnvironmentId::new) else {
        return Remains::Left(
            "its Railway id is not known: delete this Orphan once you have looked".to_owned(),
        );
    };
    let Some(environment) = project.environments.get(&id) else {
        return Remains::Gone;
    };
    let ours = MirageId::new(&orphan.spec.made_by);
    match mark(environment) {
        Presence::Present(mark) if mark == ours.as_str() => Remains::Ours(id),
        Presence::Unknown(why) => Remains::Left(why),
        Presence::Present(_) | Presence::Absent => Remains::Left(
            "it is still there without Mirage's mark, so Mirage leaves it alone".to_owned(),
        ),
    }
}

async fn publish(
    api: &Api<Orphan>,
    orphan: &Orphan,
    message: String,
    now: Timestamp,
) -> Result<(), OrphanError> {
    let next = OrphanStatus {
        last_attempt: Some(whole_seconds(now)),
        message: Some(message),
    };
    let same_message = orphan
        .status
        .as_ref()
        .is_some_and(|status| status.message == next.message);
    if !same_message {
        let patch = json!({ "status": next });
        api.patch_status(
            &orphan.name_any(),
            &PatchParams::default(),
            &Patch::Merge(patch),
        )
        .await?;
    }
    Ok(())
}
