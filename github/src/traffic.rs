//! What has been asked of GitHub.

use jiff::Timestamp;

/// Counts since the process began, of one credential.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Requests that left.
    pub requests: u64,
    /// Those of them that could be answered with "as before" because they named what we have.
    pub conditional: u64,
    /// Those answered with "as before" (304): they do not count against the rate limit.
    pub not_modified: u64,
    /// Those refused for their number, by either limit.
    pub rate_limited: u64,
    /// Those to which no answer came, or a server's failure.
    pub unanswered: u64,
    /// What GitHub last said of the hourly limit; `None` until it has.
    pub rate_limit: Option<RateLimit>,
}

/// The hourly limit as GitHub last told it (headers `x-ratelimit-*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests per hour.
    pub limit: u64,
    /// Requests left until `reset`.
    pub remaining: u64,
    /// When the count begins anew.
    pub reset: Timestamp,
}
