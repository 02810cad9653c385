//! Single objects over plain HTTP: what is refused and how, what is kept and what is not.

use serde_json::{Value, json};

use crate::world::{THINGS, World, send, thing};

const MERGE: &str = "application/merge-patch+json";
const JSON: &str = "application/json-patch+json";

#[tokio::test]
async fn a_created_object_gets_its_server_made_fields() {
    let world = World::new().await;
    let mut manifest = thing("web", 1);
    manifest["status"] = json!({"phase": "Ready"});
    manifest["metadata"]["uid"] = json!("mine");
    let (code, object) = world.ask("POST", THINGS, manifest).await;
    assert_eq!(code, 201, "{object}");
    let metadata = &object["metadata"];
    assert_eq!(metadata["generation"], 1);
    assert_eq!(metadata["creationTimestamp"], "2026-11-21T12:00:00Z");
    assert_eq!(metadata["namespace"], "default");
    assert_eq!(metadata["uid"].as_str().unwrap().len(), 36);
    assert!(
        metadata["resourceVersion"]
            .as_str()
            .unwrap()
            .parse::<u64>()
            .unwrap()
            > 0
    );
    assert!(object.get("status").is_none());
}

#[tokio::test]
async fn every_refusal_is_a_status_with_its_reason() {
    let world = World::new().await;
    world.ask("POST", THINGS, thing("web", 1)).await;
    let mut versioned = thing("new", 1);
    versioned["metadata"]["resourceVersion"] = json!("5");
    let mut elsewhere = thing("new", 1);
    elsewhere["metadata"]["namespace"] = json!("other");
    let mut stale = thing("web", 2);
    stale["metadata"]["resourceVersion"] = json!("1");
    let mut labelled = thing("new", 1);
    labelled["metadata"]["labels"] = json!(7);
    let web = format!("{THINGS}/web");
    for (method, uri, body, code, reason) in [
        ("GET", "/nothing", Value::Null, 404, "NotFound"),
        (
            "GET",
            "/apis/test.dev/v1/nothing",
            Value::Null,
            404,
            "NotFound",
        ),
        (
            "GET",
            "/apis/test.dev/v1/namespaces/default/things/gone",
            Value::Null,
            404,
            "NotFound",
        ),
        (
            "GET",
            "/api/v1/namespaces/default/namespaces",
            Value::Null,
            404,
            "NotFound",
        ),
        (
            "POST",
            "/apis/test.dev/v1/things",
            thing("new", 1),
            404,
            "NotFound",
        ),
        (
            "POST",
            "/apis/test.dev/v1/namespaces/nowhere/things",
            thing("new", 1),
            404,
            "NotFound",
        ),
        (
            "POST",
            web.as_str(),
            thing("web", 1),
            405,
            "MethodNotAllowed",
        ),
        (
            "POST",
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
            json!({}),
            405,
            "MethodNotAllowed",
        ),
        ("POST", THINGS, thing("web", 1), 409, "AlreadyExists"),
        ("POST", THINGS, versioned, 400, "BadRequest"),
        ("POST", THINGS, elsewhere, 400, "BadRequest"),
        ("POST", THINGS, labelled, 422, "Invalid"),
        ("POST", THINGS, json!([1]), 400, "BadRequest"),
        ("POST", THINGS, json!({"kind": "Other"}), 400, "BadRequest"),
        ("POST", THINGS, thing("Not_A_Name", 1), 422, "Invalid"),
        ("POST", THINGS, thing("new", 1000), 422, "Invalid"),
        ("PUT", web.as_str(), thing("web", 2), 422, "Invalid"),
        ("PUT", web.as_str(), stale, 409, "Conflict"),
        ("PUT", web.as_str(), thing("other", 2), 400, "BadRequest"),
        (
            "GET",
            "/apis/test.dev/v1/things?labelSelector=a%3D%3D%3D",
            Value::Null,
            400,
            "BadRequest",
        ),
        (
            "GET",
            "/apis/test.dev/v1/things?fieldSelector=spec.size%3D1",
            Value::Null,
            400,
            "BadRequest",
        ),
        (
            "GET",
            "/apis/test.dev/v1/things?continue=garbage",
            Value::Null,
            400,
            "BadRequest",
        ),
        (
            "GET",
            "/apis/test.dev/v1/things?resourceVersion=x",
            Value::Null,
            400,
            "BadRequest",
        ),
        (
            "GET",
            "/apis/test.dev/v1/things?resourceVersion=999999",
            Value::Null,
            504,
            "Timeout",
        ),
        (
            "GET",
            "/apis/test.dev/v1/things/web/scale",
            Value::Null,
            404,
            "NotFound",
        ),
        (
            "DELETE",
            web.as_str(),
            json!({"preconditions": {"uid": "other"}}),
            409,
            "Conflict",
        ),
        (
            "DELETE",
            "/api/v1/namespaces/default",
            Value::Null,
            403,
            "Forbidden",
        ),
    ] {
        let (found, status) = world.ask(method, uri, body).await;
        assert_eq!(
            (found, status["reason"].as_str()),
            (code, Some(reason)),
            "{method} {uri}: {status}"
        );
        assert_eq!(status["kind"], "Status");
        assert_eq!(status["code"], code);
    }
}

#[tokio::test]
async fn each_fault_is_a_cause_with_its_field() {
    let world = World::new().await;
    let mut manifest = thing("web", 1);
    manifest["spec"] = json!({"size": "big", "parts": [{"name": "a"}, {"name": "a"}, {}]});
    let (code, status) = world.ask("POST", THINGS, manifest).await;
    assert_eq!(code, 422);
    let causes: Vec<_> = status["details"]["causes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cause| {
            (
                cause["field"].as_str().unwrap(),
                cause["reason"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        causes,
        [
            ("spec.parts[2].name", "FieldValueRequired"),
            ("spec.parts[1]", "FieldValueDuplicate"),
            ("spec.size", "FieldValueTypeInvalid"),
        ]
    );
    assert_eq!(status["details"]["kind"], "Thing");
}

#[tokio::test]
async fn unknown_fields_are_refused_pruned_or_ignored_as_the_client_asks() {
    let world = World::new().await;
    let manifest = |name: &str| {
        format!(
            r#"{{"apiVersion":"test.dev/v1","kind":"Thing","metadata":{{"name":"{name}"}},"spec":{{"size":1,"size":2,"clazz":1}}}}"#
        )
    };
    let headers = [("content-type", "application/json")];
    let router = || world.api.trusted_router("t");
    let strict = format!("{THINGS}?fieldValidation=Strict");
    let (code, _, status) = send(router(), "POST", &strict, &headers, manifest("a")).await;
    assert_eq!(code, 400);
    assert_eq!(
        status["message"],
        "Thing in version \"v1\" cannot be handled as a Thing: strict decoding error: unknown field \"spec.clazz\", duplicate field \"spec.size\""
    );
    let (code, headers_out, object) = send(router(), "POST", THINGS, &headers, manifest("b")).await;
    assert_eq!(code, 201);
    assert_eq!(object["spec"], json!({"size": 2}));
    assert_eq!(
        headers_out["warning"],
        "299 - \"unknown field \\\"spec.clazz\\\"\""
    );
    let ignore = format!("{THINGS}?fieldValidation=Ignore");
    let (_, headers_out, _) = send(router(), "POST", &ignore, &headers, manifest("c")).await;
    assert!(!headers_out.contains_key("warning"));
}

#[tokio::test]
async fn status_is_walled_off_and_generation_counts_the_spec() {
    let world = World::new().await;
    world.ask("POST", THINGS, thing("web", 1)).await;
    let web = format!("{THINGS}/web");
    let status = format!("{web}/status");
    let change = json!({"spec": {"size": 2}, "status": {"phase": "Ready"}, "metadata": {"labels": {"a": "b"}}});

    let (_, object) = world.patch(&status, MERGE, change.clone()).await;
    assert_eq!(object["status"]["phase"], "Ready");
    assert_eq!(object["spec"]["size"], 1);
    assert_eq!(object["metadata"]["generation"], 1);
    assert!(object["metadata"].get("labels").is_none());

    let (_, object) = world
        .patch(
            &web,
            MERGE,
            json!({"spec": {"size": 2}, "status": {"phase": "No"}}),
        )
        .await;
    assert_eq!(object["status"]["phase"], "Ready");
    assert_eq!(object["metadata"]["generation"], 2);

    let (_, object) = world
        .patch(&web, MERGE, json!({"metadata": {"labels": {"a": "b"}}}))
        .await;
    assert_eq!(object["metadata"]["generation"], 2);
}

#[tokio::test]
async fn a_write_that_changes_nothing_keeps_the_version() {
    let world = World::new().await;
    let (_, created) = world.ask("POST", THINGS, thing("web", 1)).await;
    let web = format!("{THINGS}/web");
    let (code, put) = world.ask("PUT", &web, created.clone()).await;
    assert_eq!((code, &put), (200, &created));
    let (_, patched) = world.patch(&web, MERGE, json!({"spec": {"size": 1}})).await;
    assert_eq!(patched, created);
}

#[tokio::test]
async fn a_dry_run_shows_the_result_and_stores_nothing() {
    let world = World::new().await;
    let (code, shown) = world
        .ask("POST", &format!("{THINGS}?dryRun=All"), thing("web", 1))
        .await;
    assert_eq!((code, &shown["metadata"]["generation"]), (201, &json!(1)));
    assert_eq!(world.get(&format!("{THINGS}/web")).await.0, 404);

    let (_, created) = world.ask("POST", THINGS, thing("web", 1)).await;
    let uri = format!("{THINGS}/web?dryRun=All");
    let (_, patched) = world.patch(&uri, MERGE, json!({"spec": {"size": 2}})).await;
    assert_eq!(patched["spec"]["size"], 2);
    world.ask("DELETE", &uri, Value::Null).await;
    assert_eq!(world.get(&format!("{THINGS}/web")).await.1, created);
    assert_eq!(
        world
            .ask("POST", &format!("{THINGS}?dryRun=yes"), thing("x", 1))
            .await
            .0,
        422
    );
}

#[tokio::test]
async fn the_patch_types_do_what_clients_send_them_for() {
    let world = World::new().await;
    world.ask("POST", THINGS, thing("web", 1)).await;
    let web = format!("{THINGS}/web");
    let add = json!([{"op": "test", "path": "/metadata/finalizers", "value": null},
        {"op": "add", "path": "/metadata/finalizers", "value": ["test.dev/f"]}]);
    let (code, object) = world.patch(&web, JSON, add.clone()).await;
    assert_eq!(
        (code, &object["metadata"]["finalizers"]),
        (200, &json!(["test.dev/f"]))
    );
    let (code, status) = world.patch(&web, JSON, add).await;
    assert_eq!((code, &status["reason"]), (422, &json!("Invalid")));

    assert_eq!(world.patch(&web, MERGE, json!([])).await.0, 400);
    let strategic = "application/strategic-merge-patch+json";
    let (code, status) = world.patch(&web, strategic, json!({})).await;
    assert_eq!(code, 415);
    assert!(
        status["message"]
            .as_str()
            .unwrap()
            .contains("strategic-merge-patch+json is not supported")
    );
    let renamed = json!([{"op": "replace", "path": "/metadata/name", "value": "other"}]);
    assert_eq!(
        world.patch(&web, JSON, renamed).await.1["metadata"]["name"],
        "web"
    );
    let locked = json!({"metadata": {"resourceVersion": "1"}, "spec": {"size": 3}});
    assert_eq!(world.patch(&web, MERGE, locked).await.0, 409);
}

#[tokio::test]
async fn lists_are_paged_with_the_first_pages_version() {
    let world = World::new().await;
    for index in 0..5 {
        world
            .ask("POST", THINGS, thing(&format!("t{index}"), index))
            .await;
    }
    let (_, first) = world.get(&format!("{THINGS}?limit=2")).await;
    assert_eq!(first["metadata"]["remainingItemCount"], 3);
    world.ask("POST", THINGS, thing("t9", 9)).await;
    let (mut names, mut page, mut pages) = (Vec::new(), first.clone(), 1);
    loop {
        let items = page["items"].as_array().unwrap();
        names.extend(
            items
                .iter()
                .map(|item| item["metadata"]["name"].as_str().unwrap().to_owned()),
        );
        assert_eq!(
            page["metadata"]["resourceVersion"],
            first["metadata"]["resourceVersion"]
        );
        let Some(token) = page["metadata"]["continue"].as_str() else {
            break;
        };
        page = world
            .get(&format!("{THINGS}?limit=2&continue={token}"))
            .await
            .1;
        pages += 1;
    }
    assert_eq!((names.join(" ").as_str(), pages), ("t0 t1 t2 t3 t4 t9", 3));
    let (_, selected) = world
        .get(&format!(
            "{THINGS}?limit=1&fieldSelector=metadata.name!%3Dt0"
        ))
        .await;
    assert_eq!(selected["items"][0]["metadata"]["name"], "t1");
    assert!(selected["metadata"].get("remainingItemCount").is_none());
    assert!(selected["metadata"]["continue"].is_string());
}

#[tokio::test]
async fn generated_names_end_in_five_characters() {
    let world = World::new().await;
    let mut manifest = thing("", 1);
    manifest["metadata"] = json!({"generateName": "web-"});
    let (code, object) = world.ask("POST", THINGS, manifest).await;
    let name = object["metadata"]["name"].as_str().unwrap();
    assert_eq!((code, name.len(), name.starts_with("web-")), (201, 9, true));
}

#[tokio::test]
async fn a_secret_takes_plain_text_and_gives_base64() {
    let world = World::new().await;
    let secrets = "/api/v1/namespaces/default/secrets";
    let manifest = json!({"metadata": {"name": "db"}, "stringData": {"password": "hunter2"}});
    let (code, secret) = world.ask("POST", secrets, manifest).await;
    assert_eq!(
        (code, &secret["data"]["password"]),
        (201, &json!("aHVudGVyMg=="))
    );
    assert!(secret.get("stringData").is_none());
    let broken = json!({"metadata": {"name": "x"}, "data": {"password": "not base64: hunter2"}});
    let (code, status) = world.ask("POST", secrets, broken).await;
    assert_eq!(code, 422);
    assert!(!status.to_string().contains("hunter2"));
}

#[tokio::test]
async fn a_secret_takes_the_strategic_patch_that_kubectl_sends_for_it() {
    let world = World::new().await;
    let secrets = "/api/v1/namespaces/default/secrets";
    let manifest =
        json!({"metadata": {"name": "db"}, "stringData": {"password": "hunter2", "user": "me"}});
    let (_, created) = world.ask("POST", secrets, manifest).await;
    let uri = format!("{secrets}/db");
    let strategic = "application/strategic-merge-patch+json";
    let (code, same) = world
        .patch(
            &uri,
            strategic,
            json!({"stringData": {"password": "hunter2"}}),
        )
        .await;
    assert_eq!((code, same), (200, created));
    let change = json!({"data": {"user": null}, "metadata": {"labels": {"a": "b"}}});
    let (_, changed) = world.patch(&uri, strategic, change).await;
    assert_eq!(changed["data"], json!({"password": "aHVudGVyMg=="}));
    assert_eq!(changed["metadata"]["labels"], json!({"a": "b"}));
    assert_eq!(world.patch(&uri, strategic, json!([])).await.0, 400);
}
