//! Times that people give as spans.

use jiff::Timestamp;
use mirage_specs::duration::Span;

use crate::{cli::failure::Failure, serve::pace::Pace};

/// The time, as a server counts it that was told to run faster.
pub(crate) fn now() -> Timestamp {
    let pace = std::env::var("MIRAGE_PACE").ok();
    Pace::clock(pace.and_then(|pace| pace.parse().ok()))()
}

/// A span after a time, in whole seconds.
pub(crate) fn later(from: Timestamp, span: Span) -> Result<Timestamp, Failure> {
    let too_far = || Failure::Usage(format!("{span} from {from} is no time any more"));
    let seconds = i64::try_from(span.as_secs()).map_err(|_| too_far())?;
    let at = from.as_second().checked_add(seconds).ok_or_else(too_far)?;
    Timestamp::from_second(at).map_err(|_| too_far())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_counts_from_its_start_and_has_an_end() {
        let from: Timestamp = "2026-11-21T12:00:00.5Z".parse().unwrap();
        let later = |span: &str| later(from, span.parse().unwrap());
        assert_eq!(later("2h").unwrap().to_string(), "2026-11-21T14:00:00Z");
        assert!(later("999999w").is_err());
    }
}
