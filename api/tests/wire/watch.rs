//! Watches as streams of lines, on paused time.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use futures::StreamExt as _;
use http::Request;
use mirage_api::store::Store as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::world::{THINGS, World, thing};

struct Lines(BodyDataStream);

impl Lines {
    async fn open(world: &World, query: &str) -> Self {
        let uri = format!("{THINGS}?watch=1&{query}");
        let request = Request::get(uri).body(Body::empty()).unwrap();
        let response = world
            .api
            .trusted_router("t")
            .oneshot(request)
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        Self(response.into_body().into_data_stream())
    }

    /// The next event as (type, name, object); `None` at the end.
    async fn next(&mut self) -> Option<(String, String, Value)> {
        let line = self.0.next().await?.unwrap();
        assert_eq!(line.last(), Some(&b'\n'));
        let event: Value = serde_json::from_slice(&line).unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Some((
            text(&event["type"]),
            text(&event["object"]["metadata"]["name"]),
            event["object"].clone(),
        ))
    }

    async fn rest(mut self) -> String {
        let mut events = Vec::new();
        while let Some((event, name, _)) = self.next().await {
            events.push(format!("{event} {name}").trim().to_owned());
        }
        events.join(", ")
    }
}

async fn put(world: &World, name: &str, app: &str) -> Value {
    let mut manifest = thing(name, 1);
    manifest["metadata"]["labels"] = json!({"app": app});
    let (code, object) = world.ask("POST", THINGS, manifest).await;
    if code == 201 {
        return object;
    }
    let change = json!({"metadata": {"labels": {"app": app}}});
    world
        .patch(
            &format!("{THINGS}/{name}"),
            "application/merge-patch+json",
            change,
        )
        .await
        .1
}

#[tokio::test(start_paused = true)]
async fn everything_after_a_version_comes_in_order_and_then_the_end() {
    let world = World::new().await;
    let first = put(&world, "a", "x").await;
    put(&world, "b", "x").await;
    put(&world, "a", "y").await;
    world
        .ask("DELETE", &format!("{THINGS}/b"), Value::Null)
        .await;
    let version = first["metadata"]["resourceVersion"].as_str().unwrap();
    let watch = Lines::open(
        &world,
        &format!("resourceVersion={version}&timeoutSeconds=2"),
    )
    .await;
    assert_eq!(watch.rest().await, "ADDED b, MODIFIED a, DELETED b");
}

#[tokio::test(start_paused = true)]
async fn a_watch_without_a_version_begins_with_what_is_there() {
    let world = World::new().await;
    put(&world, "a", "x").await;
    let watch = Lines::open(&world, "timeoutSeconds=1").await;
    assert_eq!(watch.rest().await, "ADDED a");
}

#[tokio::test(start_paused = true)]
async fn objects_come_into_a_selection_and_leave_it() {
    let world = World::new().await;
    let mut watch = Lines::open(&world, "labelSelector=app%3Dx").await;
    for app in ["y", "x", "x2", "x"] {
        put(&world, "a", app).await;
    }
    world
        .ask("DELETE", &format!("{THINGS}/a"), Value::Null)
        .await;
    let mut events = Vec::new();
    for _ in 0..4 {
        events.push(watch.next().await.unwrap());
    }
    let kinds: Vec<_> = events.iter().map(|(kind, ..)| kind.as_str()).collect();
    assert_eq!(kinds, ["ADDED", "DELETED", "ADDED", "DELETED"]);
    let versions: Vec<u64> = events
        .iter()
        .map(|(_, _, object)| {
            object["metadata"]["resourceVersion"]
                .as_str()
                .unwrap()
                .parse()
                .unwrap()
        })
        .collect();
    assert!(versions.is_sorted_by(|a, b| a < b), "{versions:?}");
}

#[tokio::test(start_paused = true)]
async fn a_change_is_delivered_without_waiting() {
    let world = World::new().await;
    let mut watch = Lines::open(
        &world,
        "sendInitialEvents=false&resourceVersionMatch=NotOlderThan",
    )
    .await;
    let began = tokio::time::Instant::now();
    let (event, _) = tokio::join!(watch.next(), put(&world, "a", "x"));
    assert_eq!(event.unwrap().0, "ADDED");
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn bookmarks_come_every_minute_and_before_the_end_to_those_who_ask() {
    let world = World::new().await;
    put(&world, "a", "x").await;
    let watch = Lines::open(&world, "allowWatchBookmarks=true&timeoutSeconds=90").await;
    assert_eq!(watch.rest().await, "ADDED a, BOOKMARK, BOOKMARK");
    let silent = Lines::open(&world, "timeoutSeconds=90").await;
    assert_eq!(silent.rest().await, "ADDED a");
}

#[tokio::test(start_paused = true)]
async fn initial_events_end_with_their_own_bookmark() {
    let world = World::new().await;
    put(&world, "a", "x").await;
    let query = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    let mut watch = Lines::open(&world, query).await;
    assert_eq!(watch.next().await.unwrap().0, "ADDED");
    let (kind, _, object) = watch.next().await.unwrap();
    assert_eq!(kind, "BOOKMARK");
    assert_eq!(
        object["metadata"]["annotations"]["k8s.io/initial-events-end"],
        "true"
    );
    let (code, status) = world
        .get(&format!("{THINGS}?watch=1&sendInitialEvents=true"))
        .await;
    assert_eq!((code, &status["reason"]), (422, &json!("Invalid")));
}

#[tokio::test(start_paused = true)]
async fn a_version_that_is_no_longer_known_is_expired() {
    let world = World::new().await;
    let first = put(&world, "a", "x").await;
    put(&world, "b", "x").await;
    let last = put(&world, "c", "x").await;
    let version = |object: &Value| {
        object["metadata"]["resourceVersion"]
            .as_str()
            .unwrap()
            .parse::<u64>()
            .unwrap()
    };
    world.store.compact(version(&last)).await.unwrap();
    let mut watch = Lines::open(&world, &format!("resourceVersion={}", version(&first))).await;
    let (kind, _, status) = watch.next().await.unwrap();
    assert_eq!(
        (kind.as_str(), &status["code"], &status["reason"]),
        ("ERROR", &json!(410), &json!("Expired"))
    );
    assert!(watch.next().await.is_none());
    let (code, _) = world
        .get(&format!("{THINGS}?watch=1&resourceVersion=99999"))
        .await;
    assert_eq!(code, 410);
}

#[tokio::test(start_paused = true)]
async fn a_table_watch_defines_its_columns_once() {
    let world = World::new().await;
    put(&world, "a", "x").await;
    put(&world, "b", "x").await;
    let request = Request::get(format!("{THINGS}?watch=1&timeoutSeconds=1"))
        .header(
            "accept",
            "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
        )
        .body(Body::empty())
        .unwrap();
    let response = world
        .api
        .trusted_router("t")
        .oneshot(request)
        .await
        .unwrap();
    let mut lines = Lines(response.into_body().into_data_stream());
    let (_, _, first) = lines.next().await.unwrap();
    let (_, _, second) = lines.next().await.unwrap();
    assert_eq!(first["columnDefinitions"].as_array().unwrap().len(), 4);
    assert_eq!(first["rows"][0]["cells"], json!(["a", 1, null, "0s"]));
    assert_eq!(second["columnDefinitions"], json!([]));
    assert_eq!(
        second["metadata"]["resourceVersion"],
        second["rows"][0]["object"]["metadata"]["resourceVersion"]
    );
}

#[tokio::test]
async fn concurrent_writers_are_seen_once_each_and_in_order() {
    let world = World::new().await;
    let mut watch = Lines::open(&world, "").await;
    let writes = futures::future::join_all((0..200).map(|index| {
        let world = &world;
        async move { put(world, &format!("t{index}"), "x").await }
    }));
    let reads = async {
        let mut versions = Vec::new();
        while versions.len() < 200 {
            let (_, _, object) = watch.next().await.unwrap();
            versions.push(
                object["metadata"]["resourceVersion"]
                    .as_str()
                    .unwrap()
                    .parse::<u64>()
                    .unwrap(),
            );
        }
        versions
    };
    let (_, versions) = tokio::join!(writes, reads);
    assert!(versions.is_sorted_by(|a, b| a < b));
}
