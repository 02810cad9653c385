//! Copies at the door: who may ask for one, what is written, and what others learn.

use std::sync::Arc;

use async_trait::async_trait;
use mirage_api::{Copier, CopyError};
use mirage_specs::{
    CopyOptions,
    copy::{Copied, Obstacle},
};
use serde_json::{Value, json};

use crate::access::{bind, token_of};
use crate::world::World;

const ENVIRONMENTS: &str = "/apis/mirage.dev/v1alpha1/namespaces/default/environments";

/// Copies whatever it is given, but for what is called `sealed`.
struct Copyist;

#[async_trait]
impl Copier for Copyist {
    async fn copy(&self, source: Value, options: &CopyOptions) -> Result<Copied, CopyError> {
        if options.name == "later" {
            return Err(CopyError::Unavailable("Railway did not answer".to_owned()));
        }
        let refusals = match source["metadata"]["name"].as_str() {
            Some("sealed") => vec![Obstacle::new("spec.variables.A", "A is sealed")],
            _ => Vec::new(),
        };
        let namespace = options.namespace.clone();
        Ok(Copied {
            object: json!({
                "metadata": {"name": options.name, "namespace": namespace.unwrap_or_else(|| "default".to_owned())},
                "spec": source["spec"],
            }),
            refusals,
            ..Copied::default()
        })
    }
}

async fn world() -> World {
    let world = World::with_tokens().await;
    world.api.copies_with(Arc::new(Copyist));
    world
}

/// Makes an environment; where its copies are asked for.
async fn source(world: &World, name: &str) -> String {
    let environment = json!({
        "apiVersion": "mirage.dev/v1alpha1", "kind": "Environment", "metadata": {"name": name},
        "spec": {"project": {"name": "shop"}, "services": {"web": {"source": {"image": "nginx"}}}},
    });
    let (code, made) = world.ask("POST", ENVIRONMENTS, environment).await;
    assert_eq!(code, 201, "{made}");
    let id = made["metadata"]["uid"].as_str().unwrap();
    format!("/api/v1/environments/{id}")
}

#[tokio::test]
async fn a_copy_takes_the_right_to_see_the_source_and_to_create() {
    let world = world().await;
    let source = source(&world, "shop").await;
    let (ann, bob) = (
        token_of(&world, "ann", &[]).await,
        token_of(&world, "bob", &[]).await,
    );
    let options = json!({"name": "twin"});
    for what in ["clone", "clone-preview"] {
        let uri = format!("{source}/{what}");
        // To whom may see nothing, an id is not told from one that nobody has.
        let (code, answer) = world.bearer(&ann, "POST", &uri, options.clone()).await;
        assert_eq!(code, 404, "{answer}");
        assert!(!answer.to_string().contains("shop"), "{answer}");
    }
    bind(&world, "default", "viewer", "ann").await;
    bind(&world, "default", "editor", "bob").await;
    for what in ["clone", "clone-preview"] {
        let uri = format!("{source}/{what}");
        let (code, answer) = world.bearer(&ann, "POST", &uri, options.clone()).await;
        assert_eq!(code, 403, "{answer}");
        let elsewhere = json!({"name": "twin", "namespace": "kube-system"});
        let (code, answer) = world.bearer(&bob, "POST", &uri, elsewhere).await;
        assert_eq!(code, 403, "{answer}");
    }
    let uri = format!("{source}/clone");
    let (code, answer) = world.bearer(&bob, "POST", &uri, options).await;
    assert_eq!(code, 201, "{answer}");
    for what in ["clones", "lineage"] {
        let (code, answer) = world
            .bearer(&ann, "GET", &format!("{source}/{what}"), Value::Null)
            .await;
        assert_eq!(code, 200, "{answer}");
    }
}

#[tokio::test]
async fn a_copy_is_written_like_any_object_in_its_authors_name() {
    let world = world().await;
    let source = source(&world, "shop").await;
    let (code, answer) = world
        .ask("POST", &format!("{source}/clone"), json!({"name": "twin"}))
        .await;
    assert_eq!(code, 201, "{answer}");
    let (_, twin) = world.get(&format!("{ENVIRONMENTS}/twin")).await;
    assert_eq!(answer["environmentId"], twin["metadata"]["uid"]);
    assert_eq!(answer["object"]["metadata"], twin["metadata"]);
    let manager = &twin["metadata"]["managedFields"][0]["manager"];
    assert_eq!(manager, "mirage-clone");
    world.api.flush_audit().await.unwrap();
    let (_, log) = world.get("/api/v1/audit?limit=1000").await;
    let records = log["items"].as_array().unwrap();
    let of_twin = records.iter().find(|record| record["name"] == "twin");
    let record = of_twin.unwrap();
    assert_eq!(record["verb"], "create");
    assert_eq!(record["user"]["name"], "tester");
    assert_eq!(record["resource"], "environments.mirage.dev");
    // A second one of the name is refused by the store itself.
    let (code, answer) = world
        .ask("POST", &format!("{source}/clone"), json!({"name": "twin"}))
        .await;
    assert_eq!((code, &answer["reason"]), (409, &json!("AlreadyExists")));
}

#[tokio::test]
async fn a_preview_writes_nothing_and_shows_what_a_clone_is_refused_for() {
    let world = world().await;
    let source = source(&world, "sealed").await;
    let preview = format!("{source}/clone-preview");
    let (code, answer) = world.ask("POST", &preview, json!({"name": "twin"})).await;
    assert_eq!(code, 200, "{answer}");
    let refusal = json!([{"field": "spec.variables.A", "message": "A is sealed"}]);
    assert_eq!(answer["refusals"], refusal);
    let (code, answer) = world.get(&format!("{preview}?name=sealed")).await;
    assert_eq!(
        (code, answer["refusals"].as_array().unwrap().len()),
        (200, 2)
    );
    let (code, answer) = world
        .ask("POST", &format!("{source}/clone"), json!({"name": "twin"}))
        .await;
    assert_eq!(code, 422);
    let cause = &answer["details"]["causes"][0];
    assert_eq!(cause["field"], "spec.variables.A");
    let (code, answer) = world.ask("POST", &preview, json!({"name": "later"})).await;
    assert_eq!(
        (code, &answer["reason"]),
        (503, &json!("ServiceUnavailable"))
    );
    let (_, all) = world.get(ENVIRONMENTS).await;
    assert_eq!(all["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_server_without_controllers_says_that_it_works_no_copies_out() {
    let world = World::new().await;
    let source = source(&world, "shop").await;
    let (code, answer) = world
        .ask("POST", &format!("{source}/clone"), json!({"name": "twin"}))
        .await;
    assert_eq!(code, 503, "{answer}");
    let (code, _) = world
        .ask("PUT", &format!("{source}/clone"), json!({}))
        .await;
    assert_eq!(code, 404);
}
