//! The ways of bringing services into an environment.

use crate::client::{Client, create_service, text};
use mirage_railway_simulator::{Options, Quirk, Quirks};
use serde_json::{Value, json};

#[tokio::test(start_paused = true)]
async fn a_change_set_makes_services_volumes_and_variables_at_once() {
    let client = Client::instant();
    let (_, environment) = client.project("shop").await;
    let mut web = create_service("web", "nginx:1");
    web["resource"]["variables"] = json!({
        "PLAIN": {"type": "literal", "value": "1"},
        "URL": {"type": "reference", "resource": "database.db", "output": "DATABASE_URL"},
    });
    web["resource"]["networking"] = json!({"serviceDomains": {"web": {"port": 8080}}});
    let mut db = create_service("db", "postgres:16");
    db["address"] = json!("database.db");
    db["resource"]["variables"] = json!({"DATABASE_URL": {"type": "literal", "value": "pg://x"}});
    db["resource"]["volumeAttachments"] =
        json!({"data": {"volume": "volume.data", "mountPath": "/var/lib/postgresql/data"}});
    let volume = json!({"kind": "resource.create", "address": "volume.data",
        "resource": {"type": "volume", "name": "data", "config": {"sizeMB": 1024}}});
    let result = client.apply(&environment, json!([web, db, volume])).await;
    assert_eq!(result["status"], "applied", "{result}");
    client.settle();

    let inventory = client.simulator.inventory_with_values();
    let place = inventory.environment("shop", "production").unwrap();
    let (web, db) = (place.service("web").unwrap(), place.service("db").unwrap());
    assert_eq!(web.status(), Some("SUCCESS"));
    assert_eq!(web.service_domains, ["web-production.up.railway.app"]);
    assert_eq!(
        web.variables["URL"].as_deref(),
        Some("${{db.DATABASE_URL}}")
    );
    assert_eq!(place.volumes.len(), 1);
    assert_eq!(place.volumes[0].service_id.as_ref(), Some(&db.service_id));
    assert_eq!(place.volumes[0].size_mb, 1024);
    assert_eq!(
        client.simulator.requests().of("environmentApplyChangeSet"),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn a_patch_makes_instances_of_services_that_the_project_has() {
    let client = Client::instant();
    let (project, production) = client.project("shop").await;
    let web = client.service(&project, &production, "web").await;
    let staging = client.environment(&project, "staging", None).await;
    let patch = json!({"services": {&web: {"isCreated": true, "source": {"image": "nginx:1"},
        "variables": {"A": {"value": "1"}}}}});
    client.commit(&staging, patch).await;
    client.settle();
    let inventory = client.simulator.inventory();
    let staged = inventory.environment("shop", "staging").unwrap();
    assert_eq!(staged.service("web").unwrap().status(), Some("SUCCESS"));
    let untouched = inventory.environment("shop", "production").unwrap();
    assert_eq!(untouched.service("web").unwrap().status(), None);
    assert_eq!(inventory.project("shop").unwrap().services.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_nested_project_read_shows_it_all() {
    let client = Client::instant();
    let (project, environment) = client.project("shop").await;
    client
        .apply(&environment, json!([create_service("web", "nginx:1")]))
        .await;
    client.settle();
    let data = client
        .ok(
            "query($id: String!) { project(id: $id) { id deletedAt environments(first: 50) { edges { node {
                id name isEphemeral updatedAt configEtag canAccess unmergedChangesCount
                serviceInstances(first: 500) { edges { node { serviceId serviceName source { image repo }
                    latestDeployment { id status statusUpdatedAt deploymentStopped }
                    activeDeployments { id status } domains { serviceDomains { id domain } } } } }
                volumeInstances(first: 500) { edges { node { id volumeId mountPath } } } } }
                pageInfo { endCursor hasNextPage } } services(first: 500) { edges { node { id name } } } } }",
            json!({"id": project}),
        )
        .await;
    let instance = &data["project"]["environments"]["edges"][0]["node"]["serviceInstances"]["edges"]
        [0]["node"];
    assert_eq!(instance["serviceName"], "web");
    assert_eq!(instance["latestDeployment"]["status"], "SUCCESS");
    assert_eq!(instance["activeDeployments"][0]["status"], "SUCCESS");
    assert_eq!(instance["source"]["image"], "nginx:1");
}

#[tokio::test(start_paused = true)]
async fn a_stale_etag_is_refused_before_any_effect() {
    let client = Client::instant();
    let (_, environment) = client.project("shop").await;
    let error = client
        .error(
            crate::client::APPLY,
            json!({"e": environment, "b": "old",
                "i": crate::client::change_set(json!([create_service("web", "nginx:1")]))}),
        )
        .await;
    assert_eq!(error["extensions"]["code"], "STALE_ENVIRONMENT_BASE");
    let inventory = client.simulator.inventory();
    assert!(inventory.project("shop").unwrap().services.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_asynchronous_apply_is_polled() {
    let client = Client::new(Options::default());
    let (_, environment) = client.project("shop").await;
    let data = client
        .ok(
            crate::client::APPLY,
            json!({"e": environment, "w": false,
                "i": crate::client::change_set(json!([create_service("web", "nginx:1")]))}),
        )
        .await;
    let apply = &data["environmentApplyChangeSet"];
    assert_eq!(apply["status"], "applying");
    assert!(
        client
            .simulator
            .inventory()
            .project("shop")
            .unwrap()
            .services
            .is_empty()
    );
    client.settle();
    let poll =
        "query($e: String!, $id: String!) { environmentChangeSetApply(environmentId: $e, id: $id) {
        status changes { status } } }";
    let data = client
        .ok(poll, json!({"e": environment, "id": apply["id"]}))
        .await;
    assert_eq!(data["environmentChangeSetApply"]["status"], "applied");
    assert_eq!(
        data["environmentChangeSetApply"]["changes"][0]["status"],
        "applied"
    );
}

#[tokio::test(start_paused = true)]
async fn a_new_custom_domain_fails_the_change_set_with_a_diagnostic() {
    let client = Client::instant();
    let (_, environment) = client.project("shop").await;
    let mut web = create_service("web", "nginx:1");
    web["resource"]["networking"] = json!({"customDomains": {"shop.example.com": {}}});
    let result = client.apply(&environment, json!([web])).await;
    assert_eq!(result["status"], "failed");
    assert_eq!(result["diagnostics"][0]["severity"], "error");
    assert!(
        client
            .simulator
            .inventory()
            .project("shop")
            .unwrap()
            .services
            .is_empty()
    );
}

#[tokio::test(start_paused = true)]
async fn a_preview_drops_what_would_change_nothing_and_changes_nothing() {
    let client = Client::instant();
    let (_, environment) = client.project("shop").await;
    client
        .apply(&environment, json!([create_service("web", "nginx:1")]))
        .await;
    let changes = json!([
        {"kind": "variable.set", "address": "service.web", "variable": "A", "after": {"type": "literal", "value": "1"}},
        {"kind": "resource.update", "address": "service.web", "field": "source", "after": {"type": "image", "image": "nginx:1"}},
    ]);
    let before = client.etag(&environment).await;
    let data = client
        .ok(
            "mutation($e: String!, $i: JSON!) { environmentPreviewChangeSet(environmentId: $e, input: $i) {
                changeSet diagnostics effects } }",
            json!({"e": environment, "i": crate::client::change_set(changes)}),
        )
        .await;
    let kept = data["environmentPreviewChangeSet"]["changeSet"]["changes"]
        .as_array()
        .unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0]["kind"], "variable.set");
    assert_eq!(client.etag(&environment).await, before);
}

#[tokio::test(start_paused = true)]
async fn updates_and_deletes_by_change_set() {
    let client = Client::instant();
    let (_, environment) = client.project("shop").await;
    client
        .apply(
            &environment,
            json!([
                create_service("web", "nginx:1"),
                create_service("old", "busybox")
            ]),
        )
        .await;
    let changes = json!([
        {"kind": "resource.update", "address": "service.web", "field": "deploy",
            "after": {"startCommand": "run", "numReplicas": 3}},
        {"kind": "resource.delete", "address": "service.old", "previous": {}},
        {"kind": "variable.set", "address": "service.web", "variable": "A", "after": {"type": "raw", "value": {"value": "x"}}},
        {"kind": "variable.set", "address": "service.web", "variable": "B", "after": {"type": "preserve"}},
    ]);
    assert_eq!(
        client.apply(&environment, changes).await["status"],
        "applied"
    );
    let inventory = client.simulator.inventory_with_values();
    let place = inventory.environment("shop", "production").unwrap();
    assert!(place.service("old").is_none());
    let web = place.service("web").unwrap();
    assert_eq!(web.replicas, 3);
    assert_eq!(web.variables.len(), 1);
    assert_eq!(inventory.project("shop").unwrap().services.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn without_change_sets_the_validation_error_names_the_field() {
    let client = Client::new(Options {
        quirks: Quirks::default().with(Quirk::ChangeSetsUnavailable),
        ..Options::instant()
    });
    let answer = client
        .send(crate::client::APPLY, json!({"e": "x", "i": {}}))
        .await
        .unwrap();
    assert_eq!(answer.status, 400);
    let error = &answer.json()["errors"][0];
    assert_eq!(
        error["message"],
        "Cannot query field \"environmentApplyChangeSet\" on type \"Mutation\"."
    );
    assert_eq!(error["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
}

#[tokio::test(start_paused = true)]
async fn unknown_ids_in_a_patch_are_refused_or_by_quirk_created() {
    let id = "11111111-1111-4111-8111-111111111111";
    let patch =
        json!({"services": {id: {"isCreated": true, "name": "web", "source": {"image": "nginx"}}}});
    let commit = "mutation($e: String!, $p: EnvironmentConfig) { environmentPatchCommit(environmentId: $e, patch: $p) }";
    let strict = Client::instant();
    let (_, environment) = strict.project("shop").await;
    let variables = json!({"e": environment, "p": patch});
    assert_eq!(strict.message(commit, variables).await, "Service not found");

    let lenient = Client::new(Options {
        quirks: Quirks::default().with(Quirk::PatchAcceptsUnknownServiceIds),
        ..Options::instant()
    });
    let (_, environment) = lenient.project("shop").await;
    lenient.commit(&environment, patch).await;
    let inventory = lenient.simulator.inventory();
    let place = inventory.environment("shop", "production").unwrap();
    assert_eq!(place.services[0].service_id, id);
    assert_eq!(place.services[0].name, "web");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_simulated_says_so() {
    let client = Client::instant();
    let error = client
        .error(
            "{ estimatedUsage(measurements: [CPU_USAGE]) { estimatedValue } }",
            Value::Null,
        )
        .await;
    assert_eq!(error["extensions"]["code"], "NOT_SIMULATED");
    assert!(text(&error["message"]).contains("estimatedUsage"));
}
