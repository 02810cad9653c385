//! Reading a change set: the JSON of `environmentApplyChangeSet`, as the official IaC engine writes it.

use serde_json::{Map, Value, json};

use crate::refusal::Refusal;

/// `service.web`: what kind of thing, and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) kind: ResourceKind,
    pub(crate) name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResourceKind {
    /// Databases are services.
    Service,
    Volume,
    Bucket,
    Group,
}

/// One change.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    Create {
        address: Address,
        resource: Value,
    },
    Update {
        address: Address,
        field: String,
        after: Value,
    },
    Delete {
        address: Address,
    },
    SetVariable {
        address: Option<Address>,
        name: String,
        after: Value,
    },
    DeleteVariable {
        address: Option<Address>,
        name: String,
    },
}

pub(crate) fn address(text: &str) -> Result<Address, Refusal> {
    let (kind, name) = text
        .split_once('.')
        .ok_or_else(|| Refusal::Input(format!("Invalid resource address \"{text}\"")))?;
    let kind = match kind {
        "service" | "database" | "function" => ResourceKind::Service,
        "volume" => ResourceKind::Volume,
        "bucket" => ResourceKind::Bucket,
        "group" => ResourceKind::Group,
        _ => return Err(Refusal::Input(format!("Unknown resource type \"{kind}\""))),
    };
    Ok(Address {
        kind,
        name: name.to_owned(),
    })
}

/// All changes of the input, in order, each with its original.
pub(crate) fn changes(input: &Value) -> Result<Vec<(Change, Value)>, Refusal> {
    // The words are Railway's (observed).
    match input.get("version") {
        Some(version) if version.as_i64() == Some(1) => {}
        None => return Err(unsupported("undefined")),
        Some(version) => return Err(unsupported(&version.to_string())),
    }
    input
        .get("changes")
        .and_then(Value::as_array)
        .ok_or_else(|| Refusal::Input("A change set needs a list of changes".to_owned()))?
        .iter()
        .map(|raw| Ok((change(raw)?, raw.clone())))
        .collect()
}

fn unsupported(version: &str) -> Refusal {
    Refusal::Input(format!("Unsupported RailwayChangeSet version: {version}"))
}

fn change(raw: &Value) -> Result<Change, Refusal> {
    let text = |key: &str| {
        raw.get(key)
            .and_then(Value::as_str)
            .ok_or_else(|| Refusal::Input(format!("A change needs \"{key}\"")))
    };
    let kind = text("kind")?;
    // Shared variables belong to the environment itself.
    let holder = || match raw.get("address").and_then(Value::as_str) {
        None | Some("shared" | "environment" | "environment.shared") => Ok(None),
        Some(place) => address(place).map(Some),
    };
    Ok(match kind {
        "resource.create" => Change::Create {
            address: address(text("address")?)?,
            resource: raw.get("resource").cloned().unwrap_or_else(|| json!({})),
        },
        "resource.update" => Change::Update {
            address: address(text("address")?)?,
            field: text("field")?.to_owned(),
            after: raw.get("after").cloned().unwrap_or(Value::Null),
        },
        "resource.delete" => Change::Delete {
            address: address(text("address")?)?,
        },
        "variable.set" => Change::SetVariable {
            address: holder()?,
            name: text("variable")?.to_owned(),
            after: raw.get("after").cloned().unwrap_or(Value::Null),
        },
        "variable.delete" => Change::DeleteVariable {
            address: holder()?,
            name: text("variable")?.to_owned(),
        },
        other => return Err(Refusal::Input(format!("Unknown change kind \"{other}\""))),
    })
}

/// A graph variable as the config holds it; `None` keeps what is there.
pub(crate) fn variable(after: &Value) -> Option<Value> {
    match after.get("type").and_then(Value::as_str) {
        Some("preserve") => None,
        Some("reference") => {
            let resource = after["resource"].as_str().unwrap_or_default();
            let service = resource.split_once('.').map_or(resource, |(_, name)| name);
            let output = after["output"].as_str().unwrap_or_default();
            Some(json!({"value": format!("${{{{{service}.{output}}}}}")}))
        }
        Some("sharedReference") => {
            let name = after["name"].as_str().unwrap_or_default();
            Some(json!({"value": format!("${{{{shared.{name}}}}}")}))
        }
        Some("raw") => Some(after["value"].clone()),
        _ => match &after["value"] {
            Value::String(value) => {
                let mut variable = Map::new();
                variable.insert("value".to_owned(), json!(value));
                for key in ["isSealed", "description", "isOptional", "generator"] {
                    if let Some(extra) = after.get(key) {
                        variable.insert(key.to_owned(), extra.clone());
                    }
                }
                Some(Value::Object(variable))
            }
            _ => after.as_str().map(|value| json!({"value": value})),
        },
    }
}

/// A graph source as the config holds it.
pub(crate) fn source(source: &Value) -> Value {
    let mut config = source.as_object().cloned().unwrap_or_default();
    config.remove("type");
    if let Some(repo) = config.remove("repository") {
        config.entry("repo").or_insert(repo);
    }
    Value::Object(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_the_graph_become_config_values() {
        let table = [
            (
                json!({"type": "literal", "value": "1"}),
                Some(json!({"value": "1"})),
            ),
            (
                json!({"type": "literal", "value": ""}),
                Some(json!({"value": ""})),
            ),
            (
                json!({"type": "reference", "resource": "database.db", "output": "DATABASE_URL"}),
                Some(json!({"value": "${{db.DATABASE_URL}}"})),
            ),
            (
                json!({"type": "sharedReference", "name": "KEY"}),
                Some(json!({"value": "${{shared.KEY}}"})),
            ),
            (
                json!({"type": "raw", "value": {"value": "x", "isSealed": true}}),
                Some(json!({"value": "x", "isSealed": true})),
            ),
            (json!({"type": "preserve"}), None),
        ];
        for (graph, config) in table {
            assert_eq!(variable(&graph), config, "{graph}");
        }
    }

    #[test]
    fn malformed_changes_are_refused() {
        for input in [
            json!({}),
            json!({"version": 9, "changes": []}),
            json!({"changes": []}),
            json!({"version": 1, "changes": [{"kind": "resource.explode", "address": "service.a"}]}),
            json!({"version": 1, "changes": [{"kind": "resource.delete", "address": "web"}]}),
            json!({"version": 1, "changes": [{"kind": "resource.delete", "address": "toaster.a"}]}),
        ] {
            assert!(changes(&input).is_err(), "{input}");
        }
    }
}
