//! A plan as it is shown and stored: what will be done, why, and what it costs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The ordered list of what will change on Railway. Empty means synced.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlanView {
    /// Hash over what was desired, what was observed and what will be done; an approval names it.
    pub hash: String,
    /// What will be done, in order.
    #[serde(default)]
    pub actions: Vec<PlannedAction>,
    /// Railway requests it takes, observation included; a lower bound while something must still be waited for.
    #[serde(default)]
    pub requests: u32,
}

impl PlanView {
    /// Whether anything would be destroyed.
    pub fn is_destructive(&self) -> bool {
        self.actions.iter().any(|action| action.destroys)
    }
}

/// One entry of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlannedAction {
    /// Stable key, for example `service/web/variable/LOG_LEVEL`.
    pub target: String,
    /// What happens to the target.
    pub verb: PlanVerb,
    /// The entry as a sentence for people. Never holds a variable's value.
    pub sentence: String,
    /// Why it is there.
    pub reason: PlanReason,
    /// Whether data or a running service is lost.
    #[serde(default)]
    pub destroys: bool,
    /// Whether it starts a deployment.
    #[serde(default)]
    pub deploys: bool,
}

/// What happens to a target.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::Display,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum PlanVerb {
    /// It is made.
    Create,
    /// It is changed in place.
    Update,
    /// It is removed.
    Delete,
    /// A deployment is started, stopped or restarted.
    Deploy,
}

/// Why an action is in a plan.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::Display,
)]
pub enum PlanReason {
    /// Declared and not there.
    Missing,
    /// Declared, and the spec changed since it was last applied.
    SpecChanged,
    /// Declared and applied before, and something else changed it on Railway.
    Drifted,
    /// Was declared, and is no longer.
    NoLongerDeclared,
    /// The object is being deleted or has expired.
    Teardown,
    /// `spec.suspend` changed.
    Suspension,
    /// Somebody asked for it.
    Requested,
    /// Its rollout failed, and it goes back to what was good.
    RolledBack,
}
