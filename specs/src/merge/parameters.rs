//! Parameters of a template: checking what an environment gives, and putting it in place of `${{params.NAME}}`.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value;

use crate::{
    nearest::suggestion,
    path::FieldPath,
    template::{Parameter, ParameterType},
    validate::{Fault, Faults},
};

/// The values in force: what the environment gives, else the defaults.
pub(super) fn resolve(
    declared: &BTreeMap<String, Parameter>,
    given: &BTreeMap<String, Value>,
    at: &FieldPath,
) -> Result<BTreeMap<String, Value>, Vec<Fault>> {
    let mut faults = Faults::default();
    let mut values = BTreeMap::new();
    for (name, value) in given {
        let path = at.key(name);
        match declared.get(name) {
            None => faults.unknown(
                &path,
                format!(
                    "the template has no such parameter{}",
                    suggestion(name, declared.keys().map(String::as_str))
                ),
            ),
            Some(parameter) => match check(parameter, value) {
                Ok(()) => {
                    values.insert(name.clone(), value.clone());
                }
                Err(message) => faults.invalid(&path, message),
            },
        }
    }
    for (name, parameter) in declared {
        if given.contains_key(name) {
            continue;
        }
        match &parameter.default {
            Some(default) => {
                values.insert(name.clone(), default.clone());
            }
            None => faults.required(
                &at.key(name),
                "the template has no default for this parameter",
            ),
        }
    }
    faults.into_result().map(|()| values)
}

/// Whether a parameter takes a value; the message says why not.
pub(crate) fn check(parameter: &Parameter, value: &Value) -> Result<(), String> {
    let fits = match parameter.parameter_type {
        ParameterType::String => value.is_string(),
        ParameterType::Integer => value.is_i64() || value.is_u64(),
        ParameterType::Number => value.is_number(),
        ParameterType::Boolean => value.is_boolean(),
    };
    if !fits {
        return Err(format!("expected {}", article(parameter.parameter_type)));
    }
    if let Some(number) = value.as_f64() {
        if let Some(minimum) = parameter.minimum.filter(|minimum| number < *minimum) {
            return Err(format!("must be at least {minimum}"));
        }
        if let Some(maximum) = parameter.maximum.filter(|maximum| number > *maximum) {
            return Err(format!("must be at most {maximum}"));
        }
    }
    if let Some(text) = value.as_str() {
        if !parameter.allowed.is_empty() && !parameter.allowed.iter().any(|a| a == text) {
            return Err(format!("must be one of {}", parameter.allowed.join(", ")));
        }
        if let Some(pattern) = &parameter.pattern {
            // The whole value must match: a pattern that matches somewhere inside says little about it.
            let matches = Regex::new(&format!("^(?:{pattern})$"))
                .map_err(|_| format!("the template's pattern {pattern:?} cannot be read"))?
                .is_match(text);
            if !matches {
                return Err(format!("must match {pattern:?}"));
            }
        }
    }
    Ok(())
}

fn article(parameter_type: ParameterType) -> &'static str {
    match parameter_type {
        ParameterType::String => "a string",
        ParameterType::Integer => "a whole number",
        ParameterType::Number => "a number",
        ParameterType::Boolean => "true or false",
    }
}

/// The name, when `text` is one parameter and nothing else.
pub(crate) fn sole_parameter(text: &str) -> Option<&str> {
    let body = text.trim().strip_prefix("${{")?.strip_suffix("}}")?;
    let name = body.trim().strip_prefix("params.")?;
    (!name.contains("${{")).then_some(name)
}

/// Names of the parameters that `text` uses.
pub(crate) fn used_parameters(text: &str) -> Vec<&str> {
    pieces(text)
        .into_iter()
        .filter_map(|piece| match piece {
            Piece::Parameter(name) => Some(name),
            Piece::Text(_) => None,
        })
        .collect()
}

enum Piece<'a> {
    Text(&'a str),
    Parameter(&'a str),
}

/// `text` cut into parameters and all that lies between them, Railway's own references included.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut from = 0;
    let mut search = 0;
    while let Some(start) = text[search..].find("${{").map(|at| search + at) {
        let Some(end) = text[start..].find("}}").map(|at| start + at) else {
            break;
        };
        search = end + 2;
        if let Some(name) = text[start + 3..end].trim().strip_prefix("params.") {
            found.push(Piece::Text(&text[from..start]));
            found.push(Piece::Parameter(name));
            from = search;
        }
    }
    found.push(Piece::Text(&text[from..]));
    found
}

/// `value` with every parameter filled in. Alone in a string a parameter keeps its type; beside other text it is text.
pub(super) fn substitute(
    value: &Value,
    parameters: &BTreeMap<String, Value>,
    path: &FieldPath,
    faults: &mut Faults,
) -> Value {
    match value {
        Value::String(text) => substitute_text(text, parameters, path, faults),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(i, item)| substitute(item, parameters, &path.index(i), faults))
            .collect(),
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(key, value)| {
                    (
                        key.clone(),
                        substitute(value, parameters, &path.key(key), faults),
                    )
                })
                .collect(),
        ),
        other => other.clone(),
    }
}

fn substitute_text(
    text: &str,
    parameters: &BTreeMap<String, Value>,
    path: &FieldPath,
    faults: &mut Faults,
) -> Value {
    if let Some(value) = sole_parameter(text).and_then(|name| parameters.get(name)) {
        return value.clone();
    }
    let mut filled = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => filled.push_str(text),
            Piece::Parameter(name) => match parameters.get(name) {
                Some(Value::String(value)) => filled.push_str(value),
                Some(value) => filled.push_str(&value.to_string()),
                None => faults.invalid(
                    path,
                    format!(
                        "the template uses a parameter {name:?} that it does not declare{}",
                        suggestion(name, parameters.keys().map(String::as_str))
                    ),
                ),
            },
        }
    }
    Value::String(filled)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parameters() -> BTreeMap<String, Value> {
        [
            ("n".to_owned(), json!(3)),
            ("host".to_owned(), json!("example.com")),
        ]
        .into()
    }

    fn filled(value: Value) -> (Value, Vec<Fault>) {
        let mut faults = Faults::default();
        let value = substitute(&value, &parameters(), &FieldPath::root(), &mut faults);
        (value, faults.into_vec())
    }

    #[test]
    fn a_parameter_alone_keeps_its_type_and_beside_text_becomes_text() {
        for (written, wanted) in [
            (json!("${{params.n}}"), json!(3)),
            (json!("${{ params.n }}"), json!(3)),
            (
                json!("${{params.n}} of ${{params.host}}"),
                json!("3 of example.com"),
            ),
            (
                json!(["https://${{params.host}}/"]),
                json!(["https://example.com/"]),
            ),
            (
                json!("${{postgres.URL}} ${{shared.X}}"),
                json!("${{postgres.URL}} ${{shared.X}}"),
            ),
            (json!("${{unclosed"), json!("${{unclosed")),
        ] {
            assert_eq!(filled(written), (wanted, Vec::new()));
        }
    }

    #[test]
    fn an_undeclared_parameter_is_a_fault_at_its_place() {
        let (_, faults) = filled(json!({"a": ["${{params.hots}}"]}));
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].path, "a[0]");
        assert!(
            faults[0].message.contains("\"host\""),
            "{}",
            faults[0].message
        );
    }

    #[test]
    fn values_are_checked_against_the_declaration() {
        let declared: BTreeMap<String, Parameter> = serde_json::from_value(json!({
            "n": {"type": "integer", "minimum": 1, "maximum": 5},
            "size": {"type": "string", "enum": ["small", "large"], "default": "small"},
            "tag": {"type": "string", "pattern": "[0-9]+"},
        }))
        .unwrap();
        let at = FieldPath::root().key("p");
        let check = |given: Value| {
            let given = serde_json::from_value(given).unwrap();
            resolve(&declared, &given, &at).map_err(|faults| {
                faults
                    .into_iter()
                    .map(|f| format!("{}: {}", f.path, f.message))
                    .collect::<Vec<_>>()
            })
        };
        assert_eq!(
            check(json!({"n": 2, "tag": "12"})).unwrap(),
            [
                ("n".to_owned(), json!(2)),
                ("size".to_owned(), json!("small")),
                ("tag".to_owned(), json!("12"))
            ]
            .into()
        );
        assert_eq!(
            check(json!({"n": 9, "tag": "v1", "szie": "x"})).unwrap_err(),
            [
                "p.n: must be at most 5",
                "p.szie: the template has no such parameter (did you mean \"size\"?)",
                "p.tag: must match \"[0-9]+\"",
            ]
        );
        assert_eq!(
            check(json!({"n": "2"})).unwrap_err(),
            [
                "p.n: expected a whole number",
                "p.tag: the template has no default for this parameter"
            ]
        );
    }
}
