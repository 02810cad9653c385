//! A GraphQL client on an in-process simulator, with the few documents that most tests need.

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use mirage_railway_simulator::{ACCOUNT_TOKEN, Lost, Options, Simulator};
use serde_json::{Value, json};
use std::time::Duration;

/// An HTTP answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }
}

#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) simulator: Simulator,
    header: (&'static str, String),
}

impl Client {
    pub(crate) fn new(options: Options) -> Self {
        Self {
            simulator: Simulator::new(options).unwrap(),
            header: ("authorization", format!("Bearer {ACCOUNT_TOKEN}")),
        }
    }

    pub(crate) fn instant() -> Self {
        Self::new(Options::instant())
    }

    pub(crate) fn bearer(&self, token: &str) -> Self {
        Self {
            simulator: self.simulator.clone(),
            header: ("authorization", format!("Bearer {token}")),
        }
    }

    pub(crate) fn project_token(&self, token: &str) -> Self {
        Self {
            simulator: self.simulator.clone(),
            header: ("project-access-token", token.to_owned()),
        }
    }

    pub(crate) async fn send(&self, query: &str, variables: Value) -> Result<Answer, Lost> {
        let body = json!({"query": query, "variables": variables}).to_string();
        let request = Request::post("/graphql/v2?source=test")
            .header(self.header.0, &self.header.1)
            .body(Bytes::from(body))
            .unwrap();
        let answer = self.simulator.handle(request).await?;
        Ok(Answer {
            status: answer.status(),
            headers: answer.headers().clone(),
            text: String::from_utf8(answer.body().to_vec()).unwrap(),
        })
    }

    /// The data of an answer without errors.
    pub(crate) async fn ok(&self, query: &str, variables: Value) -> Value {
        let answer = self.send(query, variables).await.unwrap();
        let body = answer.json();
        assert_eq!(body["errors"], Value::Null, "{query}");
        body["data"].clone()
    }

    /// The first error of an answer.
    pub(crate) async fn error(&self, query: &str, variables: Value) -> Value {
        let body = self.send(query, variables).await.unwrap().json();
        assert!(body["errors"].is_array(), "no error: {body}");
        body["errors"][0].clone()
    }

    pub(crate) async fn message(&self, query: &str, variables: Value) -> String {
        self.error(query, variables).await["message"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// A project and its first environment.
    pub(crate) async fn project(&self, name: &str) -> (String, String) {
        let data = self
            .ok(
                "mutation($input: ProjectCreateInput!) { projectCreate(input: $input) {
                    id environments { edges { node { id name } } } } }",
                json!({"input": {"name": name}}),
            )
            .await;
        let project = &data["projectCreate"];
        (
            text(&project["id"]),
            text(&project["environments"]["edges"][0]["node"]["id"]),
        )
    }

    pub(crate) async fn environment(
        &self,
        project: &str,
        name: &str,
        source: Option<&str>,
    ) -> String {
        let mut input = json!({"projectId": project, "name": name});
        if let Some(source) = source {
            input["sourceEnvironmentId"] = json!(source);
        }
        let data = self
            .ok(
                "mutation($input: EnvironmentCreateInput!) { environmentCreate(input: $input) { id } }",
                json!({ "input": input }),
            )
            .await;
        text(&data["environmentCreate"]["id"])
    }

    pub(crate) async fn service(&self, project: &str, environment: &str, name: &str) -> String {
        let data = self
            .ok(
                "mutation($input: ServiceCreateInput!) { serviceCreate(input: $input) { id } }",
                json!({"input": {"projectId": project, "environmentId": environment, "name": name}}),
            )
            .await;
        text(&data["serviceCreate"]["id"])
    }

    /// Commits a patch; the workflow's id.
    pub(crate) async fn commit(&self, environment: &str, patch: Value) -> String {
        let data = self
            .ok(
                "mutation($e: String!, $p: EnvironmentConfig) { environmentPatchCommit(environmentId: $e, patch: $p) }",
                json!({"e": environment, "p": patch}),
            )
            .await;
        text(&data["environmentPatchCommit"])
    }

    /// Applies a change set and waits for it.
    pub(crate) async fn apply(&self, environment: &str, changes: Value) -> Value {
        let data = self
            .ok(APPLY, json!({"e": environment, "i": change_set(changes)}))
            .await;
        data["environmentApplyChangeSet"].clone()
    }

    pub(crate) async fn config(&self, environment: &str) -> Value {
        let data = self
            .ok(
                "query($e: String!) { environment(id: $e) { configEtag config(decryptVariables: true) } }",
                json!({"e": environment}),
            )
            .await;
        data["environment"]["config"].clone()
    }

    pub(crate) async fn etag(&self, environment: &str) -> String {
        let data = self
            .ok(
                "query($e: String!) { environment(id: $e) { configEtag } }",
                json!({"e": environment}),
            )
            .await;
        text(&data["environment"]["configEtag"])
    }

    /// Lets an hour go by.
    pub(crate) fn settle(&self) {
        self.simulator.advance(Duration::from_secs(3600));
    }
}

pub(crate) const APPLY: &str = "mutation($e: String!, $i: JSON!, $b: String, $w: Boolean) {
    environmentApplyChangeSet(environmentId: $e, input: $i, baseConfigEtag: $b, waitForCompletion: $w) {
        id status diagnostics changes { kind path status } } }";

pub(crate) fn change_set(changes: Value) -> Value {
    json!({"version": 1, "diagnostics": [], "changes": changes})
}

/// A service to be created from an image.
pub(crate) fn create_service(name: &str, image: &str) -> Value {
    json!({"kind": "resource.create", "address": format!("service.{name}"), "resource": {
        "address": format!("service.{name}"), "type": "service", "kind": "docker-image", "name": name,
        "source": {"type": "image", "image": image}}})
}

pub(crate) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("not a string: {value}"))
        .to_owned()
}
