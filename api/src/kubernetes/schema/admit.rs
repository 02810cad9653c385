//! Defaulting, pruning and validation of a value in one walk.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{JsonType, ListType, Schema};
use crate::error::{CauseReason, Fault};
use crate::kubernetes::place::Place;

/// What a walk found.
#[derive(Debug, Default, PartialEq)]
pub struct Findings {
    /// Paths of fields that the schema does not know; they have been removed.
    pub unknown: Vec<String>,
    /// What must be refused.
    pub faults: Vec<Fault>,
}

impl Findings {
    fn fault(&mut self, place: &Place<'_>, reason: CauseReason, message: impl Into<String>) {
        self.faults
            .push(Fault::new(place.to_string(), reason, message));
    }
}

impl Schema {
    /// Fills in defaults, removes unknown fields and reports all that is wrong with `value`.
    pub fn admit(&self, value: &mut Value) -> Findings {
        let mut findings = Findings::default();
        self.walk(value, &Place::Root, &mut findings);
        findings
    }

    /// Whether `value` would be accepted, unknown fields aside.
    pub(super) fn accepts(&self, value: &Value) -> bool {
        let mut copy = value.clone();
        self.admit(&mut copy).faults.is_empty()
    }

    /// Only removes unknown fields, and names them. For partial objects, which are neither defaulted nor complete.
    pub fn prune(&self, value: &mut Value) -> Vec<String> {
        fn walk(schema: &Schema, value: &mut Value, place: &Place<'_>, unknown: &mut Vec<String>) {
            match value {
                Value::Object(fields) => {
                    schema.drop_unknown(fields, place, unknown);
                    for (name, value) in fields {
                        walk(
                            schema.field(name),
                            value,
                            &Place::Field(place, name),
                            unknown,
                        );
                    }
                }
                Value::Array(items) => {
                    for (index, item) in items.iter_mut().enumerate() {
                        walk(schema.item(), item, &Place::Item(place, index), unknown);
                    }
                }
                _ => {}
            }
        }
        let mut unknown = Vec::new();
        walk(self, value, &Place::Root, &mut unknown);
        unknown
    }

    fn drop_unknown(
        &self,
        fields: &mut Map<String, Value>,
        place: &Place<'_>,
        unknown: &mut Vec<String>,
    ) {
        if self.preserve_unknown || self.additional.is_some() {
            return;
        }
        fields.retain(|name, _| {
            let is_known = self.properties.contains_key(name);
            if !is_known {
                unknown.push(Place::Field(place, name).to_string());
            }
            is_known
        });
    }

    fn walk(&self, value: &mut Value, place: &Place<'_>, findings: &mut Findings) {
        if value.is_null() && self.allows_null() {
            return;
        }
        if let Err(expected) = self.type_of(value) {
            let found = brief(value);
            findings.fault(
                place,
                CauseReason::FieldValueTypeInvalid,
                format!(
                    "Invalid value: {found}: {place} in body must be of type {expected}: {found}"
                ),
            );
            return;
        }
        match value {
            Value::Object(fields) => self.walk_fields(fields, place, findings),
            Value::Array(items) => self.walk_items(items, place, findings),
            _ => {}
        }
        self.rules.check(value, |reason, message| {
            let message = message.replace("{path}", &place.to_string());
            findings.fault(place, reason, message);
        });
    }

    /// Whether null is a value here, rather than another way to leave the field out.
    pub fn allows_null(&self) -> bool {
        self.nullable || (self.json_type.is_none() && !self.int_or_string)
    }

    fn type_of(&self, value: &Value) -> Result<(), &'static str> {
        if self.int_or_string {
            return match value {
                Value::String(_) => Ok(()),
                Value::Number(number) if is_whole(number) => Ok(()),
                _ => Err("integer or string"),
            };
        }
        let Some(expected) = self.json_type else {
            return Ok(());
        };
        let fits = match (expected, value) {
            (JsonType::Object, Value::Object(_))
            | (JsonType::Array, Value::Array(_))
            | (JsonType::String, Value::String(_))
            | (JsonType::Number, Value::Number(_))
            | (JsonType::Boolean, Value::Bool(_)) => true,
            (JsonType::Integer, Value::Number(number)) => is_whole(number),
            _ => false,
        };
        if fits { Ok(()) } else { Err(expected.into()) }
    }

    fn walk_fields(
        &self,
        fields: &mut Map<String, Value>,
        place: &Place<'_>,
        findings: &mut Findings,
    ) {
        for (name, schema) in &self.properties {
            let is_missing = fields
                .get(name)
                .is_none_or(|value| value.is_null() && !schema.allows_null());
            if let Some(default) = schema.default.as_ref().filter(|_| is_missing) {
                fields.insert(name.clone(), default.clone());
            }
        }
        // A null that the schema does not allow is as good as absent: typed clients send one for each field left out
        // (Kubernetes docs: "Defaulting and Nullable").
        fields.retain(|name, value| {
            let schema = self.properties.get(name).or(self.additional.as_deref());
            !value.is_null() || schema.is_none_or(Schema::allows_null)
        });
        // Before pruning: the branches of a oneOf require fields that only the schema around them declares.
        for name in &self.required {
            if !fields.contains_key(name) {
                findings.fault(
                    &Place::Field(place, name),
                    CauseReason::FieldValueRequired,
                    "Required value",
                );
            }
        }
        self.drop_unknown(fields, place, &mut findings.unknown);
        for (name, value) in fields.iter_mut() {
            if let Some(schema) = self.properties.get(name).or(self.additional.as_deref()) {
                schema.walk(value, &Place::Field(place, name), findings);
            }
        }
    }

    fn walk_items(&self, items: &mut [Value], place: &Place<'_>, findings: &mut Findings) {
        if let Some(schema) = &self.items {
            for (index, item) in items.iter_mut().enumerate() {
                schema.walk(item, &Place::Item(place, index), findings);
            }
        }
        let identity: Box<dyn Fn(&Value) -> String> = match &self.list {
            ListType::Atomic => return,
            ListType::Set => Box::new(Value::to_string),
            ListType::Map(keys) => Box::new(move |item: &Value| {
                let fields = keys
                    .iter()
                    .map(|key| (key.clone(), item.get(key).cloned().unwrap_or_default()));
                Value::Object(fields.collect()).to_string()
            }),
        };
        let mut seen = BTreeSet::new();
        for (index, item) in items.iter().enumerate() {
            let key = identity(item);
            if seen.contains(&key) {
                let message = format!("Duplicate value: {key}");
                findings.fault(
                    &Place::Item(place, index),
                    CauseReason::FieldValueDuplicate,
                    message,
                );
            }
            seen.insert(key);
        }
    }
}

fn is_whole(number: &serde_json::Number) -> bool {
    number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|float| float.fract() == 0.0)
}

/// A value as an error message shows it: the type's name for what is large, else the value.
fn brief(value: &Value) -> String {
    match value {
        Value::Object(_) => "\"object\"".into(),
        Value::Array(_) => "\"array\"".into(),
        Value::String(_) => "\"string\"".into(),
        Value::Number(_) => "\"number\"".into(),
        Value::Bool(_) => "\"boolean\"".into(),
        Value::Null => "\"null\"".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schema() -> Schema {
        Schema::parse(&json!({
            "type": "object", "required": ["type"],
            "properties": {
                "type": {"type": "string", "enum": ["dev", "prod"]},
                "replicas": {"type": "integer", "minimum": 1, "default": 1},
                "ttl": {"type": "string", "nullable": true, "default": "1h"},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                "any": {"x-kubernetes-preserve-unknown-fields": true},
                "port": {"x-kubernetes-int-or-string": true},
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
                "services": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                    "items": {"type": "object", "required": ["name"], "properties": {
                        "name": {"type": "string", "maxLength": 4, "pattern": "^[a-z]+$"},
                        "build": {"type": "object", "properties": {"tool": {"type": "string", "default": "nix"}}}}}},
                "source": {"type": "object", "properties": {"image": {"type": "string"}, "repo": {"type": "string"}},
                    "oneOf": [{"required": ["image"]}, {"required": ["repo"]}]}
            }
        }))
    }

    #[test]
    fn defaults_fill_absent_fields_but_respect_a_nullable_null() {
        let mut value = json!({"type": "dev", "ttl": null, "replicas": null, "services": [{"name": "a", "build": {}}]});
        assert_eq!(schema().admit(&mut value), Findings::default());
        assert_eq!(
            value,
            json!({"type": "dev", "ttl": null, "replicas": 1, "services": [{"name": "a", "build": {"tool": "nix"}}]})
        );
    }

    #[test]
    fn unknown_fields_are_pruned_and_named_unless_preserved() {
        let mut value = json!({"type": "dev", "typo": 1, "free": {"x": {"y": null}}, "any": [1, null],
            "labels": {"a.b": "c"}, "services": [{"name": "a", "nope": 1}]});
        let findings = schema().admit(&mut value);
        assert_eq!(findings.unknown, ["typo", "services[0].nope"]);
        assert_eq!(findings.faults, []);
        assert_eq!(value["free"], json!({"x": {"y": null}}));
        assert!(value.get("typo").is_none());
    }

    #[test]
    fn each_fault_has_its_path_and_reason() {
        use CauseReason::*;
        for (value, path, reason) in [
            (json!({}), "type", FieldValueRequired),
            (json!({"type": "x"}), "type", FieldValueNotSupported),
            (json!({"type": null}), "type", FieldValueRequired),
            (
                json!({"type": "dev", "replicas": 0}),
                "replicas",
                FieldValueInvalid,
            ),
            (
                json!({"type": "dev", "replicas": "1"}),
                "replicas",
                FieldValueTypeInvalid,
            ),
            (
                json!({"type": "dev", "replicas": 1.5}),
                "replicas",
                FieldValueTypeInvalid,
            ),
            (
                json!({"type": "dev", "port": true}),
                "port",
                FieldValueTypeInvalid,
            ),
            (
                json!({"type": "dev", "labels": {"a": 1}}),
                "labels.a",
                FieldValueTypeInvalid,
            ),
            (
                json!({"type": "dev", "labels": {"a.b": 1}}),
                "labels[a.b]",
                FieldValueTypeInvalid,
            ),
            (
                json!({"type": "dev", "tags": ["a", "a"]}),
                "tags[1]",
                FieldValueDuplicate,
            ),
            (
                json!({"type": "dev", "services": [{"name": "a"}, {"name": "a"}]}),
                "services[1]",
                FieldValueDuplicate,
            ),
            (
                json!({"type": "dev", "services": [{"name": "abcde"}]}),
                "services[0].name",
                FieldValueTooLong,
            ),
            (
                json!({"type": "dev", "services": [{"name": "A"}]}),
                "services[0].name",
                FieldValueInvalid,
            ),
            (
                json!({"type": "dev", "source": {"image": "a", "repo": "b"}}),
                "source",
                FieldValueInvalid,
            ),
            (
                json!({"type": "dev", "source": {}}),
                "source",
                FieldValueInvalid,
            ),
        ] {
            let faults = schema().admit(&mut value.clone()).faults;
            let found: Vec<_> = faults
                .iter()
                .map(|fault| (fault.path.as_str(), fault.reason))
                .collect();
            assert_eq!(found, [(path, reason)], "{value}");
        }
    }

    #[test]
    fn a_second_walk_finds_and_changes_nothing() {
        let mut value = json!({"type": "dev", "typo": 1, "services": [{"name": "a", "build": {}}]});
        schema().admit(&mut value);
        let once = value.clone();
        assert_eq!(schema().admit(&mut value), Findings::default());
        assert_eq!(value, once);
    }
}
