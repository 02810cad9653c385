//! Who and what gets in at all.

use serde_json::json;

use crate::world::{THINGS, World, send};

#[tokio::test]
async fn only_the_bearer_of_a_token_gets_in() {
    let world = World::new().await;
    let ask = async |method: &str, uri: &str, headers: &[(&str, &str)]| {
        let (code, _, body) = send(world.api.router(), method, uri, headers, String::new()).await;
        (
            code,
            body["message"].as_str().unwrap_or_default().to_owned(),
        )
    };
    assert_eq!(ask("GET", "/readyz", &[]).await.0, 200);
    assert_eq!(ask("GET", "/version/", &[]).await.0, 200);
    assert_eq!(ask("GET", "/apis", &[]).await, (401, "Unauthorized".into()));
    assert_eq!(ask("GET", "/nothing", &[]).await.0, 401);
    assert_eq!(
        ask("GET", "/apis", &[("authorization", "Bearer wrong")])
            .await
            .0,
        401
    );
    let viewer = ("authorization", "Bearer viewer-token");
    assert_eq!(ask("GET", THINGS, &[viewer]).await.0, 200);
    let (code, message) = ask("DELETE", &format!("{THINGS}/web"), &[viewer]).await;
    assert_eq!(code, 403);
    assert_eq!(
        message,
        "things.test.dev \"web\" is forbidden: User \"viewer\" cannot delete resource \"things\" in API group \"test.dev\" in the namespace \"default\""
    );
    let admin = ("authorization", "Bearer admin-token");
    assert_eq!(
        ask("GET", THINGS, &[admin, ("impersonate-user", "bob")])
            .await
            .0,
        403
    );
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_as_such() {
    let world = World::new().await;
    let (code, status) = world
        .ask("POST", THINGS, json!("x".repeat(4 * 1024 * 1024)))
        .await;
    assert_eq!(
        (code, &status["reason"]),
        (413, &json!("RequestEntityTooLarge"))
    );
    let deep = format!("{}1{}", "[".repeat(110), "]".repeat(110));
    let (code, _) = world.send("POST", THINGS, &[], deep).await;
    assert_eq!(code, 400);
}
