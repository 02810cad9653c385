//! An API server over memory that is asked whatever libFuzzer thinks of. It must answer, and never with a 500.

use std::cell::RefCell;
use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::Request;
use mirage_api::auth::{Authenticator, Identity};
use mirage_api::store::{StoreError, memory::MemoryStore};
use mirage_api::{Api, ApiOptions, Ids};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

/// What is there, and at which names requests aim.
pub const COLLECTIONS: [&str; 5] = [
    "/apis/mirage.dev/v1alpha1/namespaces/default/environments",
    "/api/v1/namespaces/default/secrets",
    "/api/v1/namespaces/default/configmaps",
    "/api/v1/namespaces/default/events",
    "/apis/coordination.k8s.io/v1/namespaces/default/leases",
];

/// A store remembers every change, so that a server is replaced after so many requests.
const REQUESTS: u32 = 2000;

struct Nobody;

#[async_trait]
impl Authenticator for Nobody {
    async fn authenticate(&self, _token: &str) -> Result<Option<Identity>, StoreError> {
        Ok(None)
    }
}

struct World {
    runtime: Runtime,
    router: Router,
    left: u32,
}

thread_local! {
    static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
}

impl World {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            // A watch ends when its time is up, at once.
            .start_paused(true)
            .build()
            .expect("a runtime of one thread");
        let now = "2026-11-21T12:00:00Z".parse().expect("a date");
        let api = Api::new(ApiOptions {
            store: Arc::new(MemoryStore::new()),
            authenticator: Arc::new(Nobody),
            clock: Arc::new(move || now),
            ids: Ids::seeded(1),
            planner: None,
            version: "0.0.0".into(),
        });
        runtime.block_on(api.bootstrap()).expect("memory answers");
        let world = Self {
            runtime,
            router: api.trusted_router("fuzzer"),
            left: REQUESTS,
        };
        for (collection, object) in COLLECTIONS.iter().zip(present()) {
            world.ask("POST", collection, "application/json", object.to_string().into());
        }
        world
    }

    fn ask(&self, method: &str, uri: &str, content_type: &str, body: Bytes) -> Option<u16> {
        let mut request = Request::builder().method(method).uri(uri);
        if !content_type.is_empty() {
            request = request.header("content-type", content_type);
        }
        // What no HTTP library would hand to the server is none.
        let request = request.body(Body::from(body)).ok()?;
        let (code, answer) = self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.expect("infallible");
            let code = response.status().as_u16();
            let body = axum::body::to_bytes(response.into_body(), usize::MAX).await;
            (code, body.expect("an answer in memory"))
        });
        assert!(
            code < 500 || code == 504,
            "{method} {uri} was answered with {code}: {}",
            String::from_utf8_lossy(&answer)
        );
        // An answer to HEAD has no body.
        if code >= 400 && method != "HEAD" {
            let status: Value = serde_json::from_slice(&answer).unwrap_or_default();
            assert_eq!(status["kind"], "Status", "{method} {uri}: {code}");
        }
        Some(code)
    }
}

fn present() -> [Value; 5] {
    [
        json!({"apiVersion": "mirage.dev/v1alpha1", "kind": "Environment", "metadata": {"name": "web"},
            "spec": {"project": {"name": "shop"}, "services": {"web": {"source": {"image": "nginx:1.29"}}}}}),
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "web"}, "stringData": {"a": "b"}}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"}, "data": {"a": "b"}}),
        json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "web", "namespace": "default"},
            "involvedObject": {"kind": "Environment", "name": "web", "namespace": "default"}, "reason": "R", "message": "m"}),
        json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "web"}, "spec": {}}),
    ]
}

/// Asks, and panics when the answer is no answer.
pub fn ask(method: &str, uri: &str, content_type: &str, body: impl Into<Bytes>) {
    WORLD.with_borrow_mut(|world| {
        if world.as_ref().is_none_or(|world| world.left == 0) {
            *world = Some(World::new());
        }
        if let Some(world) = world {
            world.left -= 1;
            world.ask(method, uri, content_type, body.into());
        }
    });
}

/// Percent-encoded, so that any bytes may be in an address.
pub fn encoded(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| match byte {
            b'-' | b'.' | b'_' | b'~' => char::from(*byte).to_string(),
            _ if byte.is_ascii_alphanumeric() => char::from(*byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
