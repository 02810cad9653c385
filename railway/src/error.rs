//! What may go wrong with a call, told apart by what the caller may do about it.
//!
//! Railway answers business errors with HTTP 200 and nearly always the same code, so the text decides first and the code
//! second ([`classify`]). Whether an answer that never came is harmless depends on whether the call would have changed
//! something: a lost query may be repeated, a lost mutation may have happened.

mod classify;
mod failure;

use std::time::Duration;

use jiff::Timestamp;

pub(crate) use classify::{Answer, classify};
pub use failure::Failure;

/// A call that did not do what was asked. The variant is the choice the caller has; its name is the metric's label.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// Nothing changed at Railway; the same call may be repeated.
    #[error("{0}")]
    Transient(Failure),
    /// Railway, or our own pacing before Railway had to, allows no such call before `until`. Nothing changed.
    #[error("{failure}; next try at {until:.0}")]
    RateLimited {
        /// What was refused.
        failure: Failure,
        /// The earliest moment at which it may be asked again, by our clock.
        until: Timestamp,
        /// The same as a wait from when the error was made.
        wait: Duration,
    },
    /// The call may or may not have taken effect: observe before repeating, or something may exist twice.
    #[error("{0}")]
    Ambiguous(Failure),
    /// The token is dead, or lacks the right, or (Railway makes no difference) the thing is deleted.
    #[error("{0}")]
    Unauthorized(Failure),
    /// What the call names is not there, or is not visible yet when it was made a moment ago.
    #[error("{0}")]
    NotFound(Failure),
    /// Railway understood and refuses; the same call will be refused again. The person must change something.
    #[error("{0}")]
    Invalid(Failure),
    /// The name is taken, perhaps by something that is still being torn down and is listed no more.
    #[error("{0}")]
    Conflict(Failure),
    /// The configuration changed since it was read; nothing was applied. Observe and plan again.
    #[error("{0}")]
    Stale(Failure),
    /// Railway is still busy with an earlier change to the same thing. Ask again later, after a look.
    #[error("{0}")]
    NotYet(Failure),
    /// The live schema does not have what the operation uses.
    #[error("{0}")]
    Unsupported(Failure),
}

/// [`Error`] without its contents: a metric's label.
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
    RateLimited,
    Ambiguous,
    Unauthorized,
    NotFound,
    Invalid,
    Conflict,
    Stale,
    NotYet,
    Unsupported,
}

impl Error {
    /// The class alone.
    pub fn class(&self) -> Class {
        match self {
            Self::Transient(_) => Class::Transient,
            Self::RateLimited { .. } => Class::RateLimited,
            Self::Ambiguous(_) => Class::Ambiguous,
            Self::Unauthorized(_) => Class::Unauthorized,
            Self::NotFound(_) => Class::NotFound,
            Self::Invalid(_) => Class::Invalid,
            Self::Conflict(_) => Class::Conflict,
            Self::Stale(_) => Class::Stale,
            Self::NotYet(_) => Class::NotYet,
            Self::Unsupported(_) => Class::Unsupported,
        }
    }

    /// What was asked and what Railway said.
    pub fn failure(&self) -> &Failure {
        match self {
            Self::Transient(failure)
            | Self::RateLimited { failure, .. }
            | Self::Ambiguous(failure)
            | Self::Unauthorized(failure)
            | Self::NotFound(failure)
            | Self::Invalid(failure)
            | Self::Conflict(failure)
            | Self::Stale(failure)
            | Self::NotYet(failure)
            | Self::Unsupported(failure) => failure,
        }
    }

    /// The operation that failed.
    pub fn operation(&self) -> &'static str {
        self.failure().operation
    }

    /// Railway's id of the answer, which its support asks for.
    pub fn trace_id(&self) -> Option<&str> {
        self.failure().trace_id.as_deref()
    }

    /// How long to wait before the same call makes sense, where Railway or our pacing said so.
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
                "Nothing to do: Mirage tries again by itself. If it lasts, look at status.railway.com."
            }
            Class::RateLimited => {
                "Nothing to do: Mirage goes on when Railway allows it. A larger Railway plan raises the limit."
            }
            Class::Ambiguous => {
                "Nothing to do: Mirage looks at what Railway shows before it tries again."
            }
            Class::Unauthorized => {
                "Check that the token is valid and may act on this project: `mirage railway doctor`."
            }
            Class::NotFound => {
                "Mirage looks again; if it was deleted by hand, it is made anew where the spec asks for it."
            }
            Class::Invalid => "Change the spec as Railway's message says, then apply it again.",
            Class::Conflict => {
                "Choose another name, or delete or import what has it; a name just deleted becomes free after a while."
            }
            Class::Stale => {
                "Nothing to do: Mirage reads the configuration again and makes a new plan."
            }
            Class::NotYet => {
                "Nothing to do: Mirage asks again when Railway has finished what is under way."
            }
            Class::Unsupported => {
                "Railway's API has changed: `mirage railway doctor` names the field; update Mirage."
            }
        }
    }
}
