//! What is not an object: health, and the forms in which answers are written down.

use std::io::Read as _;

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::world::{THINGS, World, send, thing};

#[tokio::test]
async fn probes_answer_briefly_or_line_by_line_without_a_token() {
    let world = World::new().await;
    for (uri, code, text) in [
        ("/livez", 200, "ok"),
        ("/readyz", 200, "ok"),
        ("/healthz/", 200, "ok"),
        ("/livez?verbose", 200, "[+]ping ok\nlivez check passed\n"),
        (
            "/readyz?verbose=true",
            200,
            "[+]ping ok\n[+]store ok\nreadyz check passed\n",
        ),
        (
            "/readyz?verbose&exclude=store",
            200,
            "[+]ping ok\n[+]store excluded: ok\nreadyz check passed\n",
        ),
        ("/readyz/store", 200, "ok"),
        ("/livez/ping", 200, "ok"),
    ] {
        let (found, headers, body) = send(world.api.router(), "GET", uri, &[], String::new()).await;
        assert_eq!((found, &body), (code, &json!(text)), "{uri}");
        assert_eq!(headers["content-type"], "text/plain; charset=utf-8");
    }
    for uri in ["/livez/store", "/readyz/nothing", "/readyz/store/more"] {
        let (code, ..) = send(world.api.router(), "GET", uri, &[], String::new()).await;
        assert!(matches!(code, 401 | 404), "{uri}: {code}");
    }
}

#[tokio::test]
async fn answers_come_in_the_form_that_was_asked_for() {
    let world = World::new().await;
    world.ask("POST", THINGS, thing("web", 1)).await;
    let web = format!("{THINGS}/web");
    let router = || world.api.trusted_router("t");
    let yaml = [("accept", "application/yaml")];
    let (code, headers, body) = send(router(), "GET", &web, &yaml, String::new()).await;
    assert_eq!(
        (code, &headers["content-type"]),
        (200, &"application/yaml".parse().unwrap())
    );
    assert!(body.as_str().unwrap().contains("kind: Thing\n"));
    let protobuf = [("accept", "application/vnd.kubernetes.protobuf")];
    let (code, _, status) = send(router(), "GET", &web, &protobuf, String::new()).await;
    assert_eq!((code, &status["reason"]), (406, &json!("NotAcceptable")));
    let either = [(
        "accept",
        "application/vnd.kubernetes.protobuf,application/json",
    )];
    let (code, headers, _) = send(router(), "GET", &web, &either, String::new()).await;
    assert_eq!(
        (code, &headers["content-type"]),
        (200, &"application/json".parse().unwrap())
    );

    let lines = async |uri: String| {
        let request = Request::get(uri).body(Body::empty()).unwrap();
        let body = router().oneshot(request).await.unwrap().into_body();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap().lines().count()
    };
    assert_eq!(lines(web.clone()).await, 1);
    assert!(lines(format!("{web}?pretty")).await > 5);
    assert!(lines(format!("{THINGS}?pretty=true")).await > 5);
    assert_eq!(world.get(&format!("{web}?pretty=perhaps")).await.0, 400);
    for uri in ["/apis/", "/api/", "/version/", "/apis/mirage.dev/v1alpha1/"] {
        assert_eq!(world.get(uri).await.0, 200, "{uri}");
    }
}

#[tokio::test]
async fn large_answers_are_compressed_for_those_who_take_it_and_watches_never() {
    let world = World::new().await;
    let maps = "/api/v1/namespaces/default/configmaps";
    let manifest =
        json!({"metadata": {"name": "big"}, "data": {"text": "lorem ipsum ".repeat(20_000)}});
    let (code, _) = world.ask("POST", maps, manifest).await;
    assert_eq!(code, 201);
    let open = async |uri: &str, encoding: &str| {
        let request = Request::get(uri).header("accept-encoding", encoding);
        let request = request.body(Body::empty()).unwrap();
        world
            .api
            .trusted_router("t")
            .oneshot(request)
            .await
            .unwrap()
    };
    let whole = async |uri: &str, encoding: &str| {
        let response = open(uri, encoding).await;
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        (parts.headers.get("content-encoding").cloned(), bytes)
    };
    let (encoding, plain) = whole(maps, "identity").await;
    assert_eq!(encoding, None);
    let (encoding, packed) = whole(maps, "gzip, deflate").await;
    assert_eq!(encoding.unwrap(), "gzip");
    assert!(packed.len() < plain.len() / 10);
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&packed[..])
        .read_to_end(&mut unpacked)
        .unwrap();
    let (unpacked, plain): (Value, Value) = (
        serde_json::from_slice(&unpacked).unwrap(),
        serde_json::from_slice(&plain).unwrap(),
    );
    assert_eq!(unpacked, plain);
    assert_eq!(whole("/version", "gzip").await.0, None);
    let watch = open(&format!("{maps}?watch=1&timeoutSeconds=1"), "gzip").await;
    assert!(watch.headers().get("content-encoding").is_none());
}

#[tokio::test]
async fn definitions_are_established_and_explain_themselves() {
    let world = World::new().await;
    let uri = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/environments.mirage.dev";
    let (_, definition) = world.get(uri).await;
    let version = &definition["spec"]["versions"][0];
    let schema = &version["schema"]["openAPIV3Schema"];
    let services = &schema["properties"]["spec"]["properties"]["services"];
    assert_eq!(services["type"], "object");
    let conditions = definition["status"]["conditions"].as_array().unwrap();
    let established = conditions.iter().find(|it| it["type"] == "Established");
    assert_eq!(established.unwrap()["status"], "True");
    assert_eq!(definition["status"]["storedVersions"], json!(["v1alpha1"]));
    let (_, document) = world.get("/openapi/v3/apis/apiextensions.k8s.io/v1").await;
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let (_, crd) = schemas
        .iter()
        .find(|(name, _)| name.ends_with("CustomResourceDefinition"))
        .unwrap();
    let spec = &crd["properties"]["spec"]["properties"];
    assert!(spec["versions"]["items"]["properties"]["selectableFields"].is_object());
}

#[tokio::test]
async fn every_operation_has_an_id_of_its_own() {
    let world = World::new().await;
    let (_, document) = world.get("/openapi/v3/apis/mirage.dev/v1alpha1").await;
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.values().flat_map(|path| path.as_object().unwrap());
    let mut ids: Vec<&str> = operations
        .filter_map(|(_, operation)| operation["operationId"].as_str())
        .collect();
    let all = ids.len();
    assert!(all > 20, "{document}");
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(
        ids.len(),
        all,
        "generators of clients refuse a document with two alike"
    );
}
