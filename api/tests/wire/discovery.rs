//! What clients learn about the server before they do anything.

use kube::CustomResourceExt as _;
use kube::discovery::{Discovery, Scope};
use serde_json::{Value, json};

use crate::world::{Thing, World, send};

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

#[tokio::test]
async fn kube_finds_every_kind_in_both_ways() {
    let world = World::new().await;
    let plain = Discovery::new(world.client()).run().await.unwrap();
    let aggregated = Discovery::new(world.client())
        .run_aggregated()
        .await
        .unwrap();
    for discovery in [plain, aggregated] {
        let group = discovery.get("test.dev").unwrap();
        let (resource, capabilities) = group.recommended_kind("Thing").unwrap();
        assert_eq!(resource.plural, "things");
        assert_eq!(capabilities.scope, Scope::Namespaced);
        assert!(capabilities.supports_operation("watch"));
        assert_eq!(capabilities.subresources.len(), 1);
        assert!(
            discovery
                .get("")
                .unwrap()
                .recommended_kind("Namespace")
                .is_some()
        );
        assert!(
            discovery
                .get("mirage.dev")
                .unwrap()
                .recommended_kind("Environment")
                .is_some()
        );
    }
    let version = world.client().apiserver_version().await.unwrap();
    assert_eq!(
        (version.major.as_str(), version.minor.as_str()),
        ("1", "33")
    );
}

#[tokio::test]
async fn aggregated_discovery_is_cached_by_its_tag() {
    let world = World::new().await;
    let ask = async |headers: &[(&str, &str)]| {
        send(
            world.api.trusted_router("t"),
            "GET",
            "/apis",
            headers,
            String::new(),
        )
        .await
    };
    let (code, headers, body) = ask(&[("accept", AGGREGATED)]).await;
    assert_eq!(code, 200);
    assert_eq!(
        headers["content-type"],
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    );
    assert!(
        body["items"]
            .as_array()
            .unwrap()
            .iter()
            .any(|group| group["metadata"]["name"] == "test.dev")
    );
    let tag = headers["etag"].to_str().unwrap();
    let (code, ..) = ask(&[("accept", AGGREGATED), ("if-none-match", tag)]).await;
    assert_eq!(code, 304);
    let (_, _, plain) = ask(&[]).await;
    assert_eq!(plain["kind"], "APIGroupList");
}

#[tokio::test]
async fn openapi_says_what_kubectl_looks_for() {
    let world = World::new().await;
    let (_, index) = world.get("/openapi/v3").await;
    let url = index["paths"]["apis/test.dev/v1"]["serverRelativeURL"]
        .as_str()
        .unwrap();
    assert!(url.starts_with("/openapi/v3/apis/test.dev/v1?hash="));
    let (code, document) = world.get(url).await;
    assert_eq!(code, 200);
    let schema = &document["components"]["schemas"]["dev.test.v1.Thing"];
    assert_eq!(
        schema["x-kubernetes-group-version-kind"][0],
        json!({"group": "test.dev", "version": "v1", "kind": "Thing"})
    );
    assert_eq!(
        schema["properties"]["spec"]["properties"]["size"]["description"],
        "How big it is."
    );
    let patch =
        &document["paths"]["/apis/test.dev/v1/namespaces/{namespace}/things/{name}"]["patch"];
    assert!(
        patch["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .any(|parameter| parameter["name"] == "fieldValidation")
    );
    assert!(
        patch["requestBody"]["content"]
            .get("application/strategic-merge-patch+json")
            .is_none()
    );
    let (code, v2) = world.get("/openapi/v2").await;
    assert_eq!((code, &v2["swagger"]), (200, &json!("2.0")));
    let protobuf = [(
        "accept",
        "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
    )];
    let (code, headers, _) = send(
        world.api.trusted_router("t"),
        "GET",
        "/openapi/v2",
        &protobuf,
        String::new(),
    )
    .await;
    assert_eq!(code, 200);
    assert_eq!(
        headers["content-type"],
        "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
    );
}

#[tokio::test]
async fn an_openapi_document_is_named_by_its_content_and_kept_for_good() {
    let url = async |world: &World| {
        let (_, index) = world.get("/openapi/v3").await;
        index["paths"]["apis/test.dev/v1"]["serverRelativeURL"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (world, same) = (World::new().await, World::new().await);
    let named = url(&world).await;
    assert_eq!(named, url(&same).await);
    let mut definition = Thing::crd();
    let schema = definition.spec.versions[0].schema.as_mut().unwrap();
    let schema = schema.open_api_v3_schema.as_mut().unwrap();
    schema.description = Some("Something else.".into());
    assert_ne!(named, url(&World::serving(definition, None).await).await);

    let ask = async |uri: &str, tag: Option<&str>| {
        let headers: Vec<_> = tag.map(|tag| ("if-none-match", tag)).into_iter().collect();
        let router = world.api.trusted_router("t");
        let (code, headers, _) = send(router, "GET", uri, &headers, String::new()).await;
        let text = |name: &str| headers[name].to_str().unwrap().to_owned();
        (code, text("cache-control"), text("etag"))
    };
    let (code, cache_control, tag) = ask(&named, None).await;
    assert_eq!(code, 200);
    assert!(cache_control.contains("immutable"), "{cache_control}");
    assert_eq!(ask(&named, Some(&tag)).await.0, 304);
    for uri in [
        "/openapi/v3",
        "/openapi/v2",
        "/openapi/v3/apis/test.dev/v1?hash=OLD",
    ] {
        let (_, cache_control, tag) = ask(uri, None).await;
        assert!(cache_control.contains("no-cache"), "{uri}: {cache_control}");
        assert_eq!(ask(uri, Some(&tag)).await.0, 304, "{uri}");
    }
}

#[tokio::test]
async fn definitions_of_our_kinds_can_be_read_but_not_written() {
    let world = World::new().await;
    let uri = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let (_, list) = world.get(uri).await;
    let names: Vec<&str> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|item| item["metadata"]["name"].as_str())
        .collect();
    assert!(
        names.contains(&"environments.mirage.dev") && names.contains(&"things.test.dev"),
        "{names:?}"
    );
    assert_eq!(
        world
            .ask("DELETE", &format!("{uri}/things.test.dev"), Value::Null)
            .await
            .0,
        405
    );
    let before = list["metadata"]["resourceVersion"].clone();
    world.api.bootstrap().await.unwrap();
    assert_eq!(
        world.get(uri).await.1["metadata"]["resourceVersion"],
        before
    );
}

#[tokio::test]
async fn reviews_tell_callers_who_they_are_and_what_they_may() {
    let world = World::new().await;
    let viewer = [
        ("authorization", "Bearer viewer-token"),
        ("content-type", "application/json"),
    ];
    let ask = async |uri: &str, body: Value| {
        send(world.api.router(), "POST", uri, &viewer, body.to_string()).await
    };
    let (code, _, who) = ask(
        "/apis/authentication.k8s.io/v1/selfsubjectreviews",
        json!({}),
    )
    .await;
    assert_eq!(
        (code, &who["status"]["userInfo"]["username"]),
        (201, &json!("viewer"))
    );
    let may = async |verb: &str, resource: &str| {
        let spec = json!({"resourceAttributes": {"verb": verb, "resource": resource, "group": "mirage.dev"}});
        let uri = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        ask(uri, json!({"spec": spec})).await.2["status"]["allowed"].clone()
    };
    assert_eq!(may("list", "environments").await, true);
    assert_eq!(may("delete", "environments").await, false);
    let (_, _, rules) = ask(
        "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
        json!({"spec": {"namespace": "default"}}),
    )
    .await;
    assert!(
        !rules["status"]["resourceRules"]
            .as_array()
            .unwrap()
            .is_empty()
    );
}
