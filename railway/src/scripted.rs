//! A Railway of canned answers for tests: each request is recorded and takes the next answer of its operation.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    budget::Plan,
    client::{Client, ClientOptions, Token},
    secret::SecretValue,
    transport::{Transport, TransportError},
};

/// A token whose text tests search for.
pub(crate) const TOKEN: &str = "token-canary-5f2e";

/// What a request gets.
#[derive(Clone, Debug)]
pub(crate) enum Canned {
    Http(u16, Vec<(&'static str, String)>, String),
    NotSent,
    NoAnswer,
}

impl Canned {
    pub(crate) fn data(data: Value) -> Self {
        Self::Http(200, Vec::new(), json!({ "data": data }).to_string())
    }

    pub(crate) fn error(message: &str) -> Self {
        let entry = json!({
            "message": message,
            "extensions": { "code": "INTERNAL_SERVER_ERROR" },
            "traceId": "5527782523421805956",
        });
        Self::Http(
            200,
            Vec::new(),
            json!({ "errors": [entry], "data": null }).to_string(),
        )
    }

    pub(crate) fn code(code: &str) -> Self {
        let entry = json!({ "message": "refused", "extensions": { "code": code } });
        Self::Http(
            200,
            Vec::new(),
            json!({ "errors": [entry], "data": null }).to_string(),
        )
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::Http(
            status,
            Vec::new(),
            "<html>upstream connect error</html>".to_owned(),
        )
    }
}

type Answer = Box<dyn Fn(&Value) -> Canned + Send + Sync>;

/// The canned Railway.
#[derive(Default)]
pub(crate) struct Scripted {
    once: Mutex<BTreeMap<String, VecDeque<Canned>>>,
    always: Mutex<BTreeMap<String, Answer>>,
    requests: Mutex<Vec<Recorded>>,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    pub(crate) operation: String,
    pub(crate) variables: Value,
    pub(crate) uri: String,
    pub(crate) headers: BTreeMap<String, String>,
}

impl Scripted {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// The next request of that operation gets this; more calls queue up.
    pub(crate) fn once(&self, operation: &str, answer: Canned) -> &Self {
        self.once
            .lock()
            .unwrap()
            .entry(operation.to_owned())
            .or_default()
            .push_back(answer);
        self
    }

    /// Requests of that operation get this when nothing is queued.
    pub(crate) fn always(
        &self,
        operation: &str,
        answer: impl Fn(&Value) -> Canned + Send + Sync + 'static,
    ) -> &Self {
        self.always
            .lock()
            .unwrap()
            .insert(operation.to_owned(), Box::new(answer));
        self
    }

    pub(crate) fn requests(&self) -> Vec<Recorded> {
        self.requests.lock().unwrap().clone()
    }

    /// The operations so far, and forgets them.
    pub(crate) fn take_operations(&self) -> Vec<String> {
        let requests = std::mem::take(&mut *self.requests.lock().unwrap());
        requests
            .into_iter()
            .map(|request| request.operation)
            .collect()
    }

    pub(crate) fn client(self: &Arc<Self>) -> Client {
        self.client_on(Plan::Pro)
    }

    pub(crate) fn client_on(self: &Arc<Self>, plan: Plan) -> Client {
        let start = Instant::now();
        let epoch = Timestamp::from_second(1_800_000_000).unwrap();
        Client::new(ClientOptions {
            transport: Arc::clone(self) as Arc<dyn Transport>,
            endpoint: "https://railway.test/graphql/v2".parse().unwrap(),
            token: Token::Workspace(SecretValue::new(TOKEN)),
            plan: Some(plan),
            seed: 7,
            clock: Arc::new(move || epoch + start.elapsed()),
        })
    }
}

#[async_trait]
impl Transport for Scripted {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let body: Value = serde_json::from_slice(request.body()).unwrap();
        let operation = body["operationName"].as_str().unwrap().to_owned();
        let variables = body["variables"].clone();
        self.requests.lock().unwrap().push(Recorded {
            operation: operation.clone(),
            variables: variables.clone(),
            uri: request.uri().to_string(),
            headers: request
                .headers()
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                .collect(),
        });
        // The way takes its time, so that requests that belong together overlap.
        tokio::time::sleep(Duration::from_millis(50)).await;
        let queued = self
            .once
            .lock()
            .unwrap()
            .get_mut(&operation)
            .and_then(VecDeque::pop_front);
        let canned = queued.unwrap_or_else(|| match self.always.lock().unwrap().get(&operation) {
            Some(answer) => answer(&variables),
            None => panic!("nothing is scripted for {operation} {variables}"),
        });
        match canned {
            Canned::NotSent => Err(TransportError::NotSent("refused".to_owned())),
            Canned::NoAnswer => Err(TransportError::NoAnswer("connection reset".to_owned())),
            Canned::Http(status, headers, body) => {
                let mut response = Response::builder().status(status);
                for (name, value) in headers {
                    response = response.header(name, value);
                }
                Ok(response.body(body.into()).unwrap())
            }
        }
    }
}

/// A project as Railway shows it, in the nested shape of a read.
#[derive(Clone)]
pub(crate) struct FakeProject(pub(crate) Value);

impl FakeProject {
    pub(crate) fn new(id: &str) -> Self {
        let empty = json!({ "edges": [], "pageInfo": { "hasNextPage": false, "endCursor": null } });
        Self(json!({
            "id": id,
            "name": format!("{id}-name"),
            "description": null,
            "workspaceId": "w",
            "createdAt": "2026-01-01T00:00:00Z",
            "deletedAt": null,
            "environments": empty,
            "services": empty,
            "volumes": empty,
        }))
    }

    /// With an environment that has services, each running.
    pub(crate) fn environment(mut self, id: &str, etag: &str, services: &[&str]) -> Self {
        let instances: Vec<_> = services
            .iter()
            .map(|service| {
                let deployment = json!({
                    "id": format!("d-{id}-{service}"),
                    "status": "SUCCESS",
                    "deploymentStopped": false,
                    "createdAt": "2026-01-01T00:00:00Z",
                });
                json!({ "node": {
                    "serviceId": service,
                    "serviceName": format!("{service}-name"),
                    "deletedAt": null,
                    "latestDeployment": deployment,
                    "activeDeployments": [deployment],
                    "domains": { "serviceDomains": [], "customDomains": [] },
                }})
            })
            .collect();
        let done = json!({ "hasNextPage": false, "endCursor": null });
        let node = json!({
            "id": id,
            "name": format!("{id}-name"),
            "createdAt": "2026-01-01T00:00:00Z",
            "deletedAt": null,
            "canAccess": true,
            "configEtag": etag,
            "unmergedChangesCount": 0,
            "sourceEnvironment": null,
            "serviceInstances": { "edges": instances, "pageInfo": done },
            "volumeInstances": { "edges": [], "pageInfo": done },
        });
        self.0["environments"]["edges"]
            .as_array_mut()
            .unwrap()
            .push(json!({ "node": node }));
        self
    }
}

/// The answer to a read of configurations: each environment with the etag that `etag` gives it and one image service.
pub(crate) fn configs(variables: &Value, etag: impl Fn(&str) -> String) -> Canned {
    let mut data = serde_json::Map::new();
    for (name, id) in variables.as_object().unwrap() {
        let Some(index) = name.strip_prefix('i') else {
            continue;
        };
        let id = id.as_str().unwrap();
        let config = json!({ "services": { "s1": { "source": { "image": "nginx" } } } });
        data.insert(
            format!("e{index}"),
            json!({ "id": id, "configEtag": etag(id), "config": config }),
        );
    }
    Canned::data(Value::Object(data))
}
