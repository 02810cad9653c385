//! Bounds on a value whose type is already right: enumerations, patterns, sizes, and combinations of schemas.

use regex::Regex;
use serde_json::Value;

use super::Schema;
use crate::error::CauseReason;

#[derive(Debug, Clone, Default)]
pub(super) struct Rules {
    options: Vec<Value>,
    pattern: Option<Regex>,
    minimum: Option<f64>,
    maximum: Option<f64>,
    exclusive_minimum: bool,
    exclusive_maximum: bool,
    multiple_of: Option<f64>,
    min_length: Option<u64>,
    max_length: Option<u64>,
    min_items: Option<u64>,
    max_items: Option<u64>,
    min_properties: Option<u64>,
    max_properties: Option<u64>,
    unique_items: bool,
    all_of: Vec<Schema>,
    any_of: Vec<Schema>,
    one_of: Vec<Schema>,
    not: Option<Box<Schema>>,
}

impl Rules {
    pub(super) fn parse(document: &Value) -> Self {
        let schemas = |name: &str| {
            document[name]
                .as_array()
                .into_iter()
                .flatten()
                .map(Schema::parse)
                .collect()
        };
        Self {
            options: document["enum"].as_array().cloned().unwrap_or_default(),
            // A pattern that this dialect cannot express is left to the kind's own validation.
            pattern: document["pattern"]
                .as_str()
                .and_then(|pattern| Regex::new(pattern).ok()),
            minimum: document["minimum"].as_f64(),
            maximum: document["maximum"].as_f64(),
            exclusive_minimum: document["exclusiveMinimum"] == true,
            exclusive_maximum: document["exclusiveMaximum"] == true,
            multiple_of: document["multipleOf"].as_f64(),
            min_length: document["minLength"].as_u64(),
            max_length: document["maxLength"].as_u64(),
            min_items: document["minItems"].as_u64(),
            max_items: document["maxItems"].as_u64(),
            min_properties: document["minProperties"].as_u64(),
            max_properties: document["maxProperties"].as_u64(),
            unique_items: document["uniqueItems"] == true,
            all_of: schemas("allOf"),
            any_of: schemas("anyOf"),
            one_of: schemas("oneOf"),
            not: document["not"]
                .is_object()
                .then(|| Box::new(Schema::parse(&document["not"]))),
        }
    }

    /// Calls `fault` for each rule that `value` breaks; `{path}` in the message stands for where the value is.
    pub(super) fn check(&self, value: &Value, mut fault: impl FnMut(CauseReason, String)) {
        use CauseReason::{FieldValueInvalid, FieldValueNotSupported, FieldValueTooLong};
        if !self.options.is_empty() && !self.options.contains(value) {
            let supported: Vec<String> = self.options.iter().map(Value::to_string).collect();
            let message = format!(
                "Unsupported value: {value}: supported values: {}",
                supported.join(", ")
            );
            fault(FieldValueNotSupported, message);
        }
        match value {
            Value::String(text) => {
                let length = text.chars().count() as u64;
                if let Some(most) = self.max_length.filter(|most| length > *most) {
                    fault(
                        FieldValueTooLong,
                        format!("Too long: may not be longer than {most}"),
                    );
                }
                if let Some(least) = self.min_length.filter(|least| length < *least) {
                    let message = format!("{{path}} in body should be at least {least} chars long");
                    fault(FieldValueInvalid, invalid(value, &message));
                }
                if let Some(pattern) = self
                    .pattern
                    .as_ref()
                    .filter(|pattern| !pattern.is_match(text))
                {
                    fault(
                        FieldValueInvalid,
                        invalid(value, &format!("{{path}} in body should match '{pattern}'")),
                    );
                }
            }
            Value::Number(number) => {
                if let Some(message) = number.as_f64().and_then(|number| self.number_fault(number))
                {
                    fault(FieldValueInvalid, invalid(value, &message));
                }
            }
            Value::Array(items) => {
                if let Some(message) =
                    size_fault(items.len(), self.min_items, self.max_items, "items")
                {
                    fault(
                        FieldValueInvalid,
                        format!("Invalid value: \"array\": {message}"),
                    );
                }
                if self.unique_items
                    && (1..items.len()).any(|index| items[..index].contains(&items[index]))
                {
                    fault(
                        FieldValueInvalid,
                        "Invalid value: \"array\": {path} in body has duplicates".into(),
                    );
                }
            }
            Value::Object(fields) => {
                if let Some(message) = size_fault(
                    fields.len(),
                    self.min_properties,
                    self.max_properties,
                    "properties",
                ) {
                    fault(
                        FieldValueInvalid,
                        format!("Invalid value: \"object\": {message}"),
                    );
                }
            }
            Value::Bool(_) | Value::Null => {}
        }
        for problem in self.combination_faults(value) {
            fault(
                FieldValueInvalid,
                format!("Invalid value: {{path}} in body {problem}"),
            );
        }
    }

    fn number_fault(&self, number: f64) -> Option<String> {
        let below = |bound: f64| {
            if self.exclusive_minimum {
                number <= bound
            } else {
                number < bound
            }
        };
        let above = |bound: f64| {
            if self.exclusive_maximum {
                number >= bound
            } else {
                number > bound
            }
        };
        if let Some(bound) = self.minimum.filter(|bound| below(*bound)) {
            return Some(format!(
                "{{path}} in body should be greater than or equal to {bound}"
            ));
        }
        if let Some(bound) = self.maximum.filter(|bound| above(*bound)) {
            return Some(format!(
                "{{path}} in body should be less than or equal to {bound}"
            ));
        }
        self.multiple_of
            .filter(|step| *step != 0.0 && (number / step).fract() != 0.0)
            .map(|step| format!("{{path}} in body should be a multiple of {step}"))
    }

    fn combination_faults(&self, value: &Value) -> Vec<&'static str> {
        let accepting = |schemas: &[Schema]| {
            schemas
                .iter()
                .filter(|schema| schema.accepts(value))
                .count()
        };
        let mut problems = Vec::new();
        if accepting(&self.all_of) != self.all_of.len() {
            problems.push("must validate all the schemas (allOf)");
        }
        if !self.any_of.is_empty() && accepting(&self.any_of) == 0 {
            problems.push("must validate at least one schema (anyOf)");
        }
        if !self.one_of.is_empty() && accepting(&self.one_of) != 1 {
            problems.push("must validate one and only one schema (oneOf)");
        }
        if self
            .not
            .as_ref()
            .is_some_and(|schema| schema.accepts(value))
        {
            problems.push("must not validate the schema (not)");
        }
        problems
    }
}

fn invalid(value: &Value, message: &str) -> String {
    format!("Invalid value: {value}: {message}")
}

fn size_fault(size: usize, least: Option<u64>, most: Option<u64>, what: &str) -> Option<String> {
    let size = size as u64;
    if let Some(least) = least.filter(|least| size < *least) {
        return Some(format!(
            "{{path}} in body should have at least {least} {what}"
        ));
    }
    most.filter(|most| size > *most)
        .map(|most| format!("{{path}} in body should have at most {most} {what}"))
}
