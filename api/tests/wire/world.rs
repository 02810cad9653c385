//! An API server over memory, a clock that stands still, and ways to talk to it.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use http::{Method, Request, StatusCode};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{CustomResource, CustomResourceExt as _};
use mirage_api::auth::{Authenticator, Identity, TokenAuthenticator};
use mirage_api::error::{CauseReason, Fault};
use mirage_api::kinds::Registry;
use mirage_api::store::memory::MemoryStore;
use mirage_api::store::{Store, StoreError};
use mirage_api::{Api, ApiOptions, Catalog, Ids, Planner};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// A kind with everything that the protocol treats specially.
#[derive(
    CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[kube(
    group = "test.dev",
    version = "v1",
    kind = "Thing",
    namespaced,
    status = "ThingStatus",
    shortname = "th",
    category = "all",
    printcolumn = r#"{"name":"Size","type":"integer","jsonPath":".spec.size"}"#,
    printcolumn = r#"{"name":"Phase","type":"string","jsonPath":".status.phase","priority":1}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#,
    selectable = ".spec.color"
)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ThingSpec {
    /// How big it is.
    pub(crate) size: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) color: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub(crate) parts: Vec<Part>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub(crate) struct Part {
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) image: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub(crate) struct ThingStatus {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) phase: Option<String>,
}

/// Time stands still.
const NOW: &str = "2026-11-21T12:00:00Z";

pub(crate) const THINGS: &str = "/apis/test.dev/v1/namespaces/default/things";

/// Knows two tokens by heart.
pub(crate) struct Doorkeeper;

#[async_trait]
impl Authenticator for Doorkeeper {
    async fn authenticate(&self, token: &str) -> Result<Option<Identity>, StoreError> {
        let group = match token {
            "admin-token" => "system:masters",
            "viewer-token" => "mirage:viewers",
            "untold-token" => return Err(StoreError::unavailable("nobody can tell")),
            _ => return Ok(None),
        };
        Ok(Some(Identity {
            username: token.trim_end_matches("-token").into(),
            groups: vec![group.into()],
            ..Identity::default()
        }))
    }
}

pub(crate) struct World {
    pub(crate) api: Api,
    pub(crate) store: Arc<MemoryStore>,
}

fn too_big(object: &Value) -> Vec<Fault> {
    let size = object["spec"]["size"].as_i64().unwrap_or_default();
    let fault = Fault::new(
        "spec.size",
        CauseReason::FieldValueInvalid,
        "Invalid value: too big",
    );
    if size > 100 { vec![fault] } else { Vec::new() }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with_planner(None).await
    }

    pub(crate) async fn with_planner(planner: Option<Arc<dyn Planner>>) -> Self {
        let store = Arc::new(MemoryStore::new());
        Self::of(store, Arc::new(Doorkeeper), Thing::crd(), planner).await
    }

    /// With a Railway to look at.
    pub(crate) async fn with_catalog(catalog: Arc<dyn Catalog>) -> Self {
        let Self { api, store } = Self::new().await;
        Self {
            api: api.with_catalog(catalog),
            store,
        }
    }

    /// Serves this definition of [`Thing`].
    pub(crate) async fn serving(
        definition: CustomResourceDefinition,
        planner: Option<Arc<dyn Planner>>,
    ) -> Self {
        let store = Arc::new(MemoryStore::new());
        Self::of(store, Arc::new(Doorkeeper), definition, planner).await
    }

    /// Where tokens are made and good as they really are.
    pub(crate) async fn with_tokens() -> Self {
        Self::on(Arc::new(MemoryStore::new())).await
    }

    /// As [`World::with_tokens`], beside other servers on the same store.
    pub(crate) async fn on(store: Arc<MemoryStore>) -> Self {
        let shared = Arc::clone(&store) as Arc<dyn Store>;
        let authenticator = TokenAuthenticator::new(shared, Arc::new(|| NOW.parse().unwrap()));
        Self::of(store, Arc::new(authenticator), Thing::crd(), None).await
    }

    async fn of(
        store: Arc<MemoryStore>,
        authenticator: Arc<dyn Authenticator>,
        definition: CustomResourceDefinition,
        planner: Option<Arc<dyn Planner>>,
    ) -> Self {
        let now = NOW.parse().unwrap();
        let options = ApiOptions {
            store: Arc::clone(&store) as Arc<dyn Store>,
            authenticator,
            clock: Arc::new(move || now),
            ids: Ids::seeded(1),
            planner,
            version: "0.0.0".into(),
        };
        let api = Api::with_kinds(options, Registry::mirage().with(definition, too_big));
        api.bootstrap().await.unwrap();
        Self { api, store }
    }

    pub(crate) fn client(&self) -> kube::Client {
        kube::Client::new(self.api.trusted_router("tester"), "default")
    }

    pub(crate) fn things(&self) -> kube::Api<Thing> {
        kube::Api::namespaced(self.client(), "default")
    }

    /// A request with a JSON body; the answer parsed, or as text where it is not JSON.
    pub(crate) async fn ask(&self, method: &str, uri: &str, body: Value) -> (u16, Value) {
        self.send(
            method,
            uri,
            &[("content-type", "application/json")],
            body.to_string(),
        )
        .await
    }

    pub(crate) async fn get(&self, uri: &str) -> (u16, Value) {
        self.send("GET", uri, &[], String::new()).await
    }

    pub(crate) async fn patch(&self, uri: &str, patch_type: &str, body: Value) -> (u16, Value) {
        self.send(
            "PATCH",
            uri,
            &[("content-type", patch_type)],
            body.to_string(),
        )
        .await
    }

    /// A request of the bearer of this token.
    pub(crate) async fn bearer(
        &self,
        token: &str,
        method: &str,
        uri: &str,
        body: Value,
    ) -> (u16, Value) {
        let authorization = format!("Bearer {token}");
        let content_type = match method {
            "PATCH" => "application/merge-patch+json",
            _ => "application/json",
        };
        let headers = [
            ("authorization", authorization.as_str()),
            ("content-type", content_type),
        ];
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let (status, _, value) = send(self.api.router(), method, uri, &headers, body).await;
        (status, value)
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        uri: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> (u16, Value) {
        let (status, _, value) = send(
            self.api.trusted_router("tester"),
            method,
            uri,
            headers,
            body,
        )
        .await;
        (status, value)
    }
}

pub(crate) async fn send(
    router: Router,
    method: &str,
    uri: &str,
    headers: &[(&str, &str)],
    body: String,
) -> (u16, http::HeaderMap, Value) {
    let mut request = Request::builder()
        .method(method.parse::<Method>().unwrap())
        .uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = router
        .oneshot(request.body(Body::from(body)).unwrap())
        .await
        .unwrap();
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let value = serde_json::from_slice(&bytes)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
    (StatusCode::as_u16(&parts.status), parts.headers, value)
}

/// A thing as a manifest.
pub(crate) fn thing(name: &str, size: i64) -> Value {
    json!({"apiVersion": "test.dev/v1", "kind": "Thing", "metadata": {"name": name}, "spec": {"size": size}})
}
