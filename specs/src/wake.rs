//! Annotations by which somebody says something from outside: that it is worth a look, or what to do once.

/// On an Environment or a PreviewPolicy: when somebody last said that it is worth a look, RFC 3339. Webhooks write it;
/// whoever else may patch the object can, too. Another value wakes the reconcile, which reads afresh what it acts on. It
/// carries no more than that: what is done follows from what is seen.
pub const WAKE_AT: &str = "mirage.dev/wake-at";

/// On an Environment: the plan of this hash, and no other, may run.
pub const APPROVE: &str = "mirage.dev/approve";

/// On an Environment: go on where Mirage stopped by itself. Taken away once heard.
pub const RETRY: &str = "mirage.dev/retry";

/// On an Environment: deploy again what is declared, with a new build where there is something to build. The time of
/// asking (RFC 3339), and after a space the services when not all are meant: `2026-11-21T12:00:00Z api,web`.
pub const REDEPLOY: &str = "mirage.dev/redeploy";

/// On an Environment: start the processes again, with the image that runs. Written like [`REDEPLOY`].
pub const RESTART: &str = "mirage.dev/restart";

/// On an Environment with `spec.suspend`: why, for people.
pub const SUSPEND_REASON: &str = "mirage.dev/suspend-reason";

/// On an Environment with `spec.suspend`: who, for people.
pub const SUSPENDED_BY: &str = "mirage.dev/suspended-by";

/// On an Environment with `spec.suspend`: from this time (RFC 3339) on it counts as not suspended.
pub const SUSPEND_UNTIL: &str = "mirage.dev/suspend-until";
