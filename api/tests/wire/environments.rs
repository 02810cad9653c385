//! Environments as clients find and see them: selectable fields and columns.

use axum::body::Body;
use futures::StreamExt as _;
use http::Request;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::world::{World, send};

const ENVIRONMENTS: &str = "/apis/mirage.dev/v1alpha1/namespaces/default/environments";
const MERGE: &str = "application/merge-patch+json";

async fn create(world: &World, name: &str, environment_type: &str) {
    let manifest = json!({"metadata": {"name": name}, "spec":
        {"type": environment_type, "project": {"name": "shop"}, "services": {"web": {"source": {"image": "nginx"}}}}});
    let (code, created) = world.ask("POST", ENVIRONMENTS, manifest).await;
    assert_eq!(code, 201, "{created}");
}

async fn report(world: &World, name: &str, status: Value) {
    let uri = format!("{ENVIRONMENTS}/{name}/status");
    let (code, object) = world.patch(&uri, MERGE, json!({ "status": status })).await;
    assert_eq!(code, 200, "{object}");
}

fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|item| item["metadata"]["name"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn environments_are_found_by_what_they_are_on_railway() {
    let world = World::new().await;
    create(&world, "one", "dev").await;
    create(&world, "two", "prod").await;
    let railway = json!({"projectId": "p-1", "projectName": "shop", "environmentId": "e-2", "environmentName": "live"});
    report(&world, "two", json!({"phase": "Ready", "railway": railway})).await;
    for (selector, expected) in [
        ("status.railway.environmentId=e-2", vec!["two"]),
        ("status.railway.environmentId!=e-2", vec!["one"]),
        ("status.railway.environmentId=", vec!["one"]),
        ("status.railway.environmentName=live", vec!["two"]),
        ("status.railway.projectId=p-1", vec!["two"]),
        ("status.railway.projectName=shop", vec!["two"]),
        ("status.phase=Ready,spec.type=prod", vec!["two"]),
        ("spec.type=dev", vec!["one"]),
        ("spec.type=dev,status.phase=Ready", vec![]),
    ] {
        let encoded = selector.replace('=', "%3D").replace('!', "%21");
        let uri = format!("{ENVIRONMENTS}?fieldSelector={encoded}");
        assert_eq!(names(&world.get(&uri).await.1), expected, "{selector}");
    }
    let uri = format!("{ENVIRONMENTS}?fieldSelector=spec.name%3Dx");
    let (code, status) = world.get(&uri).await;
    assert_eq!(
        (code, &status["message"]),
        (400, &json!("field label not supported: spec.name"))
    );
}

#[tokio::test]
async fn the_definition_says_by_which_fields_to_select() {
    let world = World::new().await;
    let crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let (_, crd) = world.get(&format!("{crds}/environments.mirage.dev")).await;
    let fields: Vec<_> = crd["spec"]["versions"][0]["selectableFields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| field["jsonPath"].as_str().unwrap())
        .collect();
    let expected = [
        ".spec.type",
        ".status.phase",
        ".status.railway.environmentId",
        ".status.railway.environmentName",
        ".status.railway.projectId",
        ".status.railway.projectName",
    ];
    assert_eq!(fields, expected);
}

#[tokio::test]
async fn an_environment_enters_and_leaves_a_watch_as_its_railway_id_comes_and_goes() {
    let world = World::new().await;
    create(&world, "web", "dev").await;
    let uri = format!("{ENVIRONMENTS}?watch=1&fieldSelector=status.railway.environmentId%3De-1");
    let request = Request::get(uri).body(Body::empty()).unwrap();
    let response = world
        .api
        .trusted_router("t")
        .oneshot(request)
        .await
        .unwrap();
    let mut lines = response.into_body().into_data_stream();
    for (id, phase) in [("e-1", "Pending"), ("e-1", "Ready"), ("e-2", "Ready")] {
        let status = json!({"phase": phase, "railway": {"environmentId": id}});
        report(&world, "web", status).await;
    }
    let mut events = Vec::new();
    for _ in 0..3 {
        let line = lines.next().await.unwrap().unwrap();
        let event: Value = serde_json::from_slice(&line).unwrap();
        events.push(event["type"].as_str().unwrap().to_owned());
    }
    assert_eq!(events, ["ADDED", "MODIFIED", "DELETED"]);
}

#[tokio::test]
async fn a_table_of_environments_says_what_people_ask_first() {
    let world = World::new().await;
    create(&world, "web", "staging").await;
    let status = json!({
        "phase": "Ready", "servicesReady": "3/4", "drift": [], "url": "https://web.example",
        "expiresAt": "2026-11-21T15:00:00Z", "lastReconciled": "2026-11-21T11:59:30Z",
        "railway": {"projectName": "shop", "environmentId": "e-1"},
    });
    report(&world, "web", status).await;
    let table = "application/json;as=Table;v=v1;g=meta.k8s.io";
    let (_, _, table) = send(
        world.api.trusted_router("t"),
        "GET",
        ENVIRONMENTS,
        &[("accept", table)],
        String::new(),
    )
    .await;
    let columns: Vec<(String, i64)> = table["columnDefinitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| {
            let name = column["name"].as_str().unwrap().to_owned();
            (name, column["priority"].as_i64().unwrap())
        })
        .collect();
    let cells = table["rows"][0]["cells"].as_array().unwrap();
    let shown: Vec<String> = columns
        .iter()
        .zip(cells)
        .map(|((name, priority), cell)| {
            let width = if *priority > 0 { " (wide)" } else { "" };
            format!("{name}{width}: {}", cell.to_string().replace('"', ""))
        })
        .collect();
    let expected = [
        "Name: web",
        "Type: staging",
        "Status: Ready",
        "Services: 3/4",
        "Drift: 0",
        "TTL: 3h",
        "URL: https://web.example",
        "Age: 0s",
        "Project (wide): shop",
        "Railway ID (wide): e-1",
        "Last Reconcile (wide): 30s",
    ];
    assert_eq!(shown, expected);
}
