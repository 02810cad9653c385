//! `/metrics`: one registry, composed here from what each part counts.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{Router, http::header, response::IntoResponse, routing::get};
use http::StatusCode;
use prometheus_client::{encoding::text::encode, metrics::info::Info, registry::Registry};

/// Where Prometheus asks.
pub(super) const PATH: &str = "/metrics";

/// The media type of the text that `encode` writes (source: the OpenMetrics specification).
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Every counter of the process; each part registers its own, when it starts.
#[derive(Clone)]
pub(super) struct Metrics {
    registry: Arc<Mutex<Registry>>,
}

impl Metrics {
    pub(super) fn new() -> Self {
        // No prefix here: every part writes its metrics' names out whole, so that a search finds them.
        let mut registry = Registry::default();
        registry.register(
            "mirage_build",
            "The running version",
            Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]),
        );
        Self {
            registry: Arc::new(Mutex::new(registry)),
        }
    }

    /// Where a part registers.
    pub(super) fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The route. No token: it is on the loopback listener, holds numbers only, and Prometheus has none.
    pub(super) fn router(self) -> Router {
        Router::new().route(PATH, get(async move || self.answer()))
    }

    fn answer(&self) -> axum::response::Response {
        let mut text = String::new();
        match encode(&mut text, &self.registry()) {
            Ok(()) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn the_version_is_among_the_metrics() {
        let request = http::Request::get(PATH)
            .body(axum::body::Body::empty())
            .unwrap();
        let response = Metrics::new().router().oneshot(request).await.unwrap();
        let body = axum::body::to_bytes(response.into_body(), 1 << 20)
            .await
            .unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        assert!(text.contains("mirage_build_info{version="), "{text}");
        assert!(text.ends_with("# EOF\n"), "{text}");
    }
}
