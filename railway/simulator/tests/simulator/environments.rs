//! Environments: throttled, cloned, forked, deleted, lagging behind.

use crate::client::{Client, create_service, text};
use mirage_railway_simulator::{Options, Quirk, Quirks, Span, Timing};
use serde_json::{Value, json};
use std::time::Duration;

const CREATE: &str =
    "mutation($input: EnvironmentCreateInput!) { environmentCreate(input: $input) { id } }";
const DELETE: &str = "mutation($id: String!) { environmentDelete(id: $id) }";
const READ: &str = "query($id: String!) { environment(id: $id) { id name deletedAt } }";

fn throttled() -> Options {
    Options {
        timing: Timing {
            creation_throttle: Duration::from_secs(30),
            ..Timing::instant()
        },
        ..Options::default()
    }
}

#[tokio::test(start_paused = true)]
async fn one_environment_per_thirty_seconds() {
    let client = Client::new(throttled());
    let (project, _) = client.project("shop").await;
    let input = |name: &str| json!({"input": {"projectId": project, "name": name}});
    client.ok(CREATE, input("one")).await;
    let answer = client.send(CREATE, input("two")).await.unwrap();
    assert_eq!(answer.status, 200);
    let message = text(&answer.json()["errors"][0]["message"]);
    assert!(message.starts_with("Whoa there pal!"), "{message}");
    let by_workspace = client.bearer(mirage_railway_simulator::WORKSPACE_TOKEN);
    let message = by_workspace.message(CREATE, input("two")).await;
    assert!(
        message.contains("creating environments too quickly"),
        "{message}"
    );
    client.simulator.advance(Duration::from_secs(31));
    client.ok(CREATE, input("two")).await;
}

#[tokio::test(start_paused = true)]
async fn projects_and_volumes_are_throttled_as_well() {
    let client = Client::new(throttled());
    let (project, environment) = client.project("one").await;
    let message = client
        .message(
            "mutation { projectCreate(input: {name: \"two\"}) { id } }",
            Value::Null,
        )
        .await;
    assert!(message.contains("creating projects too quickly"));
    let volume = "mutation($i: VolumeCreateInput!) { volumeCreate(input: $i) { id name } }";
    let input =
        json!({"i": {"projectId": project, "environmentId": environment, "mountPath": "/data"}});
    client.ok(volume, input.clone()).await;
    let message = client.message(volume, input).await;
    assert!(message.contains("creating volumes too quickly"));
}

#[tokio::test(start_paused = true)]
async fn a_clone_copies_settings_but_not_secrets_domains_or_data() {
    let client = Client::instant();
    let (project, production) = client.project("shop").await;
    let mut web = create_service("web", "nginx:1");
    web["resource"]["networking"] = json!({"serviceDomains": {"web": {}}});
    web["resource"]["variables"] = json!({
        "PLAIN": {"type": "literal", "value": "1"},
        "SEALED": {"type": "raw", "value": {"value": "canary", "isSealed": true}},
    });
    web["resource"]["volumeAttachments"] = json!({"d": {"volume": "volume.d", "mountPath": "/d"}});
    let volume =
        json!({"kind": "resource.create", "address": "volume.d", "resource": {"name": "d"}});
    client.apply(&production, json!([volume, web])).await;
    let copy = client
        .environment(&project, "preview", Some(&production))
        .await;
    let inventory = client.simulator.inventory();
    let clone = inventory.environment("shop", "preview").unwrap();
    assert_eq!(clone.id, copy);
    assert_eq!(clone.fork_of.as_deref(), Some(production.as_str()));
    let web = clone.service("web").unwrap();
    assert_eq!(web.variables.keys().collect::<Vec<_>>(), ["PLAIN"]);
    assert_eq!(web.service_domains, ["web-preview.up.railway.app"]);
    assert_eq!(clone.volumes.len(), 1);
    assert_eq!(clone.volumes[0].service_id.as_ref(), Some(&web.service_id));
    assert_eq!(web.deployments.len(), 1);
    assert_eq!(inventory.project("shop").unwrap().volumes.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_service_made_in_a_fork_stays_there_and_elsewhere_it_spreads() {
    let client = Client::instant();
    let (project, production) = client.project("shop").await;
    let staging = client.environment(&project, "staging", None).await;
    let fork = client
        .environment(&project, "fork", Some(&production))
        .await;
    client.service(&project, &staging, "everywhere").await;
    client.service(&project, &fork, "here").await;
    let inventory = client.simulator.inventory();
    let names = |place: &str| -> Vec<String> {
        let place = inventory.environment("shop", place).unwrap();
        place.services.iter().map(|s| s.name.clone()).collect()
    };
    assert_eq!(names("production"), ["everywhere"]);
    assert_eq!(names("staging"), ["everywhere"]);
    assert_eq!(names("fork"), ["here"]);
}

#[tokio::test(start_paused = true)]
async fn with_the_quirk_off_a_service_stays_where_it_was_made() {
    let client = Client::new(Options {
        quirks: Quirks::default().without(Quirk::ServiceCreateEverywhere),
        ..Options::instant()
    });
    let (project, _) = client.project("shop").await;
    let staging = client.environment(&project, "staging", None).await;
    client.service(&project, &staging, "web").await;
    let inventory = client.simulator.inventory();
    assert!(
        inventory
            .environment("shop", "production")
            .unwrap()
            .services
            .is_empty()
    );
}

#[tokio::test(start_paused = true)]
async fn a_deleted_environment_lingers_and_its_name_longer_still() {
    let seconds = |n| Span::exactly(Duration::from_secs(n));
    let client = Client::new(Options {
        timing: Timing {
            environment_delete: seconds(10),
            name_reserved: seconds(20),
            ..Timing::instant()
        },
        ..Options::default()
    });
    let (project, _) = client.project("shop").await;
    let id = client.environment(&project, "preview", None).await;
    client.ok(DELETE, json!({"id": id})).await;
    let data = client.ok(READ, json!({"id": id})).await;
    assert!(data["environment"]["deletedAt"].is_string());
    client.simulator.advance(Duration::from_secs(11));
    assert_eq!(
        client.message(READ, json!({"id": id})).await,
        "Environment not found"
    );
    let again = json!({"input": {"projectId": project, "name": "preview"}});
    let message = client.message(CREATE, again.clone()).await;
    assert_eq!(message, "An environment with that name already exists");
    client.simulator.advance(Duration::from_secs(20));
    client.ok(CREATE, again).await;
    assert_eq!(
        client.message(DELETE, json!({"id": id})).await,
        "Not Authorized"
    );
}

#[tokio::test(start_paused = true)]
async fn reads_lag_behind_writes() {
    let client = Client::new(Options {
        timing: Timing {
            read_lag: Span::exactly(Duration::from_secs(5)),
            ..Timing::instant()
        },
        ..Options::default()
    });
    let (project, environment) = client.project("shop").await;
    let list = "query($p: String!) { environments(projectId: $p) { edges { node { id } } } }";
    let read = json!({"id": environment});
    assert_eq!(
        client.message(READ, read.clone()).await,
        "Environment not found"
    );
    client.simulator.advance(Duration::from_secs(6));
    client.ok(READ, read).await;
    client.environment(&project, "late", None).await;
    let count = |data: Value| data["environments"]["edges"].as_array().unwrap().len();
    assert_eq!(count(client.ok(list, json!({"p": project})).await), 1);
    client.simulator.advance(Duration::from_secs(6));
    assert_eq!(count(client.ok(list, json!({"p": project})).await), 2);
}

#[tokio::test(start_paused = true)]
async fn names_are_unique_and_the_last_environment_stays() {
    let client = Client::instant();
    let (project, production) = client.project("shop").await;
    let input = json!({"input": {"projectId": project, "name": "production"}});
    assert!(
        client
            .message(CREATE, input)
            .await
            .contains("already exists")
    );
    assert!(
        client
            .message(DELETE, json!({"id": production}))
            .await
            .contains("only environment")
    );
    client.service(&project, &production, "web").await;
    let message = client
        .message(
            "mutation($p: String!) { serviceCreate(input: {projectId: $p, name: \"web\"}) { id } }",
            json!({"p": project}),
        )
        .await;
    assert_eq!(
        message,
        "A service named \"web\" already exists in this project"
    );
}

#[tokio::test(start_paused = true)]
async fn a_service_leaves_the_project_with_its_last_instance() {
    let client = Client::instant();
    let (project, production) = client.project("shop").await;
    let preview = client
        .environment(&project, "preview", Some(&production))
        .await;
    client
        .apply(&preview, json!([create_service("web", "nginx:1")]))
        .await;
    assert_eq!(
        client
            .simulator
            .inventory()
            .project("shop")
            .unwrap()
            .services
            .len(),
        1
    );
    client.ok(DELETE, json!({"id": preview})).await;
    let inventory = client.simulator.inventory();
    assert!(inventory.project("shop").unwrap().services.is_empty());
    assert!(inventory.environment("shop", "preview").is_none());
}
