//! Who did what: every way to write, every way to be refused, and nothing of a secret.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use futures::StreamExt as _;
use http::Request;
use mirage_api::audit::{Effect, Record};
use mirage_api::store::Store as _;
use mirage_api::store::audit::{AuditOrder, AuditQuery};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::world::{THINGS, World, send, thing};

const JSON: (&str, &str) = ("content-type", "application/json");
const MERGE: (&str, &str) = ("content-type", "application/merge-patch+json");
const APPLY: (&str, &str) = ("content-type", "application/apply-patch+yaml");
const SECRETS: &str = "/api/v1/namespaces/default/secrets";

/// The log as the API gives it, oldest first.
async fn log(world: &World, query: &str) -> Vec<Record> {
    world.api.flush_audit().await.unwrap();
    let (code, page) = world
        .get(&format!("/api/v1/audit?order=oldest&limit=1000&{query}"))
        .await;
    assert_eq!(code, 200, "{page}");
    serde_json::from_value(page["items"].clone()).unwrap()
}

/// All that the store has, as text.
async fn stored(world: &World) -> String {
    world.api.flush_audit().await.unwrap();
    let query = AuditQuery {
        order: AuditOrder::OldestFirst,
        limit: usize::MAX,
        ..AuditQuery::default()
    };
    format!("{:?}", world.store.audit(&query).await.unwrap())
}

fn paths(record: &Record) -> Vec<&str> {
    record.changes.iter().map(|it| it.path.as_str()).collect()
}

#[tokio::test]
async fn every_way_of_writing_leaves_one_record_in_the_writes_own_version() {
    let world = World::new().await;
    let web = format!("{THINGS}/web");
    let agent = ("user-agent", "tests/1.0 (here)");
    let ask = async |method: &str, uri: &str, kind: (&str, &str), body: Value| {
        let router = world.api.trusted_router("alice");
        let (code, headers, value) =
            send(router, method, uri, &[kind, agent], body.to_string()).await;
        assert!(code < 300, "{method} {uri}: {value}");
        let id = headers["audit-id"].to_str().unwrap().to_owned();
        (id, value["metadata"]["resourceVersion"].clone())
    };
    let mut answers = Vec::new();
    answers.push(ask("POST", THINGS, JSON, thing("web", 1)).await);
    let patch = json!({"spec": {"size": 2}});
    answers.push(ask("PATCH", &web, MERGE, patch).await);
    let status = json!({"status": {"phase": "Ready"}});
    answers.push(ask("PATCH", &format!("{web}/status"), MERGE, status).await);
    let (_, mut whole) = world.get(&web).await;
    whole["spec"]["size"] = json!(3);
    answers.push(ask("PUT", &web, JSON, whole).await);
    let applied = format!("{THINGS}/other?fieldManager=me");
    answers.push(ask("PATCH", &applied, APPLY, thing("other", 1)).await);
    answers.push(ask("DELETE", &web, JSON, json!({})).await);
    answers.push(ask("DELETE", THINGS, JSON, json!({})).await);

    let records = log(&world, "user=alice").await;
    let told: Vec<_> = records
        .iter()
        .map(|it| {
            (
                it.verb.as_str(),
                it.name.as_str(),
                it.subresource.as_str(),
                it.effect.unwrap(),
            )
        })
        .collect();
    let expected = [
        ("create", "web", "", Effect::Created),
        ("patch", "web", "", Effect::Updated),
        ("patch", "web", "status", Effect::Updated),
        ("update", "web", "", Effect::Updated),
        ("patch", "other", "", Effect::Created),
        ("delete", "web", "", Effect::Deleted),
        ("deletecollection", "other", "", Effect::Deleted),
    ];
    assert_eq!(told, expected);
    for (record, (id, version)) in records.iter().zip(&answers) {
        assert_eq!(record.audit_id, *id);
        assert_eq!(
            (record.user.name.as_str(), record.namespace.as_str()),
            ("alice", "default")
        );
        assert_eq!(record.resource, "things.test.dev");
        assert_eq!(record.from.agent, "tests/1.0 (here)");
        if record.effect != Some(Effect::Deleted) {
            assert_eq!(json!(record.resource_version), *version);
        }
    }
    assert_eq!(
        records[0].object.as_ref().unwrap()["spec"],
        json!({"size": 1})
    );
    assert!(records[0].object.as_ref().unwrap()["metadata"]["managedFields"].is_null());
    assert_eq!(paths(&records[1]), ["metadata.generation", "spec.size"]);
    assert_eq!(paths(&records[2]), ["status"]);
    assert_eq!(
        records[5].object.as_ref().unwrap()["spec"],
        json!({"size": 3})
    );
    let sequences: Vec<u64> = records.iter().map(|it| it.sequence.unwrap()).collect();
    assert!(sequences.is_sorted_by(|a, b| a < b));
}

#[tokio::test]
async fn what_changes_nothing_leaves_no_record() {
    let world = World::new().await;
    world.ask("POST", THINGS, thing("web", 1)).await;
    let before = log(&world, "").await.len();
    let dry = format!("{THINGS}?dryRun=All");
    assert_eq!(world.ask("POST", &dry, thing("new", 1)).await.0, 201);
    let web = format!("{THINGS}/web");
    let same = json!({"spec": {"size": 1}}).to_string();
    assert_eq!(world.send("PATCH", &web, &[MERGE], same).await.0, 200);
    for (uri, code) in [
        (&web[..], 200),
        (THINGS, 200),
        ("/apis", 200),
        ("/nothing", 404),
    ] {
        assert_eq!(world.get(uri).await.0, code);
    }
    assert_eq!(world.get(&format!("{THINGS}/gone")).await.0, 404);
    let review = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": 7});
    world
        .ask(
            "POST",
            "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            review,
        )
        .await;
    assert_eq!(log(&world, "").await.len(), before);
}

#[tokio::test]
async fn every_refusal_is_recorded_with_its_reason() {
    let world = World::new().await;
    world.ask("POST", THINGS, thing("web", 1)).await;
    let web = format!("{THINGS}/web");
    let (new, dry) = (thing("new", 1), format!("{THINGS}?dryRun=All"));
    let stale = {
        let (_, mut stale) = world.get(&web).await;
        stale["metadata"]["resourceVersion"] = json!("1");
        stale
    };
    for (method, uri, body, code) in [
        ("POST", THINGS, thing("web", 1), 409),
        ("POST", THINGS, thing("big", 1000), 422),
        ("POST", &dry, thing("bigger", 1000), 422),
        ("POST", THINGS, json!("text"), 400),
        ("PUT", &web, stale, 409),
        ("DELETE", &format!("{THINGS}/gone"), json!({}), 404),
        ("POST", "/apis/test.dev/v1/namespaces/none/things", new, 404),
        ("DELETE", "/api/v1/namespaces/default", json!({}), 403),
    ] {
        let (found, answer) = world.ask(method, uri, body).await;
        assert_eq!(found, code, "{method} {uri}: {answer}");
    }
    let viewer = ("authorization", "Bearer viewer-token");
    for (method, uri, headers, code) in [
        ("GET", "/apis", &[][..], 401),
        ("GET", THINGS, &[("authorization", "Bearer wrong")][..], 401),
        ("GET", SECRETS, &[viewer][..], 403),
        ("DELETE", &web, &[viewer][..], 403),
        (
            "GET",
            THINGS,
            &[viewer, ("impersonate-user", "bob")][..],
            403,
        ),
        ("GET", "/api/v1/audit", &[][..], 401),
    ] {
        let (found, headers, _) =
            send(world.api.router(), method, uri, headers, String::new()).await;
        assert_eq!(found, code, "{method} {uri}");
        assert!(headers.contains_key("audit-id"));
    }
    let records = log(&world, "outcome=refused").await;
    let told: Vec<_> = records
        .iter()
        .map(|it| {
            let what = if it.path.is_empty() {
                &it.resource
            } else {
                &it.path
            };
            format!(
                "{} {} {what} {:?}: {} {}",
                it.user.name, it.verb, it.name, it.outcome.code, it.outcome.reason
            )
        })
        .collect();
    let expected = [
        "tester create things.test.dev \"web\": 409 AlreadyExists",
        "tester create things.test.dev \"big\": 422 Invalid",
        "tester create things.test.dev \"bigger\": 422 Invalid",
        "tester create things.test.dev \"\": 400 BadRequest",
        "tester update things.test.dev \"web\": 409 Conflict",
        "tester delete things.test.dev \"gone\": 404 NotFound",
        "tester create things.test.dev \"\": 404 NotFound",
        "tester delete namespaces \"default\": 403 Forbidden",
        " get /apis \"\": 401 Unauthorized",
        " list things.test.dev \"\": 401 Unauthorized",
        "viewer list secrets \"\": 403 Forbidden",
        "viewer delete things.test.dev \"web\": 403 Forbidden",
        "viewer list things.test.dev \"\": 403 Forbidden",
        " get /api/v1/audit \"\": 401 Unauthorized",
    ];
    assert_eq!(told, expected);
    assert_eq!(records[8].outcome.message, "no token was sent");
    assert_eq!(records[9].outcome.message, "the token is not good");
    assert!(
        records[1].outcome.message.contains("too big"),
        "{:?}",
        records[1]
    );
    assert!(
        !stored(&world).await.contains("wrong"),
        "no token is kept, good or not"
    );
}

#[tokio::test]
async fn a_refusal_that_is_repeated_is_counted() {
    let world = World::new().await;
    for _ in 0..50 {
        assert_eq!(
            send(world.api.router(), "GET", "/apis", &[], String::new())
                .await
                .0,
            401
        );
    }
    let records = log(&world, "outcome=401").await;
    let counts: Vec<_> = records.iter().map(|it| it.count).collect();
    assert_eq!(counts, [None, Some(49)]);
    assert_eq!(records[0].verb, "get");
}

#[tokio::test(start_paused = true)]
async fn what_was_counted_is_written_when_its_minute_is_over() {
    let world = World::new().await;
    for _ in 0..3 {
        send(world.api.router(), "GET", "/apis", &[], String::new()).await;
    }
    let count = async || {
        let (_, page) = world.get("/api/v1/audit?outcome=refused").await;
        page["items"].as_array().unwrap().len()
    };
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(count().await, 1);
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    assert_eq!(count().await, 2);
}

#[tokio::test]
async fn no_value_of_a_secret_comes_into_the_log_by_any_way() {
    const CANARY: &str = "canary-7f3a-first";
    const SECOND: &str = "canary-b81d-second";
    let world = World::new().await;
    let keys = format!("{SECRETS}/keys");
    let secret = |value: &str| {
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys", "annotations":
            {"kubectl.kubernetes.io/last-applied-configuration": format!("{{\"stringData\":\"{value}\"}}")}},
            "stringData": {"password": value}})
    };
    assert_eq!(world.ask("POST", SECRETS, secret(CANARY)).await.0, 201);
    assert_eq!(world.ask("PUT", &keys, secret(SECOND)).await.0, 200);
    let back = json!({"stringData": {"password": CANARY}}).to_string();
    assert_eq!(world.send("PATCH", &keys, &[MERGE], back).await.0, 200);
    // Refusals whose message could repeat what was sent.
    let wrong = [
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "data": {"a": CANARY}}),
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "data": CANARY}),
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "type": {CANARY: 1}}),
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, CANARY: 1}),
        json!({"apiVersion": CANARY, "kind": CANARY, "metadata": {"name": "x"}}),
        json!(CANARY),
    ];
    for body in wrong {
        let strict = format!("{SECRETS}?fieldValidation=Strict");
        let (code, answer) = world.ask("POST", &strict, body).await;
        assert!(code >= 400, "{answer}");
    }
    let operations = json!([{"op": "test", "path": "/data/password", "value": CANARY}]);
    let json_patch = ("content-type", "application/json-patch+json");
    let (code, _) = world
        .send("PATCH", &keys, &[json_patch], operations.to_string())
        .await;
    assert_eq!(code, 422);
    assert_eq!(world.ask("DELETE", &keys, json!({})).await.0, 200);

    let records = log(&world, "resource=secrets&outcome=done").await;
    let password = |record: &Record| record.object.as_ref().unwrap()["data"]["password"].clone();
    let changed = |record: &Record| {
        let change = record.changes.iter().find(|it| it.path == "data.password");
        let change = change.unwrap().clone();
        (change.before.unwrap(), change.after.unwrap())
    };
    let (first, (before, second)) = (password(&records[0]), changed(&records[1]));
    assert_eq!(before, first);
    assert_ne!(second, first);
    assert_eq!(
        changed(&records[2]),
        (second, first.clone()),
        "an old value that comes back is known"
    );
    assert_eq!(password(&records[3]), first);

    let text = stored(&world).await;
    assert!(text.contains("fingerprint:"));
    for value in [CANARY, SECOND] {
        use base64::Engine as _;
        let encoded = base64::engine::general_purpose::STANDARD.encode(value);
        for needle in [value, &encoded[..20], &hex::encode(value)] {
            assert!(!text.contains(needle), "{needle}: {text}");
        }
    }
}

#[tokio::test]
async fn who_was_shown_a_secret_is_recorded_and_who_saw_only_names_is_not() {
    let world = World::new().await;
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}});
    world.ask("POST", SECRETS, secret).await;
    let get = async |who: &str, uri: &str, accept: &str| {
        let router = world.api.trusted_router(who);
        let headers = [("accept", accept)];
        assert_eq!(
            send(router, "GET", uri, &headers, String::new()).await.0,
            200
        );
    };
    let table = "application/json;as=Table;v=v1;g=meta.k8s.io";
    get("alice", &format!("{SECRETS}/keys"), "application/json").await;
    get("alice", SECRETS, "application/json").await;
    get("bob", SECRETS, table).await;
    get("carol", &format!("{SECRETS}?includeObject=Object"), table).await;
    // A part of the server needs them to work.
    get("system:mirage-controllers", SECRETS, "application/json").await;
    let records = log(&world, "resource=secrets").await;
    let told: Vec<_> = records
        .iter()
        .map(|it| (it.user.name.as_str(), it.verb.as_str(), it.name.as_str()))
        .collect();
    let expected = [
        ("tester", "create", "keys"),
        ("alice", "get", "keys"),
        ("alice", "list", ""),
        ("carol", "list", ""),
    ];
    assert_eq!(told, expected);
    assert!(records[1].object.is_none() && records[1].changes.is_empty());
}

#[tokio::test]
async fn what_goes_with_its_namespace_goes_on_the_same_account() {
    let world = World::new().await;
    let team = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}});
    assert_eq!(world.ask("POST", "/api/v1/namespaces", team).await.0, 201);
    let things = "/apis/test.dev/v1/namespaces/team/things";
    world.ask("POST", things, thing("web", 1)).await;
    let router = world.api.trusted_router("alice");
    let (code, headers, _) = send(
        router,
        "DELETE",
        "/api/v1/namespaces/team",
        &[],
        String::new(),
    )
    .await;
    assert_eq!(code, 200);
    let records = log(&world, "user=alice").await;
    let told: Vec<_> = records
        .iter()
        .map(|it| (it.resource.as_str(), it.name.as_str(), it.effect.unwrap()))
        .collect();
    let expected = [
        ("namespaces", "team", Effect::Updated),
        ("things.test.dev", "web", Effect::Deleted),
        ("namespaces", "team", Effect::Deleted),
    ];
    assert_eq!(told, expected);
    assert!(
        records
            .iter()
            .all(|it| it.audit_id == headers["audit-id"] && it.verb == "delete")
    );
}

#[tokio::test]
async fn of_events_and_leases_it_is_kept_that_they_were_written_and_not_what_they_say() {
    let world = World::new().await;
    let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "leader"},
        "spec": {"holderIdentity": "me"}});
    let leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
    assert_eq!(world.ask("POST", leases, lease).await.0, 201);
    let records = log(&world, "resource=leases").await;
    assert_eq!(records[0].name, "leader");
    assert!(records[0].object.is_none());
    assert!(!stored(&world).await.contains("holderIdentity"));
}

#[tokio::test]
async fn the_log_is_narrowed_and_read_in_pages() {
    let world = World::new().await;
    for name in ["a", "b", "c"] {
        world.ask("POST", THINGS, thing(name, 1)).await;
    }
    let router = world.api.trusted_router("system:mirage-controllers");
    let status = json!({"status": {"phase": "Ready"}}).to_string();
    send(
        router,
        "PATCH",
        &format!("{THINGS}/a/status"),
        &[MERGE],
        status,
    )
    .await;
    let (_, first) = world.get("/api/v1/audit?limit=3&resource=things").await;
    let names = |page: &Value| {
        let items = page["items"].as_array().unwrap();
        let names = items
            .iter()
            .map(|it| it["name"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(names(&first), ["a", "c", "b"], "the newest first");
    let next = format!(
        "/api/v1/audit?limit=3&resource=things.test.dev&continue={}",
        first["continue"].as_str().unwrap()
    );
    let (_, last) = world.get(&next).await;
    assert_eq!(names(&last), ["a"]);
    assert!(last["continue"].is_null());
    for (query, expected) in [
        ("resource=things&routine=false", 3),
        ("resource=things&routine=true", 4),
        ("resource=things&name=a", 2),
        ("resource=things&verb=create&namespace=default", 3),
        ("resource=things&namespace=team", 0),
        ("resource=things&since=2026-11-21T12:00:00Z", 4),
        ("resource=things&until=2026-11-21T12:00:00Z", 0),
        ("resource=things&outcome=201", 3),
        ("user=system:mirage-controllers", 1),
    ] {
        assert_eq!(log(&world, query).await.len(), expected, "{query}");
    }
    for query in [
        "since=yesterday",
        "outcome=perhaps",
        "order=random",
        "limit=many",
        "continue=x",
        "follow=perhaps",
        "routine=perhaps",
    ] {
        let (code, status) = world.get(&format!("/api/v1/audit?{query}")).await;
        assert_eq!(code, 400, "{query}");
        let message = status["message"].as_str().unwrap();
        assert!(
            message.contains(query.split('=').next().unwrap()),
            "{message}"
        );
    }
    assert_eq!(world.ask("POST", "/api/v1/audit", json!({})).await.0, 404);
}

#[tokio::test(start_paused = true)]
async fn a_follower_is_told_of_what_comes_in_its_order() {
    let world = World::new().await;
    world.ask("POST", THINGS, thing("before", 1)).await;
    let request = Request::get("/api/v1/audit?follow=true&resource=things")
        .body(Body::empty())
        .unwrap();
    let router = world.api.trusted_router("tester");
    let response = router.oneshot(request).await.unwrap();
    let mut lines = response.into_body().into_data_stream();
    let mut next = async || {
        let line = lines.next().await.unwrap().unwrap();
        let record: Record = serde_json::from_slice(&line).unwrap();
        format!("{} {} {}", record.verb, record.name, record.outcome.code)
    };
    world.ask("POST", THINGS, thing("after", 1)).await;
    assert_eq!(next().await, "create after 201");
    // No write announces a refusal.
    world.ask("POST", THINGS, thing("after", 1)).await;
    assert_eq!(next().await, "create after 409");
}

#[tokio::test]
async fn an_address_is_the_sockets_unless_a_trusted_proxy_says_otherwise() {
    let world = World::new().await;
    let trusting = world.api.clone();
    let ask = async |api: &mirage_api::Api, peer: &str, uri: &str| {
        let peer: SocketAddr = peer.parse().unwrap();
        let mut request = Request::get(uri)
            .header("x-forwarded-for", "203.0.113.9, 10.0.0.2")
            .body(Body::empty())
            .unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        api.router().oneshot(request).await.unwrap();
    };
    ask(&trusting, "10.0.0.1:4711", "/apis/one").await;
    let trusting = trusting.with_trusted_proxies(vec!["10.0.0.0/8".parse().unwrap()]);
    ask(&trusting, "10.0.0.1:4712", "/apis/two").await;
    ask(&trusting, "192.0.2.1:4713", "/apis/three").await;
    let records = log(&world, "outcome=401").await;
    let told: Vec<_> = records
        .iter()
        .map(|it| it.from.address.unwrap().to_string())
        .collect();
    assert_eq!(told, ["10.0.0.1", "203.0.113.9", "192.0.2.1"]);
}
