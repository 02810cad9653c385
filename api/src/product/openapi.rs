//! `GET /api/v1/openapi.json` and `GET /api/v1/docs`: what Mirage offers beyond Kubernetes' protocol, for programs and for
//! people.
//!
//! The document is OpenAPI 3.1, whose schemas are JSON Schema: they come from the very types that are sent and received.
//! What is sent by Kubernetes' protocol stands in `/openapi/v3`, as in every Kubernetes.

mod environments;
mod operations;
mod page;
mod server;

use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, header};
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use operations::{Answer, In, Operation};

/// The document as an answer.
pub(crate) fn document(version: &str) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json")];
    (headers, written(version).to_string()).into_response()
}

/// The same for people, without a script.
pub(crate) fn page(version: &str) -> Response {
    let (html, policy) = page::html(&written(version));
    let mut response = ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// The document.
fn written(version: &str) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let mut paths: Map<String, Value> = Map::new();
    for operation in operations::all() {
        let path = paths
            .entry(operation.path.to_owned())
            .or_insert_with(|| json!({}));
        path[operation.method] = described(operation, &mut generator);
    }
    let mut schemas = generator.take_definitions(true);
    schemas.insert("Status".to_owned(), status());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Mirage",
            "version": version,
            "description": "What Mirage offers beyond Kubernetes' protocol. Objects (environments, templates, accounts, secrets) \
                            are read and written as in any Kubernetes, below /apis/mirage.dev/v1alpha1 and /api/v1.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "description": "A token of Mirage's."}},
        },
        "security": [{"bearer": []}],
    })
}

fn described(operation: &Operation, generator: &mut schemars::SchemaGenerator) -> Value {
    let of_path = operations::in_path(operation.path).map(|name| {
        json!({
            "name": name, "in": "path", "required": true, "schema": {"type": "string"},
            "description": operations::segment(name),
        })
    });
    let of_query = operation.query.iter().map(|parameter| {
        json!({
            "name": parameter.name, "in": "query", "required": parameter.required,
            "schema": {"type": parameter.kind}, "description": parameter.words,
        })
    });
    let parameters: Vec<Value> = of_path.chain(of_query).collect();
    let content = match operation.answer {
        Answer::Json(schema) => json!({"application/json": {"schema": schema(generator)}}),
        Answer::Text(types) => {
            let all = types.iter().map(|media_type| {
                (
                    (*media_type).to_owned(),
                    json!({"schema": {"type": "string"}}),
                )
            });
            Value::Object(all.collect())
        }
    };
    let failure = json!({
        "description": "What is wrong, as Kubernetes says it, with the next step in its message.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Status"}}},
    });
    let mut described = json!({
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.words,
        "parameters": parameters,
        "responses": {
            "200": {"description": operation.summary, "content": content},
            "default": failure,
        },
    });
    match operation.body {
        In::Nothing => {}
        In::Json(schema) => {
            described["requestBody"] = json!({
                "required": true, "content": {"application/json": {"schema": schema(generator)}},
            });
        }
        In::Environment => {
            let schema =
                json!({"type": "object", "description": "An Environment, as it would be applied."});
            described["requestBody"] = json!({
                "required": true,
                "content": {"application/json": {"schema": schema}, "application/yaml": {"schema": schema}},
            });
        }
    }
    if operation.is_open {
        described["security"] = json!([]);
    }
    described
}

/// Kubernetes' `Status`, which is its own and stands in no type of ours (Kubernetes API reference: Status).
fn status() -> Value {
    json!({
        "type": "object",
        "description": "Why a request was not served.",
        "required": ["kind", "status", "message", "code"],
        "properties": {
            "kind": {"const": "Status"},
            "apiVersion": {"type": "string"},
            "metadata": {"type": "object"},
            "status": {"type": "string"},
            "reason": {"type": "string", "description": "A word for programs."},
            "message": {"type": "string", "description": "What is wrong and what would do."},
            "code": {"type": "integer", "description": "The HTTP status."},
            "details": {"type": "object", "description": "The object, and each fault by its field."},
        },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The router's text is the one place that names routes; axum keeps no list of them.
    fn routed() -> BTreeSet<(String, String)> {
        let text = include_str!("../router/product.rs");
        let mut found = BTreeSet::new();
        for (at, _) in text.match_indices("\"/api/v1/") {
            let rest = &text[at + 1..];
            let (path, rest) = rest.split_once('"').unwrap();
            let handlers = rest.split(".fallback").next().unwrap();
            for method in ["get", "post", "put", "patch", "delete"] {
                if handlers.contains(&format!("{method}(")) {
                    found.insert((method.to_owned(), path.to_owned()));
                }
            }
        }
        found
    }

    #[test]
    fn every_route_is_in_the_document_and_nothing_else_is() {
        let document = written("0.0.0");
        let documented: BTreeSet<_> = document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, methods)| {
                let methods = methods.as_object().unwrap().keys();
                methods.map(move |method| (method.clone(), path.clone()))
            })
            .collect();
        assert_eq!(documented, routed());
        assert!(documented.len() > 10, "{documented:?}");
    }

    #[test]
    fn every_reference_in_the_document_leads_somewhere() {
        fn references(value: &Value, found: &mut BTreeSet<String>) {
            match value {
                Value::Object(map) => {
                    if let Some(reference) = map.get("$ref").and_then(Value::as_str) {
                        found.insert(reference.to_owned());
                    }
                    map.values().for_each(|value| references(value, found));
                }
                Value::Array(list) => list.iter().for_each(|value| references(value, found)),
                _ => {}
            }
        }
        let document = written("0.0.0");
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        assert!(!found.is_empty());
        for reference in found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
        let ids: Vec<_> = operations::all().map(|operation| operation.id).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    }

    #[test]
    fn the_page_names_every_operation_and_runs_no_script() {
        let (html, policy) = page::html(&written("0.0.0"));
        for operation in operations::all() {
            assert!(
                html.contains(&page::escaped(operation.summary)),
                "{}",
                operation.id
            );
        }
        assert!(
            !html.contains("<script") && !html.contains("http://") && !html.contains(" style=")
        );
        assert!(
            policy.starts_with("default-src 'none'; style-src 'sha256-"),
            "{policy}"
        );
    }
}
