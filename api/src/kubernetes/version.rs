//! Which server this is.

use axum::response::Response;
use http::StatusCode;
use serde_json::json;

use super::negotiate::Accept;

/// The Kubernetes version whose protocol we speak. Clients parse it, and some pick features by it.
const MAJOR: &str = "1";
const MINOR: &str = "33";

/// `/version`
pub(crate) fn version(own: &str) -> Response {
    let body = json!({
        "major": MAJOR, "minor": MINOR, "gitVersion": format!("v{MAJOR}.{MINOR}.0+mirage.{own}"), "gitCommit": "",
        "gitTreeState": "clean", "buildDate": "1970-01-01T00:00:00Z", "goVersion": "none", "compiler": "rustc",
        "platform": format!("{}/{}", std::env::consts::OS, architecture()),
    });
    Accept::JSON.respond(StatusCode::OK, &body)
}

/// Go's name for the processor, which is what clients know.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
