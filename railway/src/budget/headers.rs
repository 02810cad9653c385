//! What an answer's headers say about the limits.

use std::time::Duration;

use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};

/// A reset further away than this is taken for a mistake: windows are hours, perhaps days.
const FARTHEST_RESET: SignedDuration = SignedDuration::from_hours(25);

/// Longest pause that one answer may cause: a refusal by the gateway was seen to last a day.
const LONGEST_PAUSE: u64 = 24 * 60 * 60;

/// The rate headers of one answer, as far as they make sense.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RateHeaders {
    /// Requests that the current window allows.
    pub(crate) limit: Option<u64>,
    /// Requests left in it.
    pub(crate) remaining: Option<u64>,
    /// When it ends, from now.
    pub(crate) resets_in: Option<Duration>,
    /// How long to stay silent.
    pub(crate) retry_after: Option<Duration>,
}

impl RateHeaders {
    /// Reads the headers. `X-RateLimit-Reset` is "a time" (Railway docs), format untold: seconds or milliseconds since the
    /// epoch, or ISO 8601. What cannot be right is left out.
    pub(crate) fn read(headers: &HeaderMap, now: Timestamp) -> Self {
        let text = |name: &str| {
            headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .map(str::trim)
        };
        let number = |name: &str| text(name).and_then(|value| value.parse::<u64>().ok());
        let limit = number("x-ratelimit-limit").filter(|limit| *limit > 0);
        let remaining = number("x-ratelimit-remaining")
            .filter(|remaining| limit.is_none_or(|limit| *remaining <= limit));
        let resets_in = text("x-ratelimit-reset")
            .and_then(moment)
            .map(|reset| reset.duration_since(now))
            .filter(|wait| wait.is_positive() && *wait <= FARTHEST_RESET)
            .map(|wait| wait.unsigned_abs());
        let retry_after = number("retry-after")
            .map(|seconds| Duration::from_secs(seconds.clamp(1, LONGEST_PAUSE)));
        Self {
            limit,
            remaining,
            resets_in,
            retry_after,
        }
    }
}

fn moment(text: &str) -> Option<Timestamp> {
    /// Seconds since the epoch pass this in the year 5138; milliseconds did in 1973.
    const SMALLEST_MILLISECONDS: i64 = 100_000_000_000;
    match text.parse::<i64>() {
        Ok(milliseconds) if milliseconds >= SMALLEST_MILLISECONDS => {
            Timestamp::from_millisecond(milliseconds).ok()
        }
        Ok(seconds) => Timestamp::from_second(seconds).ok(),
        Err(_) => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&'static str, &str)]) -> RateHeaders {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        RateHeaders::read(&headers, Timestamp::from_second(1_700_000_000).unwrap())
    }

    #[test]
    fn a_reset_is_read_in_every_format_that_makes_sense() {
        for (text, expected) in [
            ("1700000060", Some(60)),
            ("1700000060000", Some(60)),
            ("2023-11-14T22:14:20Z", Some(60)),
            ("1699999999", None),
            ("1800000000", None),
            ("60", None),
            ("soon", None),
        ] {
            assert_eq!(
                read(&[("x-ratelimit-reset", text)]).resets_in,
                expected.map(Duration::from_secs),
                "{text}"
            );
        }
    }

    #[test]
    fn numbers_that_cannot_be_right_are_left_out() {
        let headers = read(&[("x-ratelimit-limit", "0"), ("x-ratelimit-remaining", "5")]);
        assert_eq!((headers.limit, headers.remaining), (None, Some(5)));
        let headers = read(&[("x-ratelimit-limit", "10"), ("x-ratelimit-remaining", "11")]);
        assert_eq!((headers.limit, headers.remaining), (Some(10), None));
        assert_eq!(read(&[("retry-after", "-1")]).retry_after, None);
        assert_eq!(
            read(&[("retry-after", "99999999")]).retry_after,
            Some(Duration::from_secs(86_400))
        );
    }
}
