//! What a policy's environments look like before a pull request makes one of them its own. Pure.

use mirage_specs::{EnvironmentSpec, EnvironmentTemplateSpec};

/// What the environments are made from, as it was read.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// A template, to be filled in for each pull request.
    Template(Box<EnvironmentTemplateSpec>),
    /// An environment, with its own template below it.
    Environment(Box<EnvironmentSpec>),
}

impl Shape {
    /// The layers of a template that may say which repository services come from.
    pub(super) fn names_a_repository(template: &EnvironmentTemplateSpec) -> bool {
        let layers = template.base.iter().chain(template.types.get("ephemeral"));
        layers
            .filter_map(|layer| layer.0.get("source"))
            .any(|source| source["repo"].is_string())
    }
}
