//! Why nothing can be done for a policy, or with GitHub. Pure.

use std::fmt;

use mirage_github::{Class, Error};

use crate::reason::Reason;

/// A reason, and a sentence with the next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// For programs.
    pub reason: Reason,
    /// For people.
    pub message: String,
}

impl Refusal {
    /// For this reason.
    pub fn new(reason: Reason, message: String) -> Self {
        Self { reason, message }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<&Error> for Refusal {
    fn from(error: &Error) -> Self {
        let reason = match error.class() {
            Class::Transient | Class::Ambiguous | Class::Unreadable => Reason::GitHubUnreachable,
            Class::RateLimited => Reason::RateLimitedUntil,
            Class::Unauthorized => Reason::GitHubUnauthorized,
            Class::Forbidden => Reason::GitHubForbidden,
            Class::NotFound => Reason::GitHubNotFound,
            Class::Invalid => Reason::GitHubRefused,
        };
        Self::new(reason, format!("{error}. {}", error.next_step()))
    }
}
