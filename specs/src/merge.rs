//! One environment out of its layers.
//!
//! ```text
//! template.base → template.types.<type> → the Environment     maps merge, scalars and lists replace, null removes
//!        └─ parameters filled in ─┘              │
//!                                                ▼
//!                         spec.source into services → databases written out → no template left
//! ```
//!
//! The same layers always give the same result, and the result given in again comes out unchanged.

mod inherit;
pub(crate) mod layers;
mod overrides;
pub(crate) mod parameters;

#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::{
    engine,
    environment::{EnvironmentSpec, EnvironmentType},
    path::FieldPath,
    template::EnvironmentTemplateSpec,
    validate::{self, Fault, Faults},
};
use layers::Layered;

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
    let mut own = to_value(instance);
    let layers = match (template, &instance.template_ref) {
        (None, Some(missing)) => return Err(MergeError::TemplateMissing(missing.name.clone())),
        (None, None) => Layered::spec(&own),
        (Some(template), reference) => {
            let given = reference.as_ref().map(|r| &r.parameters);
            let below = template_layers(template, given, instance.environment_type)?;
            if let Value::Object(map) = &mut own {
                map.remove("templateRef");
            }
            let mut refused = Faults::default();
            let inherited = below.clone().into_value().unwrap_or_default();
            overrides::check(&inherited, &own, &template.allowed_overrides, &mut refused);
            refused.into_result().map_err(MergeError::Overrides)?;
            Layered::spec(&own).over(below)
        }
    };
    let mut merged = layers.into_value().unwrap_or_default();
    if let Value::Object(map) = &mut merged {
        map.entry("type")
            .or_insert_with(|| EnvironmentType::default().to_string().into());
    }
    let faults = validate::effective_spec(&merged);
    if !faults.is_empty() {
        return Err(MergeError::Effective(faults));
    }
    let mut spec: EnvironmentSpec = serde_json::from_value(merged).map_err(|error| {
        // What validation lets through and the types do not is a gap in validation; the person still gets an answer.
        let mut faults = Faults::default();
        faults.invalid(&FieldPath::root().key("spec"), error.to_string());
        MergeError::Effective(faults.into_vec())
    })?;
    inherit::inherit_source(&mut spec);
    for service in spec.services.values_mut().flatten() {
        engine::expand(service);
    }
    Ok(spec)
}

/// `base`, and on it the layer of the environment's type, with parameters filled in.
fn template_layers(
    template: &EnvironmentTemplateSpec,
    given: Option<&std::collections::BTreeMap<String, Value>>,
    environment_type: Option<EnvironmentType>,
) -> Result<Layered, MergeError> {
    let none = std::collections::BTreeMap::new();
    let at = FieldPath::from("spec.templateRef.parameters");
    let values = parameters::resolve(&template.parameters, given.unwrap_or(&none), &at)
        .map_err(MergeError::Parameters)?;

    let mut faults = Faults::default();
    let top = FieldPath::root().key("spec");
    let mut fill = |layer: &crate::template::Layer| {
        let value = Value::Object(layer.0.clone());
        parameters::substitute(&value, &values, &top, &mut faults)
    };
    let base = template.base.as_ref().map(&mut fill).unwrap_or_else(empty);
    // The base may say which type its environments are; a template of one type needs no second layer for it.
    let chosen = environment_type
        .map(|chosen| chosen.to_string())
        .or_else(|| base.get("type").and_then(Value::as_str).map(str::to_owned))
        .unwrap_or_else(|| EnvironmentType::default().to_string());
    let typed = template
        .types
        .get(&chosen)
        .map(&mut fill)
        .unwrap_or_else(empty);
    faults.into_result().map_err(MergeError::Parameters)?;
    Ok(Layered::spec(&typed).over(Layered::spec(&base)))
}

fn empty() -> Value {
    Value::Object(serde_json::Map::new())
}

fn to_value(spec: &EnvironmentSpec) -> Value {
    serde_json::to_value(spec)
        .expect("a spec holds nothing that JSON cannot: string keys and finite numbers")
}
