//! Lists: which version they may be of, and where they go on.

use serde_json::{Value, json};

use crate::world::{THINGS, World, thing};

async fn with_things(count: i64) -> World {
    let world = World::new().await;
    for index in 0..count {
        world
            .ask("POST", THINGS, thing(&format!("t{index}"), index))
            .await;
    }
    world
}

fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|item| item["metadata"]["name"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn what_is_said_of_a_lists_version_must_make_sense() {
    let world = with_things(2).await;
    let (_, first) = world.get(&format!("{THINGS}?limit=1")).await;
    let token = first["metadata"]["continue"].as_str().unwrap();
    let version = first["metadata"]["resourceVersion"].as_str().unwrap();
    for (query, code, says) in [
        ("resourceVersion=0".into(), 200, ""),
        ("resourceVersion=2".into(), 200, ""),
        (
            "resourceVersion=2&resourceVersionMatch=NotOlderThan".into(),
            200,
            "",
        ),
        (
            format!("resourceVersion={version}&resourceVersionMatch=Exact"),
            200,
            "",
        ),
        (
            "resourceVersionMatch=Exact".into(),
            422,
            "unless resourceVersion is provided",
        ),
        (
            "resourceVersion=0&resourceVersionMatch=Exact".into(),
            422,
            "is forbidden for resourceVersion",
        ),
        (
            "resourceVersion=2&resourceVersionMatch=Newest".into(),
            422,
            "supported values",
        ),
        ("sendInitialEvents=true".into(), 422, "forbidden for list"),
        ("resourceVersion=abc".into(), 400, "resourceVersion"),
        (
            format!("continue={token}&resourceVersionMatch=Exact"),
            422,
            "when continue is provided",
        ),
        (
            format!("continue={token}&resourceVersion=2"),
            400,
            "not allowed when using continue",
        ),
        (format!("continue={token}&resourceVersion=0"), 200, ""),
    ] {
        let (found, body) = world.get(&format!("{THINGS}?{query}")).await;
        assert_eq!(found, code, "{query}: {body}");
        let message = body["message"].as_str().unwrap_or_default();
        assert!(message.contains(says), "{query}: {message}");
    }
}

#[tokio::test]
async fn a_version_that_is_not_reached_is_asked_for_again_later() {
    let world = with_things(1).await;
    let item = format!("{THINGS}/t0?resourceVersion=99999");
    let exact = format!("{THINGS}?resourceVersion=99999&resourceVersionMatch=Exact");
    let list = format!("{THINGS}?resourceVersion=99999");
    for uri in [item, exact, list] {
        let (code, status) = world.get(&uri).await;
        assert_eq!((code, &status["reason"]), (504, &json!("Timeout")), "{uri}");
        let details = &status["details"];
        assert_eq!(details["causes"][0]["reason"], "ResourceVersionTooLarge");
        assert_eq!(details["retryAfterSeconds"], 1);
    }
    assert_eq!(
        world.get(&format!("{THINGS}/t0?resourceVersion=2")).await.0,
        200
    );
}

#[tokio::test]
async fn a_token_goes_on_with_its_own_list_only() {
    let world = with_things(3).await;
    let (_, first) = world
        .get(&format!("{THINGS}?limit=1&labelSelector=!gone"))
        .await;
    let token = first["metadata"]["continue"].as_str().unwrap();
    let own = format!("{THINGS}?limit=5&labelSelector=!gone&continue={token}");
    assert_eq!(names(&world.get(&own).await.1), ["t1", "t2"]);
    for uri in [
        format!("{THINGS}?continue={token}"),
        format!("{THINGS}?labelSelector=app&continue={token}"),
        format!("/apis/test.dev/v1/things?labelSelector=!gone&continue={token}"),
        format!("/api/v1/namespaces/default/secrets?labelSelector=!gone&continue={token}"),
        format!("{THINGS}?labelSelector=!gone&continue={token}x"),
        format!("{THINGS}?continue=e30"),
        format!("{THINGS}?continue=%00"),
    ] {
        let (code, status) = world.get(&uri).await;
        assert_eq!(
            (code, &status["reason"]),
            (400, &json!("BadRequest")),
            "{uri}"
        );
    }
}
