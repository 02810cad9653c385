//! One call: attempts, limits, tokens.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use crate::{
    budget::Plan,
    client::{Client, ClientOptions, Token, system_clock},
    error::{Class, Error},
    id::{DeploymentId, EnvironmentId},
    scripted::{Canned, Scripted, TOKEN},
    secret::SecretValue,
    transport::Transport,
};

fn identity() -> Canned {
    Canned::data(json!({ "apiToken": { "workspaces": [{ "id": "w", "name": "Team" }] } }))
}

#[tokio::test(start_paused = true)]
async fn a_query_is_asked_again_until_it_is_answered() {
    let railway = Scripted::new();
    railway
        .once("ApiToken", Canned::status(502))
        .once("ApiToken", Canned::NoAnswer)
        .once(
            "ApiToken",
            Canned::Http(200, Vec::new(), "{\"data\":".to_owned()),
        )
        .once("ApiToken", identity());
    let start = Instant::now();
    railway.client().identify().await.unwrap();
    assert_eq!(railway.requests().len(), 4);
    assert!(start.elapsed() > Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn trap_01_a_mutation_whose_answer_is_lost_is_ambiguous_and_not_sent_again() {
    for answer in [
        Canned::NoAnswer,
        Canned::status(504),
        Canned::status(500),
        Canned::Http(200, Vec::new(), String::new()),
        Canned::data(json!({ "deploymentRedeploy": null })),
        Canned::error("Problem processing request"),
    ] {
        let railway = Scripted::new();
        railway.once("DeploymentRedeploy", answer.clone());
        let error = railway
            .client()
            .redeploy(&DeploymentId::new("d"))
            .await
            .unwrap_err();
        assert_eq!(error.class(), Class::Ambiguous, "{answer:?}");
        assert_eq!(railway.requests().len(), 1, "{answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_mutation_that_never_left_is_sent_again() {
    let railway = Scripted::new();
    railway.once("DeploymentStop", Canned::NotSent).once(
        "DeploymentStop",
        Canned::data(json!({ "deploymentStop": true })),
    );
    railway
        .client()
        .stop(&DeploymentId::new("d"))
        .await
        .unwrap();
    assert_eq!(railway.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn trap_12_a_redeploy_that_is_refused_while_building_comes_later() {
    let railway = Scripted::new();
    railway.once(
        "DeploymentRedeploy",
        Canned::error(
            "Cannot redeploy yet, please wait for the original deployment to finish building",
        ),
    );
    let error = railway
        .client()
        .redeploy(&DeploymentId::new("d"))
        .await
        .unwrap_err();
    assert_eq!(error.class(), Class::NotYet);
    assert_eq!(error.trace_id(), Some("5527782523421805956"));
    assert_eq!(railway.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn trap_24_a_delete_that_meets_a_running_operation_comes_later() {
    let railway = Scripted::new();
    railway.once(
        "TcpProxyDelete",
        Canned::error("Cannot delete TCP proxy: operation is already in progress"),
    );
    let error = railway
        .client()
        .delete_tcp_proxy(&crate::id::TcpProxyId::new("t"))
        .await
        .unwrap_err();
    assert_eq!(error.class(), Class::NotYet);
}

#[tokio::test(start_paused = true)]
async fn trap_05_the_three_answers_to_a_repeated_delete_are_no_success() {
    for (message, class) in [
        ("Environment not found", Class::NotFound),
        ("Not Authorized", Class::Unauthorized),
        ("Problem processing request", Class::Ambiguous),
    ] {
        let railway = Scripted::new();
        railway.once("EnvironmentDelete", Canned::error(message));
        let error = railway
            .client()
            .delete_environment(&EnvironmentId::new("e"))
            .await
            .unwrap_err();
        assert_eq!(error.class(), class);
    }
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_is_waited_for_when_short_and_told_when_long() {
    let limited = |seconds: u64| {
        let header = ("retry-after", seconds.to_string());
        Canned::Http(429, vec![header], "slow down".to_owned())
    };
    let railway = Scripted::new();
    let client = railway.client();
    railway
        .once("ApiToken", limited(5))
        .once("ApiToken", identity());
    let start = Instant::now();
    client.identify().await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(5));

    railway.once("ApiToken", limited(600));
    let before = client.now();
    let error = client.identify().await.unwrap_err();
    let Error::RateLimited { until, wait, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(*wait, Duration::from_secs(600));
    assert!(*until >= before + Duration::from_secs(600));
    let sent = railway.requests().len();
    // The second refusal is our own: it costs nothing.
    assert_eq!(
        client.identify().await.unwrap_err().class(),
        Class::RateLimited
    );
    assert_eq!(railway.requests().len(), sent);
}

#[tokio::test(start_paused = true)]
async fn the_gateways_own_refusal_silences_for_longer() {
    let railway = Scripted::new();
    railway.once(
        "ApiToken",
        Canned::Http(429, Vec::new(), "error code: 1015".to_owned()),
    );
    let error = railway.client().identify().await.unwrap_err();
    assert_eq!(error.wait(), Some(Duration::from_secs(60)));
}

#[tokio::test(start_paused = true)]
async fn the_headers_correct_the_budget() {
    let railway = Scripted::new();
    let headers = vec![
        ("x-ratelimit-limit", "1000".to_owned()),
        ("x-ratelimit-remaining", "17".to_owned()),
        ("x-ratelimit-reset", "1800000300".to_owned()),
    ];
    let Canned::Http(_, _, body) = identity() else {
        unreachable!()
    };
    railway.once("ApiToken", Canned::Http(200, headers, body));
    let client = railway.client_on(Plan::Pro);
    client.identify().await.unwrap();
    let budget = client.budget().snapshot();
    assert_eq!((budget.limit, budget.left), (1_000, 17));
    assert!(budget.resets_in.unwrap() <= Duration::from_secs(300));
    assert_eq!(budget.spent[0].operation, "ApiToken");
    assert_eq!(
        (budget.spent[0].outcome, budget.spent[0].requests),
        ("ok", 1)
    );
}

#[tokio::test(start_paused = true)]
async fn each_kind_of_token_goes_into_its_header_and_nowhere_else() {
    let secret = || SecretValue::new(TOKEN);
    for (token, name, value) in [
        (
            Token::Account(secret()),
            "authorization",
            format!("Bearer {TOKEN}"),
        ),
        (
            Token::Workspace(secret()),
            "authorization",
            format!("Bearer {TOKEN}"),
        ),
        (
            Token::Project(secret()),
            "project-access-token",
            TOKEN.to_owned(),
        ),
    ] {
        let railway = Scripted::new();
        railway
            .always("ApiToken", |_| identity())
            .always("ProjectToken", |_| {
                Canned::data(json!({ "projectToken": { "projectId": "p", "environmentId": "e" } }))
            });
        let client = Client::new(ClientOptions {
            transport: railway.clone() as std::sync::Arc<dyn Transport>,
            endpoint: "https://railway.test/graphql/v2".parse().unwrap(),
            token,
            plan: None,
            seed: 1,
            clock: system_clock(),
        });
        client.identify().await.unwrap();
        let request = &railway.requests()[0];
        assert_eq!(request.headers[name], value);
        assert_eq!(request.uri, "https://railway.test/graphql/v2?source=mirage");
        assert!(request.headers["user-agent"].starts_with("mirage/"));
        let others = ["authorization", "project-access-token"]
            .iter()
            .filter(|other| **other != name);
        assert!(
            others
                .clone()
                .all(|other| !request.headers.contains_key(*other))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_no_header_can_carry_is_refused_without_a_request() {
    let railway = Scripted::new();
    let client = Client::new(ClientOptions {
        transport: railway.clone() as std::sync::Arc<dyn Transport>,
        endpoint: "https://railway.test/graphql/v2".parse().unwrap(),
        token: Token::Account(SecretValue::new("two\nlines")),
        plan: None,
        seed: 1,
        clock: system_clock(),
    });
    assert_eq!(
        client.identify().await.unwrap_err().class(),
        Class::Unauthorized
    );
    assert!(railway.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn railways_message_shows_no_value_that_we_sent() {
    let railway = Scripted::new();
    railway.once(
        "VariablesUpsert",
        Canned::error("value canary-value-91 is too long"),
    );
    let variables = [("A".to_owned(), SecretValue::new("canary-value-91"))].into();
    let error = railway
        .client()
        .set_shared_variables(
            &crate::id::ProjectId::new("p"),
            &EnvironmentId::new("e"),
            &variables,
        )
        .await
        .unwrap_err();
    assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
    let sent = &railway.requests()[0].variables["input"];
    assert_eq!(sent["variables"]["A"], "canary-value-91");
    assert!(sent.get("serviceId").is_none());
}

#[tokio::test(start_paused = true)]
async fn trap_16_a_variable_write_of_its_own_deploys_nothing() {
    let railway = Scripted::new();
    railway.once(
        "VariablesUpsert",
        Canned::data(json!({ "variableCollectionUpsert": true })),
    );
    let variables = [("A".to_owned(), SecretValue::new("1"))].into();
    railway
        .client()
        .set_shared_variables(
            &crate::id::ProjectId::new("p"),
            &EnvironmentId::new("e"),
            &variables,
        )
        .await
        .unwrap();
    assert_eq!(
        railway.requests()[0].variables["input"]["skipDeploys"],
        true
    );
}
