//! From opening to closing.

use mirage_specs::preview_policy::PreviewState;
use mirage_tests::{
    github::Opening,
    world::{Cut, Cutting},
};
use serde_json::json;

use super::scene::{MINUTE, POLICY, REPOSITORY, Scene};

#[tokio::test(start_paused = true)]
async fn every_open_pull_request_gets_an_environment_at_its_head_commit() {
    let mut scene = Scene::with_policy(
        1,
        json!({"variables": {"PR": "{{ pr.number }} ${{web.URL}}"}}),
    )
    .await;
    let first = scene.github.open(REPOSITORY, Opening::of("cart"));
    let second = scene.github.open(REPOSITORY, Opening::of("search"));
    for number in [first, second] {
        scene.reaches(number, PreviewState::Ready).await;
        let head = scene.github.pull_record(REPOSITORY, number).sha;
        assert_eq!(scene.commit(number).await, head);
        let environment = &scene.environments().await[&number];
        assert_eq!(environment.metadata.name, Some(format!("shop-pr-{number}")));
        let spec = serde_json::to_value(&environment.spec).unwrap();
        assert_eq!(
            spec["variables"]["PR"],
            format!("{number} ${{{{web.URL}}}}")
        );
        assert_eq!(spec["type"], "ephemeral");
    }
    let status = scene.status().await;
    assert_eq!(
        (status.open, status.ready, status.queued),
        (Some(2), Some(2), Some(0))
    );
    assert_eq!(scene.condition("Synced").await.0, "True");
    assert_eq!(scene.condition("Reported").await.0, "True");
    scene.ends_well();
}

#[tokio::test(start_paused = true)]
async fn a_push_moves_the_environment_in_place() {
    let mut scene = Scene::with_policy(2, json!({})).await;
    let number = scene.ready(Opening::of("cart")).await;
    let before = scene.environments().await[&number].metadata.uid.clone();
    let railway = scene.on_railway();
    let head = scene.github.push(REPOSITORY, number);
    scene.reaches(number, PreviewState::Deploying).await;
    scene.reaches(number, PreviewState::Ready).await;
    assert_eq!(scene.commit(number).await, head);
    assert_eq!(scene.environments().await[&number].metadata.uid, before);
    assert_eq!(scene.on_railway(), railway);
    assert!(
        scene
            .comment(number)
            .contains(&format!("{} is ready", &head[..7]))
    );
    scene.ends_well();
}

#[tokio::test(start_paused = true)]
async fn of_two_pushes_in_a_row_the_last_one_counts() {
    let mut scene = Scene::with_policy(3, json!({})).await;
    let number = scene.ready(Opening::of("cart")).await;
    scene.github.push(REPOSITORY, number);
    scene.world.pass(MINUTE + MINUTE / 2).await;
    let head = scene.github.push(REPOSITORY, number);
    scene.world.pass(10 * MINUTE).await;
    scene.reaches(number, PreviewState::Ready).await;
    assert_eq!(scene.commit(number).await, head);
    let deployments = scene.github.deployment_records(REPOSITORY);
    let live: Vec<_> = deployments
        .iter()
        .filter(|found| found.state() != Some("inactive"))
        .collect();
    assert_eq!(live.len(), 1, "{deployments:#?}");
    assert_eq!(
        (live[0].sha.as_str(), live[0].state()),
        (head.as_str(), Some("success"))
    );
    scene.ends_well();
}

#[tokio::test(start_paused = true)]
async fn a_closed_pull_request_loses_its_environment_and_the_comment_says_so() {
    let mut scene = Scene::with_policy(4, json!({})).await;
    let closed = scene.ready(Opening::of("cart")).await;
    let merged = scene.ready(Opening::of("search")).await;
    scene.github.close(REPOSITORY, closed);
    scene.github.merge(REPOSITORY, merged);
    scene.is_over(closed).await;
    scene.is_over(merged).await;
    assert_eq!(scene.on_railway(), [""; 0]);
    assert!(scene.comment(closed).contains("was torn down: closed"));
    assert!(scene.comment(merged).contains("was torn down: merged"));
    for deployment in scene.github.deployment_records(REPOSITORY) {
        assert_eq!(deployment.state(), Some("inactive"));
    }
    scene.ends_well();
}

#[tokio::test(start_paused = true)]
async fn a_pull_request_closed_while_mirage_was_down_loses_its_environment_all_the_same() {
    let mut scene = Scene::with_policy(5, json!({})).await;
    let number = scene.ready(Opening::of("cart")).await;
    scene.world.downtime = 60 * MINUTE;
    scene.world.crash().await;
    scene.github.close(REPOSITORY, number);
    scene.world.pass(61 * MINUTE).await;
    scene.is_over(number).await;
    assert!(scene.comment(number).contains("closed"));
    scene.ends_well();
}

#[tokio::test(start_paused = true)]
async fn a_reopened_pull_request_gets_its_environment_back_under_the_same_comment() {
    let mut scene = Scene::with_policy(6, json!({})).await;
    let number = scene.ready(Opening::of("cart")).await;
    scene.github.close(REPOSITORY, number);
    scene.is_over(number).await;
    scene.github.reopen(REPOSITORY, number);
    scene.reaches(number, PreviewState::Ready).await;
    assert!(scene.comment(number).contains("is ready"));
    // And while the old one is still being torn down.
    scene.github.close(REPOSITORY, number);
    scene.reaches(number, PreviewState::TearingDown).await;
    scene.github.reopen(REPOSITORY, number);
    scene.reaches(number, PreviewState::Ready).await;
    assert_eq!(scene.on_railway(), [format!("shop-pr-{number}")]);
    scene.ends_well();
}

#[tokio::test(start_paused = true)]
async fn an_environment_whose_time_is_over_goes_with_a_note_and_a_push_brings_it_back() {
    let mut scene = Scene::with_policy(7, json!({"ttl": "2h"})).await;
    let number = scene.ready(Opening::of("cart")).await;
    scene.world.pass(60 * MINUTE).await;
    scene.github.push(REPOSITORY, number);
    scene.world.pass(90 * MINUTE).await;
    assert_eq!(
        scene.state(number).await,
        Some(PreviewState::Ready),
        "the time counts from the last push"
    );
    scene.world.pass(40 * MINUTE).await;
    scene.reaches(number, PreviewState::Expired).await;
    scene.world.pass(2 * MINUTE).await;
    assert_eq!(scene.on_railway(), [""; 0]);
    assert!(
        scene
            .comment(number)
            .contains("A push or `/mirage redeploy` brings it back")
    );
    let head = scene.github.push(REPOSITORY, number);
    scene.reaches(number, PreviewState::Ready).await;
    assert_eq!(scene.commit(number).await, head);
    scene.ends_well();
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_place_is_told_which_and_gets_it_in_turn() {
    let mut scene = Scene::with_policy(8, json!({"maxConcurrent": 1})).await;
    let first = scene.github.open(REPOSITORY, Opening::of("a"));
    scene.world.pass(2 * MINUTE).await;
    let second = scene.github.open(REPOSITORY, Opening::of("b"));
    scene.world.pass(2 * MINUTE).await;
    let third = scene.github.open(REPOSITORY, Opening::of("c"));
    scene.reaches(first, PreviewState::Ready).await;
    scene.reaches(third, PreviewState::Queued).await;
    scene.world.pass(2 * MINUTE).await;
    assert!(scene.comment(second).contains("next in line"));
    assert!(scene.comment(third).contains("number 2 in line"));
    assert_eq!(scene.environments().await.len(), 1);
    scene.github.merge(REPOSITORY, first);
    scene.reaches(second, PreviewState::Ready).await;
    assert_eq!(scene.state(third).await, Some(PreviewState::Queued));
    scene.world.pass(2 * MINUTE).await;
    assert!(scene.comment(third).contains("next in line"));
    assert_eq!(scene.environments().await.len(), 1);
    scene.ends_well();
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_goes_takes_its_environments_along_and_tells_the_pull_requests() {
    let mut scene = Scene::with_policy(9, json!({})).await;
    let number = scene.ready(Opening::of("cart")).await;
    scene
        .policies()
        .delete(POLICY, &Default::default())
        .await
        .unwrap();
    let policies = scene.policies();
    let gone = scene
        .world
        .pass_until(30 * MINUTE, async |_| {
            Ok(policies.get_opt(POLICY).await?.is_none())
        })
        .await
        .unwrap();
    assert!(gone, "{:#?}", scene.status().await);
    assert!(scene.environments().await.is_empty());
    assert_eq!(scene.on_railway(), [""; 0]);
    assert!(
        scene
            .comment(number)
            .contains("The preview policy shop was deleted")
    );
    scene.ends_well();
}

#[tokio::test(start_paused = true)]
async fn a_kill_at_any_of_the_first_effects_leaves_one_environment_and_one_comment() {
    // After one effect is before the next.
    for at in 1..=24 {
        let side = Cutting::After;
        let mut scene = Scene::with_policy(1000 + at, json!({})).await;
        scene.world.cut(Cut { at, side });
        let number = scene.ready(Opening::of("cart")).await;
        assert_eq!(scene.environments().await.len(), 1, "after {at}");
        assert_eq!(scene.on_railway().len(), 1, "after {at}");
        scene.comment(number);
        let deployments = scene.github.deployment_records(REPOSITORY);
        assert_eq!(deployments.len(), 1, "after {at}");
        scene.ends_well();
    }
}
