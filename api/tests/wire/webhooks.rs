//! Webhooks: who is woken by which, what strangers learn, and how much of it all is written.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use http::Request;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use mirage_api::WebhookOutcome;
use ring::hmac;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::world::World;

const POLICIES: &str = "/apis/mirage.dev/v1alpha1/namespaces/default/previewpolicies";
const ENVIRONMENTS: &str = "/apis/mirage.dev/v1alpha1/namespaces/default/environments";
const WAKE_AT: &str = "mirage.dev/wake-at";

/// As much of the kind as webhooks read.
fn policies() -> CustomResourceDefinition {
    serde_json::from_value(json!({
        "metadata": {"name": "previewpolicies.mirage.dev"},
        "spec": {
            "group": "mirage.dev",
            "scope": "Namespaced",
            "names": {"plural": "previewpolicies", "singular": "previewpolicy", "kind": "PreviewPolicy"},
            "versions": [{
                "name": "v1alpha1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {
                    "type": "object",
                    "properties": {
                        "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                    },
                }},
            }],
        },
    }))
    .unwrap()
}

async fn world() -> World {
    let world = World::serving(policies(), None).await;
    let secret = |name: &str, value: &str| json!({"metadata": {"name": name}, "stringData": {"secret": value}});
    for (name, value) in [
        ("one", "first secret"),
        ("two", "second secret"),
        ("empty", ""),
    ] {
        let secrets = "/api/v1/namespaces/default/secrets";
        assert_eq!(world.ask("POST", secrets, secret(name, value)).await.0, 201);
    }
    for (name, repository, secret) in [
        ("shop-one", "acme/shop", "one"),
        ("shop-two", "Acme/Shop", "two"),
        ("blog-one", "acme/blog", "one"),
        ("shop-empty", "acme/shop", "empty"),
        ("shop-missing", "acme/shop", "missing"),
    ] {
        let policy = json!({
            "metadata": {"name": name},
            "spec": {
                "repository": repository,
                "githubSecretRef": {"name": "github"},
                "from": {"template": {"name": "dev"}},
                "webhookSecretRef": {"name": secret, "key": "secret"},
            },
        });
        let (code, answer) = world.ask("POST", POLICIES, policy).await;
        assert_eq!(code, 201, "{answer}");
    }
    world
}

/// A delivery, as GitHub would send it.
struct Sent {
    id: String,
    event: &'static str,
    body: String,
    signature: Option<String>,
    from: [u8; 4],
}

fn delivery(id: &str, event: &'static str, repository: &str, secret: &str) -> Sent {
    let body =
        json!({"action": "synchronize", "repository": {"full_name": repository}}).to_string();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let mac = hmac::sign(&key, body.as_bytes());
    Sent {
        id: id.to_owned(),
        event,
        signature: Some(format!("sha256={}", hex::encode(mac))),
        body,
        from: [192, 0, 2, 1],
    }
}

async fn post(world: &World, sent: Sent) -> (u16, String) {
    let mut request = Request::post("/webhooks/github")
        .header("content-type", "application/json")
        .header("x-github-delivery", sent.id)
        .header("x-github-event", sent.event)
        .extension(ConnectInfo(SocketAddr::from((sent.from, 443))));
    if let Some(signature) = sent.signature {
        request = request.header("x-hub-signature-256", signature);
    }
    answer(world, request.body(Body::from(sent.body)).unwrap()).await
}

async fn answer(world: &World, request: Request<Body>) -> (u16, String) {
    let response = world.api.router().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX)
        .await
        .unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

/// Lets what was begun end.
async fn settle() {
    tokio::time::sleep(Duration::from_secs(1)).await;
}

async fn woken(world: &World, collection: &str) -> Vec<String> {
    let (_, list) = world.get(collection).await;
    list["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|item| !item["metadata"]["annotations"][WAKE_AT].is_null())
        .map(|item| item["metadata"]["name"].as_str().unwrap().to_owned())
        .collect()
}

fn count(world: &World, outcome: WebhookOutcome) -> u64 {
    let (counts, _) = world.api.webhook_counts();
    counts
        .iter()
        .filter(|count| count.outcome == outcome)
        .map(|count| count.count)
        .sum()
}

#[tokio::test(start_paused = true)]
async fn a_delivery_wakes_those_whose_secret_signed_it_and_whose_repository_it_is_about() {
    let world = world().await;
    let sent = delivery("1", "pull_request", "ACME/shop", "first secret");
    assert_eq!(post(&world, sent).await, (202, String::new()));
    settle().await;
    assert_eq!(woken(&world, POLICIES).await, ["shop-one"]);
    let sent = delivery("2", "issue_comment", "acme/shop", "second secret");
    assert_eq!(post(&world, sent).await.0, 202);
    settle().await;
    assert_eq!(woken(&world, POLICIES).await, ["shop-one", "shop-two"]);
    let sent = delivery("3", "star", "acme/blog", "first secret");
    assert_eq!(post(&world, sent).await.0, 202);
    settle().await;
    assert_eq!(woken(&world, POLICIES).await, ["shop-one", "shop-two"]);
}

#[tokio::test(start_paused = true)]
async fn strangers_wake_nobody_and_are_all_told_the_same() {
    let world = world().await;
    let genuine = || delivery("1", "pull_request", "acme/shop", "first secret");
    let refused = [
        Sent {
            signature: None,
            ..genuine()
        },
        Sent {
            signature: Some(String::new()),
            ..genuine()
        },
        Sent {
            signature: Some("sha256=00".to_owned()),
            ..genuine()
        },
        Sent {
            body: genuine().body + " ",
            ..genuine()
        },
        Sent {
            body: String::new(),
            ..genuine()
        },
        delivery("1", "pull_request", "acme/shop", "third secret"),
        delivery("1", "pull_request", "acme/shop", ""),
        delivery("1", "pull_request", "acme/unheard-of", "first secret"),
        delivery("1", "ping", "acme/unheard-of", "third secret"),
    ];
    for sent in refused {
        assert_eq!(post(&world, sent).await, (401, String::new()));
    }
    settle().await;
    assert_eq!(woken(&world, POLICIES).await, Vec::<String>::new());
    // None of them spoke for the delivery whose id they had.
    assert_eq!(post(&world, genuine()).await.0, 202);
    settle().await;
    assert_eq!(woken(&world, POLICIES).await, ["shop-one"]);
    let log = world.get("/api/v1/audit?limit=1000").await.1.to_string();
    assert!(!log.contains("/webhooks/"), "{log}");
}

#[tokio::test(start_paused = true)]
async fn a_repeated_delivery_does_nothing() {
    let world = world().await;
    for _ in 0..5 {
        let sent = delivery("same", "pull_request", "acme/shop", "first secret");
        assert_eq!(post(&world, sent).await.0, 202);
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    assert_eq!(world.api.webhook_counts().1, 1);
    assert_eq!(count(&world, WebhookOutcome::Repeated), 4);
}

#[tokio::test(start_paused = true)]
async fn many_deliveries_in_a_short_time_are_two_writes() {
    let world = world().await;
    for index in 0..100 {
        let sent = delivery(
            &format!("{index}"),
            "pull_request",
            "acme/shop",
            "first secret",
        );
        assert_eq!(post(&world, sent).await.0, 202);
    }
    settle().await;
    assert_eq!(world.api.webhook_counts().1, 1, "at once");
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(
        world.api.webhook_counts().1,
        2,
        "and for what came after the look began"
    );
}

#[tokio::test(start_paused = true)]
async fn a_ping_is_answered_for_a_repository_and_for_an_organisation() {
    let world = world().await;
    let ping = delivery("1", "ping", "acme/shop", "first secret");
    assert_eq!(post(&world, ping).await.0, 200);
    let body = r#"{"zen":"Design for failure.","organization":{"login":"acme"}}"#;
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"second secret");
    let signature = format!("sha256={}", hex::encode(hmac::sign(&key, body.as_bytes())));
    let ping = Sent {
        body: body.to_owned(),
        signature: Some(signature),
        ..delivery("2", "ping", "", "")
    };
    assert_eq!(post(&world, ping).await.0, 200);
    settle().await;
    assert_eq!(woken(&world, POLICIES).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn what_is_too_large_or_no_delivery_is_not_taken() {
    let world = world().await;
    let sent = Sent {
        body: "x".repeat(5 * 1024 * 1024),
        ..delivery("1", "pull_request", "acme/shop", "first secret")
    };
    assert_eq!(post(&world, sent).await.0, 413);
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"first secret");
    let signature = format!("sha256={}", hex::encode(hmac::sign(&key, b"no json")));
    let sent = Sent {
        body: "no json".to_owned(),
        signature: Some(signature),
        ..delivery("1", "pull_request", "acme/shop", "first secret")
    };
    assert_eq!(post(&world, sent).await.0, 400);
    let request = Request::get("/webhooks/github")
        .body(Body::empty())
        .unwrap();
    assert_eq!(answer(&world, request).await.0, 405);
}

#[tokio::test(start_paused = true)]
async fn an_address_that_is_refused_often_is_not_looked_at_for_a_while() {
    let world = world().await;
    let wrong = || Sent {
        from: [198, 51, 100, 7],
        ..delivery("1", "pull_request", "acme/shop", "wrong")
    };
    for _ in 0..30 {
        assert_eq!(post(&world, wrong()).await.0, 401);
    }
    assert_eq!(post(&world, wrong()).await.0, 429);
    let genuine = delivery("1", "pull_request", "acme/shop", "first secret");
    assert_eq!(post(&world, genuine).await.0, 202, "from elsewhere");
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(post(&world, wrong()).await.0, 401);
    assert_eq!(count(&world, WebhookOutcome::Limited), 1);
}

async fn create_environment(world: &World) {
    let environment = json!({
        "metadata": {"name": "shop"},
        "spec": {
            "type": "dev",
            "project": {"name": "shop"},
            "services": {"web": {"source": {"image": "nginx"}}},
        },
    });
    let (code, answer) = world.ask("POST", ENVIRONMENTS, environment).await;
    assert_eq!(code, 201, "{answer}");
}

async fn railway_address(world: &World) -> String {
    let asked = "/api/v1/webhooks/railway?namespace=default&name=shop";
    let (code, body) = world.bearer("admin-token", "GET", asked, Value::Null).await;
    assert_eq!(code, 200, "{body}");
    body["path"].as_str().unwrap().to_owned()
}

async fn event(world: &World, path: &str) -> u16 {
    let body = r#"{"type":"Deployment.deployed","resource":{"environment":{"name":"other"}}}"#;
    let request = Request::post(path)
        .extension(ConnectInfo(SocketAddr::from(([192, 0, 2, 9], 443))))
        .body(Body::from(body))
        .unwrap();
    answer(world, request).await.0
}

#[tokio::test(start_paused = true)]
async fn an_event_of_railways_wakes_the_environment_of_its_address() {
    let world = world().await;
    create_environment(&world).await;
    let path = railway_address(&world).await;
    for _ in 0..20 {
        assert_eq!(event(&world, &path).await, 202);
    }
    settle().await;
    assert_eq!(woken(&world, ENVIRONMENTS).await, ["shop"]);
    assert_eq!(world.api.webhook_counts().1, 1);
}

#[tokio::test(start_paused = true)]
async fn addresses_that_are_nobodys_are_all_told_the_same() {
    let world = world().await;
    create_environment(&world).await;
    let path = railway_address(&world).await;
    let mut forged = path.clone().into_bytes();
    let last_of_mac = "/webhooks/railway/".len() + 20;
    forged[last_of_mac] = if forged[last_of_mac] == b'A' {
        b'B'
    } else {
        b'A'
    };
    let forged = String::from_utf8(forged).unwrap();
    for path in [
        forged.as_str(),
        "/webhooks/railway/x",
        "/webhooks/railway/AAAA",
    ] {
        assert_eq!(event(&world, path).await, 404, "{path}");
    }
    let one = format!("{ENVIRONMENTS}/shop");
    assert_eq!(world.ask("DELETE", &one, Value::Null).await.0, 200);
    assert_eq!(event(&world, &path).await, 404, "it is gone");
    create_environment(&world).await;
    assert_eq!(event(&world, &path).await, 404, "another one has its name");
    assert_ne!(railway_address(&world).await, path);
    settle().await;
    assert_eq!(woken(&world, ENVIRONMENTS).await, Vec::<String>::new());
}

#[tokio::test]
async fn the_address_is_told_to_those_who_may_change_the_environment() {
    let world = world().await;
    create_environment(&world).await;
    let asked = "/api/v1/webhooks/railway?namespace=default&name=shop";
    for (token, uri, expected) in [
        ("viewer-token", asked, 403),
        ("no-token", asked, 401),
        ("admin-token", "/api/v1/webhooks/railway?name=none", 404),
        ("admin-token", "/api/v1/webhooks/railway", 400),
    ] {
        let (code, body) = world.bearer(token, "GET", uri, Value::Null).await;
        assert_eq!(code, expected, "{token} {uri} {body}");
    }
}
