//! Promises that deserve a story of their own.

#![expect(clippy::unwrap_used, reason = "in a test a failure is the message")]

use std::time::Duration;

use mirage_railway_simulator::{DashboardEdit, Fault, FaultKind};
use mirage_tests::{
    invariants, manifest,
    world::{World, WorldOptions},
};

const MINUTE: Duration = Duration::from_secs(60);

/// Controllers that have looked at their credential.
async fn world(seed: u64) -> World {
    let mut world = World::new(WorldOptions::lifelike(seed)).await.unwrap();
    world.start();
    world.pass(MINUTE).await;
    world
}

async fn rest(world: &mut World) {
    let rested = world
        .pass_until(45 * MINUTE, async |world| {
            Ok(invariants::unsettled(world).await?.is_empty())
        })
        .await
        .unwrap();
    assert!(rested, "{:?}", invariants::unsettled(world).await.unwrap());
}

async fn reason(world: &World, name: &str, kind: &str) -> (String, String) {
    let status = world.status(name).await.unwrap();
    let found = status
        .conditions
        .into_iter()
        .find(|condition| condition.type_ == kind)
        .unwrap();
    (found.reason, found.message)
}

fn environment_ids(world: &World) -> Vec<String> {
    let inventory = world.simulator.inventory();
    let environments = inventory
        .projects
        .iter()
        .flat_map(|project| &project.environments);
    environments
        .filter(|environment| !environment.deleting)
        .map(|environment| environment.id.clone())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_read_in_which_every_environment_seems_gone_deletes_nothing() {
    let mut world = world(1).await;
    for name in ["one", "two", "three"] {
        world
            .apply(&manifest::many_services(name, "shop", 2))
            .await
            .unwrap();
    }
    rest(&mut world).await;
    let before = environment_ids(&world);
    world.simulator.reset_requests();
    let fault = world
        .simulator
        .inject(Fault::new(FaultKind::EverythingGone));
    world.pass(20 * MINUTE).await;
    let counts = world.simulator.requests();
    // To make it again is tried, should it really be gone; Railway refuses the name while it is not.
    for mutation in [
        "environmentDelete",
        "projectCreate",
        "serviceDelete",
        "volumeDelete",
        "environmentPatchCommit",
        "environmentApplyChangeSet",
    ] {
        assert_eq!(counts.of(mutation), 0, "{mutation}: {counts:?}");
    }
    world.simulator.remove_fault(fault);
    rest(&mut world).await;
    assert_eq!(environment_ids(&world), before);
}

#[tokio::test(start_paused = true)]
async fn an_environment_deleted_while_everything_seems_gone_leaves_nothing_without_a_receipt() {
    let mut world = world(2).await;
    world
        .apply(&manifest::many_services("one", "shop", 2))
        .await
        .unwrap();
    rest(&mut world).await;
    let id = world
        .status("one")
        .await
        .unwrap()
        .railway
        .unwrap()
        .environment_id
        .unwrap();
    let fault = world
        .simulator
        .inject(Fault::new(FaultKind::EverythingGone));
    world.delete("one").await.unwrap();
    world.pass(20 * MINUTE).await;
    world.simulator.remove_fault(fault);
    world.pass(30 * MINUTE).await;
    assert!(
        world.environment("one").await.unwrap().is_none(),
        "the object hangs on its finalizer"
    );
    let has_receipt = world
        .orphans()
        .await
        .unwrap()
        .iter()
        .any(|orphan| orphan.spec.railway_id.as_ref() == Some(&id));
    assert!(
        !environment_ids(&world).contains(&id) || has_receipt,
        "the environment is left and nobody knows of it"
    );
}

/// Seed 100 of the random histories, made small: the controllers start while nothing can be seen, so there is no earlier
/// look to doubt the empty one by.
#[tokio::test(start_paused = true)]
async fn a_deletion_in_a_long_blackout_leaves_nothing() {
    let mut world = world(6).await;
    world
        .apply(&manifest::many_services("one", "shop", 2))
        .await
        .unwrap();
    rest(&mut world).await;
    let id = world
        .status("one")
        .await
        .unwrap()
        .railway
        .unwrap()
        .environment_id
        .unwrap();
    world.crash().await;
    let fault = world
        .simulator
        .inject(Fault::new(FaultKind::EverythingGone));
    world.delete("one").await.unwrap();
    world.pass(2 * MINUTE).await;
    world.simulator.remove_fault(fault);
    world.pass(40 * MINUTE).await;
    assert!(world.environment("one").await.unwrap().is_none());
    let has_receipt = world
        .orphans()
        .await
        .unwrap()
        .iter()
        .any(|orphan| orphan.spec.railway_id.as_ref() == Some(&id));
    assert!(!environment_ids(&world).contains(&id) || has_receipt);
}

#[tokio::test(start_paused = true)]
async fn of_two_specs_for_one_environment_the_second_is_refused_and_told_why() {
    let mut world = world(3).await;
    let first = manifest::many_services("first", "shop", 1);
    let mut second = manifest::many_services("second", "shop", 2);
    second["spec"]["name"] = "first".into();
    world.apply(&first).await.unwrap();
    rest(&mut world).await;
    let id = world
        .status("first")
        .await
        .unwrap()
        .railway
        .unwrap()
        .environment_id;
    world.simulator.reset_requests();
    world.apply(&second).await.unwrap();
    world.pass(10 * MINUTE).await;
    let (reason, message) = reason(&world, "second", "Synced").await;
    assert_eq!(reason, "Conflict");
    assert!(message.contains("default/first"), "{message}");
    assert_eq!(world.simulator.requests().mutations, 0);

    // The refused one goes without taking the other's environment along.
    world.delete("second").await.unwrap();
    world.pass(5 * MINUTE).await;
    assert!(world.environment("second").await.unwrap().is_none());
    rest(&mut world).await;
    assert_eq!(
        world
            .status("first")
            .await
            .unwrap()
            .railway
            .unwrap()
            .environment_id,
        id
    );
    assert!(environment_ids(&world).contains(&id.unwrap()));
}

#[tokio::test(start_paused = true)]
async fn an_environment_made_by_hand_with_the_same_name_is_never_touched() {
    for has_services in [false, true] {
        let mut world = World::new(WorldOptions::lifelike(4)).await.unwrap();
        let edit = |edit| world.simulator.edit(edit).unwrap();
        edit(DashboardEdit::CreateProject {
            name: "shop".to_owned(),
        });
        edit(DashboardEdit::CreateEnvironment {
            project: "shop".to_owned(),
            name: "stage".to_owned(),
        });
        if has_services {
            edit(DashboardEdit::CreateService {
                environment: "shop/stage".to_owned(),
                name: "service-00".to_owned(),
                image: "legacy:1".to_owned(),
            });
        }
        world.pass(5 * MINUTE).await;
        let before = world.simulator.inventory_with_values();
        world.start();
        world.pass(MINUTE).await;
        world.simulator.reset_requests();
        world
            .apply(&manifest::many_services("stage", "shop", 1))
            .await
            .unwrap();
        world.pass(15 * MINUTE).await;
        let (reason, message) = reason(&world, "stage", "Synced").await;
        assert_eq!(reason, "Conflict", "{message}");
        world.delete("stage").await.unwrap();
        world.pass(20 * MINUTE).await;
        assert!(
            world.environment("stage").await.unwrap().is_none(),
            "the object hangs on its finalizer"
        );
        assert_eq!(world.simulator.requests().mutations, 0);
        assert_eq!(world.simulator.inventory_with_values(), before);
        assert!(world.orphans().await.unwrap().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_asks_railway_the_same_things() {
    let mut logs = Vec::new();
    for _ in 0..2 {
        let mut world = world(5).await;
        world
            .apply(&manifest::one_of_everything("stage", "shop"))
            .await
            .unwrap();
        world
            .secrets("keys", serde_json::json!({"token": "value"}))
            .await
            .unwrap();
        rest(&mut world).await;
        let log = world
            .simulator
            .log()
            .into_iter()
            .map(|request| format!("{request:?}"))
            .collect::<Vec<_>>();
        logs.push(log);
    }
    assert_eq!(logs[0], logs[1]);
}
