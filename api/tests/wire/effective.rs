//! What an environment comes to, and what a template would change.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::access::{RBAC, bind, token_of};
use crate::plan::Oracle;
use crate::world::World;

const NAMESPACE: &str = "/apis/mirage.dev/v1alpha1/namespaces/default";
const EFFECTIVE: &str = "/api/v1/environments/default/web/effective";

fn template() -> Value {
    json!({"apiVersion": "mirage.dev/v1alpha1", "kind": "EnvironmentTemplate", "metadata": {"name": "shop"}, "spec": {
        "description": "as stored",
        "parameters": {"replicas": {"type": "integer", "default": 2}},
        "base": {"project": {"name": "shop"}, "services": {"web": {
            "source": {"image": "nginx"}, "deploy": {"replicas": "${{params.replicas}}"}, "variables": {"LOG": "debug"},
        }}},
    }})
}

fn environment() -> Value {
    json!({"apiVersion": "mirage.dev/v1alpha1", "kind": "Environment", "metadata": {"name": "web"}, "spec": {
        "templateRef": {"name": "shop"},
        "services": {"web": {"variables": {
            "LOG": "info", "PASSWORD": {"secretRef": {"name": "db", "key": "password"}},
        }}},
    }})
}

async fn world() -> World {
    let world = World::with_planner(Some(Arc::new(Oracle))).await;
    fill(&world).await;
    world
}

async fn fill(world: &World) {
    for (plural, object) in [
        ("environmenttemplates", template()),
        ("environments", environment()),
    ] {
        let (code, answer) = world
            .ask("POST", &format!("{NAMESPACE}/{plural}"), object)
            .await;
        assert_eq!(code, 201, "{answer}");
    }
    let secret = json!({"metadata": {"name": "db"}, "stringData": {"password": "s3cr3t-canary"}});
    let (code, answer) = world
        .ask("POST", "/api/v1/namespaces/default/secrets", secret)
        .await;
    assert_eq!(code, 201, "{answer}");
}

fn field<'a>(answer: &'a Value, path: &str) -> &'a Value {
    let fields = answer["fields"].as_array().unwrap();
    let mut found = fields.iter().filter(|field| field["path"] == path);
    let field = found.next().unwrap_or(&Value::Null);
    assert!(found.next().is_none(), "{path} twice");
    field
}

#[tokio::test]
async fn each_value_stands_beside_its_origin() {
    let world = world().await;
    let (code, answer) = world.get(EFFECTIVE).await;
    assert_eq!(code, 200, "{answer}");
    assert_eq!(answer["environment"], "web");
    assert!(answer["environmentId"].is_string());
    assert_eq!(
        answer["template"],
        json!({"name": "shop", "generation": 1, "parameters": {"replicas": 2}})
    );
    assert_eq!(answer["spec"]["services"]["web"]["deploy"]["replicas"], 2);
    assert_eq!(
        *field(&answer, "spec.services.web.deploy.replicas"),
        json!({"path": "spec.services.web.deploy.replicas", "value": 2, "origin": {"layer": "templateBase"},
            "parameters": ["replicas"]})
    );
    assert_eq!(
        *field(&answer, "spec.services.web.variables.LOG"),
        json!({"path": "spec.services.web.variables.LOG", "value": "info", "origin": {"layer": "environment"},
            "overridden": [{"origin": {"layer": "templateBase"}, "value": "debug"}]})
    );
    assert_eq!(
        field(&answer, "spec.approval")["origin"]["layer"],
        "default"
    );
}

#[tokio::test]
async fn a_secret_is_shown_as_its_reference_and_fingerprint() {
    let world = world().await;
    let (_, answer) = world.get(EFFECTIVE).await;
    let password = field(&answer, "spec.services.web.variables.PASSWORD");
    assert_eq!(
        password["value"],
        json!({"secretRef": {"name": "db", "key": "password"}})
    );
    assert_eq!(password["fingerprint"], "f1");
    assert!(!answer.to_string().contains("s3cr3t-canary"));
    let bare = World::new().await;
    fill(&bare).await;
    let (code, answer) = bare.get(EFFECTIVE).await;
    assert_eq!(
        code, 200,
        "who serves the API only knows no fingerprints: {answer}"
    );
    assert!(field(&answer, "spec.services.web.variables.PASSWORD")["fingerprint"].is_null());
}

#[tokio::test]
async fn an_environment_that_is_not_applied_can_be_asked_about() {
    let world = world().await;
    let mut written = environment();
    written["spec"]["templateRef"]["parameters"] = json!({"replicas": 5});
    let (code, answer) = world.ask("POST", EFFECTIVE, written.clone()).await;
    assert_eq!(
        (
            code,
            &answer["spec"]["services"]["web"]["deploy"]["replicas"]
        ),
        (200, &json!(5))
    );
    let (_, stored) = world.get(&format!("{NAMESPACE}/environments/web")).await;
    assert!(
        stored["spec"]["templateRef"]["parameters"].is_null(),
        "nothing is stored"
    );

    written["spec"]["templateRef"]["parameters"] = json!({"replcas": 5});
    let (code, status) = world.ask("POST", EFFECTIVE, written.clone()).await;
    assert_eq!(code, 422, "{status}");
    assert_eq!(
        status["details"]["causes"][0]["field"],
        "spec.templateRef.parameters.replcas"
    );
    assert!(
        status["message"]
            .as_str()
            .unwrap()
            .contains("did you mean \"replicas\"?"),
        "{status}"
    );
    written["spec"]["templateRef"] = json!({"name": "gone"});
    let (code, status) = world.ask("POST", EFFECTIVE, written).await;
    assert_eq!(code, 422, "{status}");
    assert!(
        status["message"].as_str().unwrap().contains("\"gone\""),
        "{status}"
    );
    let other = json!({"metadata": {"name": "other"}, "spec": {}});
    assert_eq!(world.ask("POST", EFFECTIVE, other).await.0, 400);
    let nobody = "/api/v1/environments/default/nobody/effective";
    assert_eq!(world.get(nobody).await.0, 404);
}

#[tokio::test]
async fn who_may_not_read_the_template_does_not_read_it_here() {
    let world = World::with_tokens().await;
    fill(&world).await;
    let role = json!({"metadata": {"name": "own"}, "rules": [
        {"apiGroups": ["mirage.dev"], "resources": ["environments"], "verbs": ["get", "list"]}]});
    let (code, _) = world
        .ask("POST", &format!("{RBAC}/clusterroles"), role)
        .await;
    assert_eq!(code, 201);
    let ann = token_of(&world, "ann", &[]).await;
    assert_eq!(
        world.bearer(&ann, "GET", EFFECTIVE, Value::Null).await.0,
        403
    );
    bind(&world, "default", "own", "ann").await;
    let (code, status) = world.bearer(&ann, "GET", EFFECTIVE, Value::Null).await;
    assert_eq!(code, 403);
    assert!(
        status["message"]
            .as_str()
            .unwrap()
            .contains("environmenttemplates"),
        "{status}"
    );
    bind(&world, "default", "viewer", "ann").await;
    assert_eq!(
        world.bearer(&ann, "GET", EFFECTIVE, Value::Null).await.0,
        200
    );
    let mut written = environment();
    written["spec"]["services"]["web"]["variables"]["OTHER"] =
        json!({"secretRef": {"name": "other", "key": "key"}});
    let (code, _) = world.bearer(&ann, "POST", EFFECTIVE, written).await;
    assert_eq!(
        code, 403,
        "another spec may point at any Secret: that needs the right to apply it"
    );
}

#[tokio::test]
async fn a_templates_plan_is_that_of_each_environment_in_the_order_of_the_waves() {
    let world = world().await;
    for (name, kind) in [("live", "prod"), ("unreadable", "dev"), ("alone", "dev")] {
        let mut object = environment();
        object["metadata"]["name"] = json!(name);
        object["spec"]["type"] = json!(kind);
        if name == "alone" {
            object["spec"]["templateRef"]["name"] = json!("dev");
            object["spec"]["project"] = json!({"name": "shop"});
            object["spec"]["services"]["web"]["source"] = json!({"image": "nginx"});
        }
        let (code, answer) = world
            .ask("POST", &format!("{NAMESPACE}/environments"), object)
            .await;
        assert_eq!(code, 201, "{answer}");
    }
    let plan = "/api/v1/templates/default/shop/plan";
    let (code, answer) = world.send("POST", plan, &[], String::new()).await;
    assert_eq!(code, 200, "{answer}");
    assert_eq!(
        (&answer["template"], &answer["parallel"]),
        (&json!("shop"), &json!(5))
    );
    let told: Vec<(&str, u64)> = answer["environments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            (
                entry["environment"].as_str().unwrap(),
                entry["wave"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(told, [("unreadable", 1), ("web", 1), ("live", 3)]);
    assert_eq!(answer["environments"][0]["error"], "Railway did not answer");
    assert_eq!(answer["environments"][1]["lines"], json!(["as stored"]));

    let mut changed = template();
    changed["spec"]["description"] = json!("as written");
    let (_, answer) = world.ask("POST", plan, changed.clone()).await;
    assert_eq!(answer["environments"][1]["lines"], json!(["as written"]));
    changed["spec"]["base"]["servces"] = json!({});
    let (code, status) = world.ask("POST", plan, changed.clone()).await;
    assert_eq!(
        (code, &status["details"]["causes"][0]["field"]),
        (422, &json!("spec.base.servces"))
    );
    let nowhere = "/api/v1/templates/default/nowhere/plan";
    assert_eq!(world.send("POST", nowhere, &[], String::new()).await.0, 404);
    let viewer = world
        .bearer("viewer-token", "POST", plan, Value::Null)
        .await;
    assert_eq!(viewer.0, 200, "{viewer:?}");
    let viewer = world.bearer("viewer-token", "POST", plan, template()).await;
    assert_eq!(viewer.0, 200, "the stored one, written down: {viewer:?}");
    changed["spec"]["base"]
        .as_object_mut()
        .unwrap()
        .remove("servces");
    let viewer = world.bearer("viewer-token", "POST", plan, changed).await;
    assert_eq!(viewer.0, 403, "{viewer:?}");
}
