//! Calls that only kube-rs has, or that it makes in its own way.

use anyhow::{Context as _, Result, bail, ensure};
use kube::{
    Api, ResourceExt as _,
    api::{
        DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams,
        entry::{CommitError, Entry},
    },
    core::response::StatusSummary,
    discovery::{Discovery, verbs},
};
use mirage_specs::Environment;
use mirage_tests::process::{Mirage, objects, specs::one_image};
use serde_json::json;

fn environment(name: &str) -> Result<Environment> {
    Ok(serde_json::from_value(one_image(name))?)
}

#[tokio::test]
async fn an_entry_is_made_once_and_committed_against_the_version_it_was_read_at() -> Result<()> {
    let mirage = Mirage::api_only().await?;
    let api = objects::environments(&mirage.client().await?);
    let wanted = environment("web")?;
    let mut made = api.entry("web").await?.or_insert(|| wanted.clone());
    made.commit(&PostParams::default()).await?;
    ensure!(made.get().uid().is_some(), "what was made came back");

    let mut first = occupied(&api, "web").await?;
    let mut second = occupied(&api, "web").await?;
    first.commit(&PostParams::default()).await?;
    ensure!(first.get().metadata.generation == Some(2), "changed");
    match second.commit(&PostParams::default()).await {
        Err(CommitError::Save(kube::Error::Api(status))) if status.is_conflict() => {}
        other => bail!("the later of two should have lost: {other:?}"),
    }
    // Nothing to do is nothing done.
    let version = first.get().resource_version();
    first.commit(&PostParams::default()).await?;
    ensure!(first.get().resource_version() == version, "moved");
    Ok(())
}

async fn occupied<'a>(
    api: &'a Api<Environment>,
    name: &'a str,
) -> Result<kube::api::entry::OccupiedEntry<'a, Environment>> {
    match api.entry(name).await? {
        Entry::Occupied(entry) => Ok(entry.and_modify(|it| it.spec.suspend = Some(true))),
        Entry::Vacant(_) => bail!("{name} is not there"),
    }
}

#[tokio::test]
async fn a_collection_is_deleted_by_label_and_told_back() -> Result<()> {
    let mirage = Mirage::api_only().await?;
    let client = mirage.client().await?;
    let api = objects::environments(&client);
    for (name, tier) in [("a", "old"), ("b", "new"), ("c", "old")] {
        let mut manifest = one_image(name);
        manifest["metadata"]["labels"] = json!({"tier": tier});
        objects::apply(&client, &manifest).await?;
    }
    let old = ListParams::default().labels("tier=old");
    let deleted = api
        .delete_collection(&DeleteParams::default(), &old)
        .await?
        .left()
        .context("the list of what went")?;
    let names: Vec<_> = deleted.iter().map(|object| object.name_any()).collect();
    ensure!(names == ["a", "c"], "{names:?}");
    let left = api.list_metadata(&ListParams::default()).await?;
    ensure!(left.items.len() == 1 && left.items[0].name_any() == "b");
    Ok(())
}

#[tokio::test]
async fn a_finalizer_set_by_json_patch_holds_the_object_until_it_is_taken_off() -> Result<()> {
    let mirage = Mirage::api_only().await?;
    let client = mirage.client().await?;
    let api = objects::environments(&client);
    api.create(&PostParams::default(), &environment("web")?)
        .await?;
    let patch = |operations| {
        let operations = serde_json::from_value(operations);
        Ok::<_, serde_json::Error>(Patch::<()>::Json(operations?))
    };
    // kube-rs makes sure that there are none before it adds its own.
    let add = patch(json!([
        {"op": "test", "path": "/metadata/finalizers", "value": null},
        {"op": "add", "path": "/metadata/finalizers", "value": ["outside.example/notes"]},
    ]))?;
    let held = api.patch("web", &PatchParams::default(), &add).await?;
    ensure!(held.finalizers() == ["outside.example/notes"]);
    let again = api.patch("web", &PatchParams::default(), &add).await;
    ensure!(
        matches!(again, Err(kube::Error::Api(ref status)) if status.is_invalid()),
        "{again:?}"
    );
    let dying = api
        .delete("web", &DeleteParams::default())
        .await?
        .left()
        .context("it is held, so the object comes back")?;
    ensure!(dying.metadata.deletion_timestamp.is_some(), "dying");
    let remove = patch(json!([
        {"op": "test", "path": "/metadata/finalizers/0", "value": "outside.example/notes"},
        {"op": "remove", "path": "/metadata/finalizers/0"},
    ]))?;
    api.patch("web", &PatchParams::default(), &remove).await?;
    ensure!(api.get_opt("web").await?.is_none(), "gone");
    Ok(())
}

#[tokio::test]
async fn discovery_finds_the_same_either_way_and_all_of_it_can_be_listed() -> Result<()> {
    let mirage = Mirage::api_only().await?;
    let client = mirage.client().await?;
    let plain = Discovery::new(client.clone()).run().await?;
    let aggregated = Discovery::new(client.clone()).run_aggregated().await?;
    let kinds = |discovery: &Discovery| {
        let mut kinds = Vec::new();
        for group in discovery.groups() {
            for (resource, capabilities) in group.recommended_resources() {
                let mut operations = capabilities.operations.clone();
                operations.sort();
                kinds.push((resource.api_version, resource.plural, operations));
            }
        }
        kinds.sort();
        kinds
    };
    ensure!(
        kinds(&plain) == kinds(&aggregated),
        "{:?}\nand aggregated\n{:?}",
        kinds(&plain),
        kinds(&aggregated)
    );
    let mut listed = 0;
    for group in aggregated.groups() {
        for (resource, capabilities) in group.recommended_resources() {
            if capabilities.supports_operation(verbs::LIST) {
                let api: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
                let list = api
                    .list(&ListParams::default().limit(500))
                    .await
                    .with_context(|| resource.plural.clone())?;
                ensure!(list.metadata.resource_version.is_some());
                listed += 1;
            }
        }
    }
    ensure!(listed > 8, "only {listed} kinds");
    Ok(())
}

#[tokio::test]
async fn a_refusal_is_told_apart_by_its_reason() -> Result<()> {
    let mirage = Mirage::api_only().await?;
    let api = objects::environments(&mirage.client().await?);
    api.create(&PostParams::default(), &environment("web")?)
        .await?;
    let again = api
        .create(&PostParams::default(), &environment("web")?)
        .await;
    ensure!(
        matches!(again, Err(kube::Error::Api(ref status)) if status.is_already_exists()),
        "{again:?}"
    );
    let absent = api.get("nobody").await;
    ensure!(
        matches!(absent, Err(kube::Error::Api(ref status))
            if status.is_not_found() && status.status == Some(StatusSummary::Failure)),
        "{absent:?}"
    );
    Ok(())
}
