//! What the wire protocol promises of old versions, which only holds if the store keeps its own promises.

use std::sync::Arc;

use axum::body::{Body, BodyDataStream};
use futures::StreamExt as _;
use http::Request;
use tower::ServiceExt as _;

use super::*;
use crate::auth::{Authenticator, Identity};
use crate::{Api, ApiOptions, Ids};

const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";

struct Nobody;

#[async_trait::async_trait]
impl Authenticator for Nobody {
    async fn authenticate(&self, _token: &str) -> Result<Option<Identity>, StoreError> {
        Ok(None)
    }
}

async fn api(store: &Arc<dyn Store>) -> Api {
    let now = "2026-11-21T12:00:00Z".parse().unwrap();
    let api = Api::new(ApiOptions {
        store: Arc::clone(store),
        authenticator: Arc::new(Nobody),
        clock: Arc::new(move || now),
        ids: Ids::seeded(1),
        planner: None,
        version: "0.0.0".into(),
    });
    api.bootstrap().await.unwrap();
    api
}

async fn open(api: &Api, method: &str, uri: &str, body: Value) -> (u16, BodyDataStream) {
    let request = Request::builder()
        .method(method)
        .uri(uri)
        .header("content-type", "application/merge-patch+json")
        .body(Body::from(body.to_string()))
        .unwrap();
    let response = api.trusted_router("t").oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    (status, response.into_body().into_data_stream())
}

async fn ask(api: &Api, method: &str, uri: &str, body: Value) -> (u16, Value) {
    let (status, mut stream) = open(api, method, uri, body).await;
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        bytes.extend(chunk.unwrap());
    }
    (status, serde_json::from_slice(&bytes).unwrap())
}

/// Creates or changes a config map; answers with its version.
async fn put_map(api: &Api, name: &str, mark: &str) -> u64 {
    let patch = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"mark": mark}});
    let uri = format!("{CONFIG_MAPS}/{name}");
    let (status, mut object) = ask(api, "PATCH", &uri, patch.clone()).await;
    if status == 404 {
        let mut manifest = patch;
        manifest["metadata"] = json!({"name": name});
        let body = Body::from(manifest.to_string());
        let request = Request::post(CONFIG_MAPS).body(body).unwrap();
        let response = api.trusted_router("t").oneshot(request).await.unwrap();
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX);
        object = serde_json::from_slice(&bytes.await.unwrap()).unwrap();
    }
    let version = object["metadata"]["resourceVersion"].as_str();
    version.unwrap().parse().unwrap()
}

fn shown(list: &Value) -> Vec<String> {
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|item| {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let metadata = &item["metadata"];
            let version = text(&metadata["resourceVersion"]);
            let mark = text(&item["data"]["mark"]);
            format!("{}={mark}@{version}", text(&metadata["name"]))
        })
        .collect()
}

pub(crate) async fn a_watch_from_before_compaction_is_told_so(store: Arc<dyn Store>) {
    let api = api(&store).await;
    let first = put_map(&api, "a", "1").await;
    put_map(&api, "a", "2").await;
    let last = put_map(&api, "a", "3").await;
    store.compact(last).await.unwrap();
    let watch = |version: u64| format!("{CONFIG_MAPS}?watch=1&resourceVersion={version}");
    let (status, mut lines) = open(&api, "GET", &watch(first), Value::Null).await;
    assert_eq!(status, 200);
    let line = lines.next().await.unwrap().unwrap();
    let event: Value = serde_json::from_slice(&line).unwrap();
    assert_eq!(event["type"], "ERROR");
    assert_eq!(event["object"]["code"], 410);
    assert_eq!(event["object"]["reason"], "Expired");
    assert!(lines.next().await.is_none());
    let (_, mut lines) = open(&api, "GET", &watch(last - 1), Value::Null).await;
    let line = lines.next().await.unwrap().unwrap();
    let event: Value = serde_json::from_slice(&line).unwrap();
    assert_eq!(event["type"], "MODIFIED");
}

pub(crate) async fn a_list_at_an_exact_version_is_as_it_was_then(store: Arc<dyn Store>) {
    let api = api(&store).await;
    let mut states = Vec::new();
    for (name, mark) in [("a", "1"), ("b", "1"), ("a", "2"), ("c", "1"), ("b", "2")] {
        let version = put_map(&api, name, mark).await;
        let (_, list) = ask(&api, "GET", CONFIG_MAPS, Value::Null).await;
        states.push((version, shown(&list)));
    }
    ask(&api, "DELETE", &format!("{CONFIG_MAPS}/a"), json!({})).await;
    let exact = |version: u64| {
        format!("{CONFIG_MAPS}?resourceVersion={version}&resourceVersionMatch=Exact")
    };
    for (version, expected) in &states {
        let (status, list) = ask(&api, "GET", &exact(*version), Value::Null).await;
        assert_eq!((status, &shown(&list)), (200, expected), "at {version}");
        assert_eq!(list["metadata"]["resourceVersion"], version.to_string());
    }
    // Two pages of the same past, with a change between them.
    let (version, expected) = &states[3];
    let paged = format!("{}&limit=2", exact(*version));
    let (_, page) = ask(&api, "GET", &paged, Value::Null).await;
    put_map(&api, "d", "1").await;
    let mut found = shown(&page);
    let token = page["metadata"]["continue"].as_str().unwrap();
    let rest = format!("{CONFIG_MAPS}?limit=2&continue={token}");
    let (_, page) = ask(&api, "GET", &rest, Value::Null).await;
    found.extend(shown(&page));
    assert_eq!(&found, expected);
    assert_eq!(page["metadata"]["resourceVersion"], version.to_string());

    store.compact(states[2].0 + 1).await.unwrap();
    let (status, expired) = ask(&api, "GET", &exact(states[1].0), Value::Null).await;
    assert_eq!((status, &expired["reason"]), (410, &json!("Expired")));
    // As far back as the log reaches. The write of b is no longer in it: its version is the oldest that is known.
    let (floor, _) = states[2];
    let (status, list) = ask(&api, "GET", &exact(floor), Value::Null).await;
    let expected = [format!("a=2@{floor}"), format!("b=1@{floor}")];
    assert_eq!((status, shown(&list)), (200, expected.to_vec()));
}

pub(crate) async fn a_page_behind_compaction_can_be_had_inconsistently(store: Arc<dyn Store>) {
    let api = api(&store).await;
    for name in ["a", "b", "c"] {
        put_map(&api, name, "1").await;
    }
    let first = format!("{CONFIG_MAPS}?limit=2");
    let (_, page) = ask(&api, "GET", &first, Value::Null).await;
    let token = page["metadata"]["continue"].as_str().unwrap();
    let last = put_map(&api, "b", "2").await;
    put_map(&api, "c", "2").await;
    store.compact(last + 1).await.unwrap();
    let rest = |token: &str| format!("{CONFIG_MAPS}?limit=2&continue={token}");
    let (status, expired) = ask(&api, "GET", &rest(token), Value::Null).await;
    assert_eq!((status, &expired["reason"]), (410, &json!("Expired")));
    let fresh = expired["metadata"]["continue"].as_str().unwrap();
    let (status, page) = ask(&api, "GET", &rest(fresh), Value::Null).await;
    assert_eq!((status, page["items"].as_array().unwrap().len()), (200, 1));
    let newest = newest(&*store).await.to_string();
    assert_eq!(page["metadata"]["resourceVersion"], newest);
}
