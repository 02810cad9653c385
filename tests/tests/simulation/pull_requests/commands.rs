//! What people say in comments.

use mirage_specs::preview_policy::PreviewState;
use mirage_tests::{
    github::Opening,
    world::{Cut, Cutting},
};
use serde_json::json;

use super::scene::{MINUTE, REPOSITORY, Scene};

#[tokio::test(start_paused = true)]
async fn redeploy_deploys_the_same_commit_again() {
    let mut scene = Scene::with_policy(40, json!({})).await;
    let number = scene.ready(Opening::of("cart")).await;
    let deployments = |scene: &Scene| {
        let inventory = scene.world.simulator.inventory();
        let environment = inventory
            .environment("shop", &format!("shop-pr-{number}"))
            .unwrap();
        environment.service("web").unwrap().deployments.len()
    };
    let before = deployments(&scene);
    scene
        .github
        .comment(REPOSITORY, number, "ann", "/mirage redeploy");
    scene.world.pass(10 * MINUTE).await;
    assert_eq!(deployments(&scene), before + 1, "once, and no more");
    scene.world.crash().await;
    scene.world.pass(10 * MINUTE).await;
    assert_eq!(deployments(&scene), before + 1, "nor after a restart");
    assert_eq!(scene.state(number).await, Some(PreviewState::Ready));
    assert!(
        scene
            .comment(number)
            .contains("ann asked to deploy the same commit again")
    );
    scene.ends_well();
}

#[tokio::test(start_paused = true)]
async fn extend_keeps_it_longer_and_is_heard_once() {
    let mut scene = Scene::with_policy(41, json!({"ttl": "2h"})).await;
    let number = scene.ready(Opening::of("cart")).await;
    let before = scene.preview(number).await.unwrap().expires_at.unwrap();
    scene
        .github
        .comment(REPOSITORY, number, "ann", "thanks!\n\n/mirage extend 24h");
    scene.world.pass(2 * MINUTE).await;
    let extended = |at: jiff::Timestamp| {
        at.checked_add(jiff::SignedDuration::from_hours(24))
            .unwrap()
    };
    assert_eq!(
        scene.preview(number).await.unwrap().expires_at,
        Some(extended(before))
    );
    // Every comment moves the pull request, and so its comments are read again.
    scene.github.comment(REPOSITORY, number, "ann", "nice");
    scene.world.crash().await;
    scene.world.pass(5 * MINUTE).await;
    assert_eq!(
        scene.preview(number).await.unwrap().expires_at,
        Some(extended(before))
    );
    scene.world.pass(180 * MINUTE).await;
    assert_eq!(scene.state(number).await, Some(PreviewState::Ready));
    scene.ends_well();
}

#[tokio::test(start_paused = true)]
async fn destroy_tears_it_down_and_redeploy_brings_it_back() {
    let mut scene = Scene::with_policy(42, json!({})).await;
    let number = scene.ready(Opening::of("cart")).await;
    scene
        .github
        .comment(REPOSITORY, number, "ann", "/mirage destroy");
    scene.reaches(number, PreviewState::Destroyed).await;
    scene.world.pass(10 * MINUTE).await;
    assert_eq!(scene.on_railway(), [""; 0]);
    assert!(scene.comment(number).contains("ann said `/mirage destroy`"));
    scene
        .github
        .comment(REPOSITORY, number, "ann", "/mirage redeploy");
    scene.reaches(number, PreviewState::Ready).await;
    scene.ends_well();
}

#[tokio::test(start_paused = true)]
async fn a_command_of_before_a_reopening_is_not_carried_out_again() {
    let mut scene = Scene::with_policy(43, json!({})).await;
    let number = scene.ready(Opening::of("cart")).await;
    scene
        .github
        .comment(REPOSITORY, number, "ann", "/mirage destroy");
    scene.reaches(number, PreviewState::Destroyed).await;
    scene.github.close(REPOSITORY, number);
    scene.is_over(number).await;
    scene.github.reopen(REPOSITORY, number);
    scene.reaches(number, PreviewState::Ready).await;
    scene.world.pass(5 * MINUTE).await;
    assert_eq!(scene.state(number).await, Some(PreviewState::Ready));
    scene.ends_well();
}

#[tokio::test(start_paused = true)]
async fn who_may_not_write_to_the_repository_may_not_command() {
    let mut scene = Scene::with_policy(44, json!({})).await;
    let number = scene.ready(Opening::of("cart")).await;
    scene
        .github
        .comment(REPOSITORY, number, "mallory", "/mirage destroy");
    scene.world.pass(5 * MINUTE).await;
    assert_eq!(scene.state(number).await, Some(PreviewState::Ready));
    assert!(
        scene
            .comment(number)
            .contains("mallory cannot command Mirage here")
    );
    scene.ends_well();
}

#[tokio::test(start_paused = true)]
async fn diff_shows_what_is_to_be_done() {
    let mut scene = Scene::with_policy(45, json!({})).await;
    let number = scene.ready(Opening::of("cart")).await;
    scene
        .github
        .comment(REPOSITORY, number, "ann", "/mirage diff");
    scene.world.pass(2 * MINUTE).await;
    assert!(scene.comment(number).contains("Railway is as declared"));
    scene.ends_well();
}

#[tokio::test(start_paused = true)]
async fn a_command_is_carried_out_once_whatever_effect_mirage_is_killed_at() {
    for at in 1..=6 {
        for side in [Cutting::Before, Cutting::After] {
            let mut scene = Scene::with_policy(450 + at, json!({"ttl": "2h"})).await;
            let number = scene.ready(Opening::of("cart")).await;
            let before = scene.preview(number).await.unwrap().expires_at.unwrap();
            scene
                .github
                .comment(REPOSITORY, number, "ann", "/mirage extend 1h");
            scene.world.cut(Cut { at, side });
            scene.world.pass(6 * MINUTE).await;
            let after = scene.preview(number).await.unwrap().expires_at.unwrap();
            assert_eq!(after.duration_since(before).as_hours(), 1, "{at} {side:?}");
            scene.comment(number);
            scene.ends_well();
        }
    }
}
