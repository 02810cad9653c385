//! The hour and the second.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use crate::budget::{Priority, RateHeaders};

const HOUR: Duration = Duration::from_secs(3_600);

/// A second as we count it: Railway's begins when the request arrives there, so leave some room for the way.
const SECOND: Duration = Duration::from_millis(1_050);

/// Share of the hour that is kept for people, so that a busy reconciler cannot lock them out.
const USER_RESERVE: f64 = 0.02;

/// First silence after a refusal that names no time.
const UNTOLD_PAUSE: Duration = Duration::from_secs(30);

/// First silence after the gateway's own refusal (`error code: 1015`), which knows no plan and may last long; doubled
/// with each that follows.
const GATEWAY_PAUSE: Duration = Duration::from_secs(60);

/// How many requests are left and when.
pub(super) struct Window {
    limit: u64,
    left: u64,
    /// `None` until the first request of an hour.
    resets_at: Option<Instant>,
    observation_share: f64,
    observed: u64,
    /// Granted and not answered: a header's count may or may not know of them.
    in_flight: u64,
    paused_until: Option<Instant>,
    gateway_refusals: u32,
    /// Times of the last requests, at most as many as a second holds.
    last_second: VecDeque<Instant>,
}

impl Window {
    pub(super) fn new(limit: u64, observation_share: f64) -> Self {
        Self {
            limit,
            left: limit,
            resets_at: None,
            observation_share,
            observed: 0,
            in_flight: 0,
            paused_until: None,
            gateway_refusals: 0,
            last_second: VecDeque::new(),
        }
    }

    pub(super) fn limit(&self) -> u64 {
        self.limit
    }

    pub(super) fn left(&self, now: Instant) -> u64 {
        if self.is_over(now) {
            self.limit
        } else {
            self.left
        }
    }

    pub(super) fn resets_in(&self, now: Instant) -> Option<Duration> {
        self.resets_at.and_then(|at| at.checked_duration_since(now))
    }

    pub(super) fn paused_for(&self, now: Instant) -> Option<Duration> {
        self.paused_until
            .and_then(|until| until.checked_duration_since(now))
            .filter(|wait| !wait.is_zero())
    }

    /// When a request of that priority may leave, now or later.
    pub(super) fn ready_at(&self, priority: Priority, now: Instant) -> Instant {
        let per_second = if self.last_second.len() < self.requests_per_second() {
            now
        } else {
            self.last_second[self.last_second.len() - self.requests_per_second()] + SECOND
        };
        per_second.max(self.stopped_until(priority, now))
    }

    /// Until when there is none at all for that priority, the pace of the second apart.
    pub(super) fn stopped_until(&self, priority: Priority, now: Instant) -> Instant {
        let paused = self.paused_until.unwrap_or(now);
        let exhausted = if self.is_over(now) || self.has_left(priority) {
            now
        } else {
            self.resets_at.unwrap_or(now)
        };
        now.max(paused).max(exhausted)
    }

    pub(super) fn take(&mut self, priority: Priority, now: Instant) {
        if self.is_over(now) {
            self.left = self.limit;
            self.observed = 0;
            self.resets_at = Some(now + HOUR);
        }
        self.left = self.left.saturating_sub(1);
        self.in_flight += 1;
        if priority == Priority::Observation {
            self.observed += 1;
        }
        self.last_second.push_back(now);
        while self.last_second.len() > self.requests_per_second() {
            self.last_second.pop_front();
        }
    }

    /// Railway counts everyone who uses the credential, so its numbers replace ours; requests that are on their way are taken
    /// off once more, because an answer may have been written before they arrived.
    pub(super) fn learn(&mut self, headers: &RateHeaders, now: Instant) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.gateway_refusals = 0;
        if let Some(limit) = headers.limit {
            self.limit = limit;
        }
        if let Some(remaining) = headers.remaining {
            self.left = remaining.saturating_sub(self.in_flight);
        }
        if let Some(resets_in) = headers.resets_in {
            let reset = now + resets_in;
            // The same window's end wobbles by the way's duration; a later one is the next window.
            if self
                .resets_at
                .is_some_and(|known| reset > known + Duration::from_secs(60))
                && headers.remaining.is_some()
            {
                self.observed = 0;
            }
            self.resets_at = Some(reset);
        }
    }

    pub(super) fn forget_one(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    pub(super) fn pause(
        &mut self,
        headers: &RateHeaders,
        by_gateway: bool,
        now: Instant,
    ) -> Instant {
        self.in_flight = self.in_flight.saturating_sub(1);
        let wait = match (headers.retry_after, by_gateway) {
            (Some(told), _) => told,
            (None, true) => {
                let doubled = GATEWAY_PAUSE * 2_u32.pow(self.gateway_refusals.min(6));
                self.gateway_refusals += 1;
                doubled.min(HOUR)
            }
            (None, false) => headers.resets_in.unwrap_or(UNTOLD_PAUSE),
        };
        let until = self
            .paused_until
            .map_or(now + wait, |known| known.max(now + wait));
        self.paused_until = Some(until);
        until
    }

    /// The documented pairs: 1,000 an hour with 10 a second, 10,000 with 50; for 100 nothing is told.
    fn requests_per_second(&self) -> usize {
        match self.limit {
            10_000.. => 50,
            1_000.. => 10,
            _ => 2,
        }
    }

    fn is_over(&self, now: Instant) -> bool {
        self.resets_at.is_none_or(|at| at <= now)
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "shares of a limit far below what a float counts exactly"
    )]
    fn has_left(&self, priority: Priority) -> bool {
        let reserve = (self.limit as f64 * USER_RESERVE) as u64;
        let share = (self.limit as f64 * self.observation_share) as u64;
        match priority {
            Priority::User => self.left > 0,
            Priority::Convergence => self.left > reserve,
            Priority::Observation => self.left > reserve && self.observed < share,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[tokio::test(start_paused = true)]
    async fn what_others_spend_with_the_credential_counts_too() {
        let (mut window, now) = (Window::new(10_000, 0.3), Instant::now());
        window.take(Priority::Convergence, now);
        let headers = RateHeaders {
            limit: Some(1_000),
            remaining: Some(20),
            resets_in: Some(seconds(100)),
            retry_after: None,
        };
        window.learn(&headers, now);
        assert_eq!((window.limit(), window.left(now)), (1_000, 20));
        assert_eq!(
            window.ready_at(Priority::Convergence, now),
            now + seconds(100)
        );
        assert_eq!(window.ready_at(Priority::User, now), now);
        assert_eq!(window.left(now + seconds(100)), 1_000);
    }

    #[tokio::test(start_paused = true)]
    async fn the_gateways_silence_grows_until_an_answer_comes() {
        let (mut window, now) = (Window::new(1_000, 0.3), Instant::now());
        let none = RateHeaders::default();
        assert_eq!(window.pause(&none, true, now), now + seconds(60));
        let now = now + seconds(60);
        assert_eq!(window.pause(&none, true, now), now + seconds(120));
        let now = now + seconds(120);
        window.learn(&none, now);
        assert_eq!(window.pause(&none, true, now), now + seconds(60));
    }
}
