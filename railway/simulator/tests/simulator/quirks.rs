//! Peculiarities in both positions, where no other file shows them.

use crate::client::{Client, create_service, text};
use mirage_railway_simulator::{Options, Quirk, Quirks, cli};
use serde_json::{Value, json};

fn with(quirk: Quirk, on: bool) -> Client {
    let quirks = if on {
        Quirks::default().with(quirk)
    } else {
        Quirks::default().without(quirk)
    };
    Client::new(Options {
        quirks,
        ..Options::instant()
    })
}

#[tokio::test(start_paused = true)]
async fn deleting_what_is_gone_has_two_answers() {
    for (on, expected) in [(true, "Not Authorized"), (false, "Service not found")] {
        let client = with(Quirk::DeleteAnswersNotAuthorized, on);
        let delete = "mutation { serviceDelete(id: \"gone\") }";
        assert_eq!(client.message(delete, Value::Null).await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_project_token_may_or_may_not_read_its_project() {
    for on in [true, false] {
        let client = with(Quirk::ProjectTokenCannotReadProject, on);
        let (project, environment) = client.project("shop").await;
        let create = "mutation($i: ProjectTokenCreateInput!) { projectTokenCreate(input: $i) }";
        let input = json!({"i": {"projectId": project, "environmentId": environment, "name": "t"}});
        let secret = text(&client.ok(create, input).await["projectTokenCreate"]);
        let read = "query($id: String!) { project(id: $id) { name } }";
        let body = client
            .project_token(&secret)
            .send(read, json!({"id": project}))
            .await
            .unwrap()
            .json();
        assert_eq!(body["errors"].is_array(), on);
    }
}

#[tokio::test(start_paused = true)]
async fn buckets_survive_their_deletion_or_not() {
    for on in [true, false] {
        let client = with(Quirk::BucketDeleteIgnored, on);
        let (project, environment) = client.project("shop").await;
        let create = "mutation($p: String!) { bucketCreate(input: {projectId: $p, name: \"files\"}) { id } }";
        client.ok(create, json!({"p": project})).await;
        let delete = json!([{"kind": "resource.delete", "address": "bucket.files"}]);
        let result = client.apply(&environment, delete).await;
        assert_eq!(result["status"], "applied");
        let inventory = client.simulator.inventory();
        assert_eq!(
            inventory.project("shop").unwrap().buckets.len(),
            usize::from(on)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_deleted_environments_name_is_free_at_once_or_later() {
    for on in [true, false] {
        let quirks = if on {
            Quirks::default()
        } else {
            Quirks::default().without(Quirk::NameReservedAfterDelete)
        };
        let mut options = Options {
            quirks,
            ..Options::instant()
        };
        options.timing.name_reserved = mirage_railway_simulator::Span::seconds(30, 30);
        let client = Client::new(options);
        let (project, _) = client.project("shop").await;
        let id = client.environment(&project, "preview", None).await;
        let delete = "mutation($id: String!) { environmentDelete(id: $id) }";
        client.ok(delete, json!({"id": id})).await;
        let create = "mutation($p: String!) { environmentCreate(input: {projectId: $p, name: \"preview\"}) { id } }";
        let body = client
            .send(create, json!({"p": project}))
            .await
            .unwrap()
            .json();
        assert_eq!(body["errors"].is_array(), on);
    }
}

#[tokio::test(start_paused = true)]
async fn instance_updates_clear_and_keep_as_the_quirks_say() {
    let client = Client::new(Options {
        quirks: Quirks::default()
            .without(Quirk::NullDoesNotClear)
            .without(Quirk::ReplicasResetOnInstanceUpdate),
        ..Options::instant()
    });
    let (project, environment) = client.project("shop").await;
    let web = client.service(&project, &environment, "web").await;
    let update = "mutation($e: String, $s: String!, $i: ServiceInstanceUpdateInput!) {
        serviceInstanceUpdate(environmentId: $e, serviceId: $s, input: $i) }";
    for input in [
        json!({"startCommand": "run", "numReplicas": 3}),
        json!({"startCommand": null}),
    ] {
        let variables = json!({"e": environment, "s": web, "i": input});
        client.ok(update, variables).await;
    }
    let read = "query($e: String!, $s: String!) {
        serviceInstance(environmentId: $e, serviceId: $s) { startCommand numReplicas } }";
    let data = client.ok(read, json!({"e": environment, "s": web})).await;
    let expected = json!({"startCommand": null, "numReplicas": 3});
    assert_eq!(data["serviceInstance"], expected);
}

#[tokio::test(start_paused = true)]
async fn a_replaced_block_keeps_or_drops_its_other_keys() {
    for on in [true, false] {
        let client = with(Quirk::BlockReplaceDropsKeys, on);
        let (_, environment) = client.project("shop").await;
        let mut web = create_service("web", "nginx:1");
        web["resource"]["deploy"] = json!({"startCommand": "run", "cronSchedule": "0 * * * *"});
        client.apply(&environment, json!([web])).await;
        let update = json!([{"kind": "resource.update", "address": "service.web", "field": "deploy",
            "after": {"startCommand": "walk"}}]);
        client.apply(&environment, update).await;
        let config = client.config(&environment).await;
        let service = config["services"]
            .as_object()
            .unwrap()
            .values()
            .next()
            .unwrap();
        assert_eq!(service["deploy"]["startCommand"], "walk");
        assert_eq!(service["deploy"].get("cronSchedule").is_none(), on);
    }
}

#[tokio::test(start_paused = true)]
async fn account_tokens_may_list_projects_without_a_workspace_by_quirk() {
    let client = with(Quirk::ProjectsNeedWorkspace, false);
    client.project("shop").await;
    let data = client
        .ok("{ projects { edges { node { name } } } }", Value::Null)
        .await;
    assert_eq!(data["projects"]["edges"][0]["node"]["name"], "shop");
}

#[tokio::test(start_paused = true)]
async fn what_is_being_deleted_takes_no_more_changes() {
    let mut options = Options::instant();
    options.timing.environment_delete = mirage_railway_simulator::Span::seconds(10, 10);
    let client = Client::new(options);
    let (project, _) = client.project("shop").await;
    let id = client.environment(&project, "preview", None).await;
    let delete = "mutation($id: String!) { environmentDelete(id: $id) }";
    client.ok(delete, json!({"id": id})).await;
    let commit = "mutation($e: String!) { environmentPatchCommit(environmentId: $e, patch: {}) }";
    assert_eq!(
        client.message(commit, json!({"e": id})).await,
        "Environment not found"
    );
}

#[test]
fn the_command_line_lists_every_quirk() {
    let table = cli::quirk_table();
    for quirk in mirage_railway_simulator::quirks() {
        assert!(table.contains(quirk.name) && table.contains(quirk.source));
    }
}
