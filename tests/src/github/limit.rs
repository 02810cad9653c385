//! The limits, as GitHub keeps and tells them.

use bytes::Bytes;
use http::{HeaderValue, Request, header};
use jiff::{Timestamp, ToSpan as _};

use super::{Answer, etag_of, state::State};

/// A refusal by the secondary limit.
pub(super) fn secondary(retry_after: Option<u64>) -> Answer {
    let mut answer = Answer::error(
        403,
        "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
    );
    answer
        .headers
        .extend(retry_after.map(|seconds| ("retry-after", seconds.to_string())));
    answer
}

/// Counts a request against its account's hour, and turns an answer that is as before into 304, which does not count.
pub(super) fn count(
    state: &mut State,
    now: Timestamp,
    request: &Request<Bytes>,
    mut answer: Answer,
    known: Option<&HeaderValue>,
) -> Answer {
    let account = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|bearer| bearer.to_str().ok()?.strip_prefix("Bearer "))
        .and_then(|token| state.tokens.get(token))
        .cloned()
        .unwrap_or_default();
    let limit = state.limit;
    let an_hour = now.checked_add(1.hour()).unwrap_or(now);
    let (spent, reset) = state.spent.entry(account).or_insert((0, an_hour));
    if *reset <= now {
        (*spent, *reset) = (0, an_hour);
    }
    let mut as_before = false;
    if answer.status == 200 && request.method() == http::Method::GET {
        let etag = etag_of(&answer);
        as_before = known.is_some_and(|known| known == etag.as_str());
        answer.headers.push(("etag", etag));
    }
    if as_before {
        answer.status = 304;
        answer.link = None;
    } else if *spent >= limit {
        answer = Answer::error(403, "API rate limit exceeded for user ID 1.");
    } else {
        *spent += 1;
    }
    answer.headers.extend([
        ("x-ratelimit-limit", limit.to_string()),
        (
            "x-ratelimit-remaining",
            limit.saturating_sub(*spent).to_string(),
        ),
        ("x-ratelimit-reset", reset.as_second().to_string()),
        ("x-ratelimit-used", spent.to_string()),
        ("x-ratelimit-resource", "core".to_owned()),
        ("x-github-request-id", format!("FAKE:{}", state.asked.len())),
    ]);
    answer
}
