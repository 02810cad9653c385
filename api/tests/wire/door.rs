//! Who and what gets in at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use futures::StreamExt as _;
use http::Request;
use serde_json::json;
use tower::ServiceExt as _;

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
    // Where no token is needed, a wrong one is wrong all the same.
    for open in ["/version", "/readyz"] {
        let wrong = ask("GET", open, &[("authorization", "Bearer wrong")]).await;
        assert_eq!(wrong, (401, "Unauthorized".into()), "{open}");
    }
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

#[tokio::test]
async fn a_body_beyond_the_limit_is_taken_in_before_it_is_refused_up_to_a_bound() {
    const MIB: usize = 1024 * 1024;
    let world = World::new().await;
    for (sent, least, most) in [(10, 10, 10), (1000, 16, 20)] {
        let taken = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&taken);
        let chunks = futures::stream::iter(0..sent).map(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
            Ok::<_, std::convert::Infallible>(vec![b'a'; MIB])
        });
        let request = Request::post(THINGS)
            .header("content-type", "application/json")
            .body(Body::from_stream(chunks))
            .unwrap();
        let router = world.api.trusted_router("tester");
        let response = router.oneshot(request).await.unwrap();
        assert_eq!(response.status(), 413);
        let taken = taken.load(Ordering::Relaxed);
        assert!((least..=most).contains(&taken), "{taken} of {sent}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_user_with_too_much_under_way_is_told_to_come_back() {
    let world = World::new().await;
    let one = std::num::NonZeroUsize::new(1).unwrap();
    let router = world.api.clone().with_max_in_flight(one).router();
    let ask = |token: &str, uri: &str| {
        let bearer = format!("Bearer {token}");
        let (router, uri) = (router.clone(), uri.to_owned());
        async move {
            send(
                router,
                "GET",
                &uri,
                &[("authorization", &bearer)],
                String::new(),
            )
            .await
        }
    };
    // A body that never ends keeps its request under way.
    let (_keep, pieces) = tokio::sync::mpsc::channel::<Result<bytes::Bytes, std::io::Error>>(1);
    let pieces = futures::stream::unfold(pieces, |mut pieces| async move {
        Some((pieces.recv().await?, pieces))
    });
    let unfinished = http::Request::post(THINGS)
        .header("authorization", "Bearer admin-token")
        .body(axum::body::Body::from_stream(pieces))
        .unwrap();
    let mut under_way = Box::pin(router.clone().oneshot(unfinished));
    assert!(futures::poll!(under_way.as_mut()).is_pending());

    let (code, headers, status) = ask("admin-token", THINGS).await;
    assert_eq!((code, &status["reason"]), (429, &json!("TooManyRequests")));
    assert_eq!(headers["retry-after"], "1");
    // Others, health and watches are not held up.
    assert_eq!(ask("viewer-token", THINGS).await.0, 200);
    assert_eq!(ask("admin-token", "/readyz").await.0, 200);
    let watch = format!("{THINGS}?watch=1&timeoutSeconds=1");
    assert_eq!(ask("admin-token", &watch).await.0, 200);
    drop(under_way);
    assert_eq!(ask("admin-token", THINGS).await.0, 200);
}

#[tokio::test]
async fn a_token_that_cannot_be_checked_is_not_called_wrong() {
    let world = World::new().await;
    let bearer = [("authorization", "Bearer untold-token")];
    let (code, headers, status) =
        send(world.api.router(), "GET", THINGS, &bearer, String::new()).await;
    assert_eq!(
        (code, &status["reason"]),
        (503, &json!("ServiceUnavailable"))
    );
    assert_eq!(headers["retry-after"], "1");
}
