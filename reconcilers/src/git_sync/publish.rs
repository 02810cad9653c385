//! Writing a status, and telling what of it is news.

use kube::{
    Api, ResourceExt as _,
    api::{Patch, PatchParams},
    runtime::events::EventType,
};
use mirage_specs::{GitSync, GitSyncStatus};
use serde_json::{Value, json};

use super::{
    SyncError,
    apply::{Change, Outcomes},
    syncer::Syncer,
};
use crate::reason::Reason;

/// Writes the status unless it is the same, and tells what changed as Events.
pub(super) async fn publish(
    syncer: &Syncer,
    sync: &GitSync,
    namespace: &str,
    next: GitSyncStatus,
    outcomes: &Outcomes,
) -> Result<(), SyncError> {
    let earlier = sync.status.clone().unwrap_or_default();
    let ctx = &syncer.context;
    if next != earlier {
        let api: Api<GitSync> = Api::namespaced(ctx.client.clone(), namespace);
        let patch = json!({"status": replacing(&next)});
        api.patch_status(
            &sync.name_any(),
            &PatchParams::default(),
            &Patch::Merge(patch),
        )
        .await?;
    }
    for (severity, reason, note) in news(&earlier, &next, outcomes) {
        ctx.tell(sync, severity, reason.into(), note).await;
    }
    Ok(())
}

/// As a merge patch that takes out what is not there any more.
fn replacing(status: &GitSyncStatus) -> Value {
    let mut value = json!(status);
    for field in [
        "objects",
        "faults",
        "ignored",
        "inventory",
        "nextSync",
        "revision",
        "observedCommit",
    ] {
        if value.get(field).is_none() {
            value[field] = Value::Null;
        }
    }
    value
}

/// What somebody who watches Events wants to hear.
fn news(
    earlier: &GitSyncStatus,
    next: &GitSyncStatus,
    outcomes: &Outcomes,
) -> Vec<(EventType, Reason, String)> {
    let mut news = Vec::new();
    let revision = next.revision.as_deref().unwrap_or("the repository");
    let count = |change| {
        outcomes
            .values()
            .filter(|outcome| outcome.change == Some(change))
            .count()
    };
    let done: Vec<String> = [
        (Change::Created, "created"),
        (Change::Updated, "updated"),
        (Change::Adopted, "adopted"),
        (Change::Pruned, "deleted"),
    ]
    .into_iter()
    .filter(|(change, _)| count(*change) > 0)
    .map(|(change, word)| format!("{} {word}", count(change)))
    .collect();
    if !done.is_empty() {
        news.push((
            EventType::Normal,
            Reason::Applied,
            format!("{revision}: {}", done.join(", ")),
        ));
    }
    let reverted: Vec<String> = outcomes
        .iter()
        .filter(|(_, outcome)| outcome.change == Some(Change::Reverted))
        .map(|(key, _)| key.to_string())
        .collect();
    if !reverted.is_empty() {
        let note = format!(
            "changed by others and made as {revision} says again: {}",
            reverted.join(", ")
        );
        news.push((EventType::Warning, Reason::DriftReverted, note));
    }
    let ready = |status: &GitSyncStatus| {
        let found = status
            .conditions
            .iter()
            .find(|condition| condition.type_ == "Ready");
        found.map(|condition| {
            (
                condition.status.clone(),
                condition.reason.clone(),
                condition.message.clone(),
            )
        })
    };
    if let Some((status, reason, message)) = ready(next) {
        let before = ready(earlier);
        let is_new = before.is_none_or(|(was, why, what)| {
            was != status || why != reason || (status == "False" && what != message)
        });
        if is_new && let Ok(reason) = reason.parse::<Reason>() {
            let severity =
                if status == "True" || reason == Reason::Suspended || reason == Reason::DryRun {
                    EventType::Normal
                } else {
                    EventType::Warning
                };
            news.push((severity, reason, message));
        }
    }
    news
}
