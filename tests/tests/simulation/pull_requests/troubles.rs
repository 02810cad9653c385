//! When GitHub, the credential or the webhooks fail.

use mirage_specs::preview_policy::PreviewState;
use mirage_tests::github::{Fault, Harm, Opening, TOKEN};
use serde_json::json;

use super::scene::{MINUTE, POLICY, REPOSITORY, Scene};

#[tokio::test(start_paused = true)]
async fn from_a_list_that_cannot_be_read_nothing_is_torn_down() {
    let mut scene = Scene::with_policy(80, json!({})).await;
    let number = scene.ready(Opening::of("cart")).await;
    for harm in [Harm::ServerError(502), Harm::LoseAnswer, Harm::NotSent] {
        scene.github.inject(Fault {
            on: vec!["GET /repos/acme/shop/pulls".to_owned()],
            harm,
            times: 5,
        });
        scene.world.pass(4 * MINUTE).await;
        assert_eq!(
            scene.condition("Ready").await.1,
            "GitHubUnreachable",
            "{harm:?}"
        );
        assert_eq!(scene.on_railway().len(), 1, "{harm:?}");
        scene.github.clear_faults();
        scene.world.pass(3 * MINUTE).await;
        assert_eq!(scene.condition("Ready").await.0, "True", "{harm:?}");
    }
    assert_eq!(scene.state(number).await, Some(PreviewState::Ready));
    scene.ends_well();
}

#[tokio::test(start_paused = true)]
async fn a_revoked_token_is_said_tears_nothing_down_and_a_new_one_heals_it() {
    let mut scene = Scene::with_policy(81, json!({})).await;
    let number = scene.ready(Opening::of("cart")).await;
    scene.github.revoke(TOKEN);
    scene.github.close(REPOSITORY, number);
    scene.world.pass(5 * MINUTE).await;
    let (truth, reason, message) = scene.condition("Ready").await;
    assert_eq!(
        (truth.as_str(), reason.as_str()),
        ("False", "GitHubUnauthorized")
    );
    assert!(
        message.contains("githubSecretRef") && !message.contains(TOKEN),
        "{message}"
    );
    assert_eq!(scene.on_railway().len(), 1);
    scene
        .github
        .give_token("github-token-canary-2", mirage_tests::github::BOT);
    scene
        .world
        .secrets("github", json!({"token": "github-token-canary-2"}))
        .await
        .unwrap();
    scene.is_over(number).await;
    assert_eq!(scene.on_railway(), [""; 0]);
    scene.ends_well();
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_is_not_there_is_said_with_the_next_step() {
    let mut scene = Scene::with_policy(82, json!({"githubSecretRef": {"name": "none"}})).await;
    scene.world.pass(MINUTE).await;
    let (truth, reason, message) = scene.condition("Ready").await;
    assert_eq!(
        (truth.as_str(), reason.as_str()),
        ("False", "WaitingForSecret")
    );
    assert!(
        message.contains("kubectl create secret generic none"),
        "{message}"
    );
    scene.ends_well();
}

#[tokio::test(start_paused = true)]
async fn a_missing_right_is_said_and_keeps_no_environment_from_being_made() {
    let mut scene = Scene::with_policy(83, json!({})).await;
    scene
        .github
        .permit(REPOSITORY, mirage_tests::github::BOT, "read");
    let number = scene.github.open(REPOSITORY, Opening::of("cart"));
    scene.reaches(number, PreviewState::Ready).await;
    let (truth, reason, _) = scene.condition("Reported").await;
    assert_eq!(
        (truth.as_str(), reason.as_str()),
        ("False", "GitHubForbidden")
    );
    assert_eq!(scene.condition("Ready").await.0, "True");
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_is_waited_out() {
    let mut scene = Scene::with_policy(84, json!({})).await;
    scene.github.inject(Fault::once(
        "POST /repos/acme/shop/issues",
        Harm::SecondaryLimit {
            retry_after: Some(120),
        },
    ));
    let number = scene.ready(Opening::of("cart")).await;
    scene.world.pass(5 * MINUTE).await;
    assert!(scene.comment(number).contains("is ready"));
    assert_eq!(scene.condition("Reported").await.0, "True");
    scene.ends_well();
}

#[tokio::test(start_paused = true)]
async fn a_webhook_that_comes_twice_late_or_never_changes_nothing_about_the_end() {
    let mut scene = Scene::with_policy(85, json!({})).await;
    let number = scene.ready(Opening::of("cart")).await;
    scene.github.close(REPOSITORY, number);
    // Two for one, and one that says nothing new: each is a look, no more.
    for _ in 0..3 {
        let woken = json!({"metadata": {"annotations": {"mirage.dev/wake-at": scene.world.now().to_string()}}});
        let params = kube::api::PatchParams::default();
        scene
            .policies()
            .patch(POLICY, &params, &kube::api::Patch::Merge(&woken))
            .await
            .unwrap();
        scene.world.pass(MINUTE / 20).await;
    }
    scene.is_over(number).await;
    assert_eq!(scene.on_railway(), [""; 0]);
    scene.github.reopen(REPOSITORY, number);
    scene.reaches(number, PreviewState::Ready).await;
    scene.ends_well();
}

#[tokio::test(start_paused = true)]
async fn a_policy_can_go_although_github_cannot_be_reached() {
    let mut scene = Scene::with_policy(86, json!({})).await;
    scene.ready(Opening::of("cart")).await;
    scene.github.inject(Fault {
        on: vec!["/repos".to_owned()],
        harm: Harm::NotSent,
        times: u32::MAX,
    });
    scene
        .policies()
        .delete(POLICY, &Default::default())
        .await
        .unwrap();
    let policies = scene.policies();
    let gone = scene
        .world
        .pass_until(60 * MINUTE, async |_| {
            Ok(policies.get_opt(POLICY).await?.is_none())
        })
        .await
        .unwrap();
    assert!(gone, "{:#?}", scene.status().await);
    assert!(scene.environments().await.is_empty());
    assert_eq!(scene.on_railway(), [""; 0]);
}
