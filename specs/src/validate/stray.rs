//! Parameters of a template in a place where nobody fills them in.

use serde_json::Value;

use crate::{
    merge::parameters::used_parameters,
    path::FieldPath,
    validate::{Faults, node::Node},
};

/// Reports every `${{params.NAME}}` in a spec to which no template will be applied any more: left as it is, it would
/// reach Railway as a text. Variables are looked through by their own rules, which know references.
pub(super) fn check(spec: &Node<'_>, faults: &mut Faults) {
    let services = spec.at("services").entries();
    let of_services = services.iter().flat_map(|(_, service)| service.entries());
    for (key, node) in spec.entries().into_iter().chain(of_services) {
        if key != "services" && key != "variables" {
            walk(node.value, &node.path, faults);
        }
    }
}

fn walk(value: &Value, path: &FieldPath, faults: &mut Faults) {
    match value {
        Value::String(text) if !used_parameters(text).is_empty() => faults.invalid(
            path,
            "parameters are filled in inside a template's base and types only: write the value here",
        ),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &path.index(index), faults);
            }
        }
        Value::Object(map) => {
            for (key, value) in map {
                walk(value, &path.key(key), faults);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
