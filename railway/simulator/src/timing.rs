//! How long things take in virtual time.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A duration drawn evenly between two bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Shortest, in milliseconds.
    pub min_ms: u64,
    /// Longest, in milliseconds.
    pub max_ms: u64,
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self::millis(0, 0);

    /// Between `min` and `max` milliseconds.
    #[must_use]
    pub const fn millis(min: u64, max: u64) -> Self {
        Self {
            min_ms: min,
            max_ms: max,
        }
    }

    /// Between `min` and `max` seconds.
    #[must_use]
    pub const fn seconds(min: u64, max: u64) -> Self {
        Self::millis(min * 1000, max * 1000)
    }

    /// Always exactly this long.
    #[must_use]
    pub const fn exactly(duration: Duration) -> Self {
        let millis = duration.as_millis() as u64;
        Self::millis(millis, millis)
    }
}

/// All delays of the simulated platform.
///
/// The defaults are what third parties measured against the live API, shortened at the far end (an environment copy
/// takes 13 s at the median and 118 s at the 95th percentile; observed).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timing {
    /// From request to answer.
    pub latency: Span,
    /// How long creating (and copying) an environment blocks.
    pub environment_create: Span,
    /// From the delete until the environment is no longer listed.
    pub environment_delete: Span,
    /// How much longer its name stays taken.
    pub name_reserved: Span,
    /// How long a new object stays invisible to queries.
    pub read_lag: Span,
    /// From a commit until the configuration changed.
    pub patch_apply: Span,
    /// Until `workflowStatus` knows a new workflow.
    pub workflow_visible: Span,
    /// Deployment states, each for this long.
    pub initializing: Span,
    /// Waiting for capacity; zero skips the state.
    pub queued: Span,
    /// Building; images skip it.
    pub building: Span,
    /// Starting the container.
    pub deploying: Span,
    /// The healthcheck of a service that has one.
    pub healthcheck: Span,
    /// Draining a superseded deployment.
    pub removing: Span,
    /// Until a domain or TCP proxy is active.
    pub networking: Span,
    /// One project, environment or volume per this time and owner; zero switches the throttle off.
    pub creation_throttle: Duration,
    /// An idle service with `sleepApplication` falls asleep after this.
    pub sleep_after: Duration,
    /// The grace of `projectScheduleDelete`.
    pub scheduled_delete: Duration,
    /// Connections without `first` return at most this many.
    pub default_page: usize,
    /// `first` is cut to this.
    pub largest_page: usize,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            latency: Span::millis(80, 400),
            environment_create: Span::seconds(3, 15),
            environment_delete: Span::seconds(2, 20),
            name_reserved: Span::seconds(0, 30),
            read_lag: Span::seconds(0, 5),
            patch_apply: Span::seconds(1, 10),
            workflow_visible: Span::seconds(0, 2),
            initializing: Span::seconds(1, 3),
            queued: Span::seconds(0, 5),
            building: Span::seconds(20, 180),
            deploying: Span::seconds(3, 30),
            healthcheck: Span::seconds(1, 10),
            removing: Span::seconds(1, 10),
            networking: Span::seconds(1, 5),
            creation_throttle: Duration::from_secs(30),
            sleep_after: Duration::from_secs(600),
            scheduled_delete: Duration::from_secs(48 * 3600),
            default_page: 100,
            largest_page: 1000,
        }
    }
}

impl Timing {
    /// For tests that are not about time: answers at once, writes visible at once, no creation throttle; a deployment
    /// still goes through its states, in about a tenth of a second of virtual time.
    #[must_use]
    pub fn instant() -> Self {
        Self {
            latency: Span::ZERO,
            environment_create: Span::ZERO,
            environment_delete: Span::ZERO,
            name_reserved: Span::ZERO,
            read_lag: Span::ZERO,
            patch_apply: Span::ZERO,
            workflow_visible: Span::ZERO,
            initializing: Span::millis(20, 20),
            queued: Span::ZERO,
            building: Span::millis(40, 40),
            deploying: Span::millis(30, 30),
            healthcheck: Span::millis(10, 10),
            removing: Span::millis(20, 20),
            networking: Span::ZERO,
            creation_throttle: Duration::ZERO,
            ..Self::default()
        }
    }
}
