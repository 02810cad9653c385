//! What was asked, how often, and how it went.

use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};

/// Requests so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestCounts {
    /// HTTP requests to the GraphQL endpoint, refused ones included.
    pub total: u64,
    /// Those with a mutation in them.
    pub mutations: u64,
    /// Those answered with 429.
    pub rate_limited: u64,
    /// By root field. A document with three root fields counts in three places, and once in `total`.
    pub operations: BTreeMap<String, u64>,
}

impl RequestCounts {
    /// How often this root field was asked for.
    #[must_use]
    pub fn of(&self, root_field: &str) -> u64 {
        self.operations.get(root_field).copied().unwrap_or(0)
    }
}

/// One request.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestRecord {
    /// The operation's name, as far as the document has one.
    pub operation: Option<String>,
    /// Its root fields, in order.
    pub fields: Vec<String>,
    /// Whether it is a mutation.
    pub mutation: bool,
    /// Variables, with everything that may be secret struck out.
    pub variables: Value,
    /// `ok`, the first error's message, or how the transport failed.
    pub outcome: String,
    /// Virtual time.
    pub at: String,
}

const KEPT: usize = 10_000;

#[derive(Debug, Default)]
pub(crate) struct Record {
    counts: RequestCounts,
    log: VecDeque<RequestRecord>,
}

impl Record {
    pub(crate) fn add(&mut self, entry: RequestRecord, rate_limited: bool) {
        self.counts.total += 1;
        self.counts.mutations += u64::from(entry.mutation);
        self.counts.rate_limited += u64::from(rate_limited);
        for field in &entry.fields {
            *self.counts.operations.entry(field.clone()).or_default() += 1;
        }
        if self.log.len() == KEPT {
            self.log.pop_front();
        }
        self.log.push_back(entry);
    }

    pub(crate) fn counts(&self) -> RequestCounts {
        self.counts.clone()
    }

    pub(crate) fn log(&self) -> Vec<RequestRecord> {
        self.log.iter().cloned().collect()
    }

    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }
}

/// A copy without secrets: values of variables and credentials are struck out wherever they stand.
pub(crate) fn masked(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, inner)| {
                let hidden = match key.as_str() {
                    "value" | "defaultValue" | "generator" | "password" | "username" | "token"
                    | "before" | "previous" => strike_out(inner),
                    "variables" | "sharedVariables" => match inner {
                        Value::Object(variables) => variables
                            .iter()
                            .map(|(name, variable)| (name.clone(), strike_out(variable)))
                            .collect(),
                        other => strike_out(other),
                    },
                    _ => masked(inner),
                };
                (key.clone(), hidden)
            })
            .collect(),
        Value::Array(items) => items.iter().map(masked).collect(),
        other => other.clone(),
    }
}

fn strike_out(value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::Object(map) if map.contains_key("value") => map
            .iter()
            .map(|(key, inner)| (key.clone(), strike_out_leaf(key, inner)))
            .collect(),
        _ => Value::from("***"),
    }
}

fn strike_out_leaf(key: &str, value: &Value) -> Value {
    match key {
        "type" | "isSealed" | "isOptional" => value.clone(),
        _ => Value::from("***"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn no_value_of_a_variable_is_recorded() {
        let shown = masked(&json!({
            "environmentId": "e1",
            "patch": {"services": {"s": {
                "variables": {"A": {"value": "canary-1"}, "B": null},
                "deploy": {"registryCredentials": {"username": "canary-2", "password": "canary-3"}},
            }}, "sharedVariables": {"C": {"value": "canary-4", "isSealed": true}}},
            "input": {"name": "A", "value": "canary-5", "variables": {"X": "canary-6"}, "changes": [
                {"kind": "variable.set", "variable": "A", "before": {"type": "literal", "value": "canary-7"},
                 "after": {"type": "literal", "value": "canary-8"}},
            ]},
        }))
        .to_string();
        assert!(!shown.contains("canary"), "{shown}");
        assert!(shown.contains("\"environmentId\":\"e1\""));
    }
}
