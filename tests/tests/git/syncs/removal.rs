//! What is deleted, and above all what is not.

use kube::api::{DeleteParams, Patch, PatchParams};
use mirage_specs::{EnvironmentTemplate, GitSync, git_sync::SyncResult};
use mirage_tests::git::Depot;
use serde_json::{Value, json};

use super::scene::{MINUTE, image, ready, result, seen, status, sync, template, world};

#[tokio::test(start_paused = true)]
async fn nothing_is_deleted_while_the_repository_cannot_be_read() {
    let mut world = world(7).await;
    let mut depot = Depot::new().unwrap();
    let first = depot
        .push("main", [("envs/a.yaml", template("a", "nginx:1"))])
        .unwrap();
    sync(&world, "shop", &depot, json!({"path": "envs"})).await;
    seen(&mut world, "shop", &first).await;
    depot
        .push("main", [("elsewhere/a.yaml", template("a", "nginx:1"))])
        .unwrap();
    world.pass(3 * MINUTE).await;
    assert_eq!(ready(&status(&world, "shop").await).1, "PathMissing");
    assert!(image(&world, "a").await.is_some());
    depot.delete_branch("main").unwrap();
    world.pass(3 * MINUTE).await;
    let status_now = status(&world, "shop").await;
    assert_eq!(ready(&status_now).1, "RevisionMissing");
    assert_eq!(status_now.observed_commit.as_deref(), Some(first.as_str()));
    assert_eq!(status_now.inventory.len(), 1);
    assert!(image(&world, "a").await.is_some());
    // A folder that is there and declares nothing is another matter.
    let empty = depot.push("main", [("envs/README.md", "nothing")]).unwrap();
    let status_now = seen(&mut world, "shop", &empty).await;
    assert_eq!(ready(&status_now).0, "True");
    assert_eq!(image(&world, "a").await, None);
}

#[tokio::test(start_paused = true)]
async fn prune_false_keeps_and_the_mark_decides() {
    let mut world = world(8).await;
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
    sync(&world, "shop", &depot, json!({"prune": false})).await;
    seen(&mut world, "shop", &first).await;
    let second = depot.push("main", [("README.md", "")]).unwrap();
    let status_now = seen(&mut world, "shop", &second).await;
    assert_eq!(result(&status_now, "a"), SyncResult::Kept);
    assert!(image(&world, "a").await.is_some() && image(&world, "b").await.is_some());
    // Somebody takes the mark off b: it is theirs now.
    let patch = json!({"metadata": {"labels": {"mirage.dev/gitsync": null}}});
    world
        .objects::<EnvironmentTemplate>()
        .patch("b", &PatchParams::default(), &Patch::Merge(patch))
        .await
        .unwrap();
    sync(&world, "shop", &depot, json!({})).await;
    world.pass(2 * MINUTE).await;
    assert!(image(&world, "a").await.is_none() && image(&world, "b").await.is_some());
    assert_eq!(status(&world, "shop").await.inventory, []);
}

#[tokio::test(start_paused = true)]
async fn deleting_a_git_sync_leaves_what_it_brought_unless_told_otherwise() {
    for (deletion, stays) in [
        (Value::Null, true),
        (json!("retain"), true),
        (json!("prune"), false),
    ] {
        let mut world = world(9).await;
        let mut depot = Depot::new().unwrap();
        let commit = depot
            .push("main", [("a.yaml", template("a", "1"))])
            .unwrap();
        let fields = if deletion.is_null() {
            json!({})
        } else {
            json!({"deletion": deletion})
        };
        sync(&world, "shop", &depot, fields).await;
        seen(&mut world, "shop", &commit).await;
        world
            .objects::<GitSync>()
            .delete("shop", &DeleteParams::default())
            .await
            .unwrap();
        world.pass(MINUTE).await;
        assert!(
            world
                .objects::<GitSync>()
                .get_opt("shop")
                .await
                .unwrap()
                .is_none()
        );
        let left = world
            .objects::<EnvironmentTemplate>()
            .get_opt("a")
            .await
            .unwrap();
        assert_eq!(left.is_some(), stays);
        if let Some(left) = left {
            assert_eq!(
                left.metadata.labels.unwrap_or_default().len(),
                0,
                "it belongs to nobody"
            );
        }
    }
}
