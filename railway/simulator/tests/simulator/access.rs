//! Tokens, scopes and the request budget.

use crate::client::{Client, text};
use mirage_railway_simulator::{
    DashboardEdit, Options, Plan, Quirk, Quirks, WORKSPACE_TOKEN, WorkspaceSeed,
};
use serde_json::{Value, json};
use std::time::Duration;

const PROJECT: &str = "query($id: String!) { project(id: $id) { id } }";
const PROJECT_TOKEN: &str =
    "mutation($i: ProjectTokenCreateInput!) { projectTokenCreate(input: $i) }";

#[tokio::test(start_paused = true)]
async fn each_token_sees_what_is_its_own() {
    let client = Client::new(Options {
        more_workspaces: vec![WorkspaceSeed {
            name: "Other".to_owned(),
            token: "other-token".to_owned(),
            plan: Plan::Hobby,
        }],
        ..Options::instant()
    });
    let by_workspace = client.bearer(WORKSPACE_TOKEN);
    let (project, environment) = by_workspace.project("shop").await;
    let stranger = client.bearer("other-token");
    assert_eq!(
        stranger.message(PROJECT, json!({"id": project})).await,
        "Not Authorized"
    );
    let data = stranger
        .ok(
            "query($ids: [String!]!) { projectsByIds(ids: $ids) { id } apiToken { workspaces { name } } }",
            json!({"ids": [project]}),
        )
        .await;
    assert_eq!(data["projectsByIds"], json!([]));
    assert_eq!(data["apiToken"]["workspaces"], json!([{"name": "Other"}]));
    client.ok("{ me { email } }", Value::Null).await;
    assert_eq!(
        by_workspace.message("{ me { email } }", Value::Null).await,
        "Not Authorized"
    );

    let other = by_workspace.environment(&project, "other", None).await;
    let input = json!({"i": {"projectId": project, "environmentId": environment, "name": "ci"}});
    let secret = text(&client.ok(PROJECT_TOKEN, input).await["projectTokenCreate"]);
    let narrow = client.project_token(&secret);
    let data = narrow
        .ok(
            "{ projectToken { name project { name } environment { id name } } }",
            Value::Null,
        )
        .await;
    assert_eq!(
        data["projectToken"]["environment"]["id"],
        json!(environment)
    );
    let read = "query($id: String!) { environment(id: $id) { name } }";
    narrow.ok(read, json!({"id": environment})).await;
    assert_eq!(
        narrow.message(read, json!({"id": other})).await,
        "Not Authorized"
    );
    let create = "mutation($i: EnvironmentCreateInput!) { environmentCreate(input: $i) { id } }";
    let input = json!({"i": {"projectId": project, "name": "mine"}});
    assert_eq!(narrow.message(create, input).await, "Not Authorized");
    let wrong_header = client.bearer(&secret);
    assert_eq!(
        wrong_header.message(PROJECT, json!({"id": project})).await,
        "Not Authorized"
    );
    let unknown = client.project_token("nonsense");
    assert_eq!(
        unknown.message(PROJECT, json!({"id": project})).await,
        "Project Token not found"
    );
}

#[tokio::test(start_paused = true)]
async fn a_revoked_token_is_a_dead_one() {
    let client = Client::instant();
    let (project, _) = client.project("shop").await;
    let by_workspace = client.bearer(WORKSPACE_TOKEN);
    by_workspace.ok(PROJECT, json!({"id": project})).await;
    let token = WORKSPACE_TOKEN.to_owned();
    client
        .simulator
        .edit(DashboardEdit::RevokeToken {
            token: token.clone(),
        })
        .unwrap();
    assert_eq!(
        by_workspace.message(PROJECT, json!({"id": project})).await,
        "Not Authorized"
    );
    client
        .simulator
        .edit(DashboardEdit::RestoreToken { token })
        .unwrap();
    by_workspace.ok(PROJECT, json!({"id": project})).await;
}

#[tokio::test(start_paused = true)]
async fn introspection_needs_no_token() {
    let client = Client::instant().bearer("nobody");
    let data = client
        .ok(
            "{ __schema { queryType { name } } __type(name: \"Environment\") { fields { name } } }",
            Value::Null,
        )
        .await;
    assert_eq!(data["__schema"]["queryType"]["name"], "Query");
    assert!(data["__type"]["fields"].to_string().contains("configEtag"));
}

#[tokio::test(start_paused = true)]
async fn the_hourly_budget_is_told_in_headers_and_then_refused() {
    let client = Client::new(Options {
        plan: Plan::Free,
        rate_limits: true,
        ..Options::instant()
    });
    let query = "{ platformStatus { isStable } }";
    for used in 1..=100 {
        let answer = client.send(query, Value::Null).await.unwrap();
        assert_eq!(answer.status, 200);
        let remaining = answer.headers["x-ratelimit-remaining"].to_str().unwrap();
        assert_eq!(remaining, (100 - used).to_string());
        client.simulator.advance(Duration::from_secs(1));
    }
    let refused = client.send(query, Value::Null).await.unwrap();
    assert_eq!(refused.status, 429);
    assert_eq!(refused.headers["retry-after"], "3500");
    assert_eq!(refused.headers["x-ratelimit-limit"], "100");
    client.simulator.advance(Duration::from_secs(3500));
    assert_eq!(client.send(query, Value::Null).await.unwrap().status, 200);
    let counts = client.simulator.requests();
    assert_eq!((counts.total, counts.rate_limited), (102, 1));
}

#[tokio::test(start_paused = true)]
async fn a_burst_is_refused_for_the_rest_of_the_second() {
    let client = Client::new(Options {
        plan: Plan::Hobby,
        rate_limits: true,
        ..Options::instant()
    });
    let query = "{ platformStatus { isStable } }";
    for _ in 0..10 {
        assert_eq!(client.send(query, Value::Null).await.unwrap().status, 200);
    }
    let refused = client.send(query, Value::Null).await.unwrap();
    assert_eq!(refused.status, 429);
    assert_eq!(refused.headers["retry-after"], "1");
}

#[tokio::test(start_paused = true)]
async fn the_reset_header_comes_in_three_formats() {
    let start = Options::default().start;
    let reset = start.as_second() + 3600;
    let table = [
        (Quirks::default(), reset.to_string()),
        (
            Quirks::default().with(Quirk::RatelimitResetMillis),
            format!("{reset}000"),
        ),
        (
            Quirks::default().with(Quirk::RatelimitResetIso),
            "2026-01-01T01:00:00Z".to_owned(),
        ),
    ];
    for (quirks, expected) in table {
        let client = Client::new(Options {
            quirks,
            ..Options::instant()
        });
        let answer = client
            .send("{ regions { name } }", Value::Null)
            .await
            .unwrap();
        assert_eq!(answer.headers["x-ratelimit-reset"], expected.as_str());
    }
}

#[tokio::test(start_paused = true)]
async fn an_environment_without_access_is_listed_and_its_contents_refused() {
    let client = Client::instant();
    let (_, environment) = client.project("shop").await;
    client
        .simulator
        .edit(DashboardEdit::SetAccess {
            environment: environment.clone(),
            can_access: false,
        })
        .unwrap();
    let outside = "query($id: String!) { environment(id: $id) { name canAccess } }";
    let data = client.ok(outside, json!({"id": environment})).await;
    assert_eq!(data["environment"]["canAccess"], false);
    let inside = "query($id: String!) { environment(id: $id) { config } }";
    assert_eq!(
        client.message(inside, json!({"id": environment})).await,
        "Not Authorized"
    );
}

#[tokio::test(start_paused = true)]
async fn quirks_decide_what_tokens_may_do_and_lists_show() {
    let client = Client::new(Options {
        quirks: Quirks::default()
            .with(Quirk::WorkspaceTokenCannotCreateEnvironments)
            .with(Quirk::TcpProxiesNull),
        ..Options::instant()
    });
    let (project, environment) = client.project("shop").await;
    let by_workspace = client.bearer(WORKSPACE_TOKEN);
    let create = "mutation($i: EnvironmentCreateInput!) { environmentCreate(input: $i) { id } }";
    let input = json!({"i": {"projectId": project, "name": "mine"}});
    assert_eq!(by_workspace.message(create, input).await, "Not Authorized");
    let web = client.service(&project, &environment, "web").await;
    let proxies =
        "query($e: String!, $s: String!) { tcpProxies(environmentId: $e, serviceId: $s) { id } }";
    let data = client
        .ok(proxies, json!({"e": environment, "s": web}))
        .await;
    assert_eq!(data["tcpProxies"], Value::Null);
    let list = "{ projects { edges { node { id } } } }";
    assert_eq!(
        client.ok(list, Value::Null).await["projects"]["edges"],
        json!([])
    );
    let own = by_workspace.ok(list, Value::Null).await;
    assert_eq!(own["projects"]["edges"].as_array().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_account_works_in_its_first_workspace_unless_it_says_otherwise() {
    for seed in 0..8 {
        let client = Client::new(Options {
            seed,
            more_workspaces: vec![WorkspaceSeed {
                name: "Other".to_owned(),
                token: "other-token".to_owned(),
                plan: Plan::Hobby,
            }],
            ..Options::instant()
        });
        let create = "mutation { projectCreate(input: {}) { workspace { name } } }";
        let data = client.ok(create, Value::Null).await;
        assert_eq!(data["projectCreate"]["workspace"]["name"], "Acme");
    }
}
