//! Virtual time: real time since the start, times a factor, plus whatever was skipped.

use std::sync::Mutex;
use std::time::Duration;
use tokio::time::Instant;

/// Reads tokio's clock, so that paused time pauses the simulated Railway as well.
#[derive(Debug)]
pub(crate) struct Clock {
    origin: Instant,
    speed: f64,
    skipped_ms: Mutex<i64>,
}

impl Clock {
    /// `elapsed_ms`: virtual time that had already passed (after a restart).
    pub(crate) fn starting(speed: f64, elapsed_ms: i64) -> Self {
        Self {
            origin: Instant::now(),
            speed,
            skipped_ms: Mutex::new(elapsed_ms),
        }
    }

    fn skipped(&self) -> std::sync::MutexGuard<'_, i64> {
        self.skipped_ms
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Virtual milliseconds since the simulated world began.
    pub(crate) fn now_ms(&self) -> i64 {
        let real = self.origin.elapsed().as_secs_f64() * 1000.0 * self.speed;
        *self.skipped() + real as i64
    }

    /// Jumps forward.
    pub(crate) fn skip(&self, virtual_ms: i64) {
        *self.skipped() += virtual_ms.max(0);
    }

    /// How long that much virtual time takes in reality.
    pub(crate) fn real(&self, virtual_ms: i64) -> Duration {
        Duration::from_secs_f64(virtual_ms.max(0) as f64 / 1000.0 / self.speed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn virtual_time_runs_at_the_given_speed() {
        let clock = Clock::starting(20.0, 0);
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(clock.now_ms(), 60_000);
        clock.skip(5_000);
        assert_eq!(clock.now_ms(), 65_000);
        assert_eq!(clock.real(20_000), Duration::from_secs(1));
    }
}
