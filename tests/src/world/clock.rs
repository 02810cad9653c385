//! The time of day in a world: a date, and tokio's clock since.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use mirage_railway::client::Clock;
use tokio::time::Instant;

/// A clock that shows `start` now.
pub(super) fn starting_at(start: Timestamp) -> Clock {
    let origin = Instant::now();
    Arc::new(move || {
        start
            .checked_add(signed(origin.elapsed()))
            .unwrap_or(Timestamp::MAX)
    })
}

fn signed(time: Duration) -> SignedDuration {
    SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX)
}
