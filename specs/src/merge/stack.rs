//! The layers of one environment, lowest first, and what they come to before anything is inherited or written out.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{MergeError, layers::Layered, overrides, parameters};
use crate::{
    environment::{EnvironmentSpec, EnvironmentType},
    path::FieldPath,
    template::{EnvironmentTemplateSpec, Layer},
    validate::{self, Faults},
};

/// The layers, with parameters filled in. What is not there is an empty map, which changes nothing.
pub(in crate::merge) struct Stack {
    /// `base` of the template.
    pub(in crate::merge) base: Value,
    /// `types.<type>` of the template.
    pub(in crate::merge) typed: Value,
    /// The environment's own spec, without `templateRef`.
    pub(in crate::merge) own: Value,
    /// The type that chose `typed`.
    pub(in crate::merge) chosen: String,
    /// The parameters in force: those given, else their defaults.
    pub(in crate::merge) parameters: BTreeMap<String, Value>,
}

impl Stack {
    /// Checks what each layer may say of those below it.
    pub(in crate::merge) fn of(
        template: Option<&EnvironmentTemplateSpec>,
        instance: &EnvironmentSpec,
    ) -> Result<Self, MergeError> {
        let mut own = serde_json::to_value(instance)
            .expect("a spec holds nothing that JSON cannot: string keys and finite numbers");
        let template = match (template, &instance.template_ref) {
            (None, Some(missing)) => return Err(MergeError::TemplateMissing(missing.name.clone())),
            (None, None) => {
                return Ok(Self {
                    base: empty(),
                    typed: empty(),
                    own,
                    chosen: type_of(None, instance).to_string(),
                    parameters: BTreeMap::new(),
                });
            }
            (Some(template), _) => template,
        };
        if let Value::Object(map) = &mut own {
            map.remove("templateRef");
        }
        let given = instance.template_ref.as_ref().map(|r| &r.parameters);
        let none = BTreeMap::new();
        let at = FieldPath::from("spec.templateRef.parameters");
        let parameters = parameters::resolve(&template.parameters, given.unwrap_or(&none), &at)
            .map_err(MergeError::Parameters)?;
        let (base, typed, chosen) = fill(template, &parameters, instance.environment_type)?;
        // Without a list everything may be overridden, and most templates have none.
        if !template.allowed_overrides.is_empty() {
            let below = Layered::spec(&typed).over(Layered::spec(&base));
            let inherited = below.into_value().unwrap_or_default();
            let mut refused = Faults::default();
            overrides::check(&inherited, &own, &template.allowed_overrides, &mut refused);
            refused.into_result().map_err(MergeError::Overrides)?;
        }
        Ok(Self {
            base,
            typed,
            own,
            chosen,
            parameters,
        })
    }

    /// The layers laid on each other, as a sound spec.
    pub(in crate::merge) fn merged(&self) -> Result<EnvironmentSpec, MergeError> {
        let below = Layered::spec(&self.typed).over(Layered::spec(&self.base));
        let layers = Layered::spec(&self.own).over(below);
        let mut merged = layers.into_value().unwrap_or_default();
        if let Value::Object(map) = &mut merged {
            map.entry("type")
                .or_insert_with(|| EnvironmentType::default().to_string().into());
        }
        let faults = validate::effective_spec(&merged);
        if !faults.is_empty() {
            return Err(MergeError::Effective(faults));
        }
        serde_json::from_value(merged).map_err(|error| {
            // What validation lets through and the types do not is a gap in validation; the person still gets an answer.
            let mut faults = Faults::default();
            faults.invalid(&FieldPath::root().key("spec"), error.to_string());
            MergeError::Effective(faults.into_vec())
        })
    }
}

/// The type by which an environment is handled: its own, else the one that the template's base gives, else `dev`.
pub fn type_of(
    template: Option<&EnvironmentTemplateSpec>,
    instance: &EnvironmentSpec,
) -> EnvironmentType {
    let of_base = || {
        let template = template?;
        let written = template.base.as_ref()?.0.get("type")?.as_str()?;
        let Some(parameter) = parameters::sole_parameter(written) else {
            return written.parse().ok();
        };
        let given = instance.template_ref.as_ref()?.parameters.get(parameter);
        let value = given.or_else(|| template.parameters.get(parameter)?.default.as_ref());
        value?.as_str()?.parse().ok()
    };
    instance
        .environment_type
        .or_else(of_base)
        .unwrap_or_default()
}

/// `base`, the layer of the environment's type, and that type, with parameters filled in.
fn fill(
    template: &EnvironmentTemplateSpec,
    values: &BTreeMap<String, Value>,
    environment_type: Option<EnvironmentType>,
) -> Result<(Value, Value, String), MergeError> {
    let mut faults = Faults::default();
    let top = FieldPath::root().key("spec");
    let mut filled = |layer: &Layer| {
        let value = Value::Object(layer.0.clone());
        parameters::substitute(&value, values, &top, &mut faults)
    };
    let base = template.base.as_ref().map_or_else(empty, &mut filled);
    // The base may say which type its environments are; a template of one type needs no second layer for it.
    let chosen = environment_type
        .map(|chosen| chosen.to_string())
        .or_else(|| base.get("type").and_then(Value::as_str).map(str::to_owned))
        .unwrap_or_else(|| EnvironmentType::default().to_string());
    let typed = template.types.get(&chosen).map_or_else(empty, &mut filled);
    faults.into_result().map_err(MergeError::Parameters)?;
    Ok((base, typed, chosen))
}

fn empty() -> Value {
    Value::Object(Map::new())
}
