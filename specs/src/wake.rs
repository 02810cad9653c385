//! Waking: somebody says from outside that it is worth a look.

/// On an Environment or a PreviewPolicy: when somebody last said that it is worth a look, RFC 3339. Webhooks write it;
/// whoever else may patch the object can, too. Another value wakes the reconcile, which reads afresh what it acts on. It
/// carries no more than that: what is done follows from what is seen.
pub const WAKE_AT: &str = "mirage.dev/wake-at";
