//! HTTP answers, as Railway, its gateway and its CDN write them.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::limits::Allowance;
use crate::quirk::Quirk;
use crate::refusal::Refusal;
use crate::state::World;

pub(super) fn refused(refusal: &Refusal) -> Value {
    let mut error = json!({"message": refusal.to_string()});
    if let Some(code) = refusal.code() {
        error["extensions"] = json!({"code": code});
    }
    json!({"errors": [error], "data": null})
}

pub(super) fn plain(status: StatusCode, kind: &'static str, text: &str) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::from(text.to_owned()));
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

/// An answer in JSON.
pub(crate) fn json_answer(status: StatusCode, body: &Value) -> Response<Bytes> {
    plain(status, "application/json", &body.to_string())
}

pub(super) fn gateway(status: u16, empty: bool) -> Response<Bytes> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    let text = if empty {
        String::new()
    } else {
        format!(
            "<html><head><title>{status}</title></head><body><center><h1>{status}</h1></center></body></html>"
        )
    };
    plain(status, "text/html", &text)
}

pub(super) fn set(answer: &mut Response<Bytes>, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}

pub(super) fn with_allowance(
    mut answer: Response<Bytes>,
    world: &World,
    allowance: &Allowance,
) -> Response<Bytes> {
    let reset = world.date(allowance.resets_at);
    let reset = if world.has(Quirk::RatelimitResetIso) {
        reset.to_string()
    } else if world.has(Quirk::RatelimitResetMillis) {
        reset.as_millisecond().to_string()
    } else {
        reset.as_second().to_string()
    };
    set(
        &mut answer,
        "x-ratelimit-limit",
        &allowance.limit.to_string(),
    );
    set(
        &mut answer,
        "x-ratelimit-remaining",
        &allowance.remaining.to_string(),
    );
    set(&mut answer, "x-ratelimit-reset", &reset);
    answer
}

pub(super) fn too_many(world: &World, allowance: &Allowance, wait_ms: i64) -> Response<Bytes> {
    let body = json!({"errors": [{
        "message": "Too many requests",
        "extensions": {"code": "RATE_LIMITED"},
    }]});
    let mut answer = with_allowance(
        json_answer(StatusCode::TOO_MANY_REQUESTS, &body),
        world,
        allowance,
    );
    // Whole seconds, rounded up: who waits that long is served.
    let seconds = (wait_ms + 999) / 1000;
    set(&mut answer, "retry-after", &seconds.to_string());
    answer
}
