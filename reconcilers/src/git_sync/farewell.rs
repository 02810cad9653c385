//! A GitSync on its way out: its objects go with it, or stay and belong to nobody.

use std::{collections::BTreeSet, sync::Arc};

use kube::{
    Api, ResourceExt as _,
    api::{Patch, PatchParams},
    runtime::controller::Action,
};
use mirage_specs::{
    GitSync,
    git_sync::{InventoryEntry, SyncDeletion},
};
use serde_json::json;

use super::{
    FINALIZER, SyncError,
    apply::{MANAGER, Outcomes, deletion_of},
    key::Key,
    kinds::Kinds,
    mark,
    observe::{Live, api, observe},
    publish::publish,
    resolve::owner,
    status::{self, Moment},
    syncer::Syncer,
};

/// Lets go of everything that was brought, then of the GitSync.
pub(super) async fn visit(
    sync: &GitSync,
    namespace: &str,
    syncer: &Arc<Syncer>,
) -> Result<(&'static str, Action), SyncError> {
    let ctx = &syncer.context;
    let inventory = sync
        .status
        .as_ref()
        .map(|status| status.inventory.clone())
        .unwrap_or_default();
    let left = let_go(sync, namespace, &inventory, syncer).await?;
    if !left.is_empty() {
        let moment = Moment {
            sync,
            now: ctx.now(),
            fetched_at: None,
            next: None,
            heeded: None,
        };
        let why = format!(
            "could not be let go of yet, and is tried again: {}",
            left.join("; ")
        );
        publish(
            syncer,
            sync,
            namespace,
            status::deleting(&moment, &why),
            &Outcomes::new(),
        )
        .await?;
        return Ok(("waiting", Action::requeue(ctx.intervals.active * 6)));
    }
    syncer.forget(&sync.uid().unwrap_or_default()).await;
    let others: Vec<&String> = sync
        .finalizers()
        .iter()
        .filter(|finalizer| *finalizer != FINALIZER)
        .collect();
    let patch = json!({"metadata": {
        "finalizers": others,
        "resourceVersion": sync.resource_version(),
    }});
    let api: Api<GitSync> = Api::namespaced(ctx.client.clone(), namespace);
    match api
        .patch(
            &sync.name_any(),
            &PatchParams::default(),
            &Patch::Merge(patch),
        )
        .await
    {
        Ok(_) => {}
        Err(kube::Error::Api(status)) if status.code == 404 => {}
        Err(error) => return Err(error.into()),
    }
    Ok(("torn_down", Action::await_change()))
}

/// Deletes, or takes the mark off. What could not be done is told.
async fn let_go(
    sync: &GitSync,
    namespace: &str,
    inventory: &[InventoryEntry],
    syncer: &Syncer,
) -> Result<Vec<String>, SyncError> {
    let client = &syncer.context.client;
    let owner = owner(sync, namespace);
    let mut kinds = Kinds::known();
    let wanted: BTreeSet<(String, String)> = inventory
        .iter()
        .map(|entry| (entry.api_version.clone(), entry.kind.clone()))
        .collect();
    kinds.learn(client, wanted).await?;
    let looked_for = inventory
        .iter()
        .map(|entry| (Key::of_entry(entry), entry.api_version.clone()))
        .collect();
    let observed = observe(client, &kinds, looked_for).await;
    let mut left = Vec::new();
    for entry in inventory {
        let key = Key::of_entry(entry);
        let Some(resource) = kinds.resource(&entry.api_version, &entry.kind) else {
            // Its kind is not served any more: neither is it.
            continue;
        };
        let found = match observed.get(&key) {
            Some(Live::Present(found))
                if found.owner.as_ref() == Some(&owner) && !found.is_leaving =>
            {
                found
            }
            Some(Live::Unknown(why)) => {
                left.push(format!("{key} ({why})"));
                continue;
            }
            _ => continue,
        };
        let api = api(client, resource, &key);
        let outcome = match sync.spec.deletion.unwrap_or_default() {
            SyncDeletion::Prune => api.delete(&key.name, &deletion_of(found)).await.map(drop),
            SyncDeletion::Retain => {
                let params = PatchParams {
                    field_manager: Some(MANAGER.to_owned()),
                    ..PatchParams::default()
                };
                let patch = Patch::Merge(mark::removal(found.version.as_deref()));
                api.patch(&key.name, &params, &patch).await.map(drop)
            }
        };
        match outcome {
            Ok(()) => {}
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            Err(kube::Error::Api(status)) => {
                left.push(format!("{key} ({} {})", status.code, status.reason))
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(left)
}
