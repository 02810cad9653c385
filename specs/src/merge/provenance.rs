//! Where each value of an effective environment comes from, and what it took the place of.
//!
//! The layers are looked at once more, leaf by leaf, beside what came of them; [`super::effective`] itself carries no
//! trace, so that it stays as quick and as plain as it is. That both say the same is a law with a test of its own.

mod tracing;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{MergeError, defaults, expand_engines, inherit, stack::Stack};
use crate::{environment::EnvironmentSpec, path::FieldPath, template::EnvironmentTemplateSpec};
use tracing::{Tracing, leaves};

/// Who set a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "layer", rename_all = "camelCase")]
pub enum Origin {
    /// `base` of the template.
    TemplateBase,
    /// `types.<type>` of the template.
    TemplateType {
        /// The type.
        #[serde(rename = "type")]
        environment_type: String,
    },
    /// The environment itself.
    Environment,
    /// Another field of the environment, which services take over.
    Inherited {
        /// That field.
        from: String,
    },
    /// The short form of a database.
    Engine {
        /// The engine.
        engine: String,
    },
    /// Nobody: it is what Mirage does when nothing is said.
    Default,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TemplateBase => f.write_str("template base"),
            Self::TemplateType { environment_type } => {
                write!(f, "template types.{environment_type}")
            }
            Self::Environment => f.write_str("environment"),
            Self::Inherited { from } => f.write_str(from),
            Self::Engine { engine } => write!(f, "engine: {engine}"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// One value of an effective environment, or one that a layer had and that is gone.
#[derive(Clone, Debug, PartialEq)]
pub struct Traced {
    /// The field.
    pub path: FieldPath,
    /// Its value; `None` where something below was removed.
    pub value: Option<Value>,
    /// Who gave the value, or removed it.
    pub origin: Origin,
    /// Parameters of the template in the value.
    pub parameters: Vec<String>,
    /// What other layers say, nearest first.
    pub overridden: Vec<Overridden>,
    keys: Vec<String>,
}

impl Traced {
    /// The keys from the top of the spec to the field.
    pub fn keys(&self) -> &[String] {
        &self.keys
    }
}

/// What a layer says that another one lies over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Overridden {
    /// The layer.
    pub origin: Origin,
    /// Its value; `None` where it removes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
}

/// An effective environment with the origin of each of its values.
#[derive(Clone, Debug, PartialEq)]
pub struct Explained {
    /// As [`super::effective`] gives it, with what Mirage does by default written out.
    pub spec: EnvironmentSpec,
    /// Every value of `spec` once, and what was removed, by path.
    pub fields: Vec<Traced>,
    /// Parameters of the template with the values in force.
    pub parameters: BTreeMap<String, Value>,
}

impl Explained {
    /// What the environment itself says otherwise than its template.
    pub fn overrides(&self) -> impl Iterator<Item = &Traced> {
        self.fields.iter().filter(|field| {
            field.origin == Origin::Environment
                && field
                    .overridden
                    .iter()
                    .any(|below| below.value.is_some() && below.value != field.value)
        })
    }
}

/// As [`super::effective`], with the origin of each value. `name` is the object's own, by which Railway knows an
/// environment that names no other.
///
/// # Errors
/// Those of [`super::effective`].
pub fn explain(
    template: Option<&EnvironmentTemplateSpec>,
    instance: &EnvironmentSpec,
    name: &str,
) -> Result<Explained, MergeError> {
    let stack = Stack::of(template, instance)?;
    let mut spec = stack.merged()?;
    let merged = leaves(&spec);
    inherit::inherit_source(&mut spec);
    let inherited = leaves(&spec);
    expand_engines(&mut spec);
    let expanded = leaves(&spec);
    defaults::fill(&mut spec, name);
    let whole = leaves(&spec);
    let tracing = Tracing::new(template, &stack, [merged, inherited, expanded], &spec);
    let mut paths: BTreeSet<Vec<String>> = whole.keys().cloned().collect();
    paths.extend(tracing.places());
    let fields = paths
        .iter()
        .filter_map(|keys| match whole.get(keys) {
            Some(value) => Some(tracing.present(keys, value)),
            None => tracing.removed(keys),
        })
        .collect();
    Ok(Explained {
        spec,
        fields,
        parameters: stack.parameters,
    })
}

#[cfg(test)]
mod tests;
