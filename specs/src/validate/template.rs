//! The `spec` of an EnvironmentTemplate: its parameters, and each layer as what it will become.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use serde_json::Value;

use crate::{
    environment::EnvironmentType,
    merge::{layers::Layered, parameters},
    name::is_variable_name,
    nearest::suggestion,
    path::FieldPath,
    template::{Parameter, ParameterType},
    validate::{Fault, Faults, node::Node, paths, schemas, shape, spec},
};

const TYPES: [EnvironmentType; 4] = [
    EnvironmentType::Dev,
    EnvironmentType::Staging,
    EnvironmentType::Prod,
    EnvironmentType::Ephemeral,
];

pub(super) fn check(template: &Node<'_>, faults: &mut Faults) {
    let declared = check_parameters(&template.at("parameters"), faults);
    for path in template.at("allowedOverrides").items() {
        if let Some(Err(message)) = path
            .text()
            .map(|text| paths::check(text, schemas::environment_spec()))
        {
            faults.invalid(&path.path, message);
        }
    }
    check_waves(&template.at("rollout").at("waves"), faults);
    check_layer(&template.at("base"), &declared, faults);
    for (name, layer) in template.at("types").entries() {
        let names = TYPES.map(|known| known.to_string());
        if !names.iter().any(|known| known == name) {
            let near = suggestion(name, names.iter().map(String::as_str));
            faults.not_supported(
                &layer.path,
                format!("{name:?} is not one of {}{near}", names.join(", ")),
            );
        }
        if layer.at("type").is_given() {
            faults.forbidden(
                &layer.at("type").path,
                "the layer of a type is chosen by the type; leave it out",
            );
        }
        check_layer(&layer, &declared, faults);
        check_together(&template.at("base"), &layer, faults);
    }
}

/// An environment has one turn, so its type may stand in one wave only.
fn check_waves(waves: &Node<'_>, faults: &mut Faults) {
    let mut seen = BTreeSet::new();
    for wave in waves.items() {
        let types = wave.items();
        if wave.value.is_array() && types.is_empty() {
            faults.invalid(&wave.path, "a wave without a type; leave it out");
        }
        for node in types {
            if let Some(name) = node.text()
                && !seen.insert(name)
            {
                faults.duplicate(&node.path, format!("{name:?} stands in a wave already"));
            }
        }
    }
}

/// Faults that neither layer has alone, such as an image below and a repository above it.
fn check_together(base: &Node<'_>, layer: &Node<'_>, faults: &mut Faults) {
    let alone: BTreeSet<_> = [base, layer]
        .into_iter()
        .flat_map(|layer| rules_broken(layer.value, &layer.path))
        .map(|(below, fault)| (below, fault.reason))
        .collect();
    let merged = Layered::spec(layer.value).over(Layered::spec(base.value));
    let Some(merged) = merged.into_value() else {
        return;
    };
    for (below, fault) in rules_broken(&merged, &layer.path) {
        if !alone.contains(&(below, fault.reason)) {
            faults.push(fault);
        }
    }
}

/// What breaks a rule in `layer`, each with its path below it.
fn rules_broken(layer: &Value, at: &FieldPath) -> Vec<(String, Fault)> {
    let mut faults = Faults::default();
    spec::check(&Node::new(layer, at.clone(), true), false, &mut faults);
    faults
        .into_vec()
        .into_iter()
        .map(|fault| (fault.path[at.as_str().len()..].to_owned(), fault))
        .collect()
}

fn check_layer(layer: &Node<'_>, declared: &BTreeMap<String, ParameterType>, faults: &mut Faults) {
    if !layer.value.is_object() {
        return;
    }
    shape::walk(
        schemas::environment_spec(),
        layer.value,
        &layer.path,
        Some(declared),
        faults,
    );
    let open = Node::new(layer.value, layer.path.clone(), true);
    spec::check(&open, false, faults);
    for (key, why) in [
        ("templateRef", "templates do not build on templates"),
        (
            "name",
            "every environment of the template would have this one name",
        ),
    ] {
        if open.at(key).is_given() {
            faults.forbidden(&open.at(key).path, why);
        }
    }
}

/// Checks the declarations and returns what can be relied on of them.
fn check_parameters(parameters: &Node<'_>, faults: &mut Faults) -> BTreeMap<String, ParameterType> {
    let mut declared = BTreeMap::new();
    for (name, node) in parameters.entries() {
        if !is_variable_name(name) {
            faults.invalid(
                &node.path,
                "letters, digits and '_' only, not starting with a digit",
            );
        }
        let kind = node.at("type").value.clone();
        let Ok(kind) = serde_json::from_value::<ParameterType>(kind) else {
            continue;
        };
        declared.insert(name.to_owned(), kind);
        check_parameter(&node, kind, faults);
    }
    declared
}

fn check_parameter(node: &Node<'_>, kind: ParameterType, faults: &mut Faults) {
    let is_number = matches!(kind, ParameterType::Integer | ParameterType::Number);
    for (key, fits, owner) in [
        ("minimum", is_number, "numbers"),
        ("maximum", is_number, "numbers"),
        ("enum", kind == ParameterType::String, "strings"),
        ("pattern", kind == ParameterType::String, "strings"),
    ] {
        if node.at(key).is_given() && !fits {
            faults.forbidden(&node.at(key).path, format!("only for {owner}"));
        }
    }
    let (minimum, maximum) = (
        node.at("minimum").value.as_f64(),
        node.at("maximum").value.as_f64(),
    );
    if let (Some(minimum), Some(maximum)) = (minimum, maximum)
        && minimum > maximum
    {
        faults.invalid(&node.at("minimum").path, "above the maximum");
    }
    let pattern = node.at("pattern");
    let readable = pattern
        .value
        .as_str()
        .is_none_or(|text| Regex::new(text).is_ok());
    if !readable {
        faults.invalid(&pattern.path, "not a regular expression");
    }
    let default = node.at("default");
    if default.is_given()
        && readable
        && let Ok(parameter) = serde_json::from_value::<Parameter>(Value::clone(node.value))
        && let Err(message) = parameters::check(&parameter, default.value)
    {
        faults.invalid(&default.path, message);
    }
}
