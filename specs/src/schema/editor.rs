//! JSON Schemas for editors.
//!
//! Made from the CRDs' schemas, and fuller: a structural schema cannot say "a string or an object", or which names a map
//! takes, and JSON Schema can.

use serde_json::{Map, Value, json};

use crate::{
    name::{ENVIRONMENT_NAME_LIMIT, SERVICE_NAME_LIMIT},
    validate::{KINDS, schemas},
};

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schema of one kind of the group `mirage.dev`, complete in itself; `None` for a kind that is not there.
pub fn json_schema(kind: &str) -> Option<Value> {
    let mut schema = object(kind)?;
    schema["$schema"] = DIALECT.into();
    schema["title"] = kind.into();
    Some(schema)
}

/// One schema for a file that may hold any of the kinds: `kind` decides which applies.
pub fn any_manifest() -> Value {
    let branches: Vec<Value> = KINDS
        .iter()
        .filter_map(|kind| {
            let schema = object(kind)?;
            Some(json!({"if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]}, "then": schema}))
        })
        .collect();
    json!({
        "$schema": DIALECT,
        "title": "Mirage manifest",
        "type": "object",
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "properties": {
            "apiVersion": {"const": "mirage.dev/v1alpha1"},
            "kind": {"enum": KINDS},
        },
        "allOf": branches,
    })
}

fn object(kind: &str) -> Option<Value> {
    let spec = match kind {
        "Environment" => environment_spec(Scalars::AsTyped),
        "EnvironmentTemplate" => template_spec(),
        "GitSync" => plain(schemas::git_sync_spec(), Scalars::AsTyped),
        "RailwayAccount" => plain(schemas::account_spec(), Scalars::AsTyped),
        "Orphan" => plain(schemas::orphan_spec(), Scalars::AsTyped),
        "PreviewPolicy" => preview_policy_spec(),
        "SecretStore" => plain(schemas::secret_store_spec(), Scalars::AsTyped),
        _ => return None,
    };
    Some(json!({
        "type": "object",
        "description": spec["description"],
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "additionalProperties": false,
        "properties": {
            "apiVersion": {"const": "mirage.dev/v1alpha1"},
            "kind": {"const": kind},
            "metadata": metadata(),
            "spec": spec,
            "status": {"type": "object", "description": "Written by Mirage."},
        },
    }))
}

fn metadata() -> Value {
    let texts = json!({"type": "object", "additionalProperties": {"type": "string"}});
    json!({
        "type": "object",
        "description": "Name, namespace, labels and annotations, as of every Kubernetes object.",
        "properties": {
            "name": {
                "type": "string",
                "pattern": "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$",
                "maxLength": 253,
                "description": "Name of the object, one of its kind in a namespace.",
            },
            "generateName": {"type": "string", "description": "Start of a name that the server completes."},
            "namespace": {"type": "string", "description": "Namespace; `default` when absent."},
            "labels": texts,
            "annotations": texts,
        },
    })
}

/// What may stand in place of a number, a word of a list or a truth value.
#[derive(Clone, Copy)]
enum Scalars {
    /// Only itself.
    AsTyped,
    /// A parameter of the template as well.
    OrParameter,
}

fn environment_spec(scalars: Scalars) -> Value {
    let mut spec = plain(schemas::environment_spec(), scalars);
    let name = &mut spec["properties"]["name"];
    name["pattern"] = "^[a-z]([a-z0-9-]*[a-z0-9])?$".into();
    name["maxLength"] = ENVIRONMENT_NAME_LIMIT.into();

    name_variables(&mut spec["properties"]["variables"]);
    let services = &mut spec["properties"]["services"];
    services["propertyNames"] = json!({
        "pattern": "^[A-Za-z0-9]([A-Za-z0-9 _-]*[A-Za-z0-9])?$",
        "maxLength": SERVICE_NAME_LIMIT,
        "not": {"enum": ["shared", "params"]},
    });
    name_variables(&mut services["additionalProperties"]["properties"]["variables"]);
    spec
}

fn name_variables(variables: &mut Value) {
    variables["propertyNames"] = json!({"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"});
    variables["additionalProperties"] = variable();
}

/// A variable, said in full.
fn variable() -> Value {
    let form = |name: &str, schema: Value| json!({"type": "object", "required": [name], "additionalProperties": false, "properties": {name: schema}});
    let text =
        |description: &str| json!({"type": "string", "minLength": 1, "description": description});
    json!({
        "description": "A value, a Railway reference, or where the value comes from.",
        "oneOf": [
            {"type": ["string", "integer", "boolean"], "description": "A value; Railway references such as ${{postgres.DATABASE_URL}} allowed."},
            {"type": "null", "description": "Removes an inherited variable."},
            form("secretRef", json!({
                "type": "object",
                "description": "The value of a key in a Secret of the same namespace, or in a SecretStore.",
                "required": ["name", "key"],
                "additionalProperties": false,
                "properties": {
                    "store": text("Name of a SecretStore; absent for a Secret."),
                    "name": text("Name of the Secret, or path inside the store."),
                    "key": text("Key inside its data, or field of what is at the path."),
                    "version": {"type": "integer", "minimum": 1, "description": "Version to stay at; the newest when absent."},
                },
            })),
            form("preserve", json!({"const": true, "description": "Keeps what Railway has."})),
            form("copyFrom", json!({
                "type": "object",
                "description": "Copied once from another environment, then kept.",
                "required": ["environment", "name"],
                "additionalProperties": false,
                "properties": {
                    "projectId": text("Railway's id of another project; absent for the environment's own."),
                    "environment": text("Name or id of the Railway environment."),
                    "service": text("Service there; absent for a shared variable."),
                    "name": text("Name of the variable there."),
                },
            })),
            form("generate", json!({
                "type": "object",
                "description": "Random letters and digits, made once, then kept.",
                "required": ["length"],
                "additionalProperties": false,
                "properties": {"length": {"type": "integer", "minimum": 16, "maximum": 256}},
            })),
        ],
    })
}

fn template_spec() -> Value {
    let mut spec = plain(schemas::template_spec(), Scalars::AsTyped);
    let layer = environment_spec(Scalars::OrParameter);
    spec["properties"]["types"]["propertyNames"] =
        json!({"enum": ["dev", "staging", "prod", "ephemeral"]});
    spec["properties"]["types"]["additionalProperties"] = layer.clone();
    spec["properties"]["base"] = layer;
    spec["properties"]["parameters"]["propertyNames"] =
        json!({"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"});
    spec
}

fn preview_policy_spec() -> Value {
    let mut spec = plain(schemas::preview_policy_spec(), Scalars::AsTyped);
    name_variables(&mut spec["properties"]["variables"]);
    let repository = &mut spec["properties"]["repository"];
    repository["pattern"] = "^[A-Za-z0-9-]{1,39}/[A-Za-z0-9._-]{1,100}$".into();
    spec
}

/// A structural schema in the words of JSON Schema: `nullable` becomes a type, closed maps are closed.
fn plain(schema: &Value, scalars: Scalars) -> Value {
    let Some(fields) = schema.as_object() else {
        return schema.clone();
    };
    let mut plain = Map::new();
    for (key, value) in fields {
        match key.as_str() {
            "nullable" | "x-kubernetes-preserve-unknown-fields" => {}
            "format" if value != "date-time" => {}
            "properties" => {
                let inner = value.as_object().into_iter().flatten();
                let inner: Map<_, _> = inner
                    .map(|(name, field)| (name.clone(), self::plain(field, scalars)))
                    .collect();
                plain.insert(key.clone(), inner.into());
                plain.insert("additionalProperties".to_owned(), false.into());
            }
            "items" | "additionalProperties" => {
                plain.insert(key.clone(), self::plain(value, scalars));
            }
            _ => {
                plain.insert(key.clone(), value.clone());
            }
        }
    }
    if schema["nullable"] == true {
        if let Some(kind) = plain.get("type").cloned() {
            plain.insert("type".to_owned(), json!([kind, "null"]));
        }
        if let Some(Value::Array(values)) = plain.get_mut("enum") {
            values.push(Value::Null);
        }
    }
    let is_scalar = matches!(
        schema["type"].as_str(),
        Some("string" | "integer" | "number" | "boolean")
    );
    match scalars {
        Scalars::OrParameter if is_scalar => or_parameter(plain),
        _ => plain.into(),
    }
}

fn or_parameter(mut schema: Map<String, Value>) -> Value {
    let description = schema.remove("description");
    let parameter = json!({
        "type": "string",
        "pattern": "\\$\\{\\{ *params\\.[A-Za-z_][A-Za-z0-9_]* *\\}\\}",
    });
    let mut either = json!({"anyOf": [schema, parameter]});
    if let Some(description) = description {
        either["description"] = description;
    }
    either
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Follows `path` through a schema; the last part may be any keyword.
    fn at<'a>(schema: &'a Value, path: &str) -> &'a Value {
        path.split('.').fold(schema, |schema, part| match part {
            "*" => &schema["additionalProperties"],
            part => &schema["properties"][part],
        })
    }

    #[test]
    fn every_kind_has_a_schema_without_references() {
        for kind in KINDS {
            let schema = json_schema(kind).unwrap();
            let text = schema.to_string();
            for word in [
                "\"$ref\"",
                "\"nullable\"",
                "x-kubernetes-preserve",
                "uint16",
            ] {
                assert!(!text.contains(word), "{kind}: {word}");
            }
            assert_eq!(at(&schema, "kind")["const"], kind);
        }
        assert_eq!(json_schema("Pod"), None);
        assert_eq!(
            any_manifest()["allOf"].as_array().unwrap().len(),
            crate::validate::KINDS.len()
        );
    }

    #[test]
    fn an_editor_learns_more_than_a_crd_can_say() {
        let schema = json_schema("Environment").unwrap();
        assert_eq!(
            at(&schema, "spec.services.*.deploy.replicas")["type"],
            json!(["integer", "null"])
        );
        assert_eq!(
            at(&schema, "spec.services.*.deploy")["additionalProperties"],
            false
        );
        assert_eq!(
            at(&schema, "spec.services")["propertyNames"]["maxLength"],
            32
        );
        assert_eq!(
            at(&schema, "spec.services.*.variables.*")["oneOf"]
                .as_array()
                .unwrap()
                .len(),
            6
        );
        assert_eq!(
            at(&schema, "spec.type")["enum"],
            json!(["dev", "staging", "prod", "ephemeral", null])
        );

        let template = json_schema("EnvironmentTemplate").unwrap();
        let replicas = at(&template, "spec.types.*.services.*.deploy.replicas");
        assert_eq!(
            replicas["anyOf"].as_array().unwrap().len(),
            2,
            "a number or a parameter"
        );
    }
}
