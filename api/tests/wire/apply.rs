//! Server-side apply over HTTP, as kubectl and kube-rs send it.

use serde_json::{Value, json};

use crate::world::{THINGS, World, thing};

const APPLY: &str = "application/apply-patch+yaml";

async fn apply(world: &World, manager: &str, more: &str, config: Value) -> (u16, Value) {
    world
        .patch(
            &format!("{THINGS}/web?fieldManager={manager}{more}"),
            APPLY,
            config,
        )
        .await
}

fn with_parts(parts: Value) -> Value {
    let mut config = thing("web", 1);
    config["spec"]["parts"] = parts;
    config
}

#[tokio::test]
async fn applying_creates_and_then_changes_nothing() {
    let world = World::new().await;
    let config = with_parts(json!([{"name": "api", "image": "a:1"}]));
    let (code, created) = apply(&world, "a", "", config.clone()).await;
    assert_eq!(code, 201, "{created}");
    let entry = &created["metadata"]["managedFields"][0];
    assert_eq!(entry["manager"], "a");
    assert_eq!(entry["operation"], "Apply");
    assert_eq!(
        entry["fieldsV1"]["f:spec"],
        json!({"f:size": {}, "f:parts": {"k:{\"name\":\"api\"}": {".": {}, "f:image": {}, "f:name": {}}}})
    );
    let (code, again) = apply(&world, "a", "", config).await;
    assert_eq!((code, again), (200, created));
}

#[tokio::test]
async fn a_conflict_names_the_manager_and_the_path() {
    let world = World::new().await;
    apply(
        &world,
        "a",
        "",
        with_parts(json!([{"name": "api", "image": "a:1"}])),
    )
    .await;
    let other = with_parts(json!([{"name": "api", "image": "a:2"}]));
    let (code, status) = apply(&world, "b", "", other.clone()).await;
    assert_eq!((code, &status["reason"]), (409, &json!("Conflict")));
    assert_eq!(
        status["message"],
        "Apply failed with 1 conflict: conflict with \"a\": .spec.parts[name=\"api\"].image"
    );
    assert_eq!(
        status["details"]["causes"][0]["reason"],
        "FieldManagerConflict"
    );
    let (code, object) = apply(&world, "b", "&force=true", other).await;
    assert_eq!(
        (code, &object["spec"]["parts"][0]["image"]),
        (200, &json!("a:2"))
    );
}

#[tokio::test]
async fn a_dry_run_answers_what_the_apply_would() {
    let world = World::new().await;
    apply(&world, "a", "", thing("web", 1)).await;
    let before = world.get(&format!("{THINGS}/web")).await.1;
    let (_, shown) = apply(&world, "a", "&dryRun=All", thing("web", 2)).await;
    assert_eq!(world.get(&format!("{THINGS}/web")).await.1, before);
    let (_, mut done) = apply(&world, "a", "", thing("web", 2)).await;
    done["metadata"]["resourceVersion"] = shown["metadata"]["resourceVersion"].clone();
    assert_eq!(shown, done);
}

#[tokio::test]
async fn what_an_apply_must_carry_is_asked_for() {
    let world = World::new().await;
    let (code, status) = world
        .patch(&format!("{THINGS}/web"), APPLY, thing("web", 1))
        .await;
    assert_eq!(
        (code, &status["details"]["causes"][0]["field"]),
        (422, &json!("fieldManager"))
    );
    assert_eq!(apply(&world, "a", "", json!({"spec": {}})).await.0, 400);
    let mut managed = thing("web", 1);
    managed["metadata"]["managedFields"] = json!([{"manager": "x"}]);
    assert_eq!(apply(&world, "a", "", managed).await.0, 400);
    let status_only =
        json!({"apiVersion": "test.dev/v1", "kind": "Thing", "status": {"phase": "Ready"}});
    let uri = format!("{THINGS}/web/status?fieldManager=a&force=true");
    assert_eq!(world.patch(&uri, APPLY, status_only.clone()).await.0, 404);
    apply(&world, "a", "", thing("web", 1)).await;
    let (code, object) = world.patch(&uri, APPLY, status_only).await;
    assert_eq!((code, &object["status"]["phase"]), (200, &json!("Ready")));
    let entries = object["metadata"]["managedFields"].as_array().unwrap();
    assert!(
        entries.iter().any(|entry| entry["subresource"] == "status"),
        "{object}"
    );
    assert!(
        entries
            .iter()
            .any(|entry| entry["fieldsV1"]["f:spec"].is_object()),
        "{object}"
    );
}

#[tokio::test]
async fn yaml_is_understood() {
    let world = World::new().await;
    let yaml = "apiVersion: test.dev/v1\nkind: Thing\nmetadata:\n  name: web\nspec:\n  size: 4\n";
    let uri = format!("{THINGS}/web?fieldManager=a");
    let (code, object) = world
        .send("PATCH", &uri, &[("content-type", APPLY)], yaml.into())
        .await;
    assert_eq!((code, &object["spec"]["size"]), (201, &json!(4)));
}

#[tokio::test]
async fn kubectls_own_migration_to_server_side_apply_passes() {
    let world = World::new().await;
    let create = format!("{THINGS}?fieldManager=kubectl-client-side-apply");
    let (_, created) = world.ask("POST", &create, thing("web", 1)).await;
    let (code, object) = apply(&world, "kubectl", "", thing("web", 1)).await;
    assert_eq!(code, 200);
    let mut entries = object["metadata"]["managedFields"].clone();
    entries
        .as_array_mut()
        .unwrap()
        .retain(|entry| entry["manager"] == "kubectl");
    let evict = json!([
        {"op": "replace", "path": "/metadata/managedFields", "value": entries},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": object["metadata"]["resourceVersion"]}]);
    let (code, object) = world
        .patch(
            &format!("{THINGS}/web"),
            "application/json-patch+json",
            evict,
        )
        .await;
    assert_eq!(code, 200, "{object}");
    assert_eq!(object["metadata"]["managedFields"], entries);
    assert_eq!(object["metadata"]["uid"], created["metadata"]["uid"]);
}

#[tokio::test]
async fn unknown_fields_never_become_owned() {
    let world = World::new().await;
    let mut config = thing("web", 1);
    config["spec"]["clazz"] = json!(1);
    assert_eq!(
        apply(&world, "a", "&fieldValidation=Strict", config.clone())
            .await
            .0,
        400
    );
    let (code, object) = apply(&world, "a", "", config).await;
    assert_eq!(code, 201);
    assert!(
        object["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]
            .get("f:clazz")
            .is_none()
    );
}
