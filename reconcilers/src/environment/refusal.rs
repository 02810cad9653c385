//! An Environment that cannot be acted on: what is said about it. Pure.

use std::time::Duration;

use jiff::Timestamp;
use mirage_specs::{EnvironmentStatus, status::TemplateStatus};

use super::{
    condition::{Finding, Truth, conditions},
    follow::standing_after,
    resolve::ResolveError,
};
use crate::{accounts::REFUSED_AGAIN, context::Intervals, reason::Reason};

/// Why nothing is done for an Environment, before anything was looked at.
#[derive(Clone, Debug)]
pub struct Refusal {
    reason: Reason,
    message: String,
}

impl From<&ResolveError> for Refusal {
    fn from(error: &ResolveError) -> Self {
        let reason = match error {
            ResolveError::TemplateMissing { .. } => Reason::WaitingForTemplate,
            ResolveError::SecretUnread { unread, .. } if unread.is_transient => {
                Reason::SecretStoreUnavailable
            }
            ResolveError::SecretMissing { .. } | ResolveError::SecretUnread { .. } => {
                Reason::WaitingForSecret
            }
            ResolveError::Merge(_) | ResolveError::Invalid { .. } => Reason::InvalidSpec,
        };
        let mut message = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            message = format!("{message}: {cause}");
            source = cause.source();
        }
        Self { reason, message }
    }
}

impl Refusal {
    /// Another Environment aims at the same place and was there first.
    pub fn conflict(other: &str) -> Self {
        let message = format!(
            "{other} declares the same Railway environment and was there first; choose another spec.name, or delete one of the two"
        );
        Self {
            reason: Reason::Conflict,
            message,
        }
    }

    /// The credential cannot be used.
    pub fn account(why: String) -> Self {
        Self {
            reason: Reason::AccountNotReady,
            message: why,
        }
    }

    /// Whether the spec or its template must be changed before anything can be done.
    pub fn is_a_fault(&self) -> bool {
        self.reason == Reason::InvalidSpec
    }

    /// When to try again without a reason. A change of the object comes on its own.
    pub fn again(&self, intervals: &Intervals) -> Duration {
        match self.reason {
            Reason::InvalidSpec => intervals.resync,
            Reason::AccountNotReady => intervals.active,
            _ => REFUSED_AGAIN.min(intervals.active * 3),
        }
    }

    /// The status. What was seen before is kept, and said not to have been seen this time.
    pub fn status(
        &self,
        earlier: &EnvironmentStatus,
        generation: i64,
        now: Timestamp,
    ) -> EnvironmentStatus {
        let find = |kind, truth| Finding {
            kind,
            truth,
            reason: self.reason,
            message: self.message.clone(),
        };
        let waits = matches!(
            self.reason,
            Reason::WaitingForTemplate | Reason::WaitingForSecret | Reason::SecretStoreUnavailable
        );
        let unseen = Finding {
            kind: "Ready",
            truth: Truth::Unknown,
            reason: Reason::NotObserved,
            message: format!("not observed: {}", self.message),
        };
        let never_made = earlier
            .railway
            .as_ref()
            .is_none_or(|railway| railway.environment_id.is_none());
        let ready = if never_made {
            find("Ready", Truth::False)
        } else {
            unseen
        };
        let findings = vec![
            ready,
            find("Synced", Truth::False),
            Finding {
                kind: "Progressing",
                truth: Truth::False,
                reason: self.reason,
                message: "nothing is done until this is settled".to_owned(),
            },
            find("Degraded", Truth::from(!waits)),
        ];
        let template = earlier.template.clone().map(|template| TemplateStatus {
            standing: standing_after(template.standing, false, !waits),
            ..template
        });
        EnvironmentStatus {
            template,
            observed_generation: Some(generation),
            phase: Some(
                if matches!(self.reason, Reason::Conflict | Reason::InvalidSpec) {
                    "Failed"
                } else {
                    "Waiting"
                }
                .to_owned(),
            ),
            conditions: conditions(&earlier.conditions, findings, generation, now),
            ..earlier.clone()
        }
    }
}
