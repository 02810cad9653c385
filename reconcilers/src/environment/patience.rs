//! How long things may take before they count as not happening.

use jiff::SignedDuration;

/// Bounds of waiting. A faster world (a simulated Railway at speed) has shorter ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// How long the effect of a call whose answer was lost may take to show. Environments were seen to appear minutes
    /// after their create had timed out (Railway's own tool has open issues about it).
    pub lost_answer: SignedDuration,
    /// How long Railway may apply a change before the configuration itself is looked at: some workflow ids are refused by
    /// the question for them.
    pub change: SignedDuration,
    /// After this teardown gives up and leaves an `Orphan`: long enough for a slow delete and an incident of some minutes,
    /// short enough that `kubectl delete` ends while somebody still looks.
    pub teardown: SignedDuration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            lost_answer: SignedDuration::from_secs(180),
            change: SignedDuration::from_secs(120),
            teardown: SignedDuration::from_mins(15),
        }
    }
}
