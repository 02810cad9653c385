//! What pull requests are to have, what environments there are, and so what is to be done. Pure, total, deterministic.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use kube::ResourceExt as _;
use mirage_specs::{
    Environment, PreviewPolicy,
    preview_policy::{EndingCause, PreviewState, PreviewStatus},
};
use serde_json::Value;

use super::{
    child,
    queue::{Asking, queue},
    resolve::Preview,
};

/// What is known of a pull request.
#[derive(Clone, Debug, PartialEq)]
pub enum Known {
    /// Open, and the policy is for it: this is what it gets, under this name if it has none yet.
    Wanted {
        /// The name.
        name: String,
        /// What it gets.
        preview: Box<Preview>,
    },
    /// Open, and the policy is for it, but what it would get cannot be told; why.
    Unresolved(String),
    /// Open, and the policy is not for it; why.
    Unfit(String),
    /// Closed or merged.
    Closed,
    /// Not to be read from GitHub; why.
    Unread(String),
}

/// Everything a decision takes.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The policy.
    pub policy: &'a PreviewPolicy,
    /// What is remembered of each pull request, after [`super::life`] has taken in what was seen.
    pub lives: &'a BTreeMap<u64, PreviewStatus>,
    /// What is known of each.
    pub known: &'a BTreeMap<u64, Known>,
    /// The policy's own Environments.
    pub children: &'a [Environment],
    /// Names of other Environments in the namespace.
    pub taken: &'a BTreeSet<String>,
}

/// Why an Environment is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// Its pull request was merged.
    Merged,
    /// Its pull request was closed.
    Closed,
    /// Its time was over.
    Expired,
    /// Somebody asked.
    Destroyed,
    /// The policy is no longer for its pull request.
    Unfit,
    /// Its pull request has another.
    Surplus,
}

impl fmt::Display for Removal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Merged => "it was merged",
            Self::Closed => "it was closed",
            Self::Expired => "its time was over",
            Self::Destroyed => "somebody asked for it",
            Self::Unfit => "the policy is no longer for it",
            Self::Surplus => "it has another one",
        })
    }
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Make an Environment.
    Create {
        /// For which pull request.
        number: u64,
        /// Its name.
        name: String,
        /// What is applied.
        manifest: Value,
    },
    /// Bring one to another spec.
    Move {
        /// For which pull request.
        number: u64,
        /// Its name.
        name: String,
        /// What is applied.
        manifest: Value,
    },
    /// Delete one.
    Delete {
        /// For which pull request.
        number: u64,
        /// Its name.
        name: String,
        /// Its uid: one made since under the same name is another.
        uid: String,
        /// Why.
        why: Removal,
    },
}

impl Action {
    /// The pull request.
    pub fn number(&self) -> u64 {
        match self {
            Self::Create { number, .. }
            | Self::Move { number, .. }
            | Self::Delete { number, .. } => *number,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create { number, name, .. } => write!(f, "make environment {name} for #{number}"),
            Self::Move { number, name, .. } => {
                write!(f, "bring environment {name} to what #{number} is now")
            }
            Self::Delete {
                number, name, why, ..
            } => write!(f, "tear down environment {name} of #{number}: {why}"),
        }
    }
}

/// Where a pull request stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// In one word.
    pub state: PreviewState,
    /// Why, for people.
    pub message: Option<String>,
    /// Its place in the queue, from 1.
    pub place: Option<u32>,
}

impl Verdict {
    fn new(state: PreviewState, message: Option<String>) -> Self {
        Self {
            state,
            message,
            place: None,
        }
    }
}

/// What is to be done, and how everybody stands when it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// In order: what goes before what comes.
    pub actions: Vec<Action>,
    /// By pull request.
    pub verdicts: BTreeMap<u64, Verdict>,
}

/// Compares and decides.
pub fn diff(scene: Scene<'_>) -> Plan {
    let mut plan = Plan::default();
    let mut own: BTreeMap<u64, Vec<&Environment>> = BTreeMap::new();
    for environment in scene.children {
        if let Some(number) = child::number(environment) {
            own.entry(number).or_default().push(environment);
        }
    }
    for environments in own.values_mut() {
        // One that stays goes before one that goes already, and the oldest name before a later one.
        environments.sort_by_key(|environment| {
            (
                environment.metadata.deletion_timestamp.is_some(),
                environment.name_any(),
            )
        });
    }
    let mut asking = Vec::new();
    for (number, known) in scene.known {
        let environments = own.get(number).map(Vec::as_slice).unwrap_or_default();
        let life = scene.lives.get(number);
        if let Some(verdict) = settle(&mut plan, scene, *number, known, life, environments) {
            plan.verdicts.insert(*number, verdict);
        } else {
            let since = life.and_then(|life| life.asked_at).unwrap_or_default();
            asking.push(Asking {
                since,
                number: *number,
            });
        }
    }
    admit(&mut plan, scene, asking);
    let is_delete = |action: &Action| matches!(action, Action::Delete { .. });
    plan.actions
        .sort_by_key(|action| (!is_delete(action), action.number()));
    plan
}

/// Decides for a pull request whose place is not in question; `None` for one that asks for a place.
fn settle(
    plan: &mut Plan,
    scene: Scene<'_>,
    number: u64,
    known: &Known,
    life: Option<&PreviewStatus>,
    environments: &[&Environment],
) -> Option<Verdict> {
    let ended = life.and_then(|life| life.ended.as_ref());
    let gone = match (known, ended.map(|ended| ended.cause)) {
        (Known::Unread(why), _) => {
            return Some(Verdict::new(PreviewState::Unknown, Some(why.clone())));
        }
        (Known::Closed, _) if life.is_some_and(|life| life.merged) => {
            Some((Removal::Merged, PreviewState::Closed, None))
        }
        (Known::Closed, _) => Some((Removal::Closed, PreviewState::Closed, None)),
        (Known::Unfit(why), _) => Some((Removal::Unfit, PreviewState::Ignored, Some(why.clone()))),
        (_, Some(EndingCause::Expired)) => Some((Removal::Expired, PreviewState::Expired, None)),
        (_, Some(EndingCause::Destroyed)) => {
            Some((Removal::Destroyed, PreviewState::Destroyed, None))
        }
        (Known::Wanted { .. } | Known::Unresolved(_), None) => None,
    };
    if let Some((why, state, message)) = gone {
        remove(plan, number, environments, why);
        let state = if environments.is_empty() {
            state
        } else {
            PreviewState::TearingDown
        };
        return Some(Verdict::new(state, message));
    }
    let (standing, surplus) = match environments.split_first() {
        None => (None, environments),
        Some((first, rest)) => (Some(*first), rest),
    };
    remove(plan, number, surplus, Removal::Surplus);
    match (standing, known) {
        (Some(environment), _) if environment.metadata.deletion_timestamp.is_some() => {
            Some(Verdict::new(
                PreviewState::TearingDown,
                Some("it comes back once its old environment is gone".to_owned()),
            ))
        }
        // What is there stays as it is: what it should be is not known.
        (_, Known::Unresolved(why)) => Some(Verdict::new(PreviewState::Invalid, Some(why.clone()))),
        (Some(environment), Known::Wanted { preview, .. }) => {
            let name = environment.name_any();
            let manifest = written(scene.policy, number, &name, preview, life);
            if child::is_as(environment, &manifest) {
                let (state, message) = child::standing(environment);
                Some(Verdict::new(state, message))
            } else {
                plan.actions.push(Action::Move {
                    number,
                    name,
                    manifest,
                });
                Some(Verdict::new(PreviewState::Deploying, None))
            }
        }
        (None, Known::Wanted { name, .. }) if scene.taken.contains(name) => {
            Some(Verdict::new(PreviewState::Conflict, Some(conflict(name))))
        }
        _ => None,
    }
}

/// What is said of a name that somebody else has.
pub(super) fn conflict(name: &str) -> String {
    format!(
        "there is an Environment {name} already that this policy did not make, and it is left alone; delete it, or choose another spec.nameTemplate"
    )
}

fn written(
    policy: &PreviewPolicy,
    number: u64,
    name: &str,
    preview: &Preview,
    life: Option<&PreviewStatus>,
) -> Value {
    let redeploy_at = life.and_then(|life| life.redeploy_at);
    child::manifest(policy, number, name, &preview.spec, redeploy_at)
}

fn remove(plan: &mut Plan, number: u64, environments: &[&Environment], why: Removal) {
    for environment in environments {
        if environment.metadata.deletion_timestamp.is_none() {
            plan.actions.push(Action::Delete {
                number,
                name: environment.name_any(),
                uid: environment.uid().unwrap_or_default(),
                why,
            });
        }
    }
}

/// Gives the free places away. Environments that are being torn down still hold theirs.
fn admit(plan: &mut Plan, scene: Scene<'_>, asking: Vec<Asking>) {
    let queue = queue(
        asking,
        scene.children.len(),
        scene.policy.spec.max_concurrent,
    );
    for number in queue.admitted {
        let Some(Known::Wanted { name, preview }) = scene.known.get(&number) else {
            continue;
        };
        let life = scene.lives.get(&number);
        plan.actions.push(Action::Create {
            number,
            name: name.clone(),
            manifest: written(scene.policy, number, name, preview, life),
        });
        plan.verdicts
            .insert(number, Verdict::new(PreviewState::Deploying, None));
    }
    for (number, place) in queue.places {
        plan.verdicts.insert(
            number,
            Verdict {
                state: PreviewState::Queued,
                message: None,
                place: Some(place),
            },
        );
    }
}

#[cfg(test)]
mod tests;
