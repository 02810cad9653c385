//! The way of webhooks: some get lost, some are late, some come twice.

use std::time::Duration;

use rand::{RngExt as _, rngs::StdRng};
use tokio::time::Instant;

use crate::{github::Delivery, world::World};

/// Webhooks on their way.
#[derive(Default)]
pub(super) struct Post {
    underway: Vec<(Instant, Delivery)>,
    pub(super) carried: u64,
    pub(super) lost: u64,
    pub(super) repeated: u64,
}

impl Post {
    /// Takes webhooks on, or loses them.
    pub(super) fn take(&mut self, random: &mut StdRng, sent: Vec<Delivery>) {
        for delivery in sent {
            if random.random_bool(0.3) {
                self.lost += 1;
                continue;
            }
            self.underway
                .push((Instant::now() + delay(random), delivery.clone()));
            if random.random_bool(0.25) {
                self.repeated += 1;
                self.underway
                    .push((Instant::now() + delay(random), delivery));
            }
        }
    }

    /// When the next one arrives.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.underway.iter().map(|(due, _)| *due).min()
    }

    /// Carries what has arrived.
    pub(super) async fn carry_due(&mut self, world: &World) {
        let now = Instant::now();
        let (due, later) = std::mem::take(&mut self.underway)
            .into_iter()
            .partition(|(due, _)| *due <= now);
        self.underway = later;
        let due: Vec<(Instant, Delivery)> = due;
        for (_, delivery) in due {
            self.carried += 1;
            let status = world.knock(delivery.request("/webhooks/github")).await;
            assert!(status.is_success(), "a genuine webhook got {status}");
        }
    }
}

/// Mostly at once; now and then so late that others come first.
fn delay(random: &mut StdRng) -> Duration {
    let milliseconds = if random.random_bool(0.7) {
        random.random_range(10..2_000)
    } else {
        random.random_range(2_000..7_200_000)
    };
    Duration::from_millis(milliseconds)
}
