//! What GitHub says of its limits. Pure.
//!
//! Source: "Rate limits for the REST API" and "Best practices for using the REST API": the hourly limit is told in
//! `x-ratelimit-*`; the secondary ones answer 403 or 429, with `Retry-After` or a message alone, and ask for a minute at
//! least.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use jiff::{Timestamp, fmt::rfc2822};

use crate::traffic::RateLimit;

/// What GitHub asks for where it names no time.
const A_MINUTE: Duration = Duration::from_secs(60);

/// The hourly limit begins anew within the hour: a later time is a clock that is wrong.
const LONGEST: Duration = Duration::from_secs(3_600);

/// What an answer says of the hourly limit.
pub(super) fn rate_limit(headers: &HeaderMap) -> Option<RateLimit> {
    // Search, GraphQL and others are counted apart.
    if text(headers, "x-ratelimit-resource").is_some_and(|resource| resource != "core") {
        return None;
    }
    Some(RateLimit {
        limit: number(headers, "x-ratelimit-limit")?,
        remaining: number(headers, "x-ratelimit-remaining")?,
        reset: Timestamp::from_second(number(headers, "x-ratelimit-reset")?.try_into().ok()?)
            .ok()?,
    })
}

/// How long a refusal for the number of requests lasts; `None` when it was refused for something else.
pub(super) fn refusal(
    status: StatusCode,
    headers: &HeaderMap,
    message: &str,
    now: Timestamp,
) -> Option<Duration> {
    if !matches!(
        status,
        StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS
    ) {
        return None;
    }
    if let Some(seconds) = number(headers, header::RETRY_AFTER.as_str()) {
        return Some(Duration::from_secs(seconds).clamp(Duration::from_secs(1), LONGEST));
    }
    if let Some(told) = rate_limit(headers)
        && told.remaining == 0
    {
        return Some(until_reset(told, headers, now));
    }
    // GitHub tells the secondary limit by nothing but its words.
    let is_limited = status == StatusCode::TOO_MANY_REQUESTS
        || message.to_ascii_lowercase().contains("rate limit");
    is_limited.then_some(A_MINUTE)
}

/// How long until the count begins anew, by GitHub's own clock where it shows it.
pub(super) fn until_reset(told: RateLimit, headers: &HeaderMap, now: Timestamp) -> Duration {
    let their_now = text(headers, header::DATE.as_str())
        .and_then(|date| rfc2822::parse(date).ok())
        .map_or(now, |date| date.timestamp());
    // The second in which it begins is not over yet.
    let left = told.reset.duration_since(their_now) + jiff::SignedDuration::from_secs(1);
    Duration::try_from(left)
        .unwrap_or(Duration::ZERO)
        .clamp(Duration::from_secs(1), LONGEST)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    text(headers, name)?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn a_refusal_says_when_to_come_back() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let exhausted: &[_] = &[
            ("x-ratelimit-limit", "5000"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "1800000600"),
        ];
        // Our clock is five minutes late.
        let with_date = &[exhausted, &[("date", "Fri, 15 Jan 2027 08:05:00 GMT")]].concat();
        let far = &[
            ("x-ratelimit-limit", "5000"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "1900000000"),
        ];
        let left: &[_] = &[
            ("x-ratelimit-limit", "5000"),
            ("x-ratelimit-remaining", "4000"),
            ("x-ratelimit-reset", "1800000600"),
        ];
        let secondary = "You have exceeded a secondary rate limit. Please wait a few minutes";
        for (status, told, message, seconds) in [
            (
                403,
                exhausted,
                "API rate limit exceeded for user",
                Some(601),
            ),
            (429, exhausted, "", Some(601)),
            (403, with_date, "", Some(301)),
            (403, far, "", Some(3_600)),
            (403, &[("retry-after", "90")], "", Some(90)),
            (429, &[("retry-after", "0")], "", Some(1)),
            (403, left, secondary, Some(60)),
            (429, left, "slow down", Some(60)),
            (403, left, "Resource not accessible by integration", None),
            (403, &[], "Must have push access", None),
            (404, exhausted, "Not Found", None),
            (200, exhausted, "", None),
        ] {
            let wait = refusal(
                StatusCode::from_u16(status).unwrap(),
                &headers(told),
                message,
                now,
            );
            assert_eq!(
                wait.map(|wait| wait.as_secs()),
                seconds,
                "{status} {told:?} {message}"
            );
        }
    }

    #[test]
    fn other_resources_say_nothing_of_the_hourly_limit() {
        let told = [
            ("x-ratelimit-limit", "30"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "1800000600"),
            ("x-ratelimit-resource", "search"),
        ];
        assert_eq!(rate_limit(&headers(&told)), None);
    }
}
