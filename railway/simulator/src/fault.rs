//! Faults on demand: what goes wrong, when, and how often.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::edit::DashboardEdit;
use crate::random::Random;
use crate::state::{Ending, World};

/// Before the operation had any effect, or after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// Nothing happened in the world.
    #[default]
    Before,
    /// It happened; only the answer suffers.
    After,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum FaultKind {
    /// 429 with Railway's headers.
    RateLimited {
        /// Seconds to wait.
        retry_after_seconds: u64,
    },
    /// 429 by the CDN: plain text, no `X-RateLimit-*`.
    CloudflareRateLimited {
        /// Seconds to wait.
        retry_after_seconds: u64,
    },
    /// 5xx with a body that is not JSON.
    GatewayError {
        /// 500, 502, 503, 504.
        status: u16,
        /// Whether the effect happened.
        #[serde(default)]
        when: When,
        /// No body at all instead of HTML.
        #[serde(default)]
        empty: bool,
    },
    /// The connection breaks.
    AnswerLost {
        /// Whether the effect happened.
        #[serde(default)]
        when: When,
    },
    /// The connection breaks, and the effect happens later.
    EffectDelayed {
        /// How much later, in virtual seconds.
        seconds: f64,
    },
    /// The effect happens at once, the answer comes late.
    AnswerDelayed {
        /// How much later, in virtual seconds.
        seconds: f64,
    },
    /// A GraphQL error instead of an effect.
    Refused {
        /// The message.
        message: String,
        /// `extensions.code`, if any.
        #[serde(default)]
        code: Option<String>,
    },
    /// "Problem processing request": no path, no code.
    ProblemProcessing,
    /// One of several aliased root fields comes back null with an error; a lone one fails whole.
    PartialData,
    /// The creation throttle's message (HTTP 200).
    CreationThrottled,
    /// Queries see the world as it was when the fault was injected.
    StaleReads,
    /// Queries find projects empty.
    EverythingGone,
    /// Deletes answer `true` and do nothing.
    DeleteIgnored,
    /// The token is taken for a dead one.
    NotAuthorized,
    /// `platformStatus.isStable` is false.
    PlatformUnstable,
    /// A field vanished from the schema.
    FieldRemoved {
        /// As `Type.field`.
        field: String,
    },
    /// Deployments show a status that no client knows.
    UnknownDeploymentStatus {
        /// What they show.
        status: String,
    },
    /// How deployments that start under it go; `object` names the service.
    Deployment {
        /// The ending.
        ending: DeploymentEnding,
    },
    /// Somebody edits in the dashboard just before the matching call takes effect.
    Edit {
        /// What they do.
        edit: DashboardEdit,
    },
    /// The call is held until released, or until its caller is gone.
    Hold {
        /// Before or after its effect.
        #[serde(default)]
        when: When,
    },
}

/// How a deployment ends under a fault.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "ending",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum DeploymentEnding {
    /// FAILED while building.
    BuildFails,
    /// FAILED while starting.
    HealthcheckFails,
    /// SUCCESS, then CRASHED.
    CrashesAfter {
        /// After so many virtual seconds.
        seconds: f64,
    },
    /// CRASHED at once, for want of memory.
    OutOfMemory,
    /// Stays QUEUED.
    StuckQueued,
    /// Stays BUILDING.
    NeverBuilt,
    /// Waits for a person.
    NeedsApproval,
    /// SUCCESS and stopped: a job that exits with zero.
    Completes,
}

impl From<DeploymentEnding> for Ending {
    fn from(ending: DeploymentEnding) -> Self {
        match ending {
            DeploymentEnding::BuildFails => Self::BuildFails,
            DeploymentEnding::HealthcheckFails => Self::HealthcheckFails,
            DeploymentEnding::CrashesAfter { seconds } => {
                Self::CrashesAfter((seconds * 1000.0) as i64)
            }
            DeploymentEnding::OutOfMemory => Self::OutOfMemory,
            DeploymentEnding::StuckQueued => Self::StuckQueued,
            DeploymentEnding::NeverBuilt => Self::NeverBuilt,
            DeploymentEnding::NeedsApproval => Self::NeedsApproval,
            DeploymentEnding::Completes => Self::Completes,
        }
    }
}

/// A fault and the calls that it strikes. What is left out matches everything.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fault {
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: FaultKind,
    /// Only requests with this root field; `mutation` means any mutation, `query` any query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Only requests (deployments) that mention this id or name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// Strikes with this chance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// Strikes the nth matching call only, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u64>,
    /// Strikes at most so often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// Is gone after so many virtual seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<f64>,
}

impl Fault {
    /// Strikes every call.
    #[must_use]
    pub fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            operation: None,
            object: None,
            probability: None,
            nth: None,
            times: None,
            duration_seconds: None,
        }
    }

    /// Only requests with this root field.
    #[must_use]
    pub fn on(mut self, operation: &str) -> Self {
        self.operation = Some(operation.to_owned());
        self
    }

    /// Only what mentions this id or name.
    #[must_use]
    pub fn object(mut self, object: &str) -> Self {
        self.object = Some(object.to_owned());
        self
    }

    /// Only the nth match.
    #[must_use]
    pub fn nth(mut self, nth: u64) -> Self {
        self.nth = Some(nth);
        self
    }

    /// At most so often.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// With this chance.
    #[must_use]
    pub fn probability(mut self, probability: f64) -> Self {
        self.probability = Some(probability);
        self
    }

    /// For so many virtual seconds.
    #[must_use]
    pub fn lasting(mut self, seconds: f64) -> Self {
        self.duration_seconds = Some(seconds);
        self
    }
}

/// Names an injected fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FaultId(pub u64);

/// An injected fault and its history, as the control endpoint shows it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FaultReport {
    /// Its name.
    pub id: FaultId,
    /// What was injected.
    #[serde(flatten)]
    pub fault: Fault,
    /// Matching calls so far.
    pub matched: u64,
    /// How many of them it struck.
    pub struck: u64,
}

#[derive(Debug, Clone)]
struct Active {
    fault: Fault,
    matched: u64,
    struck: u64,
    until: Option<i64>,
    /// The world that stale reads see.
    snapshot: Option<Arc<World>>,
}

/// All injected faults.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    active: BTreeMap<FaultId, Active>,
    next: u64,
}

/// A fault that strikes this call.
#[derive(Debug, Clone)]
pub(crate) struct Strike {
    pub(crate) id: FaultId,
    pub(crate) kind: FaultKind,
    pub(crate) snapshot: Option<Arc<World>>,
}

impl Faults {
    pub(crate) fn inject(
        &mut self,
        fault: Fault,
        now: i64,
        snapshot: Option<Arc<World>>,
    ) -> FaultId {
        self.next += 1;
        let id = FaultId(self.next);
        let until = fault
            .duration_seconds
            .map(|seconds| now + (seconds * 1000.0) as i64);
        self.active.insert(
            id,
            Active {
                fault,
                matched: 0,
                struck: 0,
                until,
                snapshot,
            },
        );
        id
    }

    pub(crate) fn clear(&mut self) {
        self.active.clear();
    }

    pub(crate) fn remove(&mut self, id: FaultId) -> bool {
        self.active.remove(&id).is_some()
    }

    pub(crate) fn report(&self) -> Vec<FaultReport> {
        self.active
            .iter()
            .map(|(id, active)| FaultReport {
                id: *id,
                fault: active.fault.clone(),
                matched: active.matched,
                struck: active.struck,
            })
            .collect()
    }

    /// The faults among `wanted` that strike a call described by `matches`.
    pub(crate) fn strike(
        &mut self,
        now: i64,
        random: &mut Random,
        matches: impl Fn(&Fault) -> bool,
    ) -> Vec<Strike> {
        self.active
            .retain(|_, active| active.until.is_none_or(|until| now < until));
        let mut strikes = Vec::new();
        for (id, active) in &mut self.active {
            if !matches(&active.fault) {
                continue;
            }
            active.matched += 1;
            let fault = &active.fault;
            let misses = fault.nth.is_some_and(|nth| nth != active.matched)
                || fault.times.is_some_and(|times| active.struck >= times)
                || fault.probability.is_some_and(|p| !random.chance(p));
            if misses {
                continue;
            }
            active.struck += 1;
            strikes.push(Strike {
                id: *id,
                kind: fault.kind.clone(),
                snapshot: active.snapshot.clone(),
            });
        }
        strikes
    }

    /// How a deployment of this service is to end.
    pub(crate) fn ending(
        &mut self,
        now: i64,
        random: &mut Random,
        names: &[&str],
    ) -> Option<Ending> {
        self.strike(now, random, |fault| {
            matches!(fault.kind, FaultKind::Deployment { .. })
                && fault
                    .object
                    .as_deref()
                    .is_none_or(|object| names.contains(&object))
        })
        .into_iter()
        .find_map(|strike| match strike.kind {
            FaultKind::Deployment { ending } => Some(ending.into()),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn struck(faults: &mut Faults, now: i64) -> bool {
        let mut random = Random::seeded(1);
        !faults.strike(now, &mut random, |_| true).is_empty()
    }

    #[test]
    fn the_nth_call_and_no_other_is_struck() {
        let mut faults = Faults::default();
        faults.inject(Fault::new(FaultKind::NotAuthorized).nth(2), 0, None);
        assert_eq!(
            [0, 0, 0].map(|now| struck(&mut faults, now)),
            [false, true, false]
        );
    }

    #[test]
    fn a_fault_wears_out_and_times_out() {
        let mut faults = Faults::default();
        faults.inject(Fault::new(FaultKind::NotAuthorized).times(1), 0, None);
        assert!(struck(&mut faults, 0));
        assert!(!struck(&mut faults, 0));
        faults.inject(Fault::new(FaultKind::NotAuthorized).lasting(1.0), 0, None);
        assert!(struck(&mut faults, 999));
        assert!(!struck(&mut faults, 1000));
    }

    #[test]
    fn a_fault_is_written_as_flat_json() {
        let fault: Fault = serde_json::from_str(
            r#"{"kind":"gateway-error","status":504,"when":"after","operation":"environmentCreate","times":1}"#,
        )
        .unwrap();
        assert_eq!(
            fault,
            Fault::new(FaultKind::GatewayError {
                status: 504,
                when: When::After,
                empty: false
            })
            .on("environmentCreate")
            .times(1)
        );
        let deployment: Fault = serde_json::from_str(
            r#"{"kind":"deployment","ending":{"ending":"crashes-after","seconds":3},"object":"api"}"#,
        )
        .unwrap();
        assert!(matches!(deployment.kind, FaultKind::Deployment { .. }));
    }
}
