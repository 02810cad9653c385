//! Plans: as warnings of a dry run, and as an answer of their own.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use mirage_api::{PlanError, PlannedChange, Planner, RunningService};
use mirage_specs::{EnvironmentSpec, EnvironmentTemplateSpec, variable::ValueRef};
use serde_json::{Value, json};

use crate::world::{World, send};

const ENVIRONMENTS: &str = "/apis/mirage.dev/v1alpha1/namespaces/default/environments";

/// Plans by name.
pub(crate) struct Oracle;

#[async_trait]
impl Planner for Oracle {
    async fn plan(
        &self,
        environment: Value,
        previous: Option<Value>,
    ) -> Result<PlannedChange, PlanError> {
        match environment["metadata"]["name"].as_str().unwrap() {
            "unreadable" => Err(PlanError::Unavailable("Railway did not answer".into())),
            name => Ok(PlannedChange {
                plan: json!({"uid": environment["metadata"]["uid"]}),
                lines: vec![format!(
                    "{} service {name}",
                    if previous.is_some() {
                        "update"
                    } else {
                        "create"
                    }
                )],
                requests: 2,
                changes: true,
            }),
        }
    }

    async fn plan_under(
        &self,
        environment: Value,
        template: EnvironmentTemplateSpec,
    ) -> Result<PlannedChange, PlanError> {
        let mut planned = self.plan(environment, None).await?;
        planned.lines = template.description.into_iter().collect();
        Ok(planned)
    }

    async fn fingerprints(
        &self,
        _: &str,
        _: &EnvironmentSpec,
    ) -> Result<BTreeMap<ValueRef, String>, PlanError> {
        let password = ValueRef::secret("db", "password");
        Ok(BTreeMap::from([(password, "f1".to_owned())]))
    }

    async fn running(&self, environment: Value) -> Result<Vec<RunningService>, PlanError> {
        Ok(vec![RunningService {
            name: environment["metadata"]["name"].as_str().unwrap().to_owned(),
            healthy: true,
            image: Some("nginx:1".to_owned()),
            ..RunningService::default()
        }])
    }
}

fn environment(name: &str) -> Value {
    json!({"apiVersion": "mirage.dev/v1alpha1", "kind": "Environment", "metadata": {"name": name},
        "spec": {"type": "dev", "project": {"name": "shop"}, "services": {"web": {"source": {"image": "nginx"}}}}})
}

async fn warnings(world: &World, method: &str, uri: &str, body: Value) -> Vec<String> {
    let content_type = if method == "PATCH" {
        "application/merge-patch+json"
    } else {
        "application/json"
    };
    let headers = [("content-type", content_type)];
    let (code, headers, body) = send(
        world.api.trusted_router("t"),
        method,
        uri,
        &headers,
        body.to_string(),
    )
    .await;
    assert!(code < 300, "{body}");
    headers
        .get_all("warning")
        .iter()
        .map(|value| value.to_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_dry_run_of_an_environment_carries_its_plan_as_warnings() {
    let world = World::with_planner(Some(Arc::new(Oracle))).await;
    let dry = format!("{ENVIRONMENTS}?dryRun=All");
    assert_eq!(
        warnings(&world, "POST", &dry, environment("web")).await,
        ["299 - \"create service web\""]
    );
    assert!(
        warnings(&world, "POST", ENVIRONMENTS, environment("web"))
            .await
            .is_empty()
    );
    let change = json!({"spec": {"type": "prod"}});
    let web = format!("{ENVIRONMENTS}/web?dryRun=All");
    assert_eq!(
        warnings(&world, "PATCH", &web, change).await,
        ["299 - \"update service web\""]
    );
    assert_eq!(
        warnings(&world, "POST", &dry, environment("unreadable")).await,
        ["299 - \"no plan: Railway did not answer\""]
    );
}

#[tokio::test]
async fn the_plan_of_a_written_environment_can_be_asked_for() {
    let world = World::with_planner(Some(Arc::new(Oracle))).await;
    let (code, plan) = world
        .ask("POST", "/api/v1/plan?namespace=default", environment("web"))
        .await;
    assert_eq!(
        (code, &plan["lines"]),
        (200, &json!(["create service web"]))
    );
    assert_eq!(plan["requests"], 2);
    let (_, created) = world.ask("POST", ENVIRONMENTS, environment("web")).await;
    let (_, plan) = world.ask("POST", "/api/v1/plan", environment("web")).await;
    assert_eq!(plan["lines"], json!(["update service web"]));
    assert_eq!(plan["plan"]["uid"], created["metadata"]["uid"]);

    let mut wrong = environment("web");
    wrong["spec"]["type"] = json!("devel");
    let (code, status) = world.ask("POST", "/api/v1/plan", wrong).await;
    assert_eq!(
        (code, &status["details"]["causes"][0]["field"]),
        (422, &json!("spec.type"))
    );
    assert_eq!(
        world
            .ask("POST", "/api/v1/plan", environment("unreadable"))
            .await
            .0,
        503
    );
    let (code, _, _) = send(
        world.api.router(),
        "POST",
        "/api/v1/plan",
        &[],
        String::new(),
    )
    .await;
    assert_eq!(code, 401);
    let (code, status) = world.get("/api/v1/plan").await;
    assert_eq!((code, &status["reason"]), (404, &json!("NotFound")));
    let bare = World::new().await;
    assert_eq!(
        bare.ask("POST", "/api/v1/plan", environment("web")).await.0,
        503
    );
}

#[tokio::test]
async fn what_runs_is_told_with_mirages_id_and_only_to_those_who_may_look() {
    let world = World::with_planner(Some(Arc::new(Oracle))).await;
    let path = "/api/v1/environments/default/web/running";
    assert_eq!(world.get(path).await.0, 404);
    let (_, created) = world.ask("POST", ENVIRONMENTS, environment("web")).await;
    let (code, running) = world.get(path).await;
    assert_eq!(code, 200, "{running}");
    assert_eq!(running["environmentId"], created["metadata"]["uid"]);
    assert_eq!(
        running["services"],
        json!([{"name": "web", "healthy": true, "image": "nginx:1"}])
    );
    let (code, _, _) = send(world.api.router(), "GET", path, &[], String::new()).await;
    assert_eq!(code, 401);
    let bare = World::new().await;
    assert_eq!(bare.get(path).await.0, 503);
}
