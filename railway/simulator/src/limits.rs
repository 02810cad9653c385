//! The request budget of a plan.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// What the workspace pays for. Railway docs: 100, 1,000 and 10,000 requests per hour, 10 and 50 per second.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    Default,
    strum::EnumString,
    strum::Display,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Plan {
    /// Free.
    Free,
    /// Hobby.
    Hobby,
    /// Pro.
    #[default]
    Pro,
}

const HOUR_MS: i64 = 3_600_000;

impl Plan {
    /// Requests per hour.
    #[must_use]
    pub fn requests_per_hour(self) -> u64 {
        match self {
            Self::Free => 100,
            Self::Hobby => 1_000,
            Self::Pro => 10_000,
        }
    }

    /// Requests per second. Not documented for Free; the smaller figure is assumed.
    #[must_use]
    pub fn requests_per_second(self) -> usize {
        match self {
            Self::Free | Self::Hobby => 10,
            Self::Pro => 50,
        }
    }

    /// Replicas of one service, all regions together (Railway docs).
    #[must_use]
    pub fn replicas_per_service(self) -> i64 {
        match self {
            Self::Free => 1,
            Self::Hobby => 6,
            Self::Pro => 42,
        }
    }

    /// For how many hours the image of a replaced deployment is kept (Railway docs: image retention).
    #[must_use]
    pub fn image_retention_hours(self) -> i64 {
        match self {
            Self::Free => 24,
            Self::Hobby => 72,
            Self::Pro => 120,
        }
    }

    pub(crate) fn schema_name(self) -> &'static str {
        match self {
            Self::Free => "FREE",
            Self::Hobby => "HOBBY",
            Self::Pro => "PRO",
        }
    }
}

#[derive(Debug, Default)]
struct Meter {
    window_ends: i64,
    used: u64,
    last_second: VecDeque<i64>,
}

/// What the headers of an answer say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    pub(crate) limit: u64,
    pub(crate) remaining: u64,
    pub(crate) resets_at: i64,
    /// Set when the request is refused: milliseconds to wait.
    pub(crate) retry_after_ms: Option<i64>,
}

impl Allowance {
    /// Where nothing is counted.
    pub(crate) fn uncounted() -> Self {
        let limit = Plan::Pro.requests_per_hour();
        Self {
            limit,
            remaining: limit,
            resets_at: 0,
            retry_after_ms: None,
        }
    }
}

/// Counts requests per owner of a token.
#[derive(Debug, Default)]
pub(crate) struct Limits(BTreeMap<String, Meter>);

impl Limits {
    /// Takes one request out of the owner's budget, if there is one left.
    pub(crate) fn take(&mut self, owner: &str, plan: Plan, now: i64, enforced: bool) -> Allowance {
        let meter = self.0.entry(owner.to_owned()).or_default();
        if now >= meter.window_ends {
            meter.window_ends = now + HOUR_MS;
            meter.used = 0;
        }
        while meter
            .last_second
            .front()
            .is_some_and(|at| *at <= now - 1000)
        {
            meter.last_second.pop_front();
        }
        let limit = plan.requests_per_hour();
        let wait = if meter.used >= limit {
            Some(meter.window_ends - now)
        } else if meter.last_second.len() >= plan.requests_per_second() {
            meter.last_second.front().map(|oldest| oldest + 1000 - now)
        } else {
            None
        };
        let retry_after_ms = wait.filter(|_| enforced);
        if retry_after_ms.is_none() {
            meter.used += 1;
            meter.last_second.push_back(now);
        }
        Allowance {
            limit,
            remaining: limit.saturating_sub(meter.used),
            resets_at: meter.window_ends,
            retry_after_ms,
        }
    }

    /// What is left, without taking any.
    pub(crate) fn left(&self, owner: &str, plan: Plan, now: i64) -> (u64, i64) {
        let limit = plan.requests_per_hour();
        match self.0.get(owner) {
            Some(meter) if now < meter.window_ends => {
                (limit.saturating_sub(meter.used), meter.window_ends)
            }
            _ => (limit, now + HOUR_MS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hourly_budget_ends_and_comes_back() {
        let mut limits = Limits::default();
        for n in 0..100 {
            let allowance = limits.take("a", Plan::Free, n * 200, true);
            assert_eq!(allowance.retry_after_ms, None, "request {n}");
        }
        let refused = limits.take("a", Plan::Free, 30_000, true);
        assert_eq!(refused.retry_after_ms, Some(HOUR_MS - 30_000));
        assert_eq!(limits.take("b", Plan::Free, 30_000, true).remaining, 99);
        assert_eq!(limits.take("a", Plan::Free, HOUR_MS, true).remaining, 99);
    }

    #[test]
    fn a_burst_within_one_second_is_cut() {
        let mut limits = Limits::default();
        for _ in 0..10 {
            assert_eq!(limits.take("a", Plan::Hobby, 0, true).retry_after_ms, None);
        }
        assert_eq!(
            limits.take("a", Plan::Hobby, 400, true).retry_after_ms,
            Some(600)
        );
        assert_eq!(
            limits.take("a", Plan::Hobby, 1000, true).retry_after_ms,
            None
        );
    }
}
