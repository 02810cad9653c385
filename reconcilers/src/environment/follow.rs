//! Following a template: a changed one reaches its environments in waves. Pure.
//!
//! ```text
//!             not taken yet ──turn──► Applying ──► Settled
//!                   ▲                    │  ▲
//!         the template changed           ▼  │
//!                   └──────────────── Failed ┘        Uncounted: was not ready before, says nothing
//! ```
//!
//! Nobody runs a rollout. Each environment decides at its own visit, from what all of them say of themselves in their
//! status, whether it is its turn; so it goes on after any crash where it stood. Two that look at the same time do not
//! both take the last place: who is ahead goes by name, and one that is ahead counts whether it has begun or not.

mod turn;

use mirage_specs::{
    Environment, EnvironmentTemplateSpec, merge,
    plan::PlanReason,
    status::{TemplateStanding, TemplateStatus},
};
use sha2::{Digest, Sha256};

pub use turn::{Turn, counts, turn};

use super::plan::{Hold, Plan};

/// Paths of overridden values that a status names; the rest is counted. `mirage effective` shows them all.
const NAMED_OVERRIDES: usize = 10;

/// A template as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Revision {
    /// Its name.
    pub name: String,
    /// Its generation; `None` for one that ships with Mirage.
    pub generation: Option<i64>,
    /// Digest over its layers and parameters: what its environments come to follows from nothing else of it.
    pub digest: String,
    /// What it says.
    pub spec: EnvironmentTemplateSpec,
}

impl Revision {
    /// The revision that `spec` is.
    pub fn new(name: &str, generation: Option<i64>, spec: EnvironmentTemplateSpec) -> Self {
        // How it is rolled out and described changes no environment.
        let meaning = EnvironmentTemplateSpec {
            description: None,
            rollout: None,
            ..spec.clone()
        };
        let text = serde_json::to_string(&meaning).expect("a template is JSON");
        Self {
            name: name.to_owned(),
            generation,
            digest: hex::encode(&Sha256::digest(text.as_bytes())[..6]),
            spec,
        }
    }

    fn is(&self, status: &TemplateStatus) -> bool {
        status.name == self.name && status.digest == self.digest
    }
}

/// Keeps back what a changed template brings while it is not this environment's turn; what people asked for and the repair
/// of drift go on. `is_forced` is a person's wish to follow at once.
pub fn keep_back(
    plan: &mut Plan,
    revision: &Revision,
    environment: &Environment,
    turn: &Turn,
    is_forced: bool,
) {
    let followed = environment
        .status
        .as_ref()
        .and_then(|status| status.template.as_ref());
    // One that follows a template for the first time, or another than before, does so because its owner said so.
    let is_changed = followed.is_some_and(|followed| {
        followed.name == revision.name && followed.digest != revision.digest
    });
    let hold = match turn {
        Turn::Go => return,
        _ if is_forced || !is_changed => return,
        Turn::Wait { on } => Hold::WaitingForWave {
            template: revision.name.clone(),
            on: on.clone(),
        },
        Turn::Halted { by } => Hold::TemplateHalted {
            template: revision.name.clone(),
            by: by.clone(),
        },
    };
    let planned = plan.entries.len();
    plan.entries.retain(|entry| match entry.reason {
        PlanReason::Missing | PlanReason::SpecChanged | PlanReason::NoLongerDeclared => false,
        PlanReason::Drifted
        | PlanReason::Teardown
        | PlanReason::Suspension
        | PlanReason::Requested
        | PlanReason::RolledBack => true,
    });
    if plan.entries.len() < planned {
        plan.holds.push(hold);
        // Another plan: whoever approves what is left of it has not seen what is kept back.
        let whole = std::mem::take(plan);
        let basis = whole.hash.clone();
        *plan = whole.sealed(&[&basis]);
    }
}

/// What the status says of the template once the plan is known: an environment takes a revision when it may, or when the
/// revision changes nothing about it.
pub fn followed(
    revision: &Revision,
    environment: &Environment,
    plan: &Plan,
    turn: &Turn,
    is_forced: bool,
) -> Option<TemplateStatus> {
    let earlier = environment
        .status
        .as_ref()
        .and_then(|status| status.template.as_ref());
    let is_held = plan.holds.iter().any(|hold| {
        matches!(
            hold,
            Hold::WaitingForWave { .. } | Hold::TemplateHalted { .. }
        )
    });
    // With nothing planned because something must be waited for, whether the revision changes anything is not known.
    let changes_nothing = plan.entries.is_empty() && plan.holds.is_empty();
    let is_other = earlier.is_none_or(|earlier| earlier.name != revision.name);
    let may = *turn == Turn::Go || is_forced || is_other || changes_nothing;
    if is_held || !may {
        return earlier.cloned();
    }
    Some(taken(revision, environment))
}

/// The revision, taken. One that was taken before keeps its standing.
pub fn taken(revision: &Revision, environment: &Environment) -> TemplateStatus {
    let status = environment.status.clone().unwrap_or_default();
    let same = status
        .template
        .as_ref()
        .filter(|earlier| revision.is(earlier));
    let is_told = same.is_some() && status.observed_generation == environment.metadata.generation;
    if let (Some(same), true) = (same, is_told) {
        return TemplateStatus {
            generation: revision.generation,
            ..same.clone()
        };
    }
    let standing = match same {
        Some(same) => same.standing,
        None if counts(environment) => TemplateStanding::Applying,
        None => TemplateStanding::Uncounted,
    };
    let name = environment.metadata.name.as_deref().unwrap_or_default();
    // One that does not fit is refused in other words; it has no overrides to speak of.
    let paths: Vec<String> = merge::explain(Some(&revision.spec), &environment.spec, name)
        .map(|explained| {
            let all = explained.overrides();
            all.map(|field| field.path.to_string()).collect()
        })
        .unwrap_or_default();
    TemplateStatus {
        name: revision.name.clone(),
        generation: revision.generation,
        digest: revision.digest.clone(),
        standing,
        overrides: u32::try_from(paths.len()).unwrap_or(u32::MAX),
        overridden: paths.into_iter().take(NAMED_OVERRIDES).collect(),
    }
}

/// The standing after a visit. Once settled it stays so: what breaks later is not the template's doing.
pub fn standing_after(
    before: TemplateStanding,
    is_fine: bool,
    is_degraded: bool,
) -> TemplateStanding {
    match before {
        TemplateStanding::Settled => TemplateStanding::Settled,
        _ if is_fine => TemplateStanding::Settled,
        TemplateStanding::Uncounted => TemplateStanding::Uncounted,
        TemplateStanding::Applying | TemplateStanding::Failed if is_degraded => {
            TemplateStanding::Failed
        }
        TemplateStanding::Applying | TemplateStanding::Failed => TemplateStanding::Applying,
    }
}
