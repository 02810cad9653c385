//! Objects that somebody else changes or has.

use std::time::Duration;

use kube::api::{DeleteParams, Patch, PatchParams};
use mirage_specs::{EnvironmentTemplate, GitSync, git_sync::SyncResult};
use mirage_tests::git::Depot;
use serde_json::{Value, json};

use super::scene::{
    MINUTE, edit, image, object, ready, result, seen, status, sync, template, world,
};

#[tokio::test(start_paused = true)]
async fn edits_by_hand_are_reverted_or_reported_and_a_fight_is_left() {
    let mut world = world(5).await;
    let mut depot = Depot::new().unwrap();
    let commit = depot
        .push("main", [("a.yaml", template("a", "nginx:1"))])
        .unwrap();
    sync(&world, "shop", &depot, json!({"interval": "1h"})).await;
    seen(&mut world, "shop", &commit).await;
    edit(&world, "a", "nginx:hand").await;
    // The watch wakes the sync, not the interval.
    world.pass(Duration::from_secs(10)).await;
    assert_eq!(image(&world, "a").await.as_deref(), Some("nginx:1"));
    for _ in 0..6 {
        edit(&world, "a", "nginx:hand").await;
        world.pass(Duration::from_secs(10)).await;
    }
    let status_now = status(&world, "shop").await;
    assert_eq!(
        ready(&status_now),
        ("False".to_owned(), "Fighting".to_owned()),
        "{status_now:#?}"
    );
    assert_eq!(image(&world, "a").await.as_deref(), Some("nginx:hand"));

    sync(&world, "shop", &depot, json!({"drift": "report"})).await;
    let second = depot
        .push("main", [("a.yaml", template("a", "nginx:2"))])
        .unwrap();
    let status_now = seen(&mut world, "shop", &second).await;
    assert_eq!(
        image(&world, "a").await.as_deref(),
        Some("nginx:2"),
        "Git changed: {status_now:#?}"
    );
    edit(&world, "a", "nginx:hand").await;
    world.pass(2 * MINUTE).await;
    let status_now = status(&world, "shop").await;
    assert_eq!(
        ready(&status_now),
        ("False".to_owned(), "DriftFound".to_owned())
    );
    assert_eq!(status_now.phase.as_deref(), Some("Drifted"));
    assert_eq!(result(&status_now, "a"), SyncResult::Drifted);
    assert_eq!(image(&world, "a").await.as_deref(), Some("nginx:hand"));
}

#[tokio::test(start_paused = true)]
async fn what_belongs_to_others_is_reported_and_left() {
    let mut world = world(6).await;
    let mut depot = Depot::new().unwrap();
    let params = PatchParams::apply("somebody");
    let theirs: Value = serde_yaml::from_str(&template("theirs", "nginx:theirs")).unwrap();
    world
        .objects::<EnvironmentTemplate>()
        .patch("theirs", &params, &Patch::Apply(&theirs))
        .await
        .unwrap();
    let first = depot
        .push(
            "main",
            [
                ("theirs.yaml", template("theirs", "nginx:git")),
                ("a.yaml", template("a", "nginx:1")),
            ],
        )
        .unwrap();
    sync(&world, "shop", &depot, json!({})).await;
    let status_now = seen(&mut world, "shop", &first).await;
    assert_eq!(
        ready(&status_now),
        ("False".to_owned(), "Conflict".to_owned())
    );
    assert_eq!(result(&status_now, "theirs"), SyncResult::Conflict);
    assert_eq!(
        image(&world, "theirs").await.as_deref(),
        Some("nginx:theirs")
    );
    assert_eq!(image(&world, "a").await.as_deref(), Some("nginx:1"));

    // Another GitSync wants what the first one brought.
    let mut other = Depot::new().unwrap();
    let rival = other
        .push("main", [("a.yaml", template("a", "nginx:rival"))])
        .unwrap();
    sync(&world, "rival", &other, json!({"adopt": true})).await;
    let status_now = seen(&mut world, "rival", &rival).await;
    assert!(
        object(&status_now, "a")
            .message
            .as_ref()
            .unwrap()
            .contains("GitSync default/shop")
    );
    assert_eq!(image(&world, "a").await.as_deref(), Some("nginx:1"));
    world
        .objects::<GitSync>()
        .delete("rival", &DeleteParams::default())
        .await
        .unwrap();
    world.pass(MINUTE).await;
    assert_eq!(
        image(&world, "a").await.as_deref(),
        Some("nginx:1"),
        "it was never the rival's"
    );

    sync(&world, "shop", &depot, json!({"adopt": true})).await;
    world.pass(2 * MINUTE).await;
    assert_eq!(image(&world, "theirs").await.as_deref(), Some("nginx:git"));
    // Somebody else declares the field again: from then on it is theirs, and nobody fights.
    world
        .objects::<EnvironmentTemplate>()
        .patch("theirs", &params.clone().force(), &Patch::Apply(&theirs))
        .await
        .unwrap();
    world.pass(5 * MINUTE).await;
    let status_now = status(&world, "shop").await;
    assert_eq!(
        result(&status_now, "theirs"),
        SyncResult::Conflict,
        "{status_now:#?}"
    );
    assert_eq!(
        image(&world, "theirs").await.as_deref(),
        Some("nginx:theirs")
    );
}
