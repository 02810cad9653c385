//! What a read makes the observer believe: absence, deletion, a stop of everything.

use super::*;

#[tokio::test(start_paused = true)]
async fn trap_06_after_our_own_write_the_cache_is_not_believed_and_absence_is_unknown_for_a_while()
{
    let world = World::new();
    world.show("p", project(1));
    let observer = world.observer();
    look(&observer).await;
    assert!(!observer.in_grace(&id()));
    observer.wrote(&id());
    assert!(observer.in_grace(&id()));
    world.railway.take_operations();
    look(&observer).await;
    assert_eq!(world.railway.take_operations(), ["ObserveProjects"]);
    pass(31).await;
    assert!(!observer.in_grace(&id()));
}

#[tokio::test(start_paused = true)]
async fn a_read_that_began_before_a_write_does_not_count_as_after_it() {
    let world = World::new();
    world.show("p", project(1));
    let observer = world.observer();
    let early = tokio::spawn({
        let observer = Arc::clone(&observer);
        async move { look(&observer).await }
    });
    tokio::task::yield_now().await;
    observer.wrote(&id());
    look(&observer).await;
    early.await.unwrap();
    let reads = world.railway.take_operations();
    assert_eq!(
        reads
            .iter()
            .filter(|operation| *operation == "ObserveProjects")
            .count(),
        2
    );
}

#[tokio::test(start_paused = true)]
async fn trap_22_a_read_in_which_every_environment_seems_gone_is_not_believed_at_once() {
    let world = World::new();
    world.show("p", project(6));
    let observer = world.observer();
    look(&observer).await;
    world.edit("p", |project| project["environments"]["edges"] = json!([]));
    pass(121).await;
    assert!(
        matches!(look(&observer).await, Presence::Unknown(words) if words.contains("6 environments"))
    );
    assert!(!observer.take_alarms()[0].is_confirmed);
    // An outage that ends leaves everything as it was.
    world.show("p", project(6));
    pass(6).await;
    assert_eq!(environments(&look(&observer).await), 6);
    assert!(observer.take_alarms().is_empty());
}

#[tokio::test(start_paused = true)]
async fn trap_22_two_reads_apart_that_agree_are_believed_with_an_alarm() {
    let world = World::new();
    world.show("p", project(6));
    let observer = world.observer();
    look(&observer).await;
    world.show("p", project(1));
    pass(121).await;
    assert!(matches!(look(&observer).await, Presence::Unknown(_)));
    assert!(
        matches!(look(&observer).await, Presence::Unknown(_)),
        "a second look at once is no second opinion"
    );
    pass(6).await;
    assert_eq!(environments(&look(&observer).await), 1);
    let alarms = observer.take_alarms();
    assert_eq!(
        alarms
            .iter()
            .map(|alarm| alarm.is_confirmed)
            .collect::<Vec<_>>(),
        [false, true]
    );
}

#[tokio::test(start_paused = true)]
async fn environments_that_we_deleted_ourselves_alarm_nobody() {
    let world = World::new();
    world.show("p", project(6));
    world.railway.always("EnvironmentDelete", |_| {
        Canned::data(json!({ "environmentDelete": true }))
    });
    let observer = world.observer();
    look(&observer).await;
    for index in 1..6 {
        observer
            .client()
            .delete_environment(&EnvironmentId::new(format!("e{index}")))
            .await
            .unwrap();
    }
    observer.wrote(&id());
    world.show("p", project(1));
    assert_eq!(environments(&look(&observer).await), 1);
    assert!(observer.take_alarms().is_empty());
}

#[tokio::test(start_paused = true)]
async fn trap_21_a_stop_of_everything_is_not_believed_at_once() {
    let world = World::new();
    world.show("p", project(5));
    let observer = world.observer();
    look(&observer).await;
    world.edit("p", |project| {
        for edge in project["environments"]["edges"].as_array_mut().unwrap() {
            edge["node"]["serviceInstances"]["edges"][0]["node"]["activeDeployments"] = json!([]);
        }
    });
    pass(121).await;
    assert!(
        matches!(look(&observer).await, Presence::Unknown(words) if words.contains("run nothing"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_project_left_out_is_absent_only_when_railway_says_so_by_its_id() {
    for (answer, expected) in [
        (Canned::error("Project not found"), Some(Presence::Absent)),
        (
            Canned::data(json!({ "project": { "id": "p", "deletedAt": "2026-01-01T00:00:00Z" } })),
            Some(Presence::Absent),
        ),
        (
            Canned::data(json!({ "project": { "id": "p", "deletedAt": null } })),
            None,
        ),
        (Canned::error("Not Authorized"), None),
    ] {
        let world = World::new();
        world.show("p", project(1));
        let observer = world.observer();
        look(&observer).await;
        world.hide("p");
        let canned = answer.clone();
        world
            .railway
            .always("ProjectPresence", move |_| canned.clone());
        pass(121).await;
        assert!(
            matches!(look(&observer).await, Presence::Unknown(_)),
            "{answer:?}"
        );
        pass(6).await;
        let second = look(&observer).await;
        match expected {
            Some(expected) => assert_eq!(second, expected, "{answer:?}"),
            None => assert!(matches!(second, Presence::Unknown(_)), "{answer:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_project_that_railway_calls_deleted_is_absent() {
    let world = World::new();
    world.show("p", project(3));
    let observer = world.observer();
    look(&observer).await;
    world.edit("p", |project| {
        project["deletedAt"] = json!("2026-01-02T00:00:00Z")
    });
    pass(121).await;
    assert_eq!(look(&observer).await, Presence::Absent);
}
