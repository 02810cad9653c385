//! Logs and traces of the process: one start, one stop.
//!
//! Logs go to stderr, for people or as JSON, filtered by `MIRAGE_LOG`. Spans go to an OTLP collector when
//! `OTEL_EXPORTER_OTLP_ENDPOINT` (or its `_TRACES_` form) names one. Neither ever carries a variable's value: what a
//! span records is chosen where the span is made, and secrets are types that print nothing.

mod otlp;

use std::io::IsTerminal as _;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
use strum::{Display, EnumString};
use tracing_subscriber::{
    EnvFilter, Layer as _, filter::ParseError, layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Display, EnumString, clap::ValueEnum)]
#[strum(serialize_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Human,
    /// One JSON object a line.
    Json,
}

/// What a command wants of its telemetry.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// How log lines look.
    pub(crate) format: LogFormat,
    /// The filter when `MIRAGE_LOG` is not set.
    pub(crate) default_filter: &'static str,
    /// Whether traces are exported. Short commands are not worth a collector's attention.
    pub(crate) export: bool,
}

/// Why telemetry did not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TelemetryError {
    /// `MIRAGE_LOG` does not parse.
    #[error(
        "MIRAGE_LOG is not a filter: write for example \"info\" or \"info,mirage_railway=debug\""
    )]
    Filter(#[source] ParseError),
    /// The exporter refused its settings.
    #[error("traces cannot be exported as the OTEL_EXPORTER_OTLP_* variables say")]
    Export(#[source] opentelemetry_otlp::ExporterBuildError),
    /// Something else in the process took the place first.
    #[error("logging was started twice")]
    Twice(#[source] tracing_subscriber::util::TryInitError),
}

/// Telemetry that runs; stopping it sends what is left.
#[derive(Debug)]
pub(crate) struct Telemetry {
    provider: Option<SdkTracerProvider>,
}

/// Starts logs and, if a collector is named, traces. Needs the runtime.
pub(crate) fn start(settings: &Settings) -> Result<Telemetry, TelemetryError> {
    let filter = match std::env::var("MIRAGE_LOG") {
        Ok(filter) if !filter.trim().is_empty() => {
            EnvFilter::try_new(filter).map_err(TelemetryError::Filter)?
        }
        _ => EnvFilter::new(settings.default_filter),
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match settings.format {
        LogFormat::Human => lines
            .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
            .with_target(false)
            .compact()
            .boxed(),
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .boxed(),
    };
    let provider = if settings.export {
        otlp::provider().map_err(TelemetryError::Export)?
    } else {
        None
    };
    let spans = provider.as_ref().map(|provider| {
        tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("mirage"))
            // The exporter's own HTTP client would otherwise trace itself exporting.
            .with_filter(EnvFilter::new(
                "info,hyper=off,reqwest=off,h2=off,opentelemetry=off",
            ))
    });
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .with(spans)
        .try_init()
        .map_err(TelemetryError::Twice)?;
    Ok(Telemetry { provider })
}

impl Telemetry {
    /// Sends the spans that still wait and stops. Losing them is worth a line, never a failed shutdown.
    pub(crate) async fn stop(self) {
        let Some(provider) = self.provider else {
            return;
        };
        // The provider waits for its own thread, which waits for a request that runs on this runtime.
        let stopped =
            tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(otlp::LAST_WORDS))
                .await;
        if !matches!(stopped, Ok(Ok(()))) {
            tracing::warn!("the last spans did not reach the OTLP collector");
        }
    }
}
