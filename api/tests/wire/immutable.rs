//! What of secrets and config maps may not change.

use serde_json::{Value, json};

use crate::world::World;

const MERGE: &str = "application/merge-patch+json";
const SECRETS: &str = "/api/v1/namespaces/default/secrets";
const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";

async fn refused(world: &World, uri: &str, patch: Value, field: &str) {
    let (code, status) = world.patch(uri, MERGE, patch).await;
    let cause = &status["details"]["causes"][0];
    assert_eq!((code, &cause["field"]), (422, &json!(field)), "{status}");
    assert!(!status.to_string().contains("hunter"), "{status}");
}

#[tokio::test]
async fn values_that_are_immutable_stay_and_the_rest_may_change() {
    let world = World::new().await;
    for (collection, values) in [(SECRETS, "stringData"), (CONFIG_MAPS, "data")] {
        let manifest =
            json!({"metadata": {"name": "fixed"}, "immutable": true, values: {"a": "hunter1"}});
        let (code, created) = world.ask("POST", collection, manifest).await;
        assert_eq!(code, 201, "{created}");
        let uri = format!("{collection}/fixed");
        refused(&world, &uri, json!({values: {"a": "hunter2"}}), "data").await;
        refused(&world, &uri, json!({values: {"b": "hunter2"}}), "data").await;
        refused(&world, &uri, json!({"immutable": false}), "immutable").await;
        refused(&world, &uri, json!({"immutable": null}), "immutable").await;
        let label = json!({"metadata": {"labels": {"app": "web"}}, values: {"a": "hunter1"}});
        let (code, labelled) = world.patch(&uri, MERGE, label).await;
        assert_eq!((code, &labelled["data"]), (200, &created["data"]));
        let (code, _) = world.ask("DELETE", &uri, json!({})).await;
        assert_eq!(code, 200);
    }
}

#[tokio::test]
async fn a_secrets_type_is_what_it_was_made_with() {
    let world = World::new().await;
    let manifest = json!({"metadata": {"name": "db"}, "type": "mirage.dev/login", "data": {}});
    world.ask("POST", SECRETS, manifest).await;
    let uri = format!("{SECRETS}/db");
    refused(&world, &uri, json!({"type": "Opaque"}), "type").await;
    let untyped = json!({"metadata": {"name": "db"}, "stringData": {"user": "me"}});
    let (code, replaced) = world.ask("PUT", &uri, untyped).await;
    assert_eq!(
        (code, &replaced["type"], &replaced["data"]["user"]),
        (200, &json!("mirage.dev/login"), &json!("bWU="))
    );
}
