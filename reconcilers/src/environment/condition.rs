//! Conditions, built so that their transition time moves only when their status does. Pure.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use crate::reason::Reason;

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not.
    False,
    /// It could not be told.
    Unknown,
}

impl Truth {
    fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

/// One condition before it is put beside the earlier ones.
#[derive(Clone, Debug)]
pub struct Finding {
    /// `Ready`, `Synced`, …
    pub kind: &'static str,
    /// Whether it holds.
    pub truth: Truth,
    /// Why.
    pub reason: Reason,
    /// Why, for people, with the next step where there is one.
    pub message: String,
}

/// Puts findings in the place of the earlier conditions of their kind.
pub fn conditions(
    earlier: &[Condition],
    findings: Vec<Finding>,
    generation: i64,
    now: Timestamp,
) -> Vec<Condition> {
    let mut all: Vec<Condition> = findings
        .into_iter()
        .map(|finding| {
            let status = finding.truth.as_str();
            let unmoved = earlier
                .iter()
                .find(|old| old.type_ == finding.kind && old.status == status);
            Condition {
                type_: finding.kind.to_owned(),
                status: status.to_owned(),
                reason: finding.reason.to_string(),
                message: finding.message,
                observed_generation: Some(generation),
                last_transition_time: unmoved.map_or(Time(whole_seconds(now)), |old| {
                    old.last_transition_time.clone()
                }),
            }
        })
        .collect();
    let kept = earlier
        .iter()
        .filter(|old| !all.iter().any(|new| new.type_ == old.type_))
        .cloned()
        .collect::<Vec<_>>();
    all.extend(kept);
    all.sort_by(|a, b| a.type_.cmp(&b.type_));
    all
}

/// Kubernetes writes times in whole seconds.
pub fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}
