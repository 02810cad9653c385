//! The world in which a GitSync follows a repository.

use std::time::Duration;

use kube::api::{Patch, PatchParams};
use mirage_specs::{
    EnvironmentTemplate, GitSync, GitSyncStatus,
    git_sync::{SyncResult, SyncedObject},
};
use mirage_tests::{
    git::Depot,
    world::{World, WorldOptions},
};
use serde_json::{Value, json};

pub(crate) const MINUTE: Duration = Duration::from_secs(60);

pub(crate) async fn world(seed: u64) -> World {
    let mut world = World::new(WorldOptions::lifelike(seed)).await.unwrap();
    world.start();
    world
}

/// A template, which is an object that nothing else acts on.
pub(crate) fn template(name: &str, image: &str) -> String {
    format!(
        "apiVersion: mirage.dev/v1alpha1\nkind: EnvironmentTemplate\nmetadata: {{name: {name}}}\nspec:\n  base:\n    \
         services:\n      web:\n        source: {{image: '{image}'}}\n"
    )
}

pub(crate) async fn sync(world: &World, name: &str, depot: &Depot, fields: Value) {
    let mut spec = json!({"url": depot.url(), "branch": "main", "interval": "1m"});
    for (key, value) in fields.as_object().unwrap() {
        spec[key] = value.clone();
    }
    let object = json!({
        "apiVersion": "mirage.dev/v1alpha1", "kind": "GitSync", "metadata": {"name": name}, "spec": spec,
    });
    let params = PatchParams::apply("user").force();
    world
        .objects::<GitSync>()
        .patch(name, &params, &Patch::Apply(&object))
        .await
        .unwrap();
}

pub(crate) async fn status(world: &World, name: &str) -> GitSyncStatus {
    let sync = world.objects::<GitSync>().get(name).await.unwrap();
    sync.status.unwrap_or_default()
}

/// Lets time pass until the commit was looked at and what came of it is said.
pub(crate) async fn seen(world: &mut World, name: &str, commit: &str) -> GitSyncStatus {
    let is_seen = world
        .pass_until(5 * MINUTE, async |world| {
            Ok(status(world, name).await.observed_commit.as_deref() == Some(commit))
        })
        .await
        .unwrap();
    let status = status(world, name).await;
    assert!(is_seen, "{status:#?}");
    status
}

pub(crate) async fn image(world: &World, name: &str) -> Option<String> {
    let found = world
        .objects::<EnvironmentTemplate>()
        .get_opt(name)
        .await
        .unwrap()?;
    let value = serde_json::to_value(&found).unwrap();
    Some(
        value["spec"]["base"]["services"]["web"]["source"]["image"]
            .as_str()?
            .to_owned(),
    )
}

/// Changes a template by hand, as `kubectl edit` does.
pub(crate) async fn edit(world: &World, name: &str, image: &str) {
    let params = PatchParams {
        field_manager: Some("kubectl-edit".to_owned()),
        ..PatchParams::default()
    };
    let patch = json!({"spec": {"base": {"services": {"web": {"source": {"image": image}}}}}});
    world
        .objects::<EnvironmentTemplate>()
        .patch(name, &params, &Patch::Merge(patch))
        .await
        .unwrap();
}

pub(crate) fn result(status: &GitSyncStatus, name: &str) -> SyncResult {
    object(status, name).result
}

pub(crate) fn object<'s>(status: &'s GitSyncStatus, name: &str) -> &'s SyncedObject {
    status
        .objects
        .iter()
        .find(|object| object.name == name)
        .unwrap_or_else(|| unreachable!("{name} is not in {status:#?}"))
}

pub(crate) fn ready(status: &GitSyncStatus) -> (String, String) {
    let found = status
        .conditions
        .iter()
        .find(|condition| condition.type_ == "Ready")
        .unwrap();
    (found.status.clone(), found.reason.clone())
}
