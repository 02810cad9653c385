//! Browsing Railway, importing from it, and exporting.

use std::sync::Arc;

use async_trait::async_trait;
use mirage_api::{AccountName, Catalog, CatalogError};
use mirage_specs::catalog::{
    Keeper, RailwayDeployment, RailwayEnvironment, RailwayProject, RailwayService,
};
use mirage_specs::import::{ImportItem, ImportState, ImportWish};
use serde_json::{Value, json};

use crate::openapi::conforms;
use crate::world::{World, send};

const ENVIRONMENTS: &str = "/apis/mirage.dev/v1alpha1/namespaces/default/environments";
const SHOP: &str = "/api/v1/railway/projects/shop/environments";

/// A Railway with one project and two environments.
struct Atlas;

fn environment(name: &str) -> RailwayEnvironment {
    serde_json::from_value(json!({
        "railwayEnvironmentId": format!("id-{name}"), "name": name, "railwayProjectId": "id-shop", "projectName": "shop",
        "createdAt": "2026-01-01T00:00:00Z", "dashboardUrl": "https://railway.com/project/id-shop", "keeper": "external",
        "readable": true, "state": "Ready", "servicesReady": "1/1", "unmergedChanges": 0,
    }))
    .unwrap()
}

fn found(account: &AccountName, project: &str) -> Result<(), CatalogError> {
    match (account.name.as_str(), project) {
        ("default", "shop" | "id-shop") => Ok(()),
        ("default", _) => Err(CatalogError::NotFound(format!(
            "there is no project {project:?}"
        ))),
        _ => Err(CatalogError::Unavailable("there is no such account".into())),
    }
}

#[async_trait]
impl Catalog for Atlas {
    async fn projects(&self, account: &AccountName) -> Result<Vec<RailwayProject>, CatalogError> {
        found(account, "shop")?;
        Ok(vec![RailwayProject {
            railway_project_id: "id-shop".into(),
            name: "shop".into(),
            description: None,
            created_at: "2026-01-01T00:00:00Z".parse().unwrap(),
            dashboard_url: "https://railway.com/project/id-shop".into(),
            environments: Some(2),
            services: Some(1),
            managed: None,
            external: None,
            unreadable: None,
            environment_ids: vec!["id-production".into(), "id-staging".into()],
        }])
    }

    async fn environments(
        &self,
        account: &AccountName,
        project: &str,
    ) -> Result<Vec<RailwayEnvironment>, CatalogError> {
        found(account, project)?;
        Ok(vec![environment("production"), environment("staging")])
    }

    async fn environment(
        &self,
        account: &AccountName,
        project: &str,
        name: &str,
    ) -> Result<RailwayEnvironment, CatalogError> {
        found(account, project)?;
        let service: RailwayService = serde_json::from_value(json!({
            "railwayServiceId": "id-web", "name": "web", "state": "Ready", "image": "nginx",
        }))
        .unwrap();
        Ok(RailwayEnvironment {
            services: vec![service],
            ..environment(name)
        })
    }

    async fn deployments(
        &self,
        account: &AccountName,
        place: [&str; 3],
        limit: u32,
    ) -> Result<Vec<RailwayDeployment>, CatalogError> {
        found(account, place[0])?;
        let one = json!({
            "railwayDeploymentId": "id-d", "status": "SUCCESS", "stopped": false, "active": true,
            "createdAt": "2026-01-01T00:00:00Z", "commit": "abc",
        });
        let one: RailwayDeployment = serde_json::from_value(one).unwrap();
        Ok(vec![one; limit.min(2) as usize])
    }

    async fn survey(
        &self,
        account: &AccountName,
        wishes: Vec<ImportWish>,
    ) -> Result<Vec<ImportItem>, CatalogError> {
        found(account, "shop")?;
        let item = |wish: ImportWish| {
            let bare = wish.environment.trim_start_matches("id-").to_owned();
            let name = wish.name.unwrap_or_else(|| format!("shop-{bare}"));
            let namespace = wish.namespace.unwrap();
            let manifest = json!({
                "apiVersion": "mirage.dev/v1alpha1", "kind": "Environment",
                "metadata": {"name": name, "namespace": namespace, "annotations": {"mirage.dev/import": format!("id-{bare}")}},
                "spec": {"name": bare, "project": {"name": "shop"}, "services": {"web": {"source": {"image": "nginx"}}}},
            });
            ImportItem {
                state: ImportState::Importable,
                project: "shop".into(),
                railway_project_id: Some("id-shop".into()),
                railway_environment_id: Some(format!("id-{bare}")),
                environment: bare,
                environment_id: None,
                namespace,
                name,
                problems: Vec::new(),
                remarks: vec!["service x is left out".into()],
                plan: Vec::new(),
                manifest: Some(manifest),
            }
        };
        Ok(wishes.into_iter().map(item).collect())
    }
}

async fn world() -> World {
    World::with_catalog(Arc::new(Atlas)).await
}

#[tokio::test]
async fn browsing_tells_what_is_kept_and_by_whom() {
    let world = world().await;
    let import =
        json!({"items": [{"project": "shop", "environment": "production", "name": "shop"}]});
    let (code, made) = world.ask("POST", "/api/v1/import", import).await;
    assert_eq!(
        (code, &made["items"][0]["state"]),
        (200, &json!("waiting")),
        "{made}"
    );

    let (_, projects) = world.get("/api/v1/railway/projects").await;
    let shop = &projects["items"][0];
    assert_eq!(
        (&shop["managed"], &shop["external"]),
        (&json!(1), &json!(1)),
        "{shop}"
    );
    conforms(&world, "get", "/api/v1/railway/projects", &projects).await;

    let (_, environments) = world.get(SHOP).await;
    let production = &environments["items"][0];
    assert_eq!(production["keeper"], json!(Keeper::Managed));
    assert_eq!(production["keptBy"]["name"], "shop");
    assert_eq!(
        production["keptBy"]["environmentId"],
        made["items"][0]["environmentId"]
    );
    assert_eq!(environments["items"][1]["keeper"], "external");
    conforms(
        &world,
        "get",
        "/api/v1/railway/projects/{project}/environments",
        &environments,
    )
    .await;

    let one = format!("{SHOP}/staging");
    let (_, staging) = world.get(&one).await;
    assert_eq!(staging["services"][0]["image"], "nginx");
    let (_, deployments) = world
        .get(&format!("{one}/services/web/deployments?limit=1"))
        .await;
    assert_eq!(deployments["items"].as_array().unwrap().len(), 1);
    conforms(
        &world,
        "get",
        "/api/v1/railway/projects/{project}/environments/{environment}/services/{service}/deployments",
        &deployments,
    )
    .await;

    let (code, status) = world
        .get("/api/v1/railway/projects/nowhere/environments")
        .await;
    assert_eq!((code, &status["reason"]), (404, &json!("NotFound")));
    assert_eq!(
        world.get("/api/v1/railway/projects?account=other").await.0,
        503
    );
    assert_eq!(World::new().await.get(SHOP).await.0, 503);
}

#[tokio::test]
async fn viewers_browse_and_do_not_import() {
    let world = world().await;
    let (code, _) = world.bearer("viewer-token", "GET", SHOP, Value::Null).await;
    assert_eq!(code, 200);
    let import = json!({"items": [{"project": "shop", "environment": "staging"}]});
    let (code, told) = world
        .bearer("viewer-token", "POST", "/api/v1/import", import.clone())
        .await;
    assert_eq!(code, 200);
    assert_eq!(
        told["items"][0]["problems"][0]["reason"], "Forbidden",
        "{told}"
    );
    assert!(told["id"].is_null(), "nothing was made");

    let mut in_the_clear = import;
    in_the_clear["items"][0]["plain"] = json!(["LEVEL"]);
    for path in ["/api/v1/import", "/api/v1/import/validate"] {
        let (code, status) = world
            .bearer("viewer-token", "POST", path, in_the_clear.clone())
            .await;
        assert_eq!(code, 403, "{status}");
        assert!(
            status["message"]
                .as_str()
                .unwrap()
                .contains("railwayprojects/values"),
            "{status}"
        );
    }
    let (code, _, _) = send(world.api.router(), "GET", SHOP, &[], String::new()).await;
    assert_eq!(code, 401);
}

#[tokio::test]
async fn who_may_make_environments_may_not_for_that_take_over_those_of_others() {
    let world = world().await;
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "edits"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "editor"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "viewer"}],
    });
    let bindings = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";
    assert_eq!(world.ask("POST", bindings, binding).await.0, 201);
    let mut object = json!({
        "apiVersion": "mirage.dev/v1alpha1", "kind": "Environment", "metadata": {"name": "shop"},
        "spec": {"project": {"name": "shop"}, "services": {"web": {"source": {"image": "nginx"}}}},
    });
    let (code, _) = world
        .bearer("viewer-token", "POST", ENVIRONMENTS, object.clone())
        .await;
    assert_eq!(code, 201);
    let annotation = json!({"metadata": {"annotations": {"mirage.dev/import": "id-production"}}});
    let of_shop = format!("{ENVIRONMENTS}/shop");
    let (code, status) = world
        .bearer("viewer-token", "PATCH", &of_shop, annotation.clone())
        .await;
    assert_eq!(code, 403, "{status}");
    assert!(
        status["message"]
            .as_str()
            .unwrap()
            .contains("cannot import resource"),
        "{status}"
    );
    object["metadata"] =
        json!({"name": "other", "annotations": annotation["metadata"]["annotations"]});
    assert_eq!(
        world
            .bearer("viewer-token", "POST", ENVIRONMENTS, object)
            .await
            .0,
        403
    );
    let import = json!({"items": [{"project": "shop", "environment": "staging"}]});
    let (_, told) = world
        .bearer("viewer-token", "POST", "/api/v1/import", import)
        .await;
    assert_eq!(
        told["items"][0]["problems"][0]["reason"], "Forbidden",
        "{told}"
    );

    // An administrator may, and what is there already is everybody's to change who may change it.
    let (code, _) = world
        .bearer("admin-token", "PATCH", &of_shop, annotation)
        .await;
    assert_eq!(code, 200);
    let label = json!({"metadata": {"labels": {"team": "a"}}});
    assert_eq!(
        world
            .bearer("viewer-token", "PATCH", &of_shop, label)
            .await
            .0,
        200
    );
}

#[tokio::test]
async fn an_import_is_validated_made_and_followed() {
    let world = world().await;
    let all = json!({"all": true, "project": "shop"});
    let (code, told) = world
        .ask("POST", "/api/v1/import/validate", all.clone())
        .await;
    assert_eq!((code, &told["total"]), (200, &json!(2)), "{told}");
    assert_eq!(told["items"][0]["state"], "importable");
    assert_eq!(told["items"][0]["manifest"]["kind"], "Environment");
    conforms(&world, "post", "/api/v1/import/validate", &told).await;
    assert_eq!(world.get(ENVIRONMENTS).await.1["items"], json!([]));

    let (_, made) = world.ask("POST", "/api/v1/import", all.clone()).await;
    conforms(&world, "post", "/api/v1/import", &made).await;
    let id = made["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/import/{id}");
    let (_, waiting) = world.get(&path).await;
    assert_eq!(
        (&waiting["total"], &waiting["done"]),
        (&json!(2), &json!(0)),
        "{waiting}"
    );

    let status =
        json!({"status": {"railway": {"environmentId": "id-production", "projectName": "shop"}}});
    let of_one = format!("{ENVIRONMENTS}/shop-production/status");
    let merge = "application/merge-patch+json";
    assert_eq!(world.patch(&of_one, merge, status).await.0, 200);
    let condition = json!({"type": "Synced", "status": "False", "reason": "ImportDiffers", "message": "not imported",
        "lastTransitionTime": "2026-01-01T00:00:00Z"});
    let of_other = format!("{ENVIRONMENTS}/shop-staging/status");
    let status = json!({"status": {"conditions": [condition]}});
    assert_eq!(world.patch(&of_other, merge, status).await.0, 200);
    let (_, over) = world.get(&path).await;
    assert_eq!(over["done"], 2, "{over}");
    assert_eq!(over["items"][0]["state"], "adopted");
    assert_eq!(over["items"][1]["state"], "differs");
    assert_eq!(over["items"][1]["problems"][0]["message"], "not imported");
    conforms(&world, "get", "/api/v1/import/{id}", &over).await;
    assert_eq!(world.get("/api/v1/import/nothing").await.0, 404);

    // What is kept is left out of everything, and said of what is named.
    let (_, again) = world.ask("POST", "/api/v1/import", all).await;
    assert_eq!(again["total"], 0, "{again}");
    let named = json!({"items": [{"project": "shop", "environment": "production"}]});
    let (_, again) = world.ask("POST", "/api/v1/import", named).await;
    assert_eq!(again["items"][0]["state"], "managed");

    // The record says who made it, as of anybody's creation.
    let (_, log) = world
        .get("/api/v1/audit?resource=environments&verb=create")
        .await;
    assert_eq!(log["items"][0]["user"]["name"], "tester", "{log}");
    conforms(&world, "get", "/api/v1/audit", &log).await;
}

#[tokio::test]
async fn what_is_no_import_is_refused_with_the_next_step() {
    let world = world().await;
    for (body, words) in [
        (json!({}), "all: true"),
        (json!({"items": [{"project": "a"}]}), "environment"),
        (
            json!({"project": "a", "items": [{"project": "a", "environment": "b"}]}),
            "only together",
        ),
        (json!({"itmes": []}), "itmes"),
    ] {
        let (code, status) = world.ask("POST", "/api/v1/import", body).await;
        assert_eq!(code, 400, "{status}");
        assert!(
            status["message"].as_str().unwrap().contains(words),
            "{status}"
        );
    }
    let twice = json!({"items": [
        {"project": "shop", "environment": "production", "name": "a"}, {"project": "shop", "environment": "staging", "name": "a"},
    ]});
    let (_, told) = world.ask("POST", "/api/v1/import/validate", twice).await;
    assert_eq!(
        told["items"][1]["problems"][0]["reason"], "NameTaken",
        "{told}"
    );
}

#[tokio::test]
async fn an_environment_is_exported_in_every_format() {
    let world = World::new().await;
    let object = json!({
        "apiVersion": "mirage.dev/v1alpha1", "kind": "Environment",
        "metadata": {"name": "shop", "labels": {"team": "a"}},
        "spec": {"type": "dev", "project": {"name": "shop"}, "services": {
            "web": {"source": {"image": "nginx"}, "variables": {"KEY": {"secretRef": {"name": "s", "key": "k"}}}},
        }},
    });
    assert_eq!(world.ask("POST", ENVIRONMENTS, object).await.0, 201);
    let export = "/api/v1/environments/default/shop/export";
    for (format, part) in [
        ("spec", "kind: Environment\n"),
        ("template", "kind: EnvironmentTemplate\n"),
        ("compose", "image: nginx"),
        ("railway.ts", "KEY: preserve()"),
    ] {
        let (code, text) = world.get(&format!("{export}?format={format}")).await;
        assert_eq!(code, 200, "{text}");
        let text = text.as_str().unwrap();
        assert!(
            text.contains(part) && !text.contains("managedFields"),
            "{format}: {text}"
        );
    }
    assert_eq!(world.get(&format!("{export}?format=toml")).await.0, 400);
    assert_eq!(
        world
            .get("/api/v1/environments/default/none/export")
            .await
            .0,
        404
    );

    let save = "/api/v1/environments/default/shop/save-as-template";
    let (code, saved) = world.ask("POST", save, json!({"name": "standard"})).await;
    assert_eq!(code, 200, "{saved}");
    assert_eq!(
        saved["template"]["spec"]["base"]["services"]["web"]["source"]["image"],
        "nginx"
    );
    conforms(
        &world,
        "post",
        "/api/v1/environments/{namespace}/{name}/save-as-template",
        &saved,
    )
    .await;
    assert_eq!(
        world.ask("POST", save, json!({"name": "standard"})).await.0,
        409
    );
    let viewer = world
        .bearer("viewer-token", "POST", save, json!({"name": "other"}))
        .await;
    assert_eq!(viewer.0, 403);
}
