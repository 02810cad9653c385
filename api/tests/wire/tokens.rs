//! Tokens: made, shown once, limited, revoked.

use std::sync::Arc;
use std::time::Duration;

use mirage_api::store::memory::MemoryStore;
use serde_json::{Value, json};

use crate::access::{TOKENS, bind, token_of};
use crate::world::{THINGS, World, thing};

async fn made(world: &World, by: &str, name: &str, spec: Value) -> (u16, Value) {
    let body = json!({"metadata": {"name": name}, "spec": spec});
    world.bearer(by, "POST", TOKENS, body).await
}

fn text(answer: &(u16, Value)) -> String {
    assert_eq!(answer.0, 201, "{}", answer.1);
    answer.1["status"]["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_token_is_shown_once_and_its_hash_never() {
    let world = World::with_tokens().await;
    let body = json!({"metadata": {"name": "ci"}, "spec": {"user": "robot", "ttl": "24h"}});
    let (code, dry) = world
        .ask("POST", &format!("{TOKENS}?dryRun=All"), body.clone())
        .await;
    assert_eq!(code, 201);
    assert!(
        dry["status"]["token"].is_null() && dry["status"]["hash"].is_null(),
        "{dry}"
    );
    let (code, made) = world.ask("POST", TOKENS, body).await;
    assert_eq!(code, 201);
    let token = made["status"]["token"].as_str().unwrap().to_owned();
    assert!(token.starts_with("mir_"));
    assert_eq!(made["spec"]["expiresAt"], "2026-11-22T12:00:00Z");
    assert_eq!(made["status"]["createdBy"], "tester");
    for uri in [
        format!("{TOKENS}/ci"),
        TOKENS.to_owned(),
        format!("{TOKENS}?watch=1&timeoutSeconds=1"),
    ] {
        tokio::time::pause();
        let (code, answer) = world.get(&uri).await;
        tokio::time::resume();
        assert_eq!(code, 200);
        let shown = answer.to_string();
        assert!(shown.contains("robot"), "{shown}");
        assert!(
            !shown.contains(&token)
                && !shown.contains("\"hash\"")
                && !shown.contains("\\\"hash\\\""),
            "{shown}"
        );
    }
    // It cannot be made into something else.
    let (code, _) = world
        .patch(
            &format!("{TOKENS}/ci"),
            "application/merge-patch+json",
            json!({"spec": {"groups": ["system:masters"]}}),
        )
        .await;
    assert_eq!(code, 405);
}

#[tokio::test]
async fn a_revoked_token_is_refused_at_once_and_on_other_servers_too() {
    let store = Arc::new(MemoryStore::new());
    let (here, there) = (World::on(Arc::clone(&store)).await, World::on(store).await);
    let ann = token_of(&here, "ann", &["system:masters"]).await;
    for world in [&here, &there] {
        assert_eq!(world.bearer(&ann, "GET", THINGS, Value::Null).await.0, 200);
    }
    assert_eq!(here.ask("DELETE", TOKENS, Value::Null).await.0, 200);
    for world in [&here, &there] {
        assert_eq!(world.bearer(&ann, "GET", "/apis", Value::Null).await.0, 401);
    }
}

#[tokio::test(start_paused = true)]
async fn roles_given_through_another_server_are_in_force_within_a_second() {
    let store = Arc::new(MemoryStore::new());
    let (here, there) = (World::on(Arc::clone(&store)).await, World::on(store).await);
    let ann = token_of(&here, "ann", &[]).await;
    assert_eq!(there.bearer(&ann, "GET", THINGS, Value::Null).await.0, 403);
    bind(&here, "default", "viewer", "ann").await;
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(there.bearer(&ann, "GET", THINGS, Value::Null).await.0, 200);
}

#[tokio::test]
async fn limits_hold_and_are_shown_to_the_bearer() {
    let world = World::with_tokens().await;
    let admin = token_of(&world, "root", &["system:masters"]).await;
    let limits = json!({"role": "editor", "namespaces": ["default"], "names": ["web"], "verbs": ["get", "list", "patch"]});
    let token = text(&made(&world, &admin, "web", json!({"limits": limits})).await);
    world.ask("POST", THINGS, thing("web", 1)).await;
    world.ask("POST", THINGS, thing("api", 1)).await;
    for (method, uri, expected) in [
        ("GET", format!("{THINGS}/web"), 200),
        ("GET", format!("{THINGS}/api"), 403),
        ("GET", THINGS.to_owned(), 403),
        (
            "GET",
            format!("{THINGS}?fieldSelector=metadata.name%3Dweb"),
            200,
        ),
        ("PATCH", format!("{THINGS}/web"), 200),
        ("DELETE", format!("{THINGS}/web"), 403),
        ("GET", "/apis/test.dev/v1/things".to_owned(), 403),
        ("GET", TOKENS.to_owned(), 403),
        ("GET", "/apis".to_owned(), 200),
    ] {
        let body = if method == "PATCH" {
            json!({"spec": {"size": 2}})
        } else {
            Value::Null
        };
        let (code, answer) = world.bearer(&token, method, &uri, body).await;
        assert_eq!(code, expected, "{method} {uri}: {answer}");
    }
    let (_, refusal) = world
        .bearer(&token, "DELETE", &format!("{THINGS}/web"), Value::Null)
        .await;
    let message = refusal["message"].as_str().unwrap();
    assert!(
        message.ends_with("the token is limited to role editor, namespaces default, names web, verbs get list patch"),
        "{message}"
    );
    let whoami = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    let (_, me) = world.bearer(&token, "POST", whoami, json!({})).await;
    assert_eq!(
        me["status"]["userInfo"]["extra"]["auth.mirage.dev/token"],
        json!(["web"])
    );
    assert_eq!(
        me["status"]["userInfo"]["extra"]["auth.mirage.dev/limits"],
        json!(["role editor, namespaces default, names web, verbs get list patch"])
    );
    let can_i = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
    let (_, rules) = world
        .bearer(
            &token,
            "POST",
            can_i,
            json!({"spec": {"namespace": "default"}}),
        )
        .await;
    let rules = rules["status"]["resourceRules"].to_string();
    assert!(
        rules.contains("things") && !rules.contains("delete"),
        "{rules}"
    );
}

#[tokio::test]
async fn nobody_makes_a_token_that_may_more_than_they() {
    let world = World::with_tokens().await;
    let ann = token_of(&world, "ann", &["staff"]).await;
    bind(&world, "default", "editor", "ann").await;
    for (name, spec, expected) in [
        ("own", json!({}), 201),
        ("fewer", json!({"groups": []}), 201),
        ("other", json!({"user": "root"}), 403),
        ("group", json!({"groups": ["staff", "builders"]}), 403),
        ("master", json!({"groups": ["system:masters"]}), 403),
        ("bad", json!({"ttl": "soon"}), 422),
    ] {
        let (code, answer) = made(&world, &ann, name, spec).await;
        assert_eq!(code, expected, "{name}: {answer}");
    }
    let own = made(&world, &ann, "again", json!({})).await;
    assert_eq!(own.1["spec"]["user"], "ann");
    assert_eq!(own.1["spec"]["groups"], json!(["staff"]));
    // With the right to speak for bob, for bob alone.
    let role = json!({"metadata": {"name": "for-bob"}, "rules": [{"apiGroups": [""], "resources": ["users"],
        "resourceNames": ["bob"], "verbs": ["impersonate"]}]});
    let rbac = crate::access::RBAC;
    assert_eq!(
        world
            .ask("POST", &format!("{rbac}/clusterroles"), role)
            .await
            .0,
        201
    );
    let binding = json!({"metadata": {"name": "for-bob"}, "roleRef": {"kind": "ClusterRole", "name": "for-bob"},
        "subjects": [{"kind": "User", "name": "ann"}]});
    assert_eq!(
        world
            .ask("POST", &format!("{rbac}/clusterrolebindings"), binding)
            .await
            .0,
        201
    );
    assert_eq!(
        made(&world, &ann, "bob", json!({"user": "bob"})).await.0,
        201
    );
    assert_eq!(
        made(&world, &ann, "eve", json!({"user": "eve"})).await.0,
        403
    );
    // Not even with every right there is.
    let wide = token_of(&world, "wide", &[]).await;
    let binding = json!({"metadata": {"name": "wide"}, "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "User", "name": "wide"}]});
    assert_eq!(
        world
            .ask("POST", &format!("{rbac}/clusterrolebindings"), binding)
            .await
            .0,
        201
    );
    assert_eq!(
        made(&world, &wide, "m", json!({"groups": ["system:masters"]}))
            .await
            .0,
        403
    );
}

#[tokio::test]
async fn what_a_limited_token_makes_is_as_limited_and_ends_with_it() {
    let world = World::with_tokens().await;
    let admin = token_of(&world, "root", &["system:masters"]).await;
    let limits = json!({"verbs": ["get", "create"]});
    let parent = text(
        &made(
            &world,
            &admin,
            "parent",
            json!({"limits": limits, "ttl": "1h"}),
        )
        .await,
    );
    let child = text(&made(&world, &parent, "child", json!({})).await);
    world.ask("POST", THINGS, thing("web", 1)).await;
    let web = format!("{THINGS}/web");
    assert_eq!(world.bearer(&child, "GET", &web, Value::Null).await.0, 200);
    assert_eq!(
        world.bearer(&child, "DELETE", &web, Value::Null).await.0,
        403
    );
    assert_eq!(
        world
            .ask("DELETE", &format!("{TOKENS}/parent"), Value::Null)
            .await
            .0,
        200
    );
    assert_eq!(world.bearer(&child, "GET", &web, Value::Null).await.0, 401);
}

#[tokio::test]
async fn everyone_sees_and_revokes_their_own_tokens() {
    let world = World::with_tokens().await;
    let ann = token_of(&world, "ann", &[]).await;
    token_of(&world, "bob", &[]).await;
    assert_eq!(made(&world, &ann, "mine", json!({})).await.0, 201);
    assert_eq!(world.bearer(&ann, "GET", TOKENS, Value::Null).await.0, 403);
    let own = format!("{TOKENS}?fieldSelector=spec.user%3Dann");
    let (code, list) = world.bearer(&ann, "GET", &own, Value::Null).await;
    assert_eq!(
        (code, list["items"].as_array().map(Vec::len)),
        (200, Some(2))
    );
    let others = format!("{TOKENS}?fieldSelector=spec.user%3Dbob");
    assert_eq!(world.bearer(&ann, "GET", &others, Value::Null).await.0, 403);
    assert_eq!(
        world.bearer(&ann, "DELETE", &others, Value::Null).await.0,
        403
    );
    let (_, all) = world.get(&others).await;
    let bobs = all["items"][0]["metadata"]["name"].as_str().unwrap();
    assert_eq!(
        world
            .bearer(&ann, "DELETE", &format!("{TOKENS}/{bobs}"), Value::Null)
            .await
            .0,
        403
    );
    assert_eq!(
        world
            .bearer(&ann, "DELETE", &format!("{TOKENS}/mine"), Value::Null)
            .await
            .0,
        200
    );
}
