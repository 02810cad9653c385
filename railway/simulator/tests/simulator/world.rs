//! The world as a whole: determinism, restarts, records, the control endpoints.

use crate::client::{Client, create_service};
use bytes::Bytes;
use http::Request;
use mirage_railway_simulator::{
    ACCOUNT_TOKEN, DashboardEdit, EditError, Fault, FaultKind, Options, Simulator, When,
};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpListener;

async fn history(seed: u64) -> String {
    let client = Client::new(Options {
        seed,
        ..Options::default()
    });
    let (project, production) = client.project("shop").await;
    let changes = json!([
        create_service("web", "nginx:1"),
        create_service("db", "postgres:16")
    ]);
    client.apply(&production, changes).await;
    tokio::time::advance(Duration::from_secs(40)).await;
    client
        .environment(&project, "preview", Some(&production))
        .await;
    tokio::time::advance(Duration::from_secs(5)).await;
    format!("{:?}", client.simulator.inventory())
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_and_calls_give_the_same_world() {
    let once = history(7).await;
    assert_eq!(once, history(7).await);
    assert_ne!(once, history(8).await);
}

#[tokio::test(start_paused = true)]
async fn the_world_survives_a_restart_with_all_that_was_under_way() {
    let folder = tempfile::tempdir().unwrap();
    let options = || Options {
        state_file: Some(folder.path().join("railway/state.json")),
        ..Options::default()
    };
    let client = Client::new(options());
    let (_, environment) = client.project("shop").await;
    client
        .apply(&environment, json!([create_service("web", "nginx:1")]))
        .await;
    let before = client.simulator.inventory();
    let progressing = before.environment("shop", "production").unwrap().services[0].status();
    assert_ne!(progressing, Some("SUCCESS"));
    drop(client);

    let again = Client::new(options());
    assert_eq!(
        again.simulator.inventory().projects[0].id,
        before.projects[0].id
    );
    again.settle();
    let after = again.simulator.inventory();
    let settled = after.environment("shop", "production").unwrap().services[0].status();
    assert_eq!(settled, Some("SUCCESS"));
    again.project("second").await;
    let ids: std::collections::BTreeSet<String> = again
        .simulator
        .inventory()
        .projects
        .iter()
        .flat_map(|p| p.environments.iter().map(|e| e.id.clone()))
        .collect();
    assert_eq!(ids.len(), 2, "ids do not repeat after a restart");
}

#[tokio::test(start_paused = true)]
async fn a_broken_state_file_is_an_error_and_not_an_empty_world() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    std::fs::write(&path, "half a wor").unwrap();
    let options = Options {
        state_file: Some(path),
        ..Options::instant()
    };
    assert!(Simulator::new(options).is_err());
}

#[tokio::test(start_paused = true)]
async fn requests_are_counted_by_root_field_and_recorded_without_secrets() {
    let client = Client::instant();
    let (_, environment) = client.project("shop").await;
    let patch = json!({"sharedVariables": {"A": {"value": "canary-1"}}});
    client.commit(&environment, patch).await;
    let twice =
        "query Two($e: String!) { a: environment(id: $e) { id } b: environment(id: $e) { id } }";
    client.ok(twice, json!({"e": environment})).await;
    client.send("{ nonsense }", Value::Null).await.unwrap();
    let counts = client.simulator.requests();
    assert_eq!((counts.total, counts.mutations), (4, 2));
    assert_eq!(counts.of("environment"), 2);
    assert_eq!(counts.of("environmentPatchCommit"), 1);
    let log = client.simulator.log();
    assert!(!serde_json::to_string(&log).unwrap().contains("canary"));
    assert_eq!(log[2].operation.as_deref(), Some("Two"));
    assert!(log[3].outcome.contains("Cannot query field \"nonsense\""));
    client.simulator.reset_requests();
    assert_eq!(client.simulator.requests().total, 0);
}

#[tokio::test(start_paused = true)]
async fn the_dashboard_user_edits_behind_ones_back() {
    let client = Client::instant();
    let (_, environment) = client.project("shop").await;
    client
        .apply(&environment, json!([create_service("web", "nginx:1")]))
        .await;
    let place = || "shop/production".to_owned();
    let web = || "web".to_owned();
    client.settle();
    for edit in [
        DashboardEdit::SetVariable {
            environment: place(),
            service: Some(web()),
            name: "A".to_owned(),
            value: "1".to_owned(),
        },
        DashboardEdit::SetReplicas {
            environment: place(),
            service: web(),
            replicas: 4,
        },
        DashboardEdit::RenameService {
            environment: place(),
            service: web(),
            name: "front".to_owned(),
        },
        DashboardEdit::RenameEnvironment {
            environment: place(),
            name: "live".to_owned(),
        },
    ] {
        client.simulator.edit(edit).unwrap();
    }
    let inventory = client.simulator.inventory();
    let front = inventory
        .environment("shop", "live")
        .unwrap()
        .service("front")
        .unwrap();
    assert_eq!(front.replicas, 4);
    assert!(front.variables.contains_key("A"));
    let missing = client.simulator.edit(DashboardEdit::DeleteEnvironment {
        environment: "nowhere".to_owned(),
    });
    assert!(matches!(missing, Err(EditError::Missing { .. })));
}

#[tokio::test(start_paused = true)]
async fn volumes_outlive_their_service_as_orphans() {
    let client = Client::instant();
    let (project, environment) = client.project("shop").await;
    let web = client.service(&project, &environment, "web").await;
    let create = "mutation($i: VolumeCreateInput!) { volumeCreate(input: $i) { id name } }";
    let input = json!({"i": {"projectId": project, "environmentId": environment, "serviceId": web, "mountPath": "/d"}});
    let data = client.ok(create, input).await;
    let volume = data["volumeCreate"]["id"].clone();
    let held = client.simulator.inventory();
    let held = &held.environment("shop", "production").unwrap().volumes[0];
    assert_eq!(held.service_id.as_deref(), Some(web.as_str()));
    client
        .ok(
            "mutation($id: String!) { serviceDelete(id: $id) }",
            json!({"id": web}),
        )
        .await;
    let inventory = client.simulator.inventory();
    assert_eq!(
        inventory.environment("shop", "production").unwrap().volumes[0].service_id,
        None
    );
    client
        .ok(
            "mutation($id: String!) { volumeDelete(volumeId: $id) }",
            json!({"id": volume}),
        )
        .await;
    assert!(
        client
            .simulator
            .inventory()
            .project("shop")
            .unwrap()
            .volumes
            .is_empty()
    );
}

#[tokio::test(start_paused = true)]
async fn domains_and_proxies_come_and_go() {
    let client = Client::instant();
    let (project, environment) = client.project("shop").await;
    let web = client.service(&project, &environment, "web").await;
    let create = "mutation($i: ServiceDomainCreateInput!) { serviceDomainCreate(input: $i) { id domain targetPort syncStatus } }";
    let input = json!({"i": {"environmentId": environment, "serviceId": web, "targetPort": 80}});
    let first = client.ok(create, input.clone()).await["serviceDomainCreate"].clone();
    let second = client.ok(create, input).await["serviceDomainCreate"].clone();
    assert_eq!(first["domain"], "web-production.up.railway.app");
    assert_ne!(first["domain"], second["domain"]);
    let custom = "mutation($i: CustomDomainCreateInput!) { customDomainCreate(input: $i) { id status { dnsRecords { requiredValue } } } }";
    let input = json!({"i": {"projectId": project, "environmentId": environment, "serviceId": web, "domain": "a.example.com"}});
    client.ok(custom, input.clone()).await;
    assert!(
        client
            .message(custom, input)
            .await
            .contains("already in use")
    );
    let delete = "mutation($id: String!) { serviceDomainDelete(id: $id) }";
    client.ok(delete, json!({"id": first["id"]})).await;
    assert_eq!(
        client.message(delete, json!({"id": first["id"]})).await,
        "Not Authorized"
    );
    let patch = json!({"services": {&web: {"networking": {"tcpProxies": {"5432": {}}}}}});
    client.commit(&environment, patch).await;
    let data = client
        .ok(
            "query($p: String!, $e: String!, $s: String!) {
                domains(projectId: $p, environmentId: $e, serviceId: $s) { serviceDomains { domain } customDomains { domain } }
                tcpProxies(environmentId: $e, serviceId: $s) { id proxyPort applicationPort domain } }",
            json!({"p": project, "e": environment, "s": web}),
        )
        .await;
    assert_eq!(
        data["domains"]["serviceDomains"].as_array().unwrap().len(),
        1
    );
    assert_eq!(
        data["domains"]["customDomains"][0]["domain"],
        "a.example.com"
    );
    assert_eq!(data["tcpProxies"][0]["applicationPort"], 5432);
}

#[tokio::test(start_paused = true)]
async fn instance_updates_have_their_traps() {
    let client = Client::instant();
    let (project, environment) = client.project("shop").await;
    let web = client.service(&project, &environment, "web").await;
    let update = "mutation($e: String, $s: String!, $i: ServiceInstanceUpdateInput!) {
        serviceInstanceUpdate(environmentId: $e, serviceId: $s, input: $i) }";
    let read = "query($e: String!, $s: String!) { serviceInstance(environmentId: $e, serviceId: $s) { startCommand numReplicas } }";
    let table = [
        (
            json!({"startCommand": "run", "numReplicas": 3}),
            json!({"startCommand": "run", "numReplicas": 3}),
        ),
        (
            json!({"startCommand": null}),
            json!({"startCommand": "run", "numReplicas": 1}),
        ),
        (
            json!({"startCommand": "", "numReplicas": 2}),
            json!({"startCommand": null, "numReplicas": 2}),
        ),
    ];
    for (input, expected) in table {
        client
            .ok(update, json!({"e": environment, "s": web, "i": input}))
            .await;
        let data = client.ok(read, json!({"e": environment, "s": web})).await;
        assert_eq!(data["serviceInstance"], expected, "{input}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_variable_collection_is_merged_or_replaces_all() {
    let client = Client::instant();
    let (project, environment) = client.project("shop").await;
    let upsert =
        "mutation($i: VariableCollectionUpsertInput!) { variableCollectionUpsert(input: $i) }";
    let input = |variables: Value, replace: bool| {
        json!({"i": {"projectId": project, "environmentId": environment, "variables": variables,
            "replace": replace, "skipDeploys": true}})
    };
    client
        .ok(upsert, input(json!({"A": "1", "B": "2"}), false))
        .await;
    client.ok(upsert, input(json!({"C": "3"}), false)).await;
    let read = "query($p: String!, $e: String!) { variables(projectId: $p, environmentId: $e) }";
    let place = json!({"p": project, "e": environment});
    let data = client.ok(read, place.clone()).await;
    assert_eq!(data["variables"], json!({"A": "1", "B": "2", "C": "3"}));
    client.ok(upsert, input(json!({"C": "4"}), true)).await;
    assert_eq!(client.ok(read, place).await["variables"], json!({"C": "4"}));
}

#[tokio::test(start_paused = true)]
async fn a_workflow_becomes_visible_then_complete() {
    let client = Client::new(Options::default());
    let (_, environment) = client.project("shop").await;
    let workflow = client
        .commit(
            &environment,
            json!({"sharedVariables": {"A": {"value": "1"}}}),
        )
        .await;
    client.settle();
    let data = client
        .ok(
            "query($w: String!, $e: String!) { workflowStatus(workflowId: $w) { status error }
                environmentPatches(environmentId: $e, first: 1) { edges { node { status appliedAt } } } }",
            json!({"w": workflow, "e": environment}),
        )
        .await;
    assert_eq!(data["workflowStatus"]["status"], "Complete");
    assert_eq!(
        data["environmentPatches"]["edges"][0]["node"]["status"],
        "COMMITTED"
    );
}

async fn control(simulator: &Simulator, method: &str, path: &str, body: Value) -> (u16, Value) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .body(Bytes::from(body.to_string()))
        .unwrap();
    let answer = simulator.handle(request).await.unwrap();
    let body = serde_json::from_slice(answer.body()).unwrap();
    (answer.status().as_u16(), body)
}

#[tokio::test(start_paused = true)]
async fn the_control_endpoints_do_what_the_api_does() {
    let client = Client::instant();
    let (_, environment) = client.project("shop").await;
    let simulator = &client.simulator;
    let edit =
        json!({"edit": "set-variable", "environment": environment, "name": "A", "value": "canary"});
    assert_eq!(
        control(simulator, "POST", "/_simulator/edit", edit).await.0,
        200
    );
    let (_, shown) = control(simulator, "GET", "/_simulator/inventory", Value::Null).await;
    assert!(!shown.to_string().contains("canary"));
    let (_, shown) = control(
        simulator,
        "GET",
        "/_simulator/inventory?values=1",
        Value::Null,
    )
    .await;
    assert!(shown.to_string().contains("canary"));
    let fault = json!({"kind": "problem-processing", "operation": "regions"});
    let (status, made) = control(simulator, "POST", "/_simulator/faults", fault).await;
    assert_eq!((status, made), (200, json!({"id": 1})));
    client.message("{ regions { name } }", Value::Null).await;
    let (_, listed) = control(simulator, "GET", "/_simulator/faults", Value::Null).await;
    assert_eq!(listed[0]["struck"], 1);
    control(simulator, "DELETE", "/_simulator/faults", Value::Null).await;
    client.ok("{ regions { name } }", Value::Null).await;
    let (_, counts) = control(simulator, "GET", "/_simulator/requests", Value::Null).await;
    assert_eq!(counts["operations"]["regions"], 2);
    let before = simulator.now();
    control(
        simulator,
        "POST",
        "/_simulator/advance",
        json!({"seconds": 60}),
    )
    .await;
    assert_eq!((simulator.now() - before).get_seconds(), 60);
    let (status, _) = control(
        simulator,
        "POST",
        "/_simulator/edit",
        json!({"edit": "dance"}),
    )
    .await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn over_http_a_lost_answer_is_a_closed_connection() {
    let simulator = Simulator::new(Options::instant()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "http://{}/graphql/v2?source=test",
        listener.local_addr().unwrap()
    );
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(simulator.clone().serve(listener, async move {
        let _ = stopped.await;
    }));
    let http = plain_client();
    let send = || {
        http.post(&url)
            .bearer_auth(ACCOUNT_TOKEN)
            .body(json!({"query": "{ regions { name } }"}).to_string())
            .send()
    };
    let answer = send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.text().await.unwrap().contains("us-west2"));
    let lost = FaultKind::AnswerLost { when: When::After };
    let _ = simulator.inject(Fault::new(lost).times(1));
    assert!(send().await.is_err());
    assert_eq!(send().await.unwrap().status(), 200);
    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
}

fn plain_client() -> reqwest::Client {
    // Plain HTTP, but the client asks for a TLS provider all the same; another test may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_sweep_over_a_hundred_environments_is_one_request() {
    let client = Client::instant();
    let mut ids = Vec::new();
    for n in 0..10 {
        let (project, production) = client.project(&format!("p{n}")).await;
        let services: Vec<Value> = (0..10)
            .map(|s| create_service(&format!("s{s}"), "nginx:1"))
            .collect();
        client.apply(&production, Value::Array(services)).await;
        for e in 0..9 {
            client
                .environment(&project, &format!("e{e}"), Some(&production))
                .await;
        }
        ids.push(project);
    }
    client.settle();
    let started = std::time::Instant::now();
    let data = client
        .ok(
            "query($ids: [String!]!) { projectsByIds(ids: $ids) { id environments(first: 100) { edges { node {
                id configEtag serviceInstances(first: 200) { edges { node { serviceId serviceName
                    latestDeployment { id status } activeDeployments { id } } } } } } } } }",
            json!({ "ids": ids }),
        )
        .await;
    eprintln!("sweep: {:?}", started.elapsed());
    let projects = data["projectsByIds"].as_array().unwrap();
    let environments: usize = projects
        .iter()
        .map(|project| project["environments"]["edges"].as_array().unwrap().len())
        .sum();
    assert_eq!(environments, 100);
}

#[tokio::test]
async fn over_http_a_held_call_is_dropped_with_its_connection() {
    let simulator = Simulator::new(Options::instant()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(simulator.clone().serve(listener, std::future::pending()));
    let http = plain_client();
    let fault = json!({"kind": "hold", "when": "before", "operation": "projectCreate"});
    let made: Value = serde_json::from_str(
        &http
            .post(format!("{base}/_simulator/faults"))
            .body(fault.to_string())
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap(),
    )
    .unwrap();
    let create = tokio::spawn({
        let (http, base) = (http.clone(), base.clone());
        async move {
            let body =
                json!({"query": "mutation { projectCreate(input: {name: \"shop\"}) { id } }"});
            http.post(format!("{base}/graphql/v2"))
                .bearer_auth(ACCOUNT_TOKEN)
                .body(body.to_string())
                .send()
                .await
        }
    });
    let held = format!("{base}/_simulator/faults/held?id={}&wait=30", made["id"]);
    let text = http.get(&held).send().await.unwrap().text().await.unwrap();
    assert_eq!(text, r#"{"held":1}"#);
    create.abort();
    let id = simulator.faults()[0].id;
    tokio::time::timeout(Duration::from_secs(30), async {
        while simulator.held(id) > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    simulator.clear_faults();
    assert!(simulator.inventory().projects.is_empty());
    server.abort();
}

#[tokio::test]
async fn the_router_answers_as_the_server_does() {
    use tower::ServiceExt;
    let simulator = Simulator::new(Options::instant()).unwrap();
    let request = || {
        Request::post("/graphql/v2")
            .header("authorization", format!("Bearer {ACCOUNT_TOKEN}"))
            .body(axum::body::Body::from(r#"{"query": "{ me { email } }"}"#))
            .unwrap()
    };
    let answer = simulator.router().oneshot(request()).await.unwrap();
    assert_eq!(answer.status(), 200);
    let lost = FaultKind::AnswerLost { when: When::After };
    let _ = simulator.inject(Fault::new(lost));
    let broken = simulator.router().oneshot(request()).await.unwrap();
    assert!(
        axum::body::to_bytes(broken.into_body(), 1024)
            .await
            .is_err()
    );
}
