//! Whose turn it is.

use mirage_specs::{Environment, merge, status::TemplateStanding, template::OnFailedWave};

use super::Revision;

/// Whether an environment may follow yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It may.
    Go,
    /// These come first.
    Wait {
        /// Their names.
        on: Vec<String>,
    },
    /// These failed with the change, and nobody follows them.
    Halted {
        /// Their names.
        by: Vec<String>,
    },
}

/// Whether it is the turn of `environment`, among `all` of them.
pub fn turn<E: AsRef<Environment>>(
    revision: &Revision,
    environment: &Environment,
    all: &[E],
) -> Turn {
    let rollout = revision.spec.rollout.clone().unwrap_or_default();
    let halts = rollout.on_failure.unwrap_or_default() == OnFailedWave::Halt;
    let wave = |of: &Environment| rollout.wave(merge::type_of(Some(&revision.spec), &of.spec));
    let own = wave(environment);
    let mut others: Vec<&Environment> = all
        .iter()
        .map(AsRef::as_ref)
        .filter(|other| is_other_follower(revision, environment, other))
        .collect();
    others.sort_by_key(|other| (wave(other), &other.metadata.name));
    let standing = |of: &Environment| {
        let status = of.status.as_ref()?.template.as_ref()?;
        revision.is(status).then_some(status.standing)
    };
    let names = |which: &dyn Fn(&Environment) -> bool| -> Vec<String> {
        let chosen = others.iter().filter(|other| which(other));
        chosen
            .filter_map(|other| other.metadata.name.clone())
            .collect()
    };
    let failed = names(&|other| {
        halts && wave(other) <= own && standing(other) == Some(TemplateStanding::Failed)
    });
    if !failed.is_empty() {
        return Turn::Halted { by: failed };
    }
    let is_open = |other: &Environment| match standing(other) {
        None => counts(other),
        Some(TemplateStanding::Applying) => true,
        Some(
            TemplateStanding::Failed | TemplateStanding::Settled | TemplateStanding::Uncounted,
        ) => false,
    };
    let before = names(&|other| wave(other) < own && is_open(other));
    if !before.is_empty() {
        return Turn::Wait { on: before };
    }
    let ahead = names(&|other| {
        let has_begun = standing(other).is_some();
        wave(other) == own
            && is_open(other)
            && (has_begun || other.metadata.name < environment.metadata.name)
    });
    if ahead.len() < rollout.parallel() {
        Turn::Go
    } else {
        Turn::Wait { on: ahead }
    }
}

fn is_other_follower(revision: &Revision, environment: &Environment, other: &Environment) -> bool {
    let reference = other.spec.template_ref.as_ref();
    other.metadata.namespace == environment.metadata.namespace
        && other.metadata.name != environment.metadata.name
        && other.metadata.deletion_timestamp.is_none()
        && other.spec.suspend != Some(true)
        && reference.is_some_and(|reference| reference.name == revision.name)
}

/// Whether an environment has something to lose: one that has long been broken neither holds others up nor stops them.
/// What is not known counts, so that nobody goes first because Railway could not be read.
pub fn counts(environment: &Environment) -> bool {
    let Some(status) = &environment.status else {
        return false;
    };
    let is = |kind: &str, truth: &str| {
        status
            .conditions
            .iter()
            .any(|condition| condition.type_ == kind && condition.status == truth)
    };
    match status.template.as_ref().map(|template| template.standing) {
        Some(TemplateStanding::Applying | TemplateStanding::Failed) => true,
        Some(TemplateStanding::Settled) => !is("Degraded", "True"),
        Some(TemplateStanding::Uncounted) | None => is("Ready", "True") || is("Ready", "Unknown"),
    }
}
