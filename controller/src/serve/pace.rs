//! A clock that runs faster than life: for tests against a simulated Railway that runs as fast, so that waits of
//! minutes (a creation whose answer was lost may still appear for three) pass in seconds.

use std::{str::FromStr, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use mirage_api::Clock;

/// How fast, and since when.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pace {
    factor: f64,
    /// The moment at which the fast clock and the real one agree. Given from outside, so that it survives a restart:
    /// a process that started its own count would go back in time.
    origin: Timestamp,
}

impl Pace {
    /// Seconds of the fast clock per second.
    pub(crate) fn factor(self) -> f64 {
        self.factor
    }

    fn at(self, now: Timestamp) -> Timestamp {
        let passed = now.duration_since(self.origin).as_secs_f64();
        // Beyond the calendar's end there is no time to show; nobody gets there.
        SignedDuration::try_from_secs_f64(passed * self.factor)
            .ok()
            .and_then(|passed| self.origin.checked_add(passed).ok())
            .unwrap_or(now)
    }

    /// The clock at this pace, the real one without.
    pub(crate) fn clock(pace: Option<Self>) -> Clock {
        match pace {
            None => Arc::new(Timestamp::now),
            Some(pace) => Arc::new(move || pace.at(Timestamp::now())),
        }
    }
}

impl FromStr for Pace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write FACTOR@DATE, for example 60@2026-01-01T00:00:00Z".to_owned();
        let (factor, origin) = text.split_once('@').ok_or_else(wrong)?;
        let factor: f64 = factor.parse().map_err(|_| wrong())?;
        let origin = origin.parse().map_err(|_| wrong())?;
        if factor.is_finite() && factor > 0.0 {
            Ok(Self { factor, origin })
        } else {
            Err(wrong())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_is_an_hour_at_sixty_times_the_pace() {
        let pace: Pace = "60@2026-01-01T00:00:00Z".parse().unwrap();
        let minute: Timestamp = "2026-01-01T00:01:00Z".parse().unwrap();
        assert_eq!(pace.at(minute), "2026-01-01T01:00:00Z".parse().unwrap());
        assert_eq!(pace.factor(), 60.0);
    }

    #[test]
    fn a_pace_without_sense_is_refused() {
        for text in [
            "60",
            "0@2026-01-01T00:00:00Z",
            "x@2026-01-01T00:00:00Z",
            "2@today",
        ] {
            assert!(text.parse::<Pace>().is_err(), "{text}");
        }
    }
}
