//! Sessions of browsers: a token for a cookie, and whose requests that cookie speaks for.

use http::HeaderMap;
use serde_json::{Value, json};

use crate::access::TOKENS;
use crate::world::{THINGS, World, send};

const SESSION: &str = "/api/v1/session";

/// What a browser adds to what one of our pages sends.
const OWN: (&str, &str) = ("sec-fetch-site", "same-origin");

/// A token of an administrator of that name.
async fn ann(world: &World) -> String {
    let spec = json!({"user": "ann", "groups": ["system:masters"]});
    let body = json!({"metadata": {"name": "ann"}, "spec": spec});
    let (code, token) = world.ask("POST", TOKENS, body).await;
    assert_eq!(code, 201, "{token}");
    token["status"]["token"].as_str().unwrap().to_owned()
}

async fn sign_in(world: &World, token: &str, headers: &[(&str, &str)]) -> (u16, HeaderMap) {
    let mut all = vec![("content-type", "application/json")];
    all.extend(headers);
    let body = json!({"token": token}).to_string();
    let (code, headers, _) = send(world.api.router(), "POST", SESSION, &all, body).await;
    (code, headers)
}

/// The cookie as a browser sends it back.
fn cookie(headers: &HeaderMap) -> String {
    let set = headers["set-cookie"].to_str().unwrap();
    set.split(';').next().unwrap().to_owned()
}

async fn ask(world: &World, method: &str, uri: &str, headers: &[(&str, &str)]) -> (u16, Value) {
    let (code, _, body) = send(world.api.router(), method, uri, headers, String::new()).await;
    (code, body)
}

#[tokio::test]
async fn a_session_is_a_token_of_its_own_that_ends_with_the_one_it_was_made_with() {
    let world = World::with_tokens().await;
    let token = ann(&world).await;
    let (code, headers) = sign_in(&world, &token, &[OWN]).await;
    assert_eq!(code, 204);
    let set = headers["set-cookie"].to_str().unwrap().to_owned();
    assert!(!set.contains(&token), "{set}");
    assert!(
        set.ends_with("; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict"),
        "{set}"
    );
    let cookie = cookie(&headers);
    let with_cookie = [("cookie", cookie.as_str()), OWN];
    assert_eq!(ask(&world, "GET", THINGS, &with_cookie).await.0, 200);

    let (_, tokens) = world.get(TOKENS).await;
    let items = tokens["items"].as_array().unwrap();
    let session = items
        .iter()
        .find(|token| token["metadata"]["labels"]["auth.mirage.dev/session"] == "true")
        .unwrap();
    assert_eq!(session["spec"]["user"], "ann");
    assert_eq!(session["spec"]["expiresAt"], "2026-11-22T00:00:00Z");
    assert_eq!(session["status"]["createdWith"]["name"], "ann");

    let (code, _) = world
        .ask("DELETE", &format!("{TOKENS}/ann"), json!({}))
        .await;
    assert_eq!(code, 200);
    assert_eq!(ask(&world, "GET", THINGS, &with_cookie).await.0, 401);
}

#[tokio::test]
async fn signing_out_ends_the_session_and_not_the_token() {
    let world = World::with_tokens().await;
    let token = ann(&world).await;
    let (_, headers) = sign_in(&world, &token, &[OWN]).await;
    let cookie = cookie(&headers);
    let with_cookie = [("cookie", cookie.as_str()), OWN];
    assert_eq!(ask(&world, "DELETE", SESSION, &with_cookie).await.0, 204);
    assert_eq!(ask(&world, "GET", THINGS, &with_cookie).await.0, 401);
    let authorization = format!("Bearer {token}");
    let bearer = [("authorization", authorization.as_str())];
    assert_eq!(ask(&world, "DELETE", SESSION, &bearer).await.0, 204);
    assert_eq!(ask(&world, "GET", THINGS, &bearer).await.0, 200);
}

#[tokio::test]
async fn a_cookie_speaks_for_our_own_pages_only() {
    let world = World::with_tokens().await;
    let token = ann(&world).await;
    let (_, headers) = sign_in(&world, &token, &[OWN]).await;
    let cookie = cookie(&headers);
    let cookie = ("cookie", cookie.as_str());
    for (method, from, code) in [
        ("GET", ("sec-fetch-site", "same-site"), 401),
        ("GET", ("sec-fetch-site", "cross-site"), 401),
        ("DELETE", ("sec-fetch-site", "none"), 401),
        ("DELETE", ("origin", "http://127.0.0.1:3000"), 401),
        ("DELETE", OWN, 404),
    ] {
        let uri = match method {
            "GET" => THINGS.to_owned(),
            _ => format!("{THINGS}/none"),
        };
        let headers = [cookie, from, ("host", "127.0.0.1:7171")];
        assert_eq!(
            ask(&world, method, &uri, &headers).await.0,
            code,
            "{method} {from:?}"
        );
    }
    // Who sends a token means that one, also where a browser has added a cookie.
    let wrong = [cookie, OWN, ("authorization", "Bearer wrong")];
    assert_eq!(ask(&world, "GET", THINGS, &wrong).await.0, 401);
}

#[tokio::test]
async fn nobody_is_signed_in_by_another_sites_page_or_a_wrong_token() {
    let world = World::with_tokens().await;
    let token = ann(&world).await;
    let foreign = [("sec-fetch-site", "cross-site")];
    assert_eq!(sign_in(&world, &token, &foreign).await.0, 403);
    assert_eq!(sign_in(&world, &token, &[]).await.0, 403);
    assert_eq!(sign_in(&world, "mir_wrong", &[OWN]).await.0, 401);
    let secure = [
        OWN,
        ("origin", "https://mirage.example"),
        ("host", "mirage.example"),
    ];
    let (_, headers) = sign_in(&world, &token, &secure).await;
    let set = headers["set-cookie"].to_str().unwrap();
    assert!(
        set.starts_with("__Host-mirage_session=mir_") && set.ends_with("; Secure"),
        "{set}"
    );
}
