//! What is said on GitHub, and what it costs.

use mirage_railway_simulator::{Fault as RailwayFault, FaultKind};
use mirage_specs::preview_policy::PreviewState;
use mirage_tests::github::{Fault, Harm, Opening};
use serde_json::json;

use super::scene::{MINUTE, REPOSITORY, Scene};

#[tokio::test(start_paused = true)]
async fn a_preview_has_one_comment_a_deployment_and_a_commit_status() {
    let mut scene = Scene::with_policy(60, json!({})).await;
    let number = scene.ready(Opening::of("cart")).await;
    scene.world.pass(2 * MINUTE).await;
    let head = scene.github.pull_record(REPOSITORY, number).sha;
    let url = scene.preview(number).await.unwrap().url.unwrap();
    let comment = scene.comment(number);
    assert!(
        comment.contains(&url) && comment.contains("| web | Ready |"),
        "{comment}"
    );
    assert!(
        comment.contains("https://railway.com/project/"),
        "{comment}"
    );
    let deployments = scene.github.deployment_records(REPOSITORY);
    assert_eq!(deployments.len(), 1);
    assert_eq!(
        (
            deployments[0].sha.as_str(),
            deployments[0].environment.as_str()
        ),
        (head.as_str(), "shop-pr-1")
    );
    assert!(deployments[0].transient && !deployments[0].production);
    let (state, _, address, _) = deployments[0].statuses.last().unwrap().clone();
    assert_eq!((state.as_str(), address), ("success", Some(url)));
    let statuses = scene.github.status_records(REPOSITORY);
    let last = statuses.last().unwrap();
    assert_eq!(
        (
            last.sha.as_str(),
            last.context.as_str(),
            last.state.as_str()
        ),
        (head.as_str(), "mirage/shop", "success")
    );
    scene.ends_well();
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_makes_no_second_comment_and_no_second_deployment() {
    for (seed, harm) in [
        (61, Harm::LoseAnswer),
        (62, Harm::ServerErrorAfterEffect(502)),
        (63, Harm::ServerError(503)),
        (64, Harm::NotSent),
    ] {
        let mut scene = Scene::with_policy(seed, json!({})).await;
        for on in [
            "POST /repos/acme/shop/issues",
            "POST /repos/acme/shop/deployments?",
            "POST /repos/acme/shop/deployments",
            "POST /repos/acme/shop/statuses",
        ] {
            scene.github.inject(Fault::once(on, harm));
        }
        let number = scene.ready(Opening::of("cart")).await;
        scene.world.pass(5 * MINUTE).await;
        assert!(scene.comment(number).contains("is ready"), "{harm:?}");
        let deployments = scene.github.deployment_records(REPOSITORY);
        assert_eq!(deployments.len(), 1, "{harm:?}");
        assert_eq!(deployments[0].state(), Some("success"), "{harm:?}");
        assert_eq!(scene.condition("Reported").await.0, "True", "{harm:?}");
        scene.ends_well();
    }
}

#[tokio::test(start_paused = true)]
async fn a_comment_that_somebody_deleted_is_written_again() {
    let mut scene = Scene::with_policy(65, json!({})).await;
    let number = scene.ready(Opening::of("cart")).await;
    let id = scene.github.own_comments(REPOSITORY, number)[0].id;
    scene.github.delete_comment(REPOSITORY, id);
    scene.github.push(REPOSITORY, number);
    scene.world.pass(10 * MINUTE).await;
    assert!(scene.comment(number).contains("is ready"));
    scene.ends_well();
}

#[tokio::test(start_paused = true)]
async fn when_nothing_happens_a_policy_costs_one_conditional_request_an_interval() {
    let mut scene = Scene::with_policy(66, json!({})).await;
    scene.ready(Opening::of("cart")).await;
    scene.ready(Opening::of("search")).await;
    scene.world.pass(10 * MINUTE).await;
    let before = scene.github.asked().len();
    scene.world.pass(60 * MINUTE).await;
    let asked = scene.github.asked().split_off(before);
    assert!(
        asked.len() <= 60,
        "{} requests: {:#?}",
        asked.len(),
        &asked[..3]
    );
    assert!(
        asked
            .iter()
            .all(|asked| asked.conditional && asked.status == Some(304)),
        "{asked:#?}"
    );
    scene.ends_well();
}

#[tokio::test(start_paused = true)]
async fn a_failed_preview_shows_the_last_lines_without_the_secrets_in_them() {
    let mut scene = Scene::new(67).await;
    scene
        .world
        .secrets("keys", json!({"stripe": "sk-canary-0815"}))
        .await
        .unwrap();
    scene
        .apply_template(json!({"web": {"variables": {"KEY": {"secretRef": {"name": "keys", "key": "stripe"}}}}}))
        .await;
    let ending = json!({"kind": "deployment", "ending": {"ending": "build-fails"}});
    let kind: FaultKind = serde_json::from_value(ending).unwrap();
    let _ = scene.world.simulator.inject(RailwayFault::new(kind));
    scene.apply_policy(json!({})).await;
    let number = scene.github.open(REPOSITORY, Opening::of("cart"));
    scene.reaches(number, PreviewState::Failed).await;
    scene.world.pass(3 * MINUTE).await;
    let comment = scene.comment(number);
    assert!(
        comment.contains("Last lines of web") && comment.contains("What to do"),
        "{comment}"
    );
    assert!(!comment.contains("sk-canary-0815"));
    let statuses = scene.github.status_records(REPOSITORY);
    assert_eq!(statuses.last().unwrap().state, "failure");
    assert_eq!(
        scene.github.deployment_records(REPOSITORY)[0].state(),
        Some("failure")
    );
    assert_eq!(scene.status().await.phase.as_deref(), Some("Degraded"));
    scene.ends_well();
}
