//! When to come back to a policy. Pure.

use std::time::Duration;

use jiff::Timestamp;
use mirage_specs::preview_policy::PreviewStatus;

/// What was left for a later visit is done this much later: the writes of two visits stay below GitHub's 80 a minute.
const UNFINISHED: Duration = Duration::from_secs(30);

/// What the next visit waits for.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    /// Until the repository is looked at again.
    pub until_due: Duration,
    /// Until when GitHub is not asked at all.
    pub barred: Option<Timestamp>,
    /// When the first thing that GitHub refused is asked for again.
    pub rising: Option<Timestamp>,
    /// Whether something was left to be said.
    pub is_unfinished: bool,
}

/// How long until the next visit.
pub fn after_visit(previews: &[PreviewStatus], waiting: Waiting, now: Timestamp) -> Duration {
    let until =
        |at: Timestamp| Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO);
    let expiry = previews
        .iter()
        .filter_map(|preview| preview.expires_at)
        .min();
    let mut wait = waiting.until_due;
    if let Some(expiry) = expiry {
        wait = wait.min(until(expiry) + Duration::from_secs(1));
    }
    if waiting.is_unfinished {
        let again = waiting
            .rising
            .map_or(UNFINISHED, |rising| until(rising).min(UNFINISHED));
        wait = wait.min(again.max(Duration::from_secs(1)));
    }
    // An earlier visit could say nothing and learn nothing.
    match waiting.barred {
        Some(barred) => until(barred).max(Duration::from_secs(1)),
        None => wait.max(Duration::from_secs(1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preview_policy::fixtures::at;

    #[test]
    fn the_next_visit_is_at_the_first_thing_that_happens() {
        let quiet = Waiting {
            until_due: Duration::from_secs(60),
            barred: None,
            rising: None,
            is_unfinished: false,
        };
        let expiring = |minute| PreviewStatus {
            expires_at: Some(at(minute)),
            ..PreviewStatus::default()
        };
        for (previews, waiting, seconds) in [
            (vec![], quiet, 60),
            (vec![expiring(5)], quiet, 60),
            (vec![expiring(0)], quiet, 1),
            (
                vec![],
                Waiting {
                    is_unfinished: true,
                    ..quiet
                },
                30,
            ),
            (
                vec![],
                Waiting {
                    rising: Some(at(10)),
                    ..quiet
                },
                60,
            ),
            (
                vec![expiring(0)],
                Waiting {
                    barred: Some(at(10)),
                    is_unfinished: true,
                    ..quiet
                },
                600,
            ),
        ] {
            assert_eq!(
                after_visit(&previews, waiting, at(0)),
                Duration::from_secs(seconds)
            );
        }
    }
}
