//! What a copy is: where it is made, of what, and what differs.

use http::{Method, StatusCode};
use kube::ResourceExt as _;
use mirage_railway_simulator::DashboardEdit;
use mirage_specs::{Environment, copy::Change};
use serde_json::{Value, json};

use super::scene::{LONG, MINUTE, PROJECT, SOURCE, Scene, change_of, effective};

#[tokio::test(start_paused = true)]
async fn a_clone_in_the_sources_project_has_its_configuration_its_build_and_its_dependencies() {
    let mut scene = Scene::new(1).await;
    let copy = scene.ready(json!({"name": "twin"})).await;
    let mut expected = effective(&scene.get(SOURCE).await.spec);
    // A domain of one's own leads to one environment, and what only Railway has is copied from there.
    expected["services"]["web"]["domains"] = json!([{"port": 8080}]);
    let from = |service: Option<&str>, name: &str| {
        let mut place = json!({"environment": SOURCE, "name": name});
        if let Some(service) = service {
            place["service"] = json!(service);
        }
        json!({"copyFrom": place})
    };
    expected["variables"]["KEPT"] = from(None, "KEPT");
    expected["variables"]["BY_HAND"] = from(None, "BY_HAND");
    expected["services"]["api"]["variables"]["STRIPE_KEY"] = from(Some("api"), "STRIPE_KEY");
    assert_eq!(effective(&copy.spec), expected);
    let (old, new) = (
        scene.on_railway(PROJECT, SOURCE),
        scene.on_railway(PROJECT, "twin"),
    );
    assert_eq!(new.services.len(), old.services.len());
    for service in &old.services {
        let copied = new.service(&service.name).unwrap();
        assert_eq!(
            (&copied.image, &copied.repo, copied.replicas),
            (&service.image, &service.repo, service.replicas)
        );
        assert!(copied.custom_domains.is_empty());
    }
    let plan = scene.world.plan(&copy).await.unwrap().unwrap();
    assert!(plan.plan.actions.is_empty(), "{:?}", plan.lines);
}

#[tokio::test(start_paused = true)]
async fn a_clone_into_a_new_project_makes_the_project() {
    let mut scene = Scene::new(2).await;
    let copy = scene
        .ready(json!({"name": "twin", "project": {"name": "other"}}))
        .await;
    let twin = scene.on_railway("other", "twin");
    assert_eq!(twin.services.len(), 3);
    let railway = copy.status.unwrap().railway.unwrap();
    assert_eq!(railway.environment_id.as_ref(), Some(&twin.id));
    // Nothing of the source's project changed.
    let inventory = scene.world.simulator.inventory();
    assert_eq!(inventory.project(PROJECT).unwrap().environments.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_clone_into_another_project_that_is_there_is_made_in_it() {
    let mut scene = Scene::new(3).await;
    scene.edit(DashboardEdit::CreateProject {
        name: "other".to_owned(),
    });
    let inventory = scene.world.simulator.inventory();
    let id = inventory.project("other").unwrap().id.clone();
    scene.world.pass(MINUTE).await;
    let copy = scene
        .ready(json!({"name": "twin", "project": {"id": id}}))
        .await;
    let railway = copy.status.unwrap().railway.unwrap();
    assert_eq!(railway.project_id.as_ref(), Some(&id));
    assert_eq!(scene.on_railway("other", "twin").services.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_clone_may_be_in_another_namespace_of_another_type_and_with_another_time_to_live() {
    let mut scene = Scene::new(4).await;
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}});
    let (status, answer) = scene
        .ask(Method::POST, "/api/v1/namespaces", Some(&namespace))
        .await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "stringData": {"token": "t"}});
    let (status, answer) = scene
        .ask(
            Method::POST,
            "/api/v1/namespaces/team/secrets",
            Some(&secret),
        )
        .await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
    let answer = scene
        .clones(json!({"name": "twin", "namespace": "team", "type": "staging", "ttl": "3d"}))
        .await;
    assert_eq!(answer["namespace"], "team");
    assert_eq!(answer["object"]["spec"]["type"], "staging");
    assert_eq!(answer["object"]["spec"]["ttl"], "3d");
    let path = "/apis/mirage.dev/v1alpha1/namespaces/team/environments/twin";
    let ready = scene
        .world
        .pass_until(LONG, async |world| {
            let (_, object) = world.ask(Method::GET, path, None).await?;
            Ok(object["status"]["phase"] == "Ready")
        })
        .await
        .unwrap();
    let (_, object) = scene.ask(Method::GET, path, None).await;
    assert!(ready, "{object:#}");
    assert!(object["status"]["expiresAt"].is_string());
    let token = &scene.service(PROJECT, "twin", "api").variables["TOKEN"];
    assert_eq!(token.as_deref(), Some("t"));
}

#[tokio::test(start_paused = true)]
async fn only_what_is_included_and_not_excluded_is_copied() {
    let mut scene = Scene::new(5).await;
    scene
        .ready(json!({"name": "some", "include": ["api", "db"]}))
        .await;
    let names = |scene: &Scene, name: &str| -> Vec<String> {
        let found = scene.on_railway(PROJECT, name).services;
        let mut names: Vec<String> = found.into_iter().map(|service| service.name).collect();
        names.sort();
        names
    };
    assert_eq!(names(&scene, "some"), ["api", "db"]);
    let preview = scene
        .preview(&json!({"name": "few", "exclude": ["web"]}))
        .await;
    let removed = change_of(&preview.difference, "services.web");
    assert_eq!(removed, Some(Change::Removed));
    scene
        .ready(json!({"name": "few", "exclude": ["web"]}))
        .await;
    assert_eq!(names(&scene, "few"), ["api", "db"]);
}

#[tokio::test(start_paused = true)]
async fn replicas_and_limits_change_where_that_is_asked() {
    let mut scene = Scene::new(6).await;
    let copy = scene
        .ready(json!({"name": "small", "services": {"api": {"replicas": 1, "limits": {"memory": "512Mi"}}}}))
        .await;
    let spec = serde_json::to_value(&copy.spec).unwrap();
    let deploy = &spec["services"]["api"]["deploy"];
    assert_eq!(deploy["replicas"], 1);
    assert_eq!(deploy["limits"], json!({"cpu": 2.0, "memory": "512Mi"}));
    assert_eq!(scene.service(PROJECT, "small", "api").replicas, 1);
    assert_eq!(scene.service(PROJECT, SOURCE, "api").replicas, 2);
}

#[tokio::test(start_paused = true)]
async fn services_get_a_prefix_and_a_suffix_and_everything_that_speaks_of_them_follows() {
    let mut scene = Scene::new(7).await;
    let copy = scene
        .ready(json!({"name": "twin", "prefix": "pr-", "suffix": "-2"}))
        .await;
    let spec = serde_json::to_value(&copy.spec).unwrap();
    let (api, web) = (&spec["services"]["pr-api-2"], &spec["services"]["pr-web-2"]);
    assert_eq!(
        api["variables"]["DATABASE_URL"],
        "${{pr-db-2.DATABASE_URL}}"
    );
    assert_eq!(
        web["variables"]["API_URL"],
        "http://${{pr-api-2.RAILWAY_PRIVATE_DOMAIN}}:8080"
    );
    assert_eq!(web["variables"]["HOST"], "http://pr-api-2.railway.internal");
    assert_eq!(
        api["deploy"]["startCommand"],
        "serve --db pr-db-2.railway.internal"
    );
    assert_eq!(web["dependsOn"], json!(["pr-api-2"]));
    assert_eq!(
        spec["drift"]["ignore"],
        json!(["services.pr-api-2.deploy.replicas"])
    );
    let twin = scene.on_railway(PROJECT, "twin");
    assert!(twin.service("pr-web-2").is_some() && twin.service("web").is_none());
}

#[tokio::test(start_paused = true)]
async fn progress_is_told_for_each_service() {
    let mut scene = Scene::new(8).await;
    scene.clones(json!({"name": "twin"})).await;
    let mut seen = std::collections::BTreeSet::new();
    let ready = scene
        .world
        .pass_until(LONG, async |world| {
            let status = world.status("twin").await?;
            seen.extend(
                status
                    .services
                    .iter()
                    .map(|(name, service)| (name.clone(), service.state.to_string())),
            );
            Ok(status.phase.as_deref() == Some("Ready"))
        })
        .await
        .unwrap();
    assert!(ready);
    for service in ["api", "db", "web"] {
        for state in ["Pending", "Deploying", "Ready"] {
            let step = (service.to_owned(), state.to_owned());
            assert!(seen.contains(&step), "{step:?} is not in {seen:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_preview_shows_exactly_what_is_made() {
    let mut scene = Scene::new(9).await;
    let options = json!({
        "name": "twin", "project": {"name": "other"}, "type": "staging", "exclude": ["web"], "suffix": "-b",
        "variables": {"LEVEL": "debug", "EXTRA": "1"},
        "services": {"api": {"variables": {"TOKEN": null}, "replicas": 1}},
    });
    let mutations = scene.world.simulator.requests().mutations;
    let preview = scene.preview(&options).await;
    assert_eq!(preview.refusals, []);
    assert_eq!(scene.world.simulator.requests().mutations, mutations);
    assert!(scene.world.environment("twin").await.unwrap().is_none());
    for (path, change) in [
        ("type", Change::Changed),
        ("project.name", Change::Changed),
        ("variables.LEVEL", Change::Changed),
        ("variables.EXTRA", Change::New),
        ("variables.KEPT", Change::Unchanged),
        ("variables.BY_HAND", Change::Unchanged),
        ("services.web", Change::Removed),
        ("services.api-b", Change::Changed),
        ("services.api-b.deploy.replicas", Change::Changed),
        ("services.api-b.variables.TOKEN", Change::Removed),
        ("services.api-b.variables.STRIPE_KEY", Change::Unchanged),
        ("services.api-b.variables.LEVEL", Change::Unchanged),
        ("services.api-b.variables.DATABASE_URL", Change::Changed),
        ("services.db-b.variables.POSTGRES_PASSWORD", Change::Changed),
    ] {
        let found = change_of(&preview.difference, path);
        assert_eq!(found, Some(change), "{path}: {:#?}", preview.difference);
    }
    let answer = scene.clones(options).await;
    assert_eq!(answer["difference"], json!(preview.difference));
    assert_eq!(answer["notes"], json!(preview.notes));
    let made: Environment = serde_json::from_value(answer["object"].clone()).unwrap();
    let shown: Environment = serde_json::from_value(preview.object).unwrap();
    assert_eq!(made.spec, shown.spec);
    assert_eq!(made.labels(), shown.labels());
    scene.rests().await;
    let twin = scene.on_railway("other", "twin");
    let names: Vec<&str> = twin.services.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names.len(), 2);
    assert!(names.contains(&"api-b") && names.contains(&"db-b"));
}

#[tokio::test(start_paused = true)]
async fn a_preview_by_query_says_what_one_by_body_says() {
    let scene = Scene::new(10).await;
    let id = scene.id(SOURCE).await;
    let body = json!({"name": "twin", "exclude": ["web"], "prefix": "x-", "ttl": "3d",
                      "services": {"api": {"variables": {"LEVEL": "debug"}, "replicas": 1}}});
    let query = "name=twin&exclude=web&prefix=x-&ttl=3d&set=api.LEVEL=debug&replicas=api=1";
    let path = format!("/api/v1/environments/{id}/clone-preview");
    let mut answers = Vec::new();
    for (method, path, body) in [
        (Method::POST, path.clone(), Some(&body)),
        (Method::GET, format!("{path}?{query}"), None),
    ] {
        let (status, mut answer) = scene.ask(method, &path, body).await;
        assert_eq!(status, StatusCode::OK, "{answer:#}");
        answer["object"]["metadata"]["annotations"] = Value::Null;
        answers.push(answer);
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test(start_paused = true)]
async fn answers_carry_both_ids_and_a_railway_id_is_resolved_first() {
    let mut scene = Scene::new(11).await;
    let copy = scene.ready(json!({"name": "twin"})).await;
    let railway = scene.on_railway(PROJECT, "twin").id;
    for id in [copy.uid().unwrap(), railway.clone()] {
        let (status, answer) = scene
            .ask(
                Method::GET,
                &format!("/api/v1/environments/{id}/lineage"),
                None,
            )
            .await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        assert_eq!(answer["environmentId"], json!(copy.uid()));
        assert_eq!(answer["railwayEnvironmentId"], json!(railway));
        assert_eq!(answer["ancestors"][0]["name"], SOURCE);
    }
}
