//! What passes between a GitSync and GitHub: pushes that wake it, and what is said of a commit.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use k8s_openapi::api::core::v1::Event;
use kube::api::ListParams;
use mirage_github::transport::{Transport, TransportError};
use mirage_reconcilers::git_sync::fetch::{
    FetchError, Git, Repositories, Request as Wanted, Snapshot,
};
use mirage_specs::git_sync::ReportedState;
use mirage_tests::{
    git::Depot,
    github::Delivery,
    world::{World, WorldOptions},
};
use serde_json::{Value, json};

use super::scene::{MINUTE, image, ready, seen, status, sync, template};

/// A GitHub that takes commit statuses, or refuses them.
#[derive(Clone, Default)]
struct Listening(Arc<Mutex<Heard>>);

#[derive(Default)]
struct Heard {
    /// Address, `Authorization` and body of each request.
    requests: Vec<(String, String, Value)>,
    /// The status of the answer, and what it says.
    refusal: Option<(u16, &'static str)>,
}

impl Listening {
    fn heard(&self) -> Vec<(String, String, Value)> {
        self.0.lock().unwrap().requests.clone()
    }

    fn refuse(&self, refusal: Option<(u16, &'static str)>) {
        self.0.lock().unwrap().refusal = refusal;
    }
}

#[async_trait]
impl Transport for Listening {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let mut heard = self.0.lock().unwrap();
        let login = request.headers()["authorization"]
            .to_str()
            .unwrap()
            .to_owned();
        let body: Value = serde_json::from_slice(request.body()).unwrap();
        let address = format!("{} {}", request.method(), request.uri());
        heard.requests.push((address, login, body.clone()));
        let (status, answer) = match heard.refusal {
            Some((status, message)) => (status, json!({"message": message})),
            None => (201, body),
        };
        let response = Response::builder().status(status);
        Ok(response.body(answer.to_string().into()).unwrap())
    }
}

/// Every repository is one on this machine.
struct Mirror {
    git: Git,
    url: String,
}

#[async_trait]
impl Repositories for Mirror {
    async fn snapshot(&self, key: &str, request: &Wanted) -> Result<Snapshot, FetchError> {
        let mut request = request.clone();
        request.address = self.url.parse().unwrap();
        self.git.snapshot(key, &request).await
    }

    async fn forget(&self, key: &str) {
        self.git.forget(key).await;
    }
}

async fn world(seed: u64, depot: &Depot, github: &Listening) -> World {
    let mut world = World::new(WorldOptions {
        repositories: Arc::new(Mirror {
            git: Git::new(std::env::temp_dir()),
            url: depot.url(),
        }),
        github: Some(Arc::new(github.clone())),
        ..WorldOptions::lifelike(seed)
    })
    .await
    .unwrap();
    world.start();
    world
        .secrets("git", json!({"token": "canary-4711"}))
        .await
        .unwrap();
    world
}

fn on_github() -> Value {
    json!({"url": "https://github.com/acme/shop.git", "secretRef": {"name": "git"}})
}

#[tokio::test(start_paused = true)]
async fn a_commit_is_told_once_whether_it_is_applied() {
    let mut depot = Depot::new().unwrap();
    let github = Listening::default();
    let mut world = world(20, &depot, &github).await;
    let first = depot
        .push("main", [("a.yaml", template("a", "1"))])
        .unwrap();
    sync(&world, "shop", &depot, on_github()).await;
    seen(&mut world, "shop", &first).await;
    world.pass(5 * MINUTE).await;
    let heard = github.heard();
    assert_eq!(heard.len(), 1, "{heard:?}");
    let (address, login, body) = &heard[0];
    let expected = format!("POST https://api.github.com/repos/acme/shop/statuses/{first}");
    assert_eq!(*address, expected);
    assert!(login.ends_with(" canary-4711"));
    assert_eq!(body["context"], "mirage/gitsync/default/shop");
    assert_eq!(body["state"], "success");

    let faulty = template("a", "2").replace("source:", "souce:");
    let second = depot.push("main", [("a.yaml", faulty)]).unwrap();
    seen(&mut world, "shop", &second).await;
    world.pass(5 * MINUTE).await;
    let heard = github.heard();
    assert_eq!(heard.len(), 2, "{heard:?}");
    let (address, _, body) = &heard[1];
    assert!(address.ends_with(&second), "{address}");
    assert_eq!(body["state"], "failure");
    let said = body["description"].as_str().unwrap();
    assert!(said.contains("a.yaml:8:9"), "{said}");
    let reported = status(&world, "shop").await.reported_commit.unwrap();
    assert_eq!(
        (reported.commit, reported.state),
        (second, ReportedState::Failed)
    );
    assert_eq!(reported.problem, None);

    let mut fields = on_github();
    fields["commitStatus"] = json!(false);
    sync(&world, "shop", &depot, fields).await;
    // A visit that began before still knows nothing of the wish.
    world.pass(2 * MINUTE).await;
    depot
        .push("main", [("a.yaml", template("a", "3"))])
        .unwrap();
    world.pass(5 * MINUTE).await;
    assert_eq!(ready(&status(&world, "shop").await).0, "True");
    assert_eq!(github.heard().len(), 2, "nothing is said on request");
}

#[tokio::test(start_paused = true)]
async fn a_github_that_will_not_be_told_harms_nothing() {
    let mut depot = Depot::new().unwrap();
    let github = Listening::default();
    let mut world = world(21, &depot, &github).await;
    github.refuse(Some((502, "bad gateway")));
    let first = depot
        .push("main", [("a.yaml", template("a", "1"))])
        .unwrap();
    sync(&world, "shop", &depot, on_github()).await;
    let status_now = seen(&mut world, "shop", &first).await;
    assert_eq!(ready(&status_now).0, "True");
    world.pass(3 * MINUTE).await;
    assert_eq!(status(&world, "shop").await.reported_commit, None);
    github.refuse(None);
    world.pass(2 * MINUTE).await;
    let reported = status(&world, "shop").await.reported_commit.unwrap();
    assert_eq!((reported.commit, reported.problem), (first, None));

    github.refuse(Some((
        403,
        "Resource not accessible by personal access token",
    )));
    let second = depot
        .push("main", [("a.yaml", template("a", "2"))])
        .unwrap();
    let status_now = seen(&mut world, "shop", &second).await;
    assert_eq!(ready(&status_now).0, "True");
    let before = github.heard().len();
    world.pass(10 * MINUTE).await;
    assert!(github.heard().len() - before <= 1, "it is not asked again");
    let reported = status(&world, "shop").await.reported_commit.unwrap();
    let problem = reported.problem.unwrap();
    assert!(
        reported.commit == second && problem.contains("Commit statuses: write"),
        "{problem}"
    );
    let events = world
        .objects::<Event>()
        .list(&ListParams::default())
        .await
        .unwrap();
    let told = events
        .items
        .iter()
        .filter(|event| event.reason.as_deref() == Some("CommitNotReported"));
    assert_eq!(told.count(), 1);
    for resource in ["gitsyncs.mirage.dev", "events"] {
        let past = world.past(resource).await.unwrap();
        assert!(!json!(past).to_string().contains("canary"), "{resource}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_signed_push_is_looked_at_long_before_the_interval_is_over() {
    let mut depot = Depot::new().unwrap();
    let mut world = world(22, &depot, &Listening::default()).await;
    world
        .secrets("hook", json!({"secret": "canary-hook"}))
        .await
        .unwrap();
    let mut fields = on_github();
    fields["interval"] = json!("1d");
    fields["webhookSecretRef"] = json!({"name": "hook", "key": "secret"});
    let first = depot
        .push("main", [("a.yaml", template("a", "1"))])
        .unwrap();
    sync(&world, "shop", &depot, fields).await;
    seen(&mut world, "shop", &first).await;
    depot
        .push("main", [("a.yaml", template("a", "2"))])
        .unwrap();
    let push = |id, secret| {
        let payload = json!({"ref": "refs/heads/main", "repository": {"full_name": "Acme/Shop"}});
        Delivery::new(id, "push", &payload, Some(secret)).request::<Body>("/webhooks/github")
    };
    assert_eq!(world.knock(push(1, "a guess")).await, 401);
    world.pass(MINUTE).await;
    assert_eq!(image(&world, "a").await.as_deref(), Some("1"));
    assert_eq!(world.knock(push(2, "canary-hook")).await, 202);
    world.pass(Duration::from_secs(10)).await;
    assert_eq!(image(&world, "a").await.as_deref(), Some("2"));
}
