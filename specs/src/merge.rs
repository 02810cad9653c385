//! One environment out of its layers.
//!
//! ```text
//! template.base → template.types.<type> → the Environment     maps merge, scalars and lists replace, null removes
//!        └─ parameters filled in ─┘              │
//!                                                ▼
//!                         spec.source into services → databases written out → no template left
//! ```
//!
//! The same layers always give the same result, and the result given in again comes out unchanged. [`explain`] says of
//! each value of the result where it comes from.

mod defaults;
mod inherit;
pub(crate) mod layers;
mod overrides;
pub(crate) mod parameters;
mod provenance;
mod stack;

#[cfg(test)]
mod tests;

pub use provenance::{Explained, Origin, Overridden, Traced, explain};
pub use stack::type_of;

use crate::{
    engine, environment::EnvironmentSpec, template::EnvironmentTemplateSpec, validate::Fault,
};
use stack::Stack;

/// Why layers do not come to an environment. Nothing changes about it until one of them does.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum MergeError {
    /// `templateRef` names a template that was not given.
    #[error("the template {0:?} is not there")]
    TemplateMissing(String),
    /// The template's parameters were not given, or not as declared.
    #[error("{}", listed("the template's parameters do not fit", .0))]
    Parameters(Vec<Fault>),
    /// The environment changes what the template does not let it change.
    #[error("{}", listed("the template does not allow this", .0))]
    Overrides(Vec<Fault>),
    /// Each layer is right alone, and what they come to is not.
    #[error("{}", listed("the environment with its template is not valid", .0))]
    Effective(Vec<Fault>),
}

impl MergeError {
    /// The single faults, for a client that shows them by path.
    pub fn faults(&self) -> &[Fault] {
        match self {
            Self::TemplateMissing(_) => &[],
            Self::Parameters(faults) | Self::Overrides(faults) | Self::Effective(faults) => faults,
        }
    }
}

fn listed(what: &str, faults: &[Fault]) -> String {
    let all: Vec<String> = faults.iter().map(Fault::to_string).collect();
    format!("{what}: {}", all.join("; "))
}

/// What an environment comes to: complete, without `null`, `templateRef` or unfilled parameters; every service with an
/// image or a repository, every database with its image, variables and volume.
///
/// Give the template that `templateRef` names: one of the same namespace, else the one that ships
/// ([`crate::templates::shipped`]).
///
/// # Errors
/// See [`MergeError`]; the faults speak in paths of the environment.
pub fn effective(
    template: Option<&EnvironmentTemplateSpec>,
    instance: &EnvironmentSpec,
) -> Result<EnvironmentSpec, MergeError> {
    let mut spec = Stack::of(template, instance)?.merged()?;
    inherit::inherit_source(&mut spec);
    expand_engines(&mut spec);
    Ok(spec)
}

fn expand_engines(spec: &mut EnvironmentSpec) {
    for service in spec.services.values_mut().flatten() {
        engine::expand(service);
    }
}
