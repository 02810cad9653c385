//! Faults strike as asked, and nothing else is harmed.

use crate::client::{Client, create_service};
use mirage_railway_simulator::{DashboardEdit, Fault, FaultKind, Lost, Options, Timing, When};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

const CREATE: &str = "mutation($n: String) { projectCreate(input: {name: $n}) { id } }";

fn named(name: &str) -> Value {
    json!({"n": name})
}

fn projects(client: &Client) -> usize {
    client.simulator.inventory().projects.len()
}

#[tokio::test(start_paused = true)]
async fn an_answer_may_be_lost_before_or_after_the_effect() {
    for (when, made) in [(When::Before, 0), (When::After, 1)] {
        let client = Client::instant();
        let _ = client.simulator.inject(
            Fault::new(FaultKind::AnswerLost { when })
                .on("projectCreate")
                .times(1),
        );
        assert_eq!(client.send(CREATE, named("shop")).await.err(), Some(Lost));
        assert_eq!(projects(&client), made, "{when:?}");
        client.ok(CREATE, named("shop")).await;
        assert_eq!(projects(&client), made + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_effect_may_come_a_minute_later() {
    let client = Client::instant();
    let fault = Fault::new(FaultKind::EffectDelayed { seconds: 60.0 }).on("projectCreate");
    let _ = client.simulator.inject(fault.times(1));
    assert!(client.send(CREATE, named("shop")).await.is_err());
    assert_eq!(projects(&client), 0);
    client.simulator.advance(Duration::from_secs(61));
    assert_eq!(projects(&client), 1);
}

#[tokio::test(start_paused = true)]
async fn gateways_answer_in_html_before_or_after_the_effect() {
    for (when, made) in [(When::Before, 0), (When::After, 1)] {
        let client = Client::instant();
        let kind = FaultKind::GatewayError {
            status: 504,
            when,
            empty: false,
        };
        let _ = client.simulator.inject(Fault::new(kind).on("mutation"));
        let answer = client.send(CREATE, named("shop")).await.unwrap();
        assert_eq!(answer.status, 504);
        assert!(answer.text.starts_with("<html>"));
        assert_eq!(projects(&client), made);
    }
}

#[tokio::test(start_paused = true)]
async fn both_kinds_of_429_differ_in_their_headers() {
    let client = Client::instant();
    let seconds = 7;
    let railway = client.simulator.inject(
        Fault::new(FaultKind::RateLimited {
            retry_after_seconds: seconds,
        })
        .times(1),
    );
    let answer = client.send(CREATE, named("shop")).await.unwrap();
    assert_eq!(answer.status, 429);
    assert_eq!(answer.headers["retry-after"], "7");
    assert_eq!(answer.headers["x-ratelimit-remaining"], "0");
    client.simulator.remove_fault(railway);
    let _ = client
        .simulator
        .inject(Fault::new(FaultKind::CloudflareRateLimited {
            retry_after_seconds: seconds,
        }));
    let answer = client.send(CREATE, named("shop")).await.unwrap();
    assert_eq!(
        (answer.status.as_u16(), answer.text.as_str()),
        (429, "error code: 1015")
    );
    assert!(!answer.headers.contains_key("x-ratelimit-remaining"));
    assert_eq!(projects(&client), 0);
}

#[tokio::test(start_paused = true)]
async fn answers_come_late() {
    let client = Client::instant();
    let _ = client
        .simulator
        .inject(Fault::new(FaultKind::AnswerDelayed { seconds: 90.0 }));
    let before = Instant::now();
    client.ok(CREATE, named("shop")).await;
    assert!(before.elapsed() >= Duration::from_secs(90));
}

#[tokio::test(start_paused = true)]
async fn a_held_call_has_its_effect_only_when_released() {
    let client = Client::instant();
    let hold = client.simulator.inject(
        Fault::new(FaultKind::Hold { when: When::Before })
            .on("projectCreate")
            .nth(2),
    );
    client.ok(CREATE, named("first")).await;
    let held = tokio::spawn({
        let client = client.clone();
        async move { client.ok(CREATE, named("second")).await }
    });
    client.simulator.until_held(hold).await;
    assert_eq!(projects(&client), 1);
    assert_eq!(client.simulator.release(hold), 1);
    held.await.unwrap();
    assert_eq!(projects(&client), 2);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_hangs_up_is_not_held_any_more() {
    for (when, made) in [(When::Before, 0), (When::After, 1)] {
        let client = Client::instant();
        let hold = client
            .simulator
            .inject(Fault::new(FaultKind::Hold { when }));
        let held = tokio::spawn({
            let client = client.clone();
            async move { client.send(CREATE, named("shop")).await }
        });
        client.simulator.until_held(hold).await;
        held.abort();
        assert!(held.await.unwrap_err().is_cancelled());
        assert_eq!(client.simulator.held(hold), 0);
        assert_eq!(projects(&client), made, "{when:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn stale_reads_show_the_world_of_before() {
    let client = Client::instant();
    let (project, environment) = client.project("shop").await;
    let _ = client
        .simulator
        .inject(Fault::new(FaultKind::StaleReads).lasting(30.0));
    client.environment(&project, "new", None).await;
    client
        .apply(&environment, json!([create_service("web", "nginx:1")]))
        .await;
    let read = "query($p: String!) { project(id: $p) { environments { edges { node { name } } } services { edges { node { name } } } } }";
    let count = |data: &Value, key: &str| data["project"][key]["edges"].as_array().unwrap().len();
    let stale = client.ok(read, json!({"p": project})).await;
    assert_eq!(
        (count(&stale, "environments"), count(&stale, "services")),
        (1, 0)
    );
    client.simulator.advance(Duration::from_secs(31));
    let fresh = client.ok(read, json!({"p": project})).await;
    assert_eq!(
        (count(&fresh, "environments"), count(&fresh, "services")),
        (2, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn everything_may_seem_gone_while_nothing_is() {
    let client = Client::instant();
    let (project, environment) = client.project("shop").await;
    let _ = client
        .simulator
        .inject(Fault::new(FaultKind::EverythingGone).times(2));
    let read = "query($p: String!) { project(id: $p) { environments { edges { node { id } } } } }";
    let data = client.ok(read, json!({"p": project})).await;
    assert_eq!(data["project"]["environments"]["edges"], json!([]));
    let one = "query($e: String!) { environment(id: $e) { id } }";
    assert_eq!(
        client.message(one, json!({"e": environment})).await,
        "Environment not found"
    );
    client.ok(one, json!({"e": environment})).await;
}

#[tokio::test(start_paused = true)]
async fn partial_data_nulls_one_alias_and_keeps_the_rest() {
    let client = Client::instant();
    let (_, environment) = client.project("shop").await;
    let query =
        "query($e: String!) { a: environment(id: $e) { name } b: environment(id: $e) { name } }";
    let _ = client
        .simulator
        .inject(Fault::new(FaultKind::PartialData).times(1));
    let body = client
        .send(query, json!({"e": environment}))
        .await
        .unwrap()
        .json();
    assert_eq!(body["data"]["a"]["name"], "production");
    assert_eq!(body["data"]["b"], Value::Null);
    assert_eq!(body["errors"][0]["path"], json!(["b"]));
}

#[tokio::test(start_paused = true)]
async fn refusals_come_with_or_without_code_and_path() {
    let client = Client::instant();
    let refused = FaultKind::Refused {
        message: "Two Factor Authentication Required".to_owned(),
        code: None,
    };
    let _ = client.simulator.inject(Fault::new(refused).times(1));
    let _ = client
        .simulator
        .inject(Fault::new(FaultKind::ProblemProcessing).nth(1));
    let error = client.error(CREATE, named("shop")).await;
    assert_eq!(error["message"], "Two Factor Authentication Required");
    client.simulator.clear_faults();
    let _ = client
        .simulator
        .inject(Fault::new(FaultKind::ProblemProcessing));
    let error = client.error(CREATE, named("shop")).await;
    assert_eq!(error, json!({"message": "Problem processing request"}));
}

#[tokio::test(start_paused = true)]
async fn deletes_may_be_accepted_and_ignored() {
    let client = Client::instant();
    let (project, _) = client.project("shop").await;
    let _ = client
        .simulator
        .inject(Fault::new(FaultKind::DeleteIgnored).times(1));
    let delete = "mutation($id: String!) { projectDelete(id: $id) }";
    let data = client.ok(delete, json!({"id": project})).await;
    assert_eq!(data["projectDelete"], true);
    assert_eq!(projects(&client), 1);
    client.ok(delete, json!({"id": project})).await;
    assert_eq!(projects(&client), 0);
}

#[tokio::test(start_paused = true)]
async fn fields_and_enum_values_drift() {
    let client = Client::instant();
    let (_, environment) = client.project("shop").await;
    client
        .apply(&environment, json!([create_service("web", "nginx:1")]))
        .await;
    let query =
        "query($e: String!) { environment(id: $e) { configEtag serviceInstances { edges { node {
        latestDeployment { status } } } } } }";
    let field = "Environment.configEtag".to_owned();
    let _ = client
        .simulator
        .inject(Fault::new(FaultKind::FieldRemoved { field }).times(1));
    let answer = client.send(query, json!({"e": environment})).await.unwrap();
    assert_eq!(answer.status, 400);
    assert!(answer.text.contains("configEtag") && answer.text.contains("Environment"));
    let status = "LEVITATING".to_owned();
    let _ = client
        .simulator
        .inject(Fault::new(FaultKind::UnknownDeploymentStatus { status }));
    let data = client.ok(query, json!({"e": environment})).await;
    assert!(data.to_string().contains("LEVITATING"));
}

#[tokio::test(start_paused = true)]
async fn somebody_edits_just_before_a_call() {
    let client = Client::instant();
    let (_, environment) = client.project("shop").await;
    let etag = client.etag(&environment).await;
    let edit = DashboardEdit::SetVariable {
        environment: "shop/production".to_owned(),
        service: None,
        name: "X".to_owned(),
        value: "1".to_owned(),
    };
    let fault = Fault::new(FaultKind::Edit { edit })
        .on("environmentApplyChangeSet")
        .times(1);
    let _ = client.simulator.inject(fault);
    let variables = json!({"e": environment, "b": etag,
        "i": crate::client::change_set(json!([create_service("web", "nginx:1")]))});
    let error = client.error(crate::client::APPLY, variables).await;
    assert_eq!(error["extensions"]["code"], "STALE_ENVIRONMENT_BASE");
}

#[tokio::test(start_paused = true)]
async fn an_incident_shows_in_the_platform_status() {
    let client = Client::instant();
    let query = "{ platformStatus { isStable incident { status } } }";
    let _ = client
        .simulator
        .inject(Fault::new(FaultKind::PlatformUnstable).lasting(10.0));
    let data = client.ok(query, Value::Null).await;
    assert_eq!(data["platformStatus"]["isStable"], false);
    client.simulator.advance(Duration::from_secs(10));
    let data = client.ok(query, Value::Null).await;
    assert_eq!(data["platformStatus"]["isStable"], true);
}

#[tokio::test(start_paused = true)]
async fn chance_follows_the_seed() {
    let outcomes = |seed: u64| async move {
        let client = Client::new(Options {
            seed,
            timing: Timing::instant(),
            ..Options::default()
        });
        let _ = client
            .simulator
            .inject(Fault::new(FaultKind::ProblemProcessing).probability(0.5));
        let mut seen = Vec::new();
        for _ in 0..32 {
            let body = client
                .send("{ regions { name } }", Value::Null)
                .await
                .unwrap()
                .json();
            seen.push(body["errors"].is_array());
        }
        seen
    };
    let once = outcomes(1).await;
    assert_eq!(once, outcomes(1).await);
    assert_ne!(once, outcomes(2).await);
    assert!(once.contains(&true) && once.contains(&false));
}
