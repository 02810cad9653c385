//! Spans to an OTLP collector over HTTP.
//!
//! The SDK exports from a thread of its own that knows no runtime, while our HTTP client needs one. So each request is
//! handed to the runtime that started telemetry, and the exporting thread waits for its answer.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tokio::runtime::Handle;

/// How long stopping may wait for the collector, so that a dead one does not eat the shutdown's grace time.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(3);

/// Variables of the OpenTelemetry specification that name a collector.
const ENDPOINTS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];

/// A provider that exports, or nothing when no collector is named.
pub(super) fn provider() -> Result<Option<SdkTracerProvider>, ExporterBuildError> {
    let named = ENDPOINTS
        .iter()
        .any(|name| std::env::var(name).is_ok_and(|value| !value.trim().is_empty()));
    if !named {
        return Ok(None);
    }
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(OnRuntime {
            runtime: Handle::current(),
            client: reqwest::Client::new(),
        })
        .build()?;
    let mut resource = Resource::builder();
    if std::env::var_os("OTEL_SERVICE_NAME").is_none() {
        resource = resource.with_service_name("mirage");
    }
    Ok(Some(
        SdkTracerProvider::builder()
            .with_resource(resource.build())
            .with_batch_exporter(exporter)
            .build(),
    ))
}

/// Sends from the runtime on behalf of a thread outside it.
#[derive(Debug)]
struct OnRuntime {
    runtime: Handle,
    client: reqwest::Client,
}

#[async_trait]
impl HttpClient for OnRuntime {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        self.runtime
            .spawn(async move {
                let answer = client.execute(request.try_into()?).await?;
                let mut response = Response::builder().status(answer.status());
                if let Some(headers) = response.headers_mut() {
                    headers.clone_from(answer.headers());
                }
                Ok::<_, HttpError>(response.body(answer.bytes().await?)?)
            })
            .await?
    }
}
