//! Whatever comes in, the answer is an object or a Status, and never a 500.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::world::{THINGS, World, thing};

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop_oneof!["[a-z./:]{0,6}", ".{0,4}", Just("web".to_owned())].prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-z.:]{0,4}", inner, 0..3)
                .prop_map(|fields| json!(fields)),
        ]
    })
}

/// Places in an object at which something else may stand.
const PLACES: &[&str] = &[
    "",
    "/metadata",
    "/metadata/name",
    "/metadata/namespace",
    "/metadata/labels",
    "/metadata/annotations",
    "/metadata/finalizers",
    "/metadata/ownerReferences",
    "/metadata/managedFields",
    "/metadata/resourceVersion",
    "/metadata/deletionTimestamp",
    "/metadata/creationTimestamp",
    "/metadata/generation",
    "/spec",
    "/spec/parts",
    "/status",
    "/kind",
    "/data",
    "/stringData",
    "/involvedObject",
    "/series",
];

fn with(mut object: Value, place: &str, value: Value) -> Value {
    let Some((parent, field)) = place.rsplit_once('/') else {
        return value;
    };
    match object.pointer_mut(parent) {
        Some(Value::Object(fields)) => {
            fields.insert(field.to_owned(), value);
        }
        _ => return json!({ field: value }),
    }
    object
}

#[test]
fn nothing_that_is_sent_makes_the_server_fail() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let world = runtime.block_on(World::new());
    let collections = [
        THINGS,
        "/api/v1/namespaces",
        "/api/v1/namespaces/default/secrets",
        "/api/v1/namespaces/default/events",
        "/apis/events.k8s.io/v1/namespaces/default/events",
        "/apis/mirage.dev/v1alpha1/namespaces/default/environments",
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    ];
    runtime.block_on(async {
        for collection in collections {
            let manifest = json!({"metadata": {"name": "web"}, "spec": {"size": 1}});
            world.ask("POST", collection, manifest).await;
        }
    });
    let requests = (
        prop::sample::select(
            &[
                ("POST", ""),
                ("PUT", "/web"),
                ("PATCH", "/web"),
                ("PATCH", "/web/status"),
                ("DELETE", "/web?dryRun=All"),
            ][..],
        ),
        prop::sample::select(collections.to_vec()),
        prop::sample::select(
            &[
                "application/json",
                "application/merge-patch+json",
                "application/json-patch+json",
                "application/strategic-merge-patch+json",
                "application/apply-patch+yaml?",
            ][..],
        ),
        prop::sample::select(PLACES),
        any_json(),
    );
    let mut runner = TestRunner::new(Config {
        cases: 2000,
        failure_persistence: None,
        ..Config::default()
    });
    let result = runner.run(&requests, |((method, suffix), collection, content_type, place, value)| {
        let mut object = thing("web", 1);
        if collection != THINGS {
            object = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "web"}, "data": {}});
        }
        let body = match content_type {
            "application/json-patch+json" => json!([{"op": "add", "path": place, "value": value}]),
            _ => with(object, place, value),
        };
        let content_type = content_type.trim_end_matches('?');
        let query = if content_type.contains("apply") { "?fieldManager=a&force=true" } else { "" };
        let uri = format!("{collection}{suffix}{query}");
        let (code, answer) =
            runtime.block_on(world.send(method, &uri, &[("content-type", content_type)], body.to_string()));
        prop_assert!(answer["kind"].is_string(), "{method} {uri} {body}: {code} {answer}");
        prop_assert_ne!(code, 500, "{} {} {}: {}", method, uri, body, answer);
        Ok(())
    });
    result.unwrap();
}
