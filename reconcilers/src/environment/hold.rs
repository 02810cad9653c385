//! Why something that is wanted is not done yet.

use std::fmt;

use mirage_railway::id::{EnvironmentId, ProjectId};

/// Why something waits. Each is a sentence for the person who owns the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Railway could not be read completely, so nothing is concluded from what seems to be missing.
    Unobserved {
        /// Railway's or our own words.
        why: String,
    },
    /// A call was made whose answer was lost, or whose effect is not visible yet.
    AwaitingVisibility {
        /// What is awaited.
        what: String,
    },
    /// The Railway environment belongs to somebody else; nothing is touched.
    Conflict {
        /// What is in the way.
        why: String,
    },
    /// It was to be taken over as it is, and the spec does not describe what there is.
    ImportDiffers {
        /// What would be changed, as sentences.
        differences: Vec<String>,
    },
    /// The environment to take over is not there.
    ImportMissing {
        /// Railway's id.
        id: EnvironmentId,
        /// Where it was looked for.
        place: String,
    },
    /// The project was given by id, and there is none that this token can see.
    ProjectMissing {
        /// Railway's id.
        id: ProjectId,
    },
    /// Railway is applying our last change.
    ChangeApplying,
    /// Another environment is making the project right now.
    AwaitingProject {
        /// The project's name.
        name: String,
    },
    /// Sequential rollout: an earlier wave is not healthy yet.
    WaitingForDependency {
        /// The service that waits.
        service: String,
        /// The services it waits for.
        on: Vec<String>,
    },
    /// The template changed, and other environments follow it first.
    WaitingForWave {
        /// The template.
        template: String,
        /// The environments that come first.
        on: Vec<String>,
    },
    /// The template changed, and environments that followed it failed.
    TemplateHalted {
        /// The template.
        template: String,
        /// The environments that failed.
        by: Vec<String>,
    },
    /// Two parties keep changing the same thing.
    Fight {
        /// The target both claim.
        target: String,
        /// How often it was repaired.
        repairs: u32,
    },
    /// The rollout failed; nothing more is deployed.
    RolloutHalted {
        /// What happened, and the next step.
        message: String,
    },
    /// The rollout failed, and what failed is on its way back.
    RollingBack {
        /// What happened.
        message: String,
    },
    /// The rollout failed, and what failed is back at what was good.
    RolledBack {
        /// What happened, and the next step.
        message: String,
    },
    /// Every deployment was stopped at once, and not by us.
    EverythingStopped,
    /// A variable must be copied from a place that is not there or cannot be read.
    CopySourceMissing {
        /// The variable.
        variable: String,
        /// Where it should come from.
        from: String,
    },
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unobserved { why } => write!(
                f,
                "Railway could not be read completely ({why}); nothing is changed until it can"
            ),
            Self::AwaitingVisibility { what } => write!(f, "waiting for Railway to show {what}"),
            Self::Conflict { why } => write!(
                f,
                "{why}; choose another spec.name, or delete the other one, or import it"
            ),
            Self::ImportDiffers { differences } => write!(
                f,
                "not imported, and nothing was touched: the spec does not describe what is on Railway ({}); correct the \
                 spec, or take the annotation mirage.dev/import away and choose another spec.name",
                differences.join("; ")
            ),
            Self::ImportMissing { id, place } => write!(
                f,
                "there is no environment {id} in {place} that this account can see; check the annotation \
                 mirage.dev/import and spec.project"
            ),
            Self::ProjectMissing { id } => write!(
                f,
                "there is no project {id} that this account can see; check spec.project.id and the token's workspace"
            ),
            Self::ChangeApplying => write!(f, "Railway is applying the last change"),
            Self::AwaitingProject { name } => write!(
                f,
                "another environment is creating project {name} right now"
            ),
            Self::WaitingForDependency { service, on } => {
                write!(f, "{service} waits until {} is healthy", on.join(", "))
            }
            Self::WaitingForWave { template, on } => write!(
                f,
                "template {template} changed, and {} before this environment; to let it follow at once, set the \
                 annotation mirage.dev/retry",
                first_of(on, "follows", "follow")
            ),
            Self::TemplateHalted { template, by } => write!(
                f,
                "the change of template {template} is halted: {} failed with it; mend that or the template, or, to let \
                 this environment follow all the same, set the annotation mirage.dev/retry",
                first_of(by, "", "").trim_end()
            ),
            Self::Fight { target, repairs } => write!(
                f,
                "{target} was repaired {repairs} times and changed back each time; stop whatever else changes it, \
                 or add it to spec.drift.ignore, then set the annotation mirage.dev/retry"
            ),
            Self::RolloutHalted { message }
            | Self::RollingBack { message }
            | Self::RolledBack { message } => f.write_str(message),
            Self::EverythingStopped => write!(
                f,
                "every deployment was stopped at once, as a usage limit does; check the workspace's usage, \
                 then set the annotation mirage.dev/retry"
            ),
            Self::CopySourceMissing { variable, from } => {
                write!(f, "variable {variable} cannot be copied: {from}")
            }
        }
    }
}

/// Names, the first few of them: a message is not a list of a hundred environments.
fn first_of(names: &[String], one: &str, several: &str) -> String {
    const SHOWN: usize = 5;
    let shown = names[..names.len().min(SHOWN)].join(", ");
    let verb = if names.len() == 1 { one } else { several };
    match names.len().checked_sub(SHOWN) {
        None | Some(0) => format!("{shown} {verb}"),
        Some(more) => format!("{shown} and {more} more {verb}"),
    }
}
