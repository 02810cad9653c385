//! OpenAPI v3 (one document per group and version) and v2 (one for all), both from the kinds' schemas.
//!
//! kubectl learns from these how to explain a kind, that the server validates fields, and which patches it takes.

mod gnostic;

use axum::response::Response;
use http::HeaderMap;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::discovery::group_versions;
use super::negotiate::media_ranges;
use super::patch;
use super::request::{Query, Verb};
use super::schema::object_meta;
use super::tagged;
use crate::error::{Reason, Status};
use crate::kinds::{Kind, Registry};

const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// `/openapi/v3`
pub(crate) fn index(registry: &Registry, headers: &HeaderMap) -> Response {
    let paths: Map<String, Value> = group_versions(registry)
        .iter()
        .map(|(group, version)| {
            let path = root(group, version);
            let hash = hash(&document(registry, group, version).to_string());
            let url = format!("/openapi/v3{path}?hash={hash}");
            (
                path.trim_start_matches('/').to_owned(),
                json!({"serverRelativeURL": url}),
            )
        })
        .collect();
    let body = json!({"paths": paths}).to_string();
    tagged::respond(headers, JSON, tagged::ASK_AGAIN, body)
}

/// `/openapi/v3/api/v1` and `/openapi/v3/apis/{group}/{version}`
pub(crate) fn of(
    registry: &Registry,
    path: &str,
    query: &Query,
    headers: &HeaderMap,
) -> Result<Response, Status> {
    let known = group_versions(registry)
        .into_iter()
        .find(|(group, version)| root(group, version).trim_start_matches('/') == path);
    let (group, version) = known.ok_or_else(Status::unknown_path)?;
    let body = document(registry, &group, &version).to_string();
    let cache_control = if query.get("hash") == Some(&hash(&body)) {
        tagged::IMMUTABLE
    } else {
        tagged::ASK_AGAIN
    };
    Ok(tagged::respond(headers, JSON, cache_control, body))
}

const JSON: &str = "application/json";

fn hash(body: &str) -> String {
    hex::encode_upper(Sha256::digest(body))
}

/// `/openapi/v2`: protobuf for kubectl and Argo CD, Swagger JSON for the rest.
pub(crate) fn v2(registry: &Registry, headers: &HeaderMap) -> Result<Response, Status> {
    let form = media_ranges(headers)
        .iter()
        .find_map(|range| match range.media {
            "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
            | "application/com.github.proto-openapi.spec.v2.v1.0+protobuf" => Some(Form::Protobuf),
            "application/json" | "application/*" | "*/*" => Some(Form::Json),
            _ => None,
        });
    let (content_type, body) = match form {
        Some(Form::Json) => (JSON, swagger(registry).to_string().into_bytes()),
        Some(Form::Protobuf) => (
            "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
            gnostic::document(&swagger(registry)),
        ),
        None => {
            return Err(Status::new(
                Reason::NotAcceptable,
                "only application/json and protobuf are served",
            ));
        }
    };
    Ok(tagged::respond(
        headers,
        content_type,
        tagged::ASK_AGAIN,
        body,
    ))
}

enum Form {
    Json,
    Protobuf,
}

/// One Swagger document of all groups and versions.
fn swagger(registry: &Registry) -> Value {
    let (mut paths, mut definitions) = (Map::new(), Map::new());
    for (group, version) in group_versions(registry) {
        let document = document(registry, &group, &version);
        for (source, target) in [
            (&document["paths"], &mut paths),
            (&document["components"]["schemas"], &mut definitions),
        ] {
            target.extend(
                source
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(name, value)| (name.clone(), value.clone())),
            );
        }
    }
    for operation in paths
        .values_mut()
        .filter_map(Value::as_object_mut)
        .flat_map(|path| path.values_mut())
    {
        let Some(operation) = operation.as_object_mut() else {
            continue;
        };
        if let Some(body) = operation.remove("requestBody") {
            let types = body["content"]
                .as_object()
                .map(|content| content.keys().cloned().collect::<Vec<_>>());
            operation.insert("consumes".into(), json!(types.unwrap_or_default()));
        }
        operation.insert("produces".into(), json!(["application/json"]));
        operation.insert("parameters".into(), json!([]));
        operation.insert("responses".into(), json!({"200": {"description": "OK"}}));
    }
    let mut swagger =
        json!({"swagger": "2.0", "info": info(), "paths": paths, "definitions": definitions});
    relocate(&mut swagger);
    swagger
}

/// Swagger keeps its schemas elsewhere.
fn relocate(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            // A reference with a description needs no allOf there, and its readers do not look into one.
            if let Some(Value::Array(parts)) = fields.get("allOf")
                && let [only] = parts.as_slice()
                && only.get("$ref").is_some()
            {
                let target = only["$ref"].clone();
                fields.remove("allOf");
                fields.insert("$ref".into(), target);
            }
            if let Some(Value::String(target)) = fields.get_mut("$ref") {
                *target = target.replace("#/components/schemas/", "#/definitions/");
            }
            fields.values_mut().for_each(relocate);
        }
        Value::Array(items) => items.iter_mut().for_each(relocate),
        _ => {}
    }
}

fn info() -> Value {
    json!({"title": "Mirage", "version": env!("CARGO_PKG_VERSION")})
}

fn root(group: &str, version: &str) -> String {
    if group.is_empty() {
        format!("/api/{version}")
    } else {
        format!("/apis/{group}/{version}")
    }
}

fn document(registry: &Registry, group: &str, version: &str) -> Value {
    let (mut paths, mut schemas) = (Map::new(), Map::new());
    let mut meta = object_meta();
    meta["description"] = json!("What every object has.");
    schemas.insert(OBJECT_META.into(), meta);
    for kind in registry
        .kinds()
        .filter(|kind| kind.group == group && kind.version == version)
    {
        schemas.insert(schema_name(kind, ""), schema(kind));
        schemas.insert(schema_name(kind, "List"), list_schema(kind));
        add_paths(&mut paths, kind);
    }
    json!({"openapi": "3.0.0", "info": info(), "paths": paths, "components": {"schemas": schemas}})
}

/// `dev.mirage.v1alpha1.Environment`, `io.k8s.api.core.v1.Secret`
fn schema_name(kind: &Kind, suffix: &str) -> String {
    let group = match kind.group.as_str() {
        "" => "io.k8s.api.core".to_owned(),
        group => group.rsplit('.').collect::<Vec<_>>().join("."),
    };
    format!("{group}.{}.{}{suffix}", kind.version, kind.kind)
}

fn group_version_kind(kind: &Kind, suffix: &str) -> Value {
    json!({"group": kind.group, "version": kind.version, "kind": format!("{}{suffix}", kind.kind)})
}

fn schema(kind: &Kind) -> Value {
    let mut schema = kind.document.clone();
    if !schema["properties"].is_object() {
        schema["properties"] = json!({});
    }
    schema["properties"]["apiVersion"] = json!({"type": "string", "description": "Which version of the schema the object is written in."});
    schema["properties"]["kind"] = json!({"type": "string", "description": "What the object is."});
    schema["properties"]["metadata"] = json!({"description": "What every object has.", "default": {},
        "allOf": [{"$ref": format!("#/components/schemas/{OBJECT_META}")}]});
    schema["x-kubernetes-group-version-kind"] = json!([group_version_kind(kind, "")]);
    schema
}

fn list_schema(kind: &Kind) -> Value {
    json!({
        "type": "object", "description": format!("A list of {}.", kind.plural), "required": ["items"],
        "properties": {
            "apiVersion": {"type": "string"}, "kind": {"type": "string"},
            "metadata": {"type": "object", "description": "The version of the list, and where it goes on."},
            "items": {"type": "array", "items": {"$ref": format!("#/components/schemas/{}", schema_name(kind, ""))}},
        },
        "x-kubernetes-group-version-kind": [group_version_kind(kind, "List")],
    })
}

fn add_paths(paths: &mut Map<String, Value>, kind: &Kind) {
    let root = root(&kind.group, &kind.version);
    let collection = if kind.namespaced {
        paths.insert(
            format!("{root}/{}", kind.plural),
            operations(kind, &[("get", Verb::List)], "List"),
        );
        format!("{root}/namespaces/{{namespace}}/{}", kind.plural)
    } else {
        format!("{root}/{}", kind.plural)
    };
    let object = format!("{collection}/{{name}}");
    let on_collection = [
        ("get", Verb::List),
        ("post", Verb::Create),
        ("delete", Verb::DeleteCollection),
    ];
    let on_object = [
        ("get", Verb::Get),
        ("put", Verb::Update),
        ("patch", Verb::Patch),
        ("delete", Verb::Delete),
    ];
    if kind.has_status {
        paths.insert(
            format!("{object}/status"),
            operations(kind, &on_object[..3], "Status"),
        );
    }
    paths.insert(collection, operations(kind, &on_collection, ""));
    paths.insert(object, operations(kind, &on_object, ""));
}

fn operations(kind: &Kind, methods: &[(&str, Verb)], id_suffix: &str) -> Value {
    let mut out = Map::new();
    for (method, verb) in methods.iter().filter(|(_, verb)| kind.verbs.contains(verb)) {
        let action = match verb {
            Verb::List => "list",
            Verb::Create => "post",
            Verb::Update => "put",
            Verb::Patch => "patch",
            Verb::Delete => "delete",
            Verb::DeleteCollection => "deletecollection",
            Verb::Get | Verb::Watch => "get",
        };
        let schema = json!({"$ref": format!("#/components/schemas/{}", schema_name(kind, ""))});
        let mut operation = json!({
            "operationId": format!("{action}{}{}{id_suffix}", title(&kind.group), kind.kind),
            "parameters": parameters(*verb),
            "responses": {"200": {"description": "OK", "content": {"application/json": {"schema": schema}}}},
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": group_version_kind(kind, ""),
        });
        match verb {
            Verb::Create | Verb::Update => {
                operation["requestBody"] =
                    json!({"required": true, "content": {"application/json": {"schema": schema}}});
            }
            Verb::Patch => {
                let content: Map<String, Value> = patch::ACCEPTED
                    .iter()
                    .map(|media_type| {
                        (
                            (*media_type).to_owned(),
                            json!({"schema": {"type": "object"}}),
                        )
                    })
                    .collect();
                operation["requestBody"] = json!({"required": true, "content": content});
            }
            _ => {}
        }
        out.insert((*method).to_owned(), operation);
    }
    Value::Object(out)
}

fn title(group: &str) -> String {
    group
        .split(['.', '-'])
        .map(|part| part[..1.min(part.len())].to_uppercase() + part.get(1..).unwrap_or_default())
        .collect()
}

/// The query parameters of an operation. kubectl looks for `fieldValidation` on patch to know that it can leave validation to us.
fn parameters(verb: Verb) -> Value {
    let names: &[(&str, &str)] = match verb {
        Verb::Create | Verb::Update => &[
            ("dryRun", "string"),
            ("fieldManager", "string"),
            ("fieldValidation", "string"),
        ],
        Verb::Patch => &[
            ("dryRun", "string"),
            ("fieldManager", "string"),
            ("fieldValidation", "string"),
            ("force", "boolean"),
        ],
        Verb::List | Verb::DeleteCollection => &[
            ("labelSelector", "string"),
            ("fieldSelector", "string"),
            ("limit", "integer"),
            ("continue", "string"),
            ("resourceVersion", "string"),
            ("watch", "boolean"),
        ],
        Verb::Delete => &[
            ("dryRun", "string"),
            ("gracePeriodSeconds", "integer"),
            ("propagationPolicy", "string"),
        ],
        Verb::Get | Verb::Watch => &[],
    };
    names
        .iter()
        .map(|(name, schema_type)| json!({"name": name, "in": "query", "schema": {"type": schema_type, "uniqueItems": true}}))
        .collect()
}
