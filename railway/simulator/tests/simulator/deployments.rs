//! Deployments: their states, their order, their logs.

use crate::client::{Client, create_service, text};
use mirage_railway_simulator::{
    DashboardEdit, DeploymentEnding, Fault, FaultKind, Options, Quirk, Quirks, Span, Timing,
};
use serde_json::json;
use std::time::Duration;

fn slow() -> Options {
    let seconds = |n| Span::exactly(Duration::from_secs(n));
    Options {
        timing: Timing {
            initializing: seconds(1),
            queued: seconds(0),
            building: seconds(10),
            deploying: seconds(5),
            healthcheck: seconds(2),
            removing: seconds(3),
            ..Timing::instant()
        },
        ..Options::default()
    }
}

fn statuses(client: &Client, service: &str) -> Vec<String> {
    let inventory = client.simulator.inventory();
    let place = inventory.environment("shop", "production").unwrap();
    let service = place.service(service).unwrap();
    service
        .deployments
        .iter()
        .map(|d| d.status.clone())
        .collect()
}

fn wait(client: &Client, seconds: u64) {
    client.simulator.advance(Duration::from_secs(seconds));
}

#[tokio::test(start_paused = true)]
async fn an_image_skips_the_build_and_supersedes_its_predecessor() {
    let client = Client::new(slow());
    let (_, environment) = client.project("shop").await;
    client
        .apply(&environment, json!([create_service("web", "nginx:1")]))
        .await;
    assert_eq!(statuses(&client, "web"), ["INITIALIZING"]);
    wait(&client, 1);
    assert_eq!(statuses(&client, "web"), ["DEPLOYING"]);
    wait(&client, 5);
    assert_eq!(statuses(&client, "web"), ["SUCCESS"]);
    let web = client
        .simulator
        .inventory()
        .project("shop")
        .unwrap()
        .services[0]
        .id
        .clone();
    client
        .commit(
            &environment,
            json!({"services": {&web: {"source": {"image": "nginx:2"}}}}),
        )
        .await;
    wait(&client, 6);
    assert_eq!(statuses(&client, "web"), ["REMOVING", "SUCCESS"]);
    wait(&client, 3);
    assert_eq!(statuses(&client, "web"), ["REMOVED", "SUCCESS"]);
}

#[tokio::test(start_paused = true)]
async fn a_repository_is_built_first_and_logs_about_it() {
    let client = Client::new(slow());
    let (_, environment) = client.project("shop").await;
    let mut api = create_service("api", "");
    api["resource"]["source"] = json!({"type": "github", "repo": "acme/api"});
    api["resource"]["deploy"] = json!({"healthcheckPath": "/health"});
    client.apply(&environment, json!([api])).await;
    wait(&client, 1);
    assert_eq!(statuses(&client, "api"), ["BUILDING"]);
    wait(&client, 10);
    assert_eq!(statuses(&client, "api"), ["DEPLOYING"]);
    wait(&client, 7);
    assert_eq!(statuses(&client, "api"), ["SUCCESS"]);
    let inventory = client.simulator.inventory();
    let id = &inventory
        .environment("shop", "production")
        .unwrap()
        .services[0]
        .deployments[0]
        .id;
    let data = client
        .ok(
            "query($id: String!) { buildLogs(deploymentId: $id, limit: 1) { message timestamp attributes { key value } }
                deploymentEvents(id: $id) { edges { node { step completedAt payload { durationMs } } } }
                deployment(id: $id) { meta instances { id status } } }",
            json!({"id": id}),
        )
        .await;
    assert_eq!(data["buildLogs"].as_array().unwrap().len(), 2, "limit + 1");
    assert_eq!(
        data["deploymentEvents"]["edges"][0]["node"]["step"],
        "SNAPSHOT_CODE"
    );
    assert_eq!(data["deployment"]["instances"][0]["status"], "RUNNING");
    assert_eq!(text(&data["deployment"]["meta"]["commitHash"]).len(), 40);
}

#[tokio::test(start_paused = true)]
async fn with_the_quirk_off_logs_keep_to_their_limit() {
    let client = Client::new(Options {
        quirks: Quirks::default().without(Quirk::LogsLimitPlusOne),
        ..Options::instant()
    });
    let (_, environment) = client.project("shop").await;
    client
        .apply(&environment, json!([create_service("web", "nginx:1")]))
        .await;
    client.settle();
    let id = client
        .simulator
        .inventory()
        .environment("shop", "production")
        .unwrap()
        .services[0]
        .deployments[0]
        .id
        .clone();
    let data = client
        .ok(
            "query($id: String!) { deploymentLogs(deploymentId: $id, limit: 1) { message } }",
            json!({"id": id}),
        )
        .await;
    assert_eq!(data["deploymentLogs"].as_array().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn in_a_batch_the_referenced_service_goes_first() {
    let client = Client::new(slow());
    let (_, environment) = client.project("shop").await;
    let mut web = create_service("web", "nginx:1");
    web["resource"]["variables"] =
        json!({"U": {"type": "reference", "resource": "service.db", "output": "URL"}});
    client
        .apply(
            &environment,
            json!([web, create_service("db", "postgres:16")]),
        )
        .await;
    wait(&client, 2);
    assert_eq!(statuses(&client, "db"), ["DEPLOYING"]);
    assert_eq!(statuses(&client, "web"), ["QUEUED"]);
    wait(&client, 4);
    assert_eq!(statuses(&client, "db"), ["SUCCESS"]);
    assert_eq!(statuses(&client, "web"), ["DEPLOYING"]);
    wait(&client, 5);
    assert_eq!(statuses(&client, "web"), ["SUCCESS"]);
}

#[tokio::test(start_paused = true)]
async fn endings_are_chosen_by_fault() {
    let table = [
        (DeploymentEnding::BuildFails, "FAILED"),
        (DeploymentEnding::HealthcheckFails, "FAILED"),
        (DeploymentEnding::CrashesAfter { seconds: 1.0 }, "CRASHED"),
        (DeploymentEnding::OutOfMemory, "CRASHED"),
        (DeploymentEnding::StuckQueued, "QUEUED"),
        (DeploymentEnding::NeedsApproval, "NEEDS_APPROVAL"),
        (DeploymentEnding::Completes, "SUCCESS"),
    ];
    for (ending, status) in table {
        let client = Client::instant();
        let (_, environment) = client.project("shop").await;
        let fault = Fault::new(FaultKind::Deployment { ending }).object("web");
        let _ = client.simulator.inject(fault);
        client
            .apply(
                &environment,
                json!([
                    create_service("web", "nginx:1"),
                    create_service("other", "nginx:1")
                ]),
            )
            .await;
        client.settle();
        assert_eq!(statuses(&client, "web"), [status], "{ending:?}");
        assert_eq!(statuses(&client, "other"), ["SUCCESS"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_rollout_leaves_the_old_deployment_running() {
    let client = Client::instant();
    let (_, environment) = client.project("shop").await;
    client
        .apply(&environment, json!([create_service("web", "nginx:1")]))
        .await;
    client.settle();
    let ending = DeploymentEnding::HealthcheckFails;
    let _ = client
        .simulator
        .inject(Fault::new(FaultKind::Deployment { ending }));
    client
        .simulator
        .edit(DashboardEdit::Redeploy {
            environment: environment.clone(),
            service: "web".to_owned(),
        })
        .unwrap();
    client.settle();
    assert_eq!(statuses(&client, "web"), ["SUCCESS", "FAILED"]);
}

#[tokio::test(start_paused = true)]
async fn redeploying_while_building_is_refused() {
    let client = Client::new(slow());
    let (_, environment) = client.project("shop").await;
    client
        .apply(&environment, json!([create_service("web", "nginx:1")]))
        .await;
    let deployment = client
        .simulator
        .inventory()
        .environment("shop", "production")
        .unwrap()
        .services[0]
        .deployments[0]
        .id
        .clone();
    let redeploy = "mutation($id: String!) { deploymentRedeploy(id: $id) { id status } }";
    let variables = json!({"id": deployment});
    let message = client.message(redeploy, variables.clone()).await;
    assert!(message.starts_with("Cannot redeploy yet"), "{message}");
    wait(&client, 20);
    let data = client.ok(redeploy, variables.clone()).await;
    assert_eq!(data["deploymentRedeploy"]["status"], "INITIALIZING");
    wait(&client, 20);
    let rollback = "mutation($id: String!) { deploymentRollback(id: $id) }";
    client.ok(rollback, variables).await;
    wait(&client, 20);
    assert_eq!(statuses(&client, "web"), ["REMOVED", "REMOVED", "SUCCESS"]);
}

#[tokio::test(start_paused = true)]
async fn a_rollback_needs_an_image_and_a_restart_something_that_runs() {
    let client = Client::new(slow());
    let (_, environment) = client.project("shop").await;
    client
        .apply(&environment, json!([create_service("web", "nginx:1")]))
        .await;
    wait(&client, 20);
    let shown = || {
        let inventory = client.simulator.inventory();
        let place = inventory.environment("shop", "production").unwrap();
        place.service("web").unwrap().deployments[0].id.clone()
    };
    let variables = json!({"id": shown()});
    let restart = "mutation($id: String!) { deploymentRestart(id: $id) }";
    client.ok(restart, variables.clone()).await;
    assert_eq!(statuses(&client, "web"), ["DEPLOYING"]);
    wait(&client, 20);
    assert_eq!(statuses(&client, "web"), ["SUCCESS"]);

    let can = "query($id: String!) { deployment(id: $id) { canRollback } }";
    let rollback = "mutation($id: String!) { deploymentRollback(id: $id) }";
    let data = client.ok(can, variables.clone()).await;
    assert_eq!(data["deployment"]["canRollback"], true);
    // Pro keeps images for 120 hours.
    wait(&client, 121 * 3600);
    let data = client.ok(can, variables.clone()).await;
    assert_eq!(data["deployment"]["canRollback"], false);
    let message = client.message(rollback, variables).await;
    assert!(message.contains("no longer"), "{message}");
    assert_eq!(statuses(&client, "web"), ["SUCCESS"]);
}

#[tokio::test(start_paused = true)]
async fn the_usage_limit_stops_everything_and_starts_nothing() {
    let client = Client::instant();
    let (_, environment) = client.project("shop").await;
    client
        .apply(&environment, json!([create_service("web", "nginx:1")]))
        .await;
    client.settle();
    client
        .simulator
        .edit(DashboardEdit::ReachUsageLimit)
        .unwrap();
    client.settle();
    assert_eq!(statuses(&client, "web"), ["REMOVED"]);
    let deploy = "mutation($e: String!, $s: String!) { serviceInstanceDeployV2(environmentId: $e, serviceId: $s) }";
    let web = client
        .simulator
        .inventory()
        .project("shop")
        .unwrap()
        .services[0]
        .id
        .clone();
    let message = client
        .message(deploy, json!({"e": environment, "s": web}))
        .await;
    assert!(message.contains("Usage limit"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn an_ending_that_strikes_once_strikes_one_change_set() {
    let client = Client::instant();
    let (_, environment) = client.project("shop").await;
    let ending = DeploymentEnding::HealthcheckFails;
    let fault = Fault::new(FaultKind::Deployment { ending }).times(1);
    let _ = client.simulator.inject(fault);
    for name in ["one", "two"] {
        client
            .apply(&environment, json!([create_service(name, "nginx:1")]))
            .await;
    }
    client.settle();
    assert_eq!(statuses(&client, "one"), ["FAILED"]);
    assert_eq!(statuses(&client, "two"), ["SUCCESS"]);
}
