//! A server to which word of the store's newest writes, done through another, has not come yet.

use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Body;
use http::Request;
use mirage_api::store::audit::{AuditEntry, AuditQuery, Recorded};
use mirage_api::store::{
    Change, FIRST_REVISION, Key, ListQuery, Page, Rewrite, Store, StoreError, Stored, Write,
};
use mirage_api::{Api, ApiOptions, Ids};
use serde_json::json;
use tokio::sync::watch;
use tower::ServiceExt as _;

use crate::world::{Doorkeeper, World};

/// The same store, without the wake-ups.
struct Behind<S>(S, watch::Sender<u64>);

#[async_trait]
impl<S: Store> Store for Behind<S> {
    async fn get(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        self.0.get(key).await
    }

    async fn list(&self, query: &ListQuery) -> Result<Page, StoreError> {
        self.0.list(query).await
    }

    async fn write(&self, write: Write) -> Result<u64, StoreError> {
        self.0.write(write).await
    }

    async fn write_audited(&self, write: Write, entry: AuditEntry) -> Result<u64, StoreError> {
        self.0.write_audited(write, entry).await
    }

    async fn record(&self, entries: Vec<AuditEntry>) -> Result<(), StoreError> {
        self.0.record(entries).await
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<Recorded>, StoreError> {
        self.0.audit(query).await
    }

    async fn changes(
        &self,
        resource: &str,
        namespace: Option<&str>,
        after: u64,
        limit: usize,
    ) -> Result<(Vec<Change>, u64), StoreError> {
        self.0.changes(resource, namespace, after, limit).await
    }

    async fn log(&self, after: u64, limit: usize) -> Result<(Vec<Change>, u64), StoreError> {
        self.0.log(after, limit).await
    }

    fn revision(&self) -> watch::Receiver<u64> {
        self.1.subscribe()
    }

    async fn compact(&self, keep_from: u64) -> Result<(), StoreError> {
        self.0.compact(keep_from).await
    }

    async fn rewrite(&self, rewrites: Vec<Rewrite>) -> Result<u64, StoreError> {
        self.0.rewrite(rewrites).await
    }
}

#[tokio::test]
async fn a_version_that_another_server_gave_out_can_be_watched_from() {
    let there = World::new().await;
    let now = "2026-11-21T12:00:00Z".parse().unwrap();
    let here = Api::new(ApiOptions {
        store: Arc::new(Behind(
            Arc::clone(&there.store),
            watch::Sender::new(FIRST_REVISION),
        )),
        authenticator: Arc::new(Doorkeeper),
        clock: Arc::new(move || now),
        ids: Ids::seeded(2),
        planner: None,
        version: "0.0.0".into(),
    });
    let maps = "/api/v1/namespaces/default/configmaps";
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}});
    let (code, map) = there.ask("POST", maps, map).await;
    assert_eq!(code, 201, "{map}");
    let version: u64 = map["metadata"]["resourceVersion"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    for (from, code) in [(version, 200), (version + 1, 410)] {
        let uri = format!("{maps}?watch=1&resourceVersion={from}");
        let request = Request::get(uri).body(Body::empty()).unwrap();
        let response = here.trusted_router("t").oneshot(request).await.unwrap();
        assert_eq!(response.status(), code, "from {from}");
    }
}
