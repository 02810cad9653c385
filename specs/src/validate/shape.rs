//! Types and field names, against the same structural schema that the CRDs carry.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::{
    duration::{self, Span},
    merge::parameters::{sole_parameter, used_parameters},
    nearest::suggestion,
    path::FieldPath,
    template::ParameterType,
    validate::Faults,
};

/// Parameters that a layer of a template may use, by name.
pub(super) type Open<'a> = Option<&'a BTreeMap<String, ParameterType>>;

/// Reports every value in `value` that `schema` does not allow.
pub(super) fn walk(
    schema: &Value,
    value: &Value,
    path: &FieldPath,
    open: Open<'_>,
    faults: &mut Faults,
) {
    if let (Some(declared), Some(text)) = (open, value.as_str())
        && !used_parameters(text).is_empty()
    {
        check_parameters(schema, text, declared, path, faults);
        return;
    }
    let free =
        schema["x-kubernetes-preserve-unknown-fields"] == true && schema["properties"].is_null();
    if free && schema["type"].is_null() {
        return;
    }
    if value.is_null() && schema["nullable"] == true {
        return;
    }
    let wanted = schema["type"].as_str().unwrap_or_default();
    if !has_type(value, wanted) {
        faults.type_invalid(path, expectation(wanted, value));
        return;
    }
    match value {
        Value::Object(map) if !free => walk_map(schema, map, path, open, faults),
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                walk(&schema["items"], item, &path.index(i), open, faults);
            }
        }
        Value::String(text) => check_text(schema, text, path, faults),
        Value::Number(number) => check_number(schema, number, path, faults),
        _ => {}
    }
}

fn walk_map(
    schema: &Value,
    map: &Map<String, Value>,
    path: &FieldPath,
    open: Open<'_>,
    faults: &mut Faults,
) {
    let fields = schema["properties"].as_object();
    let others = &schema["additionalProperties"];
    for (key, value) in map {
        let at = path.key(key);
        match fields.and_then(|fields| fields.get(key)) {
            Some(field) => walk(field, value, &at, open, faults),
            None if others.is_object() => walk(others, value, &at, open, faults),
            None => {
                let known = fields.into_iter().flat_map(Map::keys).map(String::as_str);
                faults.unknown(&at, format!("unknown field{}", suggestion(key, known)));
            }
        }
    }
    for field in schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        if map.get(field).is_none_or(Value::is_null) {
            faults.required(&path.key(field), "must be given");
        }
    }
}

fn has_type(value: &Value, wanted: &str) -> bool {
    match wanted {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        _ => true,
    }
}

fn expectation(wanted: &str, found: &Value) -> String {
    let wanted = match wanted {
        "object" => "a map",
        "array" => "a list",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        _ => "a string",
    };
    let (found, hint) = match found {
        Value::Null => ("nothing", ""),
        Value::Object(_) => ("a map", ""),
        Value::Array(_) => ("a list", ""),
        Value::String(_) => ("a string", ""),
        Value::Number(_) => ("a number", "; put it in quotes"),
        Value::Bool(_) => ("true or false", "; put it in quotes"),
    };
    let hint = if wanted == "a string" { hint } else { "" };
    format!("expected {wanted}, found {found}{hint}")
}

fn check_text(schema: &Value, text: &str, path: &FieldPath, faults: &mut Faults) {
    if let Some(allowed) = schema["enum"].as_array() {
        let allowed: Vec<&str> = allowed.iter().filter_map(Value::as_str).collect();
        if !allowed.contains(&text) {
            let near = suggestion(text, allowed.iter().copied());
            faults.not_supported(
                path,
                format!("{text:?} is not one of {}{near}", allowed.join(", ")),
            );
        }
    }
    if schema["pattern"] == duration::PATTERN
        && let Err(error) = text.parse::<Span>()
    {
        faults.invalid(path, error.to_string());
    }
    if schema["format"] == "date-time"
        && let Err(error) = text.parse::<Timestamp>()
    {
        faults.invalid(
            path,
            format!("not a point in time such as 2027-01-31T18:00:00Z: {error}"),
        );
    }
}

fn check_number(
    schema: &Value,
    number: &serde_json::Number,
    path: &FieldPath,
    faults: &mut Faults,
) {
    let Some(number) = number.as_f64() else {
        return;
    };
    let (minimum, maximum) = (schema["minimum"].as_f64(), schema["maximum"].as_f64());
    if minimum.is_some_and(|minimum| number < minimum) {
        faults.invalid(
            path,
            format!("{number} is below {}", minimum.unwrap_or_default()),
        );
    }
    if maximum.is_some_and(|maximum| number > maximum) {
        faults.invalid(
            path,
            format!("{number} is above {}", maximum.unwrap_or_default()),
        );
    }
}

/// A text with parameters: they must be declared, and one that stands alone must have the type of its place.
fn check_parameters(
    schema: &Value,
    text: &str,
    declared: &BTreeMap<String, ParameterType>,
    path: &FieldPath,
    faults: &mut Faults,
) {
    for name in used_parameters(text) {
        if !declared.contains_key(name) {
            let near = suggestion(name, declared.keys().map(String::as_str));
            faults.invalid(path, format!("no parameter {name:?} is declared{near}"));
        }
    }
    let wanted = schema["type"].as_str().unwrap_or_default();
    let given = match sole_parameter(text) {
        Some(name) => declared.get(name).copied(),
        None => Some(ParameterType::String),
    };
    let Some(given) = given else { return };
    let fits = match wanted {
        "" => true,
        "string" => given == ParameterType::String,
        "integer" => given == ParameterType::Integer,
        "number" => matches!(given, ParameterType::Integer | ParameterType::Number),
        "boolean" => given == ParameterType::Boolean,
        _ => false,
    };
    if !fits {
        faults.type_invalid(
            path,
            format!("this place takes the type {wanted}, the parameter gives {given}"),
        );
    }
}
