//! Whether the server is alive and of use: `/livez`, `/readyz` and the older `/healthz` (Kubernetes docs: "Kubernetes API
//! health endpoints"). They need no token and give nothing away.
//!
//! A server whose database is away is alive: starting it again would not help. It is not ready, for it can answer nothing.

use std::time::Duration;

use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, StatusCode, header};

use super::request::{Probe, Query};
use crate::error::Status;
use crate::server::Server;

/// A store that takes longer has failed, as far as whoever asks is concerned.
const PATIENCE: Duration = Duration::from_secs(3);

/// The checks behind an endpoint, in the order in which they are shown.
fn checks(endpoint: &str) -> &'static [&'static str] {
    match endpoint {
        "readyz" => &["ping", "store"],
        _ => &["ping"],
    }
}

/// Answers a probe: `ok`, or with `?verbose` a line per check. `?exclude=` leaves checks out.
///
/// # Errors
/// 404 for a check that there is not.
pub(crate) async fn probe(
    server: &Server,
    probe: &Probe,
    query: &Query,
) -> Result<Response, Status> {
    let known = checks(&probe.endpoint);
    let asked: Vec<&str> = match &probe.check {
        None => known.to_vec(),
        Some(check) if known.contains(&check.as_str()) => vec![check.as_str()],
        Some(_) => return Err(Status::unknown_path()),
    };
    let mut lines = Vec::new();
    let mut has_failed = false;
    for check in asked {
        if query.all("exclude").any(|excluded| excluded == check) {
            lines.push(format!("[+]{check} excluded: ok"));
        } else if passes(server, check).await {
            lines.push(format!("[+]{check} ok"));
        } else {
            // Why is in the server's log, not for everyone who can reach the port.
            lines.push(format!("[-]{check} failed: reason withheld"));
            has_failed = true;
        }
    }
    let verdict = if has_failed { "failed" } else { "passed" };
    lines.push(format!("{} check {verdict}\n", probe.endpoint));
    let is_brief = !has_failed && !query.flag("verbose")?;
    let text = if is_brief {
        "ok".to_owned()
    } else {
        lines.join("\n")
    };
    let code = if has_failed {
        StatusCode::INTERNAL_SERVER_ERROR
    } else {
        StatusCode::OK
    };
    let mut response = (code, text).into_response();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache, private"),
    ] {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

async fn passes(server: &Server, check: &str) -> bool {
    match check {
        "store" => matches!(
            tokio::time::timeout(PATIENCE, server.namespace("default")).await,
            Ok(Ok(_))
        ),
        // It is this very answer.
        _ => true,
    }
}
