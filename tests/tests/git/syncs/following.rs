//! What Git declares is there, and what it costs to keep it so.

use std::time::Duration;

use k8s_openapi::api::core::v1::Event;
use kube::api::{ListParams, Patch, PatchParams};
use mirage_specs::{EnvironmentTemplate, GitSync, git_sync::SyncResult};
use mirage_tests::git::Depot;
use serde_json::json;

use super::scene::{MINUTE, image, object, ready, result, seen, status, sync, template, world};

#[tokio::test(start_paused = true)]
async fn what_git_declares_appears_changes_and_goes() {
    let mut world = world(1).await;
    let mut depot = Depot::new().unwrap();
    let first = depot
        .push(
            "main",
            [
                ("envs/a.yaml", template("a", "nginx:1")),
                ("envs/b.yaml", template("b", "nginx:1")),
                ("c.yaml", template("c", "x")),
            ],
        )
        .unwrap();
    sync(&world, "shop", &depot, json!({"path": "envs"})).await;
    let status_now = seen(&mut world, "shop", &first).await;
    assert_eq!(
        ready(&status_now),
        ("True".to_owned(), "InSync".to_owned()),
        "{status_now:#?}"
    );
    assert_eq!(status_now.phase.as_deref(), Some("Synced"));
    assert_eq!(status_now.objects_synced.as_deref(), Some("2/2"));
    assert_eq!(status_now.revision, Some(format!("main@{}", &first[..12])));
    assert_eq!(status_now.applied_commit.as_deref(), Some(first.as_str()));
    let a = object(&status_now, "a");
    assert_eq!(
        (a.file.as_deref(), a.line, a.result),
        (Some("envs/a.yaml"), Some(1), SyncResult::Synced)
    );
    assert_eq!(image(&world, "a").await.as_deref(), Some("nginx:1"));
    assert_eq!(image(&world, "c").await, None, "it is in another folder");

    let second = depot
        .push(
            "main",
            [
                ("envs/a.yaml", template("a", "nginx:2")),
                ("envs/d.yaml", template("d", "nginx:2")),
            ],
        )
        .unwrap();
    let status_now = seen(&mut world, "shop", &second).await;
    assert_eq!(image(&world, "a").await.as_deref(), Some("nginx:2"));
    assert_eq!(image(&world, "d").await.as_deref(), Some("nginx:2"));
    assert_eq!(image(&world, "b").await, None, "it left Git");
    assert_eq!(ready(&status_now).0, "True");
    world.pass(2 * MINUTE).await;
    let names: Vec<String> = status(&world, "shop")
        .await
        .inventory
        .into_iter()
        .map(|entry| entry.name)
        .collect();
    assert_eq!(names, ["a", "d"]);
    let events = world
        .objects::<Event>()
        .list(&ListParams::default())
        .await
        .unwrap();
    let told = events
        .items
        .iter()
        .filter_map(|event| event.message.clone())
        .collect::<Vec<_>>();
    assert!(
        told.iter()
            .any(|note| note.contains("1 created, 1 updated, 1 deleted")),
        "{told:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_settled_sync_writes_nothing_but_when_it_looked() {
    let mut world = world(2).await;
    let mut depot = Depot::new().unwrap();
    let commit = depot
        .push("main", [("a.yaml", template("a", "nginx"))])
        .unwrap();
    sync(&world, "shop", &depot, json!({})).await;
    seen(&mut world, "shop", &commit).await;
    world.pass(2 * MINUTE).await;
    let before = world
        .objects::<EnvironmentTemplate>()
        .get("a")
        .await
        .unwrap();
    let skip = world.effect_names().len();
    world.pass(10 * MINUTE).await;
    let after = world
        .objects::<EnvironmentTemplate>()
        .get("a")
        .await
        .unwrap();
    assert_eq!(
        before.metadata.resource_version,
        after.metadata.resource_version
    );
    let others: Vec<String> = world
        .effect_names()
        .into_iter()
        .skip(skip)
        .filter(|name| {
            !name.contains("gitsyncs/shop/status") && !name.contains("environmenttemplates/a")
        })
        .filter(|name| !name.contains("railwayaccounts"))
        .collect();
    assert_eq!(others, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_wish_is_heeded_at_once() {
    let mut world = world(13).await;
    let mut depot = Depot::new().unwrap();
    let first = depot
        .push("main", [("a.yaml", template("a", "1"))])
        .unwrap();
    sync(&world, "shop", &depot, json!({"interval": "1d"})).await;
    seen(&mut world, "shop", &first).await;
    depot
        .push("main", [("a.yaml", template("a", "2"))])
        .unwrap();
    world.pass(10 * MINUTE).await;
    assert_eq!(image(&world, "a").await.as_deref(), Some("1"));
    let wish = json!({"metadata": {"annotations": {"mirage.dev/sync-at": "now"}}});
    world
        .objects::<GitSync>()
        .patch("shop", &PatchParams::default(), &Patch::Merge(wish))
        .await
        .unwrap();
    world.pass(Duration::from_secs(10)).await;
    assert_eq!(image(&world, "a").await.as_deref(), Some("2"));
    assert_eq!(
        status(&world, "shop").await.handled_sync_at.as_deref(),
        Some("now")
    );
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_is_missing_is_waited_for() {
    let mut world = world(14).await;
    let mut depot = Depot::new().unwrap();
    let commit = depot
        .push("main", [("a.yaml", template("a", "1"))])
        .unwrap();
    sync(
        &world,
        "shop",
        &depot,
        json!({"secretRef": {"name": "git"}}),
    )
    .await;
    world.pass(MINUTE).await;
    assert_eq!(ready(&status(&world, "shop").await).1, "WaitingForSecret");
    world
        .secrets("git", json!({"token": "canary-token"}))
        .await
        .unwrap();
    seen(&mut world, "shop", &commit).await;
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_says_everything_and_does_nothing_and_suspend_does_not_even_look() {
    let mut world = world(10).await;
    let mut depot = Depot::new().unwrap();
    let first = depot
        .push(
            "main",
            [
                ("a.yaml", template("a", "1")),
                ("b.yaml", template("b", "1")),
            ],
        )
        .unwrap();
    sync(&world, "shop", &depot, json!({"dryRun": true})).await;
    let status_now = seen(&mut world, "shop", &first).await;
    assert_eq!(result(&status_now, "a"), SyncResult::WouldCreate);
    assert_eq!(ready(&status_now).1, "DryRun");
    assert_eq!(image(&world, "a").await, None);
    sync(&world, "shop", &depot, json!({})).await;
    world.pass(MINUTE).await;
    assert!(image(&world, "a").await.is_some());
    sync(&world, "shop", &depot, json!({"dryRun": true})).await;
    let second = depot
        .push("main", [("a.yaml", template("a", "2"))])
        .unwrap();
    let status_now = seen(&mut world, "shop", &second).await;
    assert_eq!(result(&status_now, "a"), SyncResult::WouldUpdate);
    assert_eq!(result(&status_now, "b"), SyncResult::WouldPrune);
    assert_eq!(image(&world, "a").await.as_deref(), Some("1"));
    sync(&world, "shop", &depot, json!({"suspend": true})).await;
    world.pass(2 * MINUTE).await;
    depot
        .push("main", [("a.yaml", template("a", "3"))])
        .unwrap();
    world.pass(10 * MINUTE).await;
    let status_now = status(&world, "shop").await;
    assert_eq!(status_now.phase.as_deref(), Some("Suspended"));
    assert_eq!(status_now.observed_commit.as_deref(), Some(second.as_str()));
    assert!(image(&world, "b").await.is_some());
}
