//! `/api/v1/secrets/…-key`: the master key of the store's secrets, for administrators.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::access::Attributes;
use crate::audit::{GROUP, Origin};
use crate::auth::Identity;
use crate::error::{Reason, Status};
use crate::kubernetes::access;
use crate::kubernetes::negotiate::Accept;
use crate::server::Server;
use crate::store::seal::{KeyRotation, RotateError};

/// The plural by which the rights are given: `get`, `rotate` and `retire` on `masterkeys`. Only who may do everything has
/// them unless a role names them.
const PLURAL: &str = "masterkeys";

/// Lines of progress that wait for a slow reader; what does not fit is left out, never the end.
const LINES: usize = 64;

/// Which keys there are and what needs them.
pub(crate) async fn state(server: &Server, identity: &Identity) -> Result<Response, Status> {
    let keys = keys(server, identity, "get").await?;
    let state = keys.state().await.map_err(refused)?;
    Ok(Accept::JSON.respond(StatusCode::OK, &json!(state)))
}

/// A new key, or what is left to be done for the last one: a line of progress after the other, and the outcome last. With
/// `prepare` the key is only made.
pub(crate) async fn rotate(
    server: &Arc<Server>,
    identity: &Identity,
    origin: Arc<Origin>,
    prepare: bool,
) -> Result<Response, Status> {
    let keys = keys(server, identity, "rotate").await?;
    if prepare {
        let version = keys.prepare().await.map_err(refused)?;
        let done = json!({ "prepared": version });
        record(server, &origin, "prepare", &done).await?;
        return Ok(Accept::JSON.respond(StatusCode::OK, &done));
    }
    let (lines, written) = mpsc::channel(LINES);
    let server = Arc::clone(server);
    // Goes on when nobody reads: half of the values under one key and half under another is nobody's wish.
    tokio::spawn(async move {
        let told = |progress| {
            let _ = lines.try_send(json!({ "progress": progress }));
        };
        let end = match keys.rotate(server.now(), &told).await {
            Ok(rotated) => {
                let done = json!(rotated);
                match record(&server, &origin, "rotate", &done).await {
                    Ok(()) => json!({ "rotated": done }),
                    Err(status) => json!({ "error": status.to_string() }),
                }
            }
            Err(error) => json!({ "error": refused(error).to_string() }),
        };
        let _ = lines.send(end).await;
    });
    let lines = stream::unfold(written, |mut written| async move {
        let line = written.recv().await?;
        Some((line, written))
    });
    let lines = lines.map(|line| Ok::<_, Infallible>(Bytes::from(format!("{line}\n"))));
    let mut response = Response::new(Body::from_stream(lines));
    let ndjson = HeaderValue::from_static("application/x-ndjson");
    response.headers_mut().insert(header::CONTENT_TYPE, ndjson);
    Ok(response)
}

/// Takes away the keys that nothing needs.
pub(crate) async fn retire(
    server: &Server,
    identity: &Identity,
    origin: &Origin,
) -> Result<Response, Status> {
    let keys = keys(server, identity, "retire").await?;
    let retired = json!(keys.retire(server.now()).await.map_err(refused)?);
    record(server, origin, "retire", &retired).await?;
    Ok(Accept::JSON.respond(StatusCode::OK, &retired))
}

async fn keys(
    server: &Server,
    identity: &Identity,
    verb: &str,
) -> Result<Arc<dyn KeyRotation>, Status> {
    let asked = Attributes {
        verb,
        group: GROUP,
        resource: PLURAL,
        ..Attributes::default()
    };
    access::check(server, identity, &asked).await?;
    let keys = server.keys.get().map(Arc::clone);
    keys.ok_or_else(|| {
        let message = "this server's store seals nothing, so that it has no master key";
        Status::new(Reason::ServiceUnavailable, message)
    })
}

async fn record(server: &Server, origin: &Origin, verb: &str, what: &Value) -> Result<(), Status> {
    let resource = format!("{PLURAL}.{GROUP}");
    let recorded = server.record(origin, verb, &resource, what.clone()).await;
    recorded.map_err(|error| {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "the audit record of a change of master keys is missing"
        );
        Status::new(
            Reason::ServiceUnavailable,
            "done, but the audit log could not be written",
        )
    })
}

fn refused(error: RotateError) -> Status {
    let reason = match &error {
        RotateError::Busy | RotateError::StillInUse { .. } | RotateError::TooSoon { .. } => {
            Reason::Conflict
        }
        RotateError::NoNewKey { .. } => Reason::BadRequest,
        RotateError::Key(_) | RotateError::Seal(_) | RotateError::Store(_) => {
            Reason::ServiceUnavailable
        }
    };
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        message = format!("{message}: {error}");
        cause = error.source();
    }
    Status::new(reason, message)
}
