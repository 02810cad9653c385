//! Rollouts that fail, and requests that are carried out once, in a world whose controllers are killed and whose Railway
//! answers badly.

#![expect(clippy::unwrap_used, reason = "in a test a failure is the message")]

use std::time::Duration;

use mirage_railway_simulator::{
    DashboardEdit, DeploymentEnding, Fault, FaultKind, InstanceEntry, Timing, When,
};
use mirage_specs::rollout::{RollbackWay, RolloutState};
use mirage_tests::{
    invariants, seeds,
    world::{Cut, Cutting, World, WorldOptions},
};
use serde_json::{Value, json};

const MINUTE: Duration = Duration::from_secs(60);
const NAME: &str = "shop";

fn manifest(image: &str, on_failure: &str) -> Value {
    json!({
        "apiVersion": "mirage.dev/v1alpha1",
        "kind": "Environment",
        "metadata": {"name": NAME},
        "spec": {
            "project": {"name": NAME},
            "rollout": {"strategy": "sequential", "healthTimeout": "8m", "onFailure": on_failure},
            "services": {
                "api": {"source": {"image": image}, "variables": {"VERSION": image}},
                "web": {"source": {"image": image}, "dependsOn": ["api"]},
            },
        },
    })
}

async fn world(options: WorldOptions) -> World {
    let mut world = World::new(options).await.unwrap();
    world.start();
    world.pass(MINUTE).await;
    world
}

async fn rest(world: &mut World) {
    let rested = world
        .pass_until(45 * MINUTE, async |world| {
            Ok(world.is_running() && invariants::unsettled(world).await?.is_empty())
        })
        .await
        .unwrap();
    assert!(rested, "{:?}", invariants::unsettled(world).await.unwrap());
}

/// A world in which `app:1` runs.
async fn provisioned(options: WorldOptions, on_failure: &str) -> World {
    let mut world = world(options).await;
    world.apply(&manifest("app:1", on_failure)).await.unwrap();
    rest(&mut world).await;
    world
}

async fn told(world: &World, kind: &str) -> (String, String) {
    let status = world.status(NAME).await.unwrap();
    let found = status
        .conditions
        .into_iter()
        .find(|condition| condition.type_ == kind);
    // Before its first visit there is none.
    found.map_or_else(Default::default, |found| (found.reason, found.message))
}

async fn comes_to(world: &mut World, reason: &str) {
    let came = world
        .pass_until(40 * MINUTE, async |world| {
            Ok(world.is_running() && told(world, "Synced").await.0 == reason)
        })
        .await
        .unwrap();
    assert!(came, "{:?}", told(world, "Synced").await);
}

fn instance(world: &World, service: &str) -> InstanceEntry {
    let inventory = world.simulator.inventory();
    let environment = inventory.environment(NAME, NAME).unwrap();
    environment.service(service).unwrap().clone()
}

/// Image and status of each deployment, the oldest first.
fn deployments(world: &World, service: &str) -> Vec<(String, String)> {
    instance(world, service)
        .deployments
        .into_iter()
        .map(|one| (one.image.unwrap_or_default(), one.status))
        .collect()
}

fn spoil(world: &World, ending: DeploymentEnding) {
    let fault = Fault::new(FaultKind::Deployment { ending })
        .object("api")
        .times(1);
    let _ = world.simulator.inject(fault);
}

async fn stays_so(world: &mut World) {
    stays_so_for(world, 40 * MINUTE).await;
}

async fn stays_so_for(world: &mut World, time: Duration) {
    let before = world.simulator.requests().mutations;
    let effects = told(world, "Synced").await;
    world.pass(time).await;
    assert_eq!(
        world.simulator.requests().mutations,
        before,
        "something was sent although nobody asked"
    );
    assert_eq!(told(world, "Synced").await, effects);
}

fn row(image: &str, status: &str) -> (String, String) {
    (image.to_owned(), status.to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_failed_deployment_leaves_what_serves_and_is_not_tried_again() {
    let mut world = provisioned(WorldOptions::lifelike(1), "rollback").await;
    spoil(&world, DeploymentEnding::HealthcheckFails);
    world.simulator.reset_requests();
    world.apply(&manifest("app:2", "rollback")).await.unwrap();
    comes_to(&mut world, "RolledBack").await;
    let status = world.status(NAME).await.unwrap();
    let rollout = status.rollout.clone().unwrap();
    assert_eq!(rollout.state, RolloutState::RolledBack);
    assert_eq!(rollout.services["api"].way, Some(RollbackWay::Serving));
    assert_eq!(world.simulator.requests().of("deploymentRollback"), 0);
    assert_eq!(
        deployments(&world, "api"),
        [row("app:1", "SUCCESS"), row("app:2", "FAILED")]
    );
    assert_eq!(deployments(&world, "web"), [row("app:1", "SUCCESS")]);
    let (_, message) = told(&world, "Degraded").await;
    for word in [
        "generation 2",
        "plan ",
        "api",
        "still serves",
        "mirage retry",
    ] {
        assert!(message.contains(word), "{word}: {message}");
    }
    assert_eq!(told(&world, "Ready").await.0, "RolledBack");
    stays_so(&mut world).await;

    // A person has it tried again, and now it goes well.
    let retry = json!({"metadata": {"annotations": {"mirage.dev/retry": "1"}}});
    world.merge(NAME, &retry).await.unwrap();
    rest_as_synced(&mut world).await;
    assert_eq!(
        deployments(&world, "web").last(),
        Some(&row("app:2", "SUCCESS"))
    );
    assert!(world.status(NAME).await.unwrap().rollout.is_none());
}

async fn rest_as_synced(world: &mut World) {
    comes_to(world, "InSync").await;
    rest(world).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_replaced_and_crashed_is_restored_by_railway() {
    let mut world = provisioned(WorldOptions::lifelike(2), "rollback").await;
    spoil(&world, DeploymentEnding::OutOfMemory);
    world.simulator.reset_requests();
    world.apply(&manifest("app:2", "rollback")).await.unwrap();
    comes_to(&mut world, "RolledBack").await;
    assert_eq!(world.simulator.requests().of("deploymentRollback"), 1);
    assert_eq!(
        deployments(&world, "api").last(),
        Some(&row("app:1", "SUCCESS"))
    );
    let status = world.status(NAME).await.unwrap();
    let newest = instance(&world, "api").deployments.pop().unwrap();
    assert_eq!(status.good["api"].deployment_id, newest.id);
    stays_so(&mut world).await;

    // Another declaration goes out as any.
    world.apply(&manifest("app:3", "rollback")).await.unwrap();
    rest_as_synced(&mut world).await;
    for service in ["api", "web"] {
        assert_eq!(
            deployments(&world, service).last(),
            Some(&row("app:3", "SUCCESS"))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn without_an_image_to_go_back_to_the_settings_of_then_are_sent() {
    let mut world = provisioned(WorldOptions::lifelike(3), "rollback").await;
    spoil(&world, DeploymentEnding::OutOfMemory);
    world
        .simulator
        .edit(DashboardEdit::RemoveImages {
            environment: format!("{NAME}/{NAME}"),
            service: "api".to_owned(),
        })
        .unwrap();
    world.apply(&manifest("app:2", "rollback")).await.unwrap();
    comes_to(&mut world, "RolledBack").await;
    let status = world.status(NAME).await.unwrap();
    let rollout = status.rollout.unwrap();
    assert_eq!(
        rollout.services["api"].way,
        Some(RollbackWay::Configuration)
    );
    assert_eq!(instance(&world, "api").image.as_deref(), Some("app:1"));
    assert_eq!(
        deployments(&world, "api").last(),
        Some(&row("app:1", "SUCCESS"))
    );
    stays_so(&mut world).await;
    let retry = json!({"metadata": {"annotations": {"mirage.dev/retry": "1"}}});
    world.merge(NAME, &retry).await.unwrap();
    rest_as_synced(&mut world).await;
    assert_eq!(instance(&world, "api").image.as_deref(), Some("app:2"));
}

#[tokio::test(start_paused = true)]
async fn a_refused_rollback_takes_the_next_way() {
    let mut world = provisioned(WorldOptions::lifelike(4), "rollback").await;
    spoil(&world, DeploymentEnding::OutOfMemory);
    let refused = FaultKind::Refused {
        message: "This deployment can no longer be rolled back to".to_owned(),
        code: Some("BAD_USER_INPUT".to_owned()),
    };
    let _ = world
        .simulator
        .inject(Fault::new(refused).on("deploymentRollback"));
    world.apply(&manifest("app:2", "rollback")).await.unwrap();
    comes_to(&mut world, "RolledBack").await;
    assert_eq!(instance(&world, "api").image.as_deref(), Some("app:1"));
    stays_so(&mut world).await;
}

#[tokio::test(start_paused = true)]
async fn a_rollback_whose_answer_is_lost_happens_once() {
    for when in [When::Before, When::After] {
        let mut world = provisioned(WorldOptions::lifelike(5), "rollback").await;
        spoil(&world, DeploymentEnding::OutOfMemory);
        let lost = Fault::new(FaultKind::AnswerLost { when })
            .on("deploymentRollback")
            .times(1);
        let _ = world.simulator.inject(lost);
        world.apply(&manifest("app:2", "rollback")).await.unwrap();
        comes_to(&mut world, "RolledBack").await;
        let seen = deployments(&world, "api");
        assert_eq!(seen.len(), 3, "{when:?}: {seen:?}");
        assert_eq!(seen.last(), Some(&row("app:1", "SUCCESS")));
        stays_so(&mut world).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_deployment_that_never_comes_is_given_up_when_its_time_is_over() {
    let mut world = provisioned(WorldOptions::lifelike(6), "rollback").await;
    spoil(&world, DeploymentEnding::StuckQueued);
    world.apply(&manifest("app:2", "rollback")).await.unwrap();
    let progresses = world
        .pass_until(5 * MINUTE, async |world| {
            Ok(told(world, "Progressing").await.1.contains("api has until"))
        })
        .await
        .unwrap();
    assert!(progresses, "{:?}", told(&world, "Progressing").await);
    let (_, message) = told(&world, "Progressing").await;
    assert!(message.starts_with("wave 1 of 2: "), "{message}");
    assert!(message.contains("web waits for api"), "{message}");
    comes_to(&mut world, "RolledBack").await;
    assert_eq!(
        deployments(&world, "api"),
        [row("app:1", "SUCCESS"), row("app:2", "REMOVED")]
    );
    stays_so(&mut world).await;
}

#[tokio::test(start_paused = true)]
async fn a_first_rollout_that_fails_halts_and_says_that_there_is_nothing_to_go_back_to() {
    let mut world = world(WorldOptions::lifelike(7)).await;
    spoil(&world, DeploymentEnding::HealthcheckFails);
    world.apply(&manifest("app:1", "rollback")).await.unwrap();
    comes_to(&mut world, "RolloutHalted").await;
    let (_, message) = told(&world, "Degraded").await;
    assert!(
        message.contains("nothing of it was healthy before"),
        "{message}"
    );
    stays_so(&mut world).await;
    let retry = json!({"metadata": {"annotations": {"mirage.dev/retry": "1"}}});
    world.merge(NAME, &retry).await.unwrap();
    rest_as_synced(&mut world).await;
}

#[tokio::test(start_paused = true)]
async fn halting_leaves_what_failed_and_holds_what_comes_after() {
    let mut world = provisioned(WorldOptions::lifelike(8), "halt").await;
    spoil(&world, DeploymentEnding::OutOfMemory);
    world.simulator.reset_requests();
    world.apply(&manifest("app:2", "halt")).await.unwrap();
    comes_to(&mut world, "RolloutHalted").await;
    assert_eq!(world.simulator.requests().of("deploymentRollback"), 0);
    assert_eq!(
        deployments(&world, "api").last(),
        Some(&row("app:2", "CRASHED"))
    );
    assert_eq!(deployments(&world, "web"), [row("app:1", "SUCCESS")]);
    stays_so(&mut world).await;
}

/// Plays a story again and again, killed before and after each of its effects.
fn at_every_boundary(name: &str, story: impl Fn(Option<Cut>) -> Result<u64, String> + Sync) {
    let effects = story(None).unwrap();
    let played = seeds::play_all(0..2 * (effects + 3), name, |index| {
        let side = if index % 2 == 0 {
            Cutting::Before
        } else {
            Cutting::After
        };
        let cut = Cut {
            at: index / 2 + 1,
            side,
        };
        story(Some(cut))
            .map(|_| ())
            .map_err(|why| format!("killed at {cut:?}: {why}"))
    });
    assert_eq!(played, Ok(()));
}

fn quick() -> WorldOptions {
    let mut options = WorldOptions::lifelike(9);
    options.railway.timing = Timing::instant();
    options
}

fn in_a_world<T>(story: impl AsyncFnOnce() -> Result<T, String>) -> Result<T, String> {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(story())
}

#[test]
fn a_rollback_survives_a_kill_at_every_boundary() {
    at_every_boundary("rollouts::", |cut| {
        in_a_world(async || {
            let mut world = provisioned(quick(), "rollback").await;
            spoil(&world, DeploymentEnding::OutOfMemory);
            let before = world.effects();
            if let Some(cut) = cut {
                world.cut(cut);
            }
            world.apply(&manifest("app:2", "rollback")).await.unwrap();
            comes_to(&mut world, "RolledBack").await;
            let seen = deployments(&world, "api");
            let expected = [
                row("app:1", "REMOVED"),
                row("app:2", "REMOVED"),
                row("app:1", "SUCCESS"),
            ];
            if seen.len() != 3 || seen[2] != expected[2] {
                return Err(format!("{seen:?}"));
            }
            world.disarm();
            world.start();
            let effects = world.effects().saturating_sub(before);
            stays_so_for(&mut world, 10 * MINUTE).await;
            Ok(effects)
        })
    });
}

/// A request by annotation, and how often Railway was told to do it.
fn once(annotation: &'static str, operation: &'static str) {
    at_every_boundary("rollouts::", |cut| {
        in_a_world(async || {
            let mut world = provisioned(quick(), "halt").await;
            world.pass(5 * MINUTE).await;
            world.simulator.reset_requests();
            let before = world.effects();
            if let Some(cut) = cut {
                world.cut(cut);
            }
            let asked = format!("{} api", world.now());
            let patch = json!({"metadata": {"annotations": {annotation: asked}}});
            world.merge(NAME, &patch).await.unwrap();
            let done = world
                .pass_until(30 * MINUTE, async |world| {
                    let status = world.status(NAME).await?;
                    let done = status.redeployed.or(status.restarted);
                    Ok(done.as_ref() == Some(&asked))
                })
                .await
                .unwrap();
            rest(&mut world).await;
            let times = world.simulator.requests().of(operation);
            if !done || times != 1 {
                return Err(format!("done: {done}, asked {times} times"));
            }
            world.disarm();
            world.start();
            let effects = world.effects().saturating_sub(before);
            stays_so_for(&mut world, 10 * MINUTE).await;
            Ok(effects)
        })
    });
}

#[test]
fn a_redeploy_is_done_once_whenever_the_controllers_are_killed() {
    once("mirage.dev/redeploy", "serviceInstanceDeployV2");
}

#[test]
fn a_restart_is_done_once_whenever_the_controllers_are_killed() {
    once("mirage.dev/restart", "deploymentRestart");
}

#[tokio::test(start_paused = true)]
async fn a_pause_with_an_end_ends_by_itself_and_says_who_and_why() {
    let mut world = provisioned(WorldOptions::lifelike(10), "halt").await;
    let until = world.now() + jiff::SignedDuration::from_mins(30);
    let patch = json!({
        "metadata": {"annotations": {
            "mirage.dev/suspend-reason": "the database is moved",
            "mirage.dev/suspended-by": "ada",
            "mirage.dev/suspend-until": until.to_string(),
        }},
        "spec": {"suspend": true},
    });
    world.merge(NAME, &patch).await.unwrap();
    comes_to(&mut world, "Suspended").await;
    let (_, message) = told(&world, "Ready").await;
    assert!(
        message.contains("by ada") && message.contains("the database is moved"),
        "{message}"
    );
    world.pass(10 * MINUTE).await;
    assert_eq!(deployments(&world, "api").last().unwrap().1, "REMOVED");
    world.pass(25 * MINUTE).await;
    rest_as_synced(&mut world).await;
    assert_eq!(deployments(&world, "api").last().unwrap().1, "SUCCESS");
}

#[tokio::test(start_paused = true)]
async fn an_approval_runs_its_plan_and_no_plan_that_came_after() {
    let mut world = world(WorldOptions::lifelike(11)).await;
    let mut wanted = manifest("app:1", "halt");
    wanted["spec"]["approval"] = json!("always");
    wanted["spec"]["rollout"]["strategy"] = json!("parallel");
    let approve = |hash: &str| json!({"metadata": {"annotations": {"mirage.dev/approve": hash}}});
    world.apply(&wanted).await.unwrap();
    comes_to(&mut world, "AwaitingApproval").await;
    let hash = world.status(NAME).await.unwrap().plan.unwrap().hash;
    world.merge(NAME, &approve(&hash)).await.unwrap();
    rest_as_synced(&mut world).await;

    wanted["spec"]["services"]["api"]["source"]["image"] = json!("app:2");
    world.apply(&wanted).await.unwrap();
    comes_to(&mut world, "AwaitingApproval").await;
    let seen = world.status(NAME).await.unwrap().plan.unwrap();
    // The world moves on before the person says yes.
    world
        .simulator
        .edit(DashboardEdit::SetReplicas {
            environment: format!("{NAME}/{NAME}"),
            service: "web".to_owned(),
            replicas: 3,
        })
        .unwrap();
    world.pass(5 * MINUTE).await;
    world.simulator.reset_requests();
    world.merge(NAME, &approve(&seen.hash)).await.unwrap();
    world.pass(5 * MINUTE).await;
    assert_eq!(world.simulator.requests().mutations, 0);
    let other = world.status(NAME).await.unwrap().plan.unwrap();
    assert_ne!(other.hash, seen.hash);
    world.merge(NAME, &approve(&other.hash)).await.unwrap();
    rest_as_synced(&mut world).await;
    assert_eq!(instance(&world, "api").image.as_deref(), Some("app:2"));
}
