//! Going away: finalizers, preconditions, collections and namespaces.

use mirage_api::store::{Effect, Expect, Key, Store as _, Stored, Write};
use serde_json::{Value, json};

use crate::world::{THINGS, World, thing};

const MERGE: &str = "application/merge-patch+json";

#[tokio::test]
async fn finalizers_hold_an_object_until_the_last_is_gone() {
    let world = World::new().await;
    let mut manifest = thing("web", 1);
    manifest["metadata"]["finalizers"] = json!(["test.dev/a", "test.dev/b"]);
    world.ask("POST", THINGS, manifest).await;
    let web = format!("{THINGS}/web");
    let (code, marked) = world
        .ask("DELETE", &web, json!({"propagationPolicy": "Background"}))
        .await;
    assert_eq!((code, &marked["kind"]), (200, &json!("Thing")));
    assert_eq!(
        marked["metadata"]["deletionTimestamp"],
        "2026-11-21T12:00:00Z"
    );
    assert_eq!(marked["metadata"]["generation"], 2);
    assert_eq!(
        marked["metadata"]["finalizers"],
        json!(["test.dev/a", "test.dev/b"])
    );
    let (_, again) = world.ask("DELETE", &web, Value::Null).await;
    assert_eq!(again, marked);

    let more = json!({"metadata": {"finalizers": ["test.dev/a", "test.dev/c"]}});
    assert_eq!(world.patch(&web, MERGE, more).await.0, 422);
    let one = json!({"metadata": {"finalizers": ["test.dev/a"]}});
    assert_eq!(world.patch(&web, MERGE, one).await.0, 200);
    let (code, last) = world
        .patch(&web, MERGE, json!({"metadata": {"finalizers": null}}))
        .await;
    assert_eq!((code, &last["metadata"]["name"]), (200, &json!("web")));
    assert_eq!(world.get(&web).await.0, 404);
}

#[tokio::test]
async fn deleting_answers_with_the_uid_that_is_gone() {
    let world = World::new().await;
    let (_, created) = world.ask("POST", THINGS, thing("web", 1)).await;
    let (code, status) = world
        .ask("DELETE", &format!("{THINGS}/web"), json!({}))
        .await;
    assert_eq!((code, &status["status"]), (200, &json!("Success")));
    assert_eq!(status["details"]["uid"], created["metadata"]["uid"]);
}

#[tokio::test]
async fn a_collection_is_deleted_by_selector() {
    let world = World::new().await;
    for (name, app) in [("a", "x"), ("b", "x"), ("c", "y")] {
        let mut manifest = thing(name, 1);
        manifest["metadata"]["labels"] = json!({"app": app});
        world.ask("POST", THINGS, manifest).await;
    }
    let (code, deleted) = world
        .ask(
            "DELETE",
            &format!("{THINGS}?labelSelector=app%3Dx"),
            Value::Null,
        )
        .await;
    assert_eq!((code, deleted["items"].as_array().unwrap().len()), (200, 2));
    assert_eq!(
        world.get(THINGS).await.1["items"][0]["metadata"]["name"],
        "c"
    );
}

#[tokio::test]
async fn a_namespace_goes_after_its_contents() {
    let world = World::new().await;
    let team = "/api/v1/namespaces/team";
    // Python leaves out kind, version and content type.
    let (code, namespace) = world
        .send(
            "POST",
            "/api/v1/namespaces",
            &[],
            json!({"metadata": {"name": "team"}}).to_string(),
        )
        .await;
    assert_eq!(code, 201, "{namespace}");
    assert_eq!(namespace["status"]["phase"], "Active");
    let things = "/apis/test.dev/v1/namespaces/team/things";
    let mut held = thing("held", 1);
    held["metadata"]["finalizers"] = json!(["test.dev/f"]);
    world.ask("POST", things, held).await;
    world.ask("POST", things, thing("free", 1)).await;

    let (_, marked) = world.ask("DELETE", team, Value::Null).await;
    assert_eq!(marked["status"]["phase"], "Terminating");
    let left = world.get(things).await.1;
    assert_eq!(left["items"].as_array().unwrap().len(), 1);
    assert!(left["items"][0]["metadata"]["deletionTimestamp"].is_string());
    let (code, status) = world.ask("POST", things, thing("late", 1)).await;
    assert_eq!(
        (code, &status["details"]["causes"][0]["reason"]),
        (403, &json!("NamespaceTerminating"))
    );

    world
        .patch(
            &format!("{things}/held"),
            MERGE,
            json!({"metadata": {"finalizers": null}}),
        )
        .await;
    assert_eq!(world.get(team).await.0, 404);
}

#[tokio::test]
async fn a_namespace_whose_deletion_was_interrupted_goes_at_the_next_start() {
    let world = World::new().await;
    world
        .ask(
            "POST",
            "/api/v1/namespaces",
            json!({"metadata": {"name": "team"}}),
        )
        .await;
    let things = "/apis/test.dev/v1/namespaces/team/things";
    world.ask("POST", things, thing("left", 1)).await;
    // As a crash leaves it: marked, its contents still there.
    let key = Key::new("namespaces", "", "team");
    let Stored {
        revision, object, ..
    } = world.store.get(&key).await.unwrap().unwrap();
    let mut object = object.into_value();
    object["metadata"]["deletionTimestamp"] = json!("2026-11-21T12:00:00Z");
    let write = Write {
        key,
        expect: Expect::Revision(revision),
        effect: Effect::put(object),
    };
    world.store.write(write).await.unwrap();

    world.api.bootstrap().await.unwrap();
    assert_eq!(world.get("/api/v1/namespaces/team").await.0, 404);
    assert_eq!(world.get(&format!("{things}/left")).await.0, 404);
}
