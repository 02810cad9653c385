//! What may go wrong with a call, told apart by what the caller may do about it.

use std::{fmt, time::Duration};

use jiff::Timestamp;

/// A call that did not do what was asked. The variant is the choice the caller has; its name is the metric's label.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// Nothing changed at GitHub; the same call may be repeated.
    #[error("{0}")]
    Transient(Failure),
    /// The write may or may not have taken effect: look for it (by its marker, environment or context) before
    /// repeating, or there may be two.
    #[error("{0}")]
    Ambiguous(Failure),
    /// GitHub, or we because GitHub just did, allows no such call before `until`. Nothing changed.
    #[error("{failure}; next try at {until:.0}")]
    RateLimited {
        /// What was refused.
        failure: Failure,
        /// The earliest moment at which it may be asked again, by our clock.
        until: Timestamp,
        /// The same as a wait from when the error was made.
        wait: Duration,
    },
    /// The credential is not, or no longer, valid.
    #[error("{0}")]
    Unauthorized(Failure),
    /// The credential is valid and lacks a right.
    #[error("{failure}; it needs {needs}")]
    Forbidden {
        /// What was refused.
        failure: Failure,
        /// The right that the call needs, as GitHub's settings call it: `"Pull requests: write"`.
        needs: String,
    },
    /// It is not there, or the credential may not know that it is: GitHub makes no difference.
    #[error("{0}")]
    NotFound(Failure),
    /// GitHub understood and refuses; the same call will be refused again.
    #[error("{0}")]
    Invalid(Failure),
    /// What was answered is not what this API answers. Nothing follows from it.
    #[error("{0}")]
    Unreadable(Failure),
}

/// [`Error`] without its contents: a metric's label and a condition's reason.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    strum::Display,
    strum::EnumIter,
    strum::IntoStaticStr,
)]
#[allow(missing_docs, reason = "named and explained at the variants of Error")]
pub enum Class {
    Transient,
    Ambiguous,
    RateLimited,
    Unauthorized,
    Forbidden,
    NotFound,
    Invalid,
    Unreadable,
}

impl Error {
    /// The class alone.
    pub fn class(&self) -> Class {
        match self {
            Self::Transient(_) => Class::Transient,
            Self::Ambiguous(_) => Class::Ambiguous,
            Self::RateLimited { .. } => Class::RateLimited,
            Self::Unauthorized(_) => Class::Unauthorized,
            Self::Forbidden { .. } => Class::Forbidden,
            Self::NotFound(_) => Class::NotFound,
            Self::Invalid(_) => Class::Invalid,
            Self::Unreadable(_) => Class::Unreadable,
        }
    }

    /// What was asked and what GitHub said.
    pub fn failure(&self) -> &Failure {
        match self {
            Self::Transient(failure)
            | Self::Ambiguous(failure)
            | Self::RateLimited { failure, .. }
            | Self::Unauthorized(failure)
            | Self::Forbidden { failure, .. }
            | Self::NotFound(failure)
            | Self::Invalid(failure)
            | Self::Unreadable(failure) => failure,
        }
    }

    /// How long to wait before the same call makes sense, where GitHub said so.
    pub fn wait(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { wait, .. } => Some(*wait),
            _ => None,
        }
    }

    /// What a person can do about it, in a sentence.
    pub fn next_step(&self) -> &'static str {
        match self.class() {
            Class::Transient => {
                "Nothing to do: Mirage tries again by itself. If it lasts, look at githubstatus.com."
            }
            Class::Ambiguous => {
                "Nothing to do: Mirage looks at what GitHub shows before it tries again."
            }
            Class::RateLimited => {
                "Nothing to do: Mirage goes on when GitHub allows it. A GitHub App has a larger limit than a token."
            }
            Class::Unauthorized => {
                "Make a new token or key at GitHub and put it into the Secret that githubSecretRef names."
            }
            Class::Forbidden => {
                "Grant the right to the token or to the app at GitHub; an organisation may have to approve it."
            }
            Class::NotFound => {
                "Check the name, and that the token or the app was given this repository."
            }
            Class::Invalid => "Change what GitHub's message names.",
            Class::Unreadable => {
                "Check that apiUrl is the root of GitHub's API: https://HOST/api/v3 for an Enterprise server."
            }
        }
    }
}

/// What was asked and what was said. Never holds a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What was asked, in a few words: `list open pull requests of acme/shop`.
    pub operation: String,
    /// GitHub's message, or ours where it said nothing.
    pub message: String,
    /// The HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// GitHub's id of the answer, which its support asks for.
    pub request_id: Option<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GitHub, asked to {}: {}", self.operation, self.message)
    }
}
