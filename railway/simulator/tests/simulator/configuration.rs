//! Config patches: merged, staged, masked, hashed.

use crate::client::{Client, create_service};
use mirage_railway_simulator::{DashboardEdit, Options, Quirk, Quirks};
use serde_json::{Value, json};

async fn shop(client: &Client) -> (String, String, String) {
    let (project, environment) = client.project("shop").await;
    client
        .apply(&environment, json!([create_service("web", "nginx:1")]))
        .await;
    client.settle();
    let inventory = client.simulator.inventory();
    let web = inventory.project("shop").unwrap().services[0].id.clone();
    (project, environment, web)
}

fn deployments(client: &Client) -> usize {
    let inventory = client.simulator.inventory();
    let place = inventory.environment("shop", "production").unwrap();
    place
        .services
        .iter()
        .map(|service| service.deployments.len())
        .sum()
}

#[tokio::test(start_paused = true)]
async fn the_etag_moves_with_effective_changes_and_only_then() {
    let client = Client::instant();
    let (_, environment, web) = shop(&client).await;
    let table = [
        (json!({"variables": {"A": {"value": "1"}}}), true),
        (json!({"variables": {"A": {"value": "1"}}}), false),
        (json!({"build": {"builder": "RAILPACK"}}), false),
        (json!({"deploy": {"numReplicas": 1}}), false),
        (json!({"deploy": {"numReplicas": 2}}), true),
        (
            json!({"networking": {"serviceDomains": {"x": {"port": 80}}}}),
            true,
        ),
        (json!({"variables": {"A": null}}), true),
        (json!({"variables": {"missing": null}}), false),
    ];
    for (settings, moves) in table {
        let before = client.etag(&environment).await;
        client
            .commit(&environment, json!({"services": {&web: settings}}))
            .await;
        let moved = client.etag(&environment).await != before;
        assert_eq!(moved, moves, "{settings}");
    }
}

#[tokio::test(start_paused = true)]
async fn deployments_move_the_etag_only_by_quirk() {
    for quirk in [false, true] {
        let mut quirks = Quirks::default();
        if quirk {
            quirks = quirks.with(Quirk::EtagMovesOnDeploy);
        }
        let client = Client::new(Options {
            quirks,
            ..Options::instant()
        });
        let (_, environment, web) = shop(&client).await;
        let before = client.etag(&environment).await;
        client
            .ok(
                "mutation($e: String!, $s: String!) { serviceInstanceDeployV2(environmentId: $e, serviceId: $s) }",
                json!({"e": environment, "s": web}),
            )
            .await;
        assert_eq!(client.etag(&environment).await != before, quirk);
    }
}

#[tokio::test(start_paused = true)]
async fn a_patch_equal_to_the_config_deploys_nothing() {
    let client = Client::instant();
    let (_, environment, web) = shop(&client).await;
    assert_eq!(deployments(&client), 1);
    let patch = json!({"services": {&web: {"source": {"image": "nginx:1"}}}});
    client.commit(&environment, patch).await;
    assert_eq!(deployments(&client), 1);
    let patch = json!({"services": {&web: {"source": {"image": "nginx:2"}}}});
    client.commit(&environment, patch).await;
    assert_eq!(deployments(&client), 2);
}

#[tokio::test(start_paused = true)]
async fn a_shared_variable_redeploys_those_who_refer_to_it() {
    let client = Client::instant();
    let (_, environment, web) = shop(&client).await;
    let shared = |value: &str| json!({"sharedVariables": {"KEY": {"value": value}}});
    client.commit(&environment, shared("1")).await;
    assert_eq!(deployments(&client), 1);
    let patch = json!({"services": {&web: {"variables": {"K": {"value": "${{shared.KEY}}"}}}}});
    client.commit(&environment, patch).await;
    client.commit(&environment, shared("2")).await;
    assert_eq!(deployments(&client), 3);
}

#[tokio::test(start_paused = true)]
async fn reads_show_the_defaults_that_railway_fills_in() {
    let client = Client::instant();
    let (_, environment, web) = shop(&client).await;
    let config = client.config(&environment).await;
    let service = &config["services"][&web];
    assert_eq!(service["build"]["builder"], "RAILPACK");
    assert_eq!(service["deploy"]["runtime"], "V2");
    assert_eq!(
        service["deploy"]["multiRegionConfig"]["us-west2"]["numReplicas"],
        1
    );
    assert_eq!(service["isCreated"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn a_draft_is_kept_apart_until_it_is_committed() {
    let client = Client::instant();
    let (_, environment, web) = shop(&client).await;
    let draft = json!({"services": {&web: {"variables": {"DRAFT": {"value": "x"}}}}});
    client
        .simulator
        .edit(DashboardEdit::StageChange {
            environment: "shop/production".to_owned(),
            patch: draft,
        })
        .unwrap();
    let mine = json!({"services": {&web: {"variables": {"MINE": {"value": "y"}}}}});
    client.commit(&environment, mine).await;
    let names = |client: &Client| -> Vec<String> {
        let inventory = client.simulator.inventory();
        let place = inventory.environment("shop", "production").unwrap();
        place.services[0].variables.keys().cloned().collect()
    };
    assert_eq!(names(&client), ["MINE"]);
    let commit = "mutation($e: String!) { environmentPatchCommitStaged(environmentId: $e) }";
    client.ok(commit, json!({"e": environment})).await;
    assert_eq!(names(&client), ["DRAFT", "MINE"]);
    let message = client.message(commit, json!({"e": environment})).await;
    assert_eq!(message, "No patch to apply");
}

#[tokio::test(start_paused = true)]
async fn by_quirk_a_commit_publishes_the_draft_as_well() {
    let client = Client::new(Options {
        quirks: Quirks::default().with(Quirk::CommitFlushesStaged),
        ..Options::instant()
    });
    let (_, environment, web) = shop(&client).await;
    client
        .simulator
        .edit(DashboardEdit::StageChange {
            environment: environment.clone(),
            patch: json!({"services": {&web: {"variables": {"DRAFT": {"value": "x"}}}}}),
        })
        .unwrap();
    client
        .commit(
            &environment,
            json!({"sharedVariables": {"S": {"value": "1"}}}),
        )
        .await;
    let inventory = client.simulator.inventory();
    let place = inventory.environment("shop", "production").unwrap();
    assert!(place.services[0].variables.contains_key("DRAFT"));
    assert!(!place.staged);
}

#[tokio::test(start_paused = true)]
async fn staging_merges_or_replaces_and_nothing_staged_is_a_placeholder() {
    let client = Client::instant();
    let (_, environment, web) = shop(&client).await;
    let read = "query($e: String!) { environmentStagedChanges(environmentId: $e) { id status patch(decryptVariables: true) } }";
    let staged = |data: Value| data["environmentStagedChanges"]["patch"].clone();
    let empty = client.ok(read, json!({"e": environment})).await;
    assert_eq!(staged(empty), json!({}));
    let stage = "mutation($e: String!, $i: EnvironmentConfig!, $m: Boolean) {
        environmentStageChanges(environmentId: $e, input: $i, merge: $m) { id } }";
    let change = |name: &str| json!({"services": {&web: {"variables": {name: {"value": "1"}}}}});
    for (name, merge, expected) in [("A", false, 1), ("B", true, 2), ("C", false, 1)] {
        client
            .ok(
                stage,
                json!({"e": environment, "i": change(name), "m": merge}),
            )
            .await;
        let patch = staged(client.ok(read, json!({"e": environment})).await);
        let variables = patch["services"][&web]["variables"].as_object().unwrap();
        assert_eq!(variables.len(), expected, "after {name}");
    }
}

#[tokio::test(start_paused = true)]
async fn masked_values_are_empty_or_by_quirk_absent() {
    for absent in [false, true] {
        let mut quirks = Quirks::default();
        if absent {
            quirks = quirks.with(Quirk::MaskedValuesAbsent);
        }
        let client = Client::new(Options {
            quirks,
            ..Options::instant()
        });
        let (_, environment, web) = shop(&client).await;
        client
            .commit(
                &environment,
                json!({"services": {&web: {"variables": {"A": {"value": "canary"}}}}}),
            )
            .await;
        let data = client
            .ok(
                "query($e: String!) { environment(id: $e) { config(decryptVariables: false) } }",
                json!({"e": environment}),
            )
            .await;
        assert!(!data.to_string().contains("canary"));
        let variable = &data["environment"]["config"]["services"][&web]["variables"]["A"];
        assert_eq!(variable.get("value").is_none(), absent);
    }
}

#[tokio::test(start_paused = true)]
async fn sealed_variables_stay_sealed_and_unseen() {
    let client = Client::instant();
    let (project, environment, web) = shop(&client).await;
    let set = |variable: Value| json!({"services": {&web: {"variables": {"S": variable}}}});
    client
        .commit(
            &environment,
            set(json!({"value": "canary", "isSealed": true})),
        )
        .await;
    client
        .commit(&environment, set(json!({"isSealed": false})))
        .await;
    assert!(
        !client
            .config(&environment)
            .await
            .to_string()
            .contains("canary")
    );
    let data = client
        .ok(
            "query($p: String!, $e: String!, $s: String!) {
                variables(projectId: $p, environmentId: $e, serviceId: $s, unrendered: true)
                environment(id: $e) { variables { edges { node { name isSealed serviceId } } } } }",
            json!({"p": project, "e": environment, "s": web}),
        )
        .await;
    assert_eq!(data["variables"], json!({}));
    let listed = &data["environment"]["variables"]["edges"][0]["node"];
    assert_eq!(listed["isSealed"], true);
}

#[tokio::test(start_paused = true)]
async fn references_are_rendered_for_deployments() {
    let client = Client::instant();
    let (project, environment, web) = shop(&client).await;
    client
        .apply(
            &environment,
            json!([create_service("My DB", "postgres:16")]),
        )
        .await;
    client
        .commit(
            &environment,
            json!({"sharedVariables": {"REGION": {"value": "eu"}}, "services": {&web: {"variables": {
                "URL": {"value": "http://${{My DB.RAILWAY_PRIVATE_DOMAIN}}:5432/${{ shared.REGION }}"},
                "SELF": {"value": "${{URL}}!"}, "GONE": {"value": "[${{nobody.X}}]"},
                "LOOP": {"value": "${{LOOP}}"}}}}}),
        )
        .await;
    let data = client
        .ok(
            "query($p: String!, $e: String!, $s: String!) {
                variablesForServiceDeployment(projectId: $p, environmentId: $e, serviceId: $s) }",
            json!({"p": project, "e": environment, "s": web}),
        )
        .await;
    let variables = &data["variablesForServiceDeployment"];
    assert_eq!(variables["URL"], "http://my-db.railway.internal:5432/eu");
    assert_eq!(variables["SELF"], "http://my-db.railway.internal:5432/eu!");
    assert_eq!(variables["GONE"], "[]");
    assert_eq!(variables["LOOP"], "");
    assert_eq!(variables["RAILWAY_SERVICE_NAME"], "web");
}

#[tokio::test(start_paused = true)]
async fn malformed_patches_are_refused_whole() {
    let client = Client::instant();
    let (_, environment, web) = shop(&client).await;
    let commit = "mutation($e: String!, $p: EnvironmentConfig) { environmentPatchCommit(environmentId: $e, patch: $p) }";
    for patch in [
        json!("text"),
        json!({"services": []}),
        json!({"services": {&web: "text"}}),
        json!({"services": {&web: {"deploy": "text"}}}),
        json!({"services": {&web: {"networking": {"serviceDomains": 1}}}}),
        json!({"sharedVariables": {"A": "text"}}),
    ] {
        let message = client
            .message(commit, json!({"e": environment, "p": patch}))
            .await;
        assert_eq!(message, "Problem processing request", "{patch}");
    }
}

#[tokio::test(start_paused = true)]
async fn generated_secrets_are_made_once() {
    let client = Client::instant();
    let (_, environment, web) = shop(&client).await;
    let patch =
        json!({"services": {&web: {"variables": {"P": {"generator": "secret(12, \"abc\")"}}}}});
    client.commit(&environment, patch).await;
    let value = |client: &Client| {
        let inventory = client.simulator.inventory_with_values();
        let place = inventory.environment("shop", "production").unwrap();
        place.services[0].variables["P"].clone().unwrap()
    };
    let secret = value(&client);
    assert_eq!(secret.len(), 12);
    assert!(secret.chars().all(|c| "abc".contains(c)));
}

#[tokio::test(start_paused = true)]
async fn what_was_read_may_be_written_back_with_one_change() {
    let client = Client::instant();
    let (_, environment, web) = shop(&client).await;
    let credentials = json!({"username": "u", "password": "canary"});
    let patch = json!({"services": {&web: {"deploy": {"registryCredentials": credentials}}}});
    client.commit(&environment, patch).await;
    let mut deploy = client.config(&environment).await["services"][&web]["deploy"].clone();
    assert!(!deploy.to_string().contains("canary"));
    let before = client.etag(&environment).await;
    let patch = |deploy: &Value| json!({"services": {&web: {"deploy": deploy}}});
    client.commit(&environment, patch(&deploy)).await;
    assert_eq!(client.etag(&environment).await, before);
    deploy["numReplicas"] = json!(3);
    client.commit(&environment, patch(&deploy)).await;
    let inventory = client.simulator.inventory();
    let place = inventory.environment("shop", "production").unwrap();
    assert_eq!(place.services[0].replicas, 3);
    deploy["multiRegionConfig"] = json!({"us-west2": {"numReplicas": 5}});
    client.commit(&environment, patch(&deploy)).await;
    let inventory = client.simulator.inventory();
    let place = inventory.environment("shop", "production").unwrap();
    assert_eq!(place.services[0].replicas, 5);
}

#[tokio::test(start_paused = true)]
async fn a_plan_allows_so_many_replicas_and_no_more() {
    let client = Client::instant();
    let (_, environment, web) = shop(&client).await;
    let commit = "mutation($e: String!, $p: EnvironmentConfig) { environmentPatchCommit(environmentId: $e, patch: $p) }";
    for deploy in [
        json!({"numReplicas": 43}),
        json!({"multiRegionConfig": {"a": {"numReplicas": 40}, "b": {"numReplicas": 3}}}),
    ] {
        let patch = json!({"services": {&web: {"deploy": deploy}}});
        let message = client
            .message(commit, json!({"e": environment, "p": patch}))
            .await;
        assert!(message.contains("at most 42"), "{message}");
    }
}
