//! One visit to a GitSync that is to be kept.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::Timestamp;
use kube::{Api, ResourceExt as _, runtime::controller::Action};
use mirage_specs::{
    GitSync, GitSyncStatus,
    git_sync::{InventoryEntry, SYNC_AT, SyncResult},
};

use super::{
    SyncError, allowed_kinds,
    apply::{Outcomes, apply},
    commit_status,
    declare::{Declared, declare},
    diff::{Plan, Situation, diff, wanted},
    fetch::Snapshot,
    inputs,
    key::Key,
    kinds::Kinds,
    metrics::ChangeLabels,
    observe::observe,
    parse::{Documents, parse},
    publish::publish,
    resolve::{Resolved, resolve},
    status::{self, Moment, Visit},
    syncer::Syncer,
};

/// Fetches when that is due, compares, applies, and says what came of it.
pub(super) async fn visit(
    sync: &GitSync,
    namespace: &str,
    syncer: &Arc<Syncer>,
) -> Result<(&'static str, Action), SyncError> {
    let ctx = &syncer.context;
    let wish = sync.annotations().get(SYNC_AT).cloned();
    let mut moment = Moment {
        sync,
        now: ctx.now(),
        fetched_at: None,
        next: None,
        heeded: wish.clone(),
    };
    if sync.spec.suspend == Some(true) {
        publish(
            syncer,
            sync,
            namespace,
            status::suspended(&moment),
            &Outcomes::new(),
        )
        .await?;
        return Ok(("suspended", Action::await_change()));
    }
    let inputs = inputs::read(&ctx.client, namespace, sync).await?;
    let resolved = match resolve(sync, namespace, inputs) {
        Ok(resolved) => resolved,
        Err(error) => {
            let next = status::unresolved(&moment, &error);
            publish(syncer, sync, namespace, next, &Outcomes::new()).await?;
            return Ok(("waiting", Action::requeue(ctx.intervals.active * 6)));
        }
    };
    let uid = sync.uid().unwrap_or_default();
    let handled = sync
        .status
        .as_ref()
        .and_then(|status| status.handled_sync_at.as_ref());
    let is_wanted = wish.is_some() && wish.as_ref() != handled;
    let look = syncer
        .look(&uid, &resolved.request, resolved.interval, is_wanted)
        .await;
    moment.now = ctx.now();
    moment.next = Some(look.next(resolved.interval));
    let snapshot = match &look.outcome {
        Ok(snapshot) => snapshot,
        Err(error) => {
            let next = status::unread(&moment, error);
            publish(syncer, sync, namespace, next, &Outcomes::new()).await?;
            return Ok(("failed", until(moment.next, moment.now)));
        }
    };
    moment.fetched_at = Some(look.at);
    let (next, outcomes) = carry_out(&moment, namespace, snapshot, &resolved, syncer).await?;
    let is_unfinished = next.objects.iter().any(|object| {
        matches!(
            object.result,
            SyncResult::Unknown | SyncResult::Waiting | SyncResult::Pruning
        )
    });
    let outcome = match next.phase.as_deref() {
        Some("Synced") if outcomes.values().any(|outcome| outcome.change.is_some()) => "changed",
        Some("Synced") => "synced",
        Some("Failing") => "failed",
        _ => "held",
    };
    publish(syncer, sync, namespace, next.clone(), &outcomes).await?;
    if let Some(listener) = &resolved.listener {
        commit_status::send(syncer, sync, namespace, listener, &next).await?;
    }
    let action = if is_unfinished {
        Action::requeue(ctx.intervals.active)
    } else {
        until(moment.next, moment.now)
    };
    Ok((outcome, action))
}

async fn carry_out(
    moment: &Moment<'_>,
    namespace: &str,
    snapshot: &Snapshot,
    resolved: &Resolved,
    syncer: &Syncer,
) -> Result<(GitSyncStatus, Outcomes), SyncError> {
    let (ctx, rules, policy) = (&syncer.context, &resolved.rules, &resolved.policy);
    let inventory = moment
        .sync
        .status
        .as_ref()
        .map(|status| status.inventory.clone())
        .unwrap_or_default();
    let documents = parse(snapshot, rules.variables.as_ref());
    let kinds = kinds(&documents, &inventory, resolved, syncer).await?;
    let mut declared = declare(&documents, &kinds, rules);
    let mut ignored = snapshot.ignored.clone();
    ignored.append(&mut declared.ignored);
    declared.ignored = ignored;
    let observed = observe(&ctx.client, &kinds, wanted(&declared, &inventory)).await;
    let plan = diff(Situation {
        declared: &declared,
        observed: &observed,
        inventory: &inventory,
        fingerprints: fingerprints(&declared, syncer),
        policy,
        now: moment.now,
    });
    claim(moment.sync, namespace, &plan, &inventory, syncer).await?;
    let outcomes = apply(&ctx.client, &kinds, &declared, &observed, &plan, policy).await;
    let metrics = &ctx.metrics.git_sync;
    for outcome in outcomes.values() {
        if let Some(change) = outcome.change {
            let change = change.into();
            metrics
                .changes
                .get_or_create(&ChangeLabels { change })
                .inc();
        }
        if matches!(
            outcome.result,
            SyncResult::Conflict | SyncResult::Invalid | SyncResult::Refused
        ) {
            metrics.failures.inc();
        }
    }
    let visit = Visit {
        declared: &declared,
        plan: &plan,
        outcomes: &outcomes,
        policy,
        commit: &snapshot.commit,
        revision: &resolved.request.revision,
    };
    Ok((status::visited(moment, &visit), outcomes))
}

async fn kinds(
    documents: &Documents,
    inventory: &[InventoryEntry],
    resolved: &Resolved,
    syncer: &Syncer,
) -> Result<Kinds, SyncError> {
    let mut kinds = Kinds::known();
    let mut wanted = allowed_kinds(documents, &resolved.rules.bounds);
    wanted.extend(
        inventory
            .iter()
            .map(|entry| (entry.api_version.clone(), entry.kind.clone())),
    );
    kinds.learn(&syncer.context.client, wanted).await?;
    Ok(kinds)
}

fn fingerprints(declared: &Declared, syncer: &Syncer) -> BTreeMap<Key, String> {
    let key_of = &syncer.context.key;
    declared
        .objects
        .iter()
        .map(|(key, declaration)| {
            let fingerprint = key_of.fingerprint(&declaration.value.to_string());
            (key.clone(), fingerprint.to_string())
        })
        .collect()
}

/// Writes down what is about to be made, before it is made: a process that dies in between leaves nothing that no
/// inventory knows.
async fn claim(
    sync: &GitSync,
    namespace: &str,
    plan: &Plan,
    inventory: &[InventoryEntry],
    syncer: &Syncer,
) -> Result<(), SyncError> {
    let known = |key: &Key| inventory.iter().any(|entry| Key::of_entry(entry) == *key);
    if plan.inventory.keys().all(known) {
        return Ok(());
    }
    let mut all: BTreeMap<Key, InventoryEntry> = inventory
        .iter()
        .map(|entry| (Key::of_entry(entry), entry.clone()))
        .collect();
    all.extend(plan.inventory.clone());
    let api: Api<GitSync> = Api::namespaced(syncer.context.client.clone(), namespace);
    let patch = serde_json::json!({"status": {"inventory": all.into_values().collect::<Vec<_>>()}});
    api.patch_status(
        &sync.name_any(),
        &kube::api::PatchParams::default(),
        &kube::api::Patch::Merge(patch),
    )
    .await?;
    Ok(())
}

fn until(next: Option<Timestamp>, now: Timestamp) -> Action {
    let left = next.map_or(Duration::from_secs(60), |next| {
        Duration::try_from(next.duration_since(now)).unwrap_or(Duration::ZERO)
    });
    // Not in the same instant: a clock that lags behind would be asked again and again.
    Action::requeue(left.max(Duration::from_millis(100)))
}
