//! A changed template on its way to its environments, with crashes and failures in between.

#![expect(clippy::unwrap_used, reason = "in a test a failure is the message")]

use std::{collections::BTreeSet, time::Duration};

use kube::api::{Patch, PatchParams};
use mirage_railway_simulator::{DeploymentEnding, Fault, FaultKind};
use mirage_specs::{EnvironmentTemplate, status::TemplateStanding};
use mirage_tests::world::{Cut, Cutting, World, WorldOptions};
use serde_json::{Value, json};

const MINUTE: Duration = Duration::from_secs(60);

/// Every environment of the template, in the order of its waves.
const NAMES: [&str; 4] = ["dev-1", "dev-2", "stage", "live"];

async fn put_template(world: &World, image: &str, rollout: Value) {
    let manifest = json!({
        "apiVersion": "mirage.dev/v1alpha1", "kind": "EnvironmentTemplate", "metadata": {"name": "web"},
        "spec": {
            "rollout": rollout,
            "base": {"project": {"name": "shop"}, "services": {"web": {"source": {"image": image}}}},
        },
    });
    world
        .objects::<EnvironmentTemplate>()
        .patch(
            "web",
            &PatchParams::apply("user").force(),
            &Patch::Apply(&manifest),
        )
        .await
        .unwrap();
}

/// A world in which all of them are ready on `nginx:1`.
async fn settled(seed: u64, rollout: Value) -> World {
    let mut world = World::new(WorldOptions::lifelike(seed)).await.unwrap();
    world.start();
    world.pass(MINUTE).await;
    put_template(&world, "nginx:1", rollout).await;
    for (name, kind) in NAMES.into_iter().zip(["dev", "dev", "staging", "prod"]) {
        let manifest = json!({
            "apiVersion": "mirage.dev/v1alpha1", "kind": "Environment", "metadata": {"name": name},
            "spec": {"type": kind, "templateRef": {"name": "web"}},
        });
        world.apply(&manifest).await.unwrap();
    }
    until_all_have(&mut world, "nginx:1").await;
    world
}

/// Names of those that run an image on Railway.
fn running(world: &World, image: &str) -> BTreeSet<&'static str> {
    let inventory = world.simulator.inventory();
    let runs = |name: &&str| {
        let environment = inventory.environment("shop", name);
        let service = environment.and_then(|environment| environment.service("web"));
        service.is_some_and(|service| service.image.as_deref() == Some(image))
    };
    NAMES.into_iter().filter(runs).collect()
}

async fn standing(world: &World, name: &str) -> Option<TemplateStanding> {
    let status = world.status(name).await.unwrap();
    status.template.map(|template| template.standing)
}

async fn synced(world: &World, name: &str) -> (String, String) {
    let status = world.status(name).await.unwrap();
    let found = status
        .conditions
        .into_iter()
        .find(|condition| condition.type_ == "Synced")
        .unwrap();
    (found.reason, found.message)
}

async fn until_all_have(world: &mut World, image: &str) {
    let done = world
        .pass_until(60 * MINUTE, async |world| {
            let mut are_settled = running(world, image).len() == NAMES.len();
            for name in NAMES {
                are_settled &= standing(world, name).await == Some(TemplateStanding::Settled);
            }
            Ok(are_settled)
        })
        .await
        .unwrap();
    assert!(done, "{image} runs in {:?}", running(world, image));
}

#[tokio::test(start_paused = true)]
async fn a_changed_template_goes_wave_by_wave_whatever_is_killed_in_between() {
    let mut world = settled(1, json!({"parallel": 1})).await;
    put_template(&world, "nginx:2", json!({"parallel": 1})).await;
    let mut seen: Vec<BTreeSet<&str>> = Vec::new();
    let mut cuts = 0;
    let done = world
        .pass_until(60 * MINUTE, async |world| {
            let now = running(world, "nginx:2");
            if seen.last() != Some(&now) {
                // One that begins finds everything before it settled; crash while it is at work.
                seen.push(now.clone());
                if world.is_running() && cuts < 3 {
                    world.cut(Cut {
                        at: 3,
                        side: Cutting::After,
                    });
                    cuts += 1;
                }
            }
            Ok(now.len() == NAMES.len())
        })
        .await
        .unwrap();
    assert!(done, "{seen:?}");
    let expected: Vec<BTreeSet<&str>> = (0..=NAMES.len())
        .map(|count| NAMES[..count].iter().copied().collect())
        .collect();
    assert_eq!(
        seen, expected,
        "one after the other, in the order of the waves"
    );
    assert!(world.crashes > 0, "nothing was killed");
    until_all_have(&mut world, "nginx:2").await;
}

#[tokio::test(start_paused = true)]
async fn a_failing_environment_halts_the_rest_until_the_template_is_mended() {
    let mut world = settled(2, json!({"parallel": 1})).await;
    let fault = world.simulator.inject(Fault::new(FaultKind::Deployment {
        ending: DeploymentEnding::BuildFails,
    }));
    put_template(&world, "nginx:broken", json!({"parallel": 1})).await;
    let halted = world
        .pass_until(30 * MINUTE, async |world| {
            Ok(synced(world, "live").await.0 == "TemplateHalted")
        })
        .await
        .unwrap();
    assert!(halted, "{:?}", synced(&world, "live").await);
    world.pass(20 * MINUTE).await;
    assert_eq!(running(&world, "nginx:broken"), BTreeSet::from(["dev-1"]));
    let (reason, message) = synced(&world, "stage").await;
    assert_eq!(reason, "TemplateHalted");
    assert!(
        message.contains("dev-1 failed") && message.contains("mirage.dev/retry"),
        "{message}"
    );
    assert_eq!(
        standing(&world, "dev-1").await,
        Some(TemplateStanding::Failed)
    );

    world.simulator.remove_fault(fault);
    put_template(&world, "nginx:3", json!({"parallel": 1})).await;
    until_all_have(&mut world, "nginx:3").await;
}

#[tokio::test(start_paused = true)]
async fn a_person_may_let_one_environment_follow_at_once() {
    let mut world = settled(3, json!({"parallel": 1})).await;
    let fault = world.simulator.inject(Fault::new(FaultKind::Deployment {
        ending: DeploymentEnding::BuildFails,
    }));
    put_template(&world, "nginx:2", json!({"parallel": 1})).await;
    world.pass(20 * MINUTE).await;
    assert_eq!(synced(&world, "live").await.0, "TemplateHalted");
    world.simulator.remove_fault(fault);
    let retry = json!({"metadata": {"annotations": {"mirage.dev/retry": "now"}}});
    world.merge("live", &retry).await.unwrap();
    let followed = world
        .pass_until(10 * MINUTE, async |world| {
            Ok(
                standing(world, "live").await == Some(TemplateStanding::Settled)
                    && running(world, "nginx:2").contains("live"),
            )
        })
        .await
        .unwrap();
    assert!(followed, "{:?}", synced(&world, "live").await);
    assert_eq!(
        running(&world, "nginx:2"),
        BTreeSet::from(["dev-1", "live"])
    );
}
