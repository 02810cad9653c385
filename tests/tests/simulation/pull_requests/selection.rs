//! Which pull requests get what.

use mirage_specs::preview_policy::PreviewState;
use mirage_tests::github::Opening;
use serde_json::json;

use super::scene::{MINUTE, REPOSITORY, Scene};

fn with_secrets() -> serde_json::Value {
    json!({"web": {
        "domains": [{}],
        "variables": {
            "KEY": {"secretRef": {"name": "keys", "key": "stripe"}},
            "OLD": {"copyFrom": {"environment": "staging", "name": "OLD"}},
            "PLAIN": "x",
        },
    }})
}

#[tokio::test(start_paused = true)]
async fn a_fork_gets_nothing_unless_the_policy_says_so() {
    let mut scene = Scene::with_policy(20, json!({})).await;
    let own = scene.github.open(REPOSITORY, Opening::of("cart"));
    let fork = scene.github.open(
        REPOSITORY,
        Opening::of("evil").by("mallory").from_fork("mallory/shop"),
    );
    scene.reaches(own, PreviewState::Ready).await;
    assert_eq!(scene.state(fork).await, Some(PreviewState::Ignored));
    assert!(
        scene
            .preview(fork)
            .await
            .unwrap()
            .message
            .unwrap()
            .contains("fork")
    );
    assert_eq!(scene.environments().await.len(), 1);
    assert!(scene.github.own_comments(REPOSITORY, fork).is_empty());
    scene.ends_well();
}

#[tokio::test(start_paused = true)]
async fn a_fork_never_gets_a_secret_and_is_told_so() {
    let mut scene = Scene::new(21).await;
    scene
        .world
        .secrets("keys", json!({"stripe": "sk-canary-0815"}))
        .await
        .unwrap();
    scene.apply_template(with_secrets()).await;
    scene.apply_policy(json!({"forks": true})).await;
    let fork = scene
        .ready(Opening::of("evil").by("mallory").from_fork("mallory/shop"))
        .await;
    let services = serde_json::to_value(&scene.environments().await[&fork].spec.services).unwrap();
    assert_eq!(services["web"]["variables"], json!({"PLAIN": "x"}));
    assert_eq!(services["web"]["source"]["repo"], REPOSITORY);
    let comment = scene.comment(fork);
    assert!(
        comment.contains("`web.KEY`") && comment.contains("`web.OLD`"),
        "{comment}"
    );
    let values = format!("{:?}", scene.world.simulator.inventory_with_values());
    assert!(!values.contains("sk-canary-0815"));
    scene.ends_well();
}

#[tokio::test(start_paused = true)]
async fn a_focused_policy_makes_what_a_pull_request_touches_and_what_that_needs() {
    let mut scene = Scene::new(22).await;
    scene
        .apply_template(json!({
            "db": {"source": {"image": "postgres:17"}},
            "web": {"source": {"rootDirectory": "/web"}, "dependsOn": ["db"]},
            "docs": {"source": {"rootDirectory": "/docs"}},
        }))
        .await;
    scene.apply_policy(json!({"paths": "focused"})).await;
    let number = scene
        .ready(Opening::of("cart").touching(&["web/src/a.ts"]))
        .await;
    let nothing = scene
        .github
        .open(REPOSITORY, Opening::of("typo").touching(&["README.md"]));
    let services = scene.environments().await[&number].spec.services.clone();
    assert_eq!(services.into_keys().collect::<Vec<_>>(), ["db", "web"]);
    assert!(scene.comment(number).contains("left out: docs"));
    scene.reaches(nothing, PreviewState::Ignored).await;
    assert!(!scene.environments().await.contains_key(&nothing));
    scene.ends_well();
}

#[tokio::test(start_paused = true)]
async fn a_pull_request_that_no_longer_fits_loses_its_environment() {
    let mut scene = Scene::with_policy(23, json!({"labels": ["preview"]})).await;
    let number = scene.ready(Opening::of("cart").labelled("preview")).await;
    let other = scene.github.open(REPOSITORY, Opening::of("search"));
    scene
        .github
        .edit(REPOSITORY, number, |pull| pull.labels.clear());
    scene.reaches(number, PreviewState::Ignored).await;
    scene.world.pass(2 * MINUTE).await;
    assert!(scene.environments().await.is_empty());
    assert!(scene.comment(number).contains("none of the labels preview"));
    assert_eq!(scene.state(other).await, Some(PreviewState::Ignored));
    scene.ends_well();
}

#[tokio::test(start_paused = true)]
async fn an_environment_of_the_name_that_is_not_ours_is_reported_and_never_touched() {
    let mut scene = Scene::with_policy(24, json!({})).await;
    let foreign = json!({
        "apiVersion": "mirage.dev/v1alpha1", "kind": "Environment", "metadata": {"name": "shop-pr-1"},
        "spec": {"project": {"name": "other"}, "services": {"x": {"source": {"image": "nginx"}}}},
    });
    scene.make(foreign).await;
    let before = scene.world.environment("shop-pr-1").await.unwrap().unwrap();
    let number = scene.github.open(REPOSITORY, Opening::of("cart"));
    assert_eq!(number, 1);
    scene.reaches(number, PreviewState::Conflict).await;
    scene.world.pass(5 * MINUTE).await;
    let after = scene.world.environment("shop-pr-1").await.unwrap().unwrap();
    assert_eq!(
        (after.spec, after.metadata.labels),
        (before.spec, before.metadata.labels)
    );
    assert_eq!(scene.condition("Synced").await.1, "Conflict");
    scene.github.close(REPOSITORY, number);
    scene.is_over(number).await;
    assert!(
        scene
            .world
            .environment("shop-pr-1")
            .await
            .unwrap()
            .is_some()
    );
    scene.ends_well();
}

#[tokio::test(start_paused = true)]
async fn an_existing_environments_shape_can_be_copied() {
    let mut scene = Scene::new(25).await;
    scene
        .make(json!({
            "apiVersion": "mirage.dev/v1alpha1", "kind": "Environment", "metadata": {"name": "staging"},
            "spec": {
                "type": "staging", "project": {"name": "shop"}, "source": {"repo": REPOSITORY, "branch": "main"},
                "services": {"web": {"domains": [{"name": "staging.example.com"}]}}, "variables": {"LEVEL": "info"},
            },
        }))
        .await;
    scene
        .apply_policy(json!({"from": {"environment": {"name": "staging"}}}))
        .await;
    let number = scene.ready(Opening::of("cart")).await;
    let spec = serde_json::to_value(&scene.environments().await[&number].spec).unwrap();
    let head = scene.github.pull_record(REPOSITORY, number).sha;
    assert_eq!(
        spec["services"]["web"]["source"],
        json!({"repo": REPOSITORY, "commit": head})
    );
    assert_eq!(spec["services"]["web"]["domains"], json!([{}]));
    assert_eq!(
        (&spec["variables"]["LEVEL"], &spec["type"]),
        (&json!("info"), &json!("ephemeral"))
    );
    // A change of the model reaches the copies.
    let patch = json!({"spec": {"variables": {"LEVEL": "debug"}}});
    scene.world.merge("staging", &patch).await.unwrap();
    scene.world.pass(MINUTE).await;
    let spec = serde_json::to_value(&scene.environments().await[&number].spec).unwrap();
    assert_eq!(spec["variables"]["LEVEL"], "debug");
    scene.ends_well();
}
