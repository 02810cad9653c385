//! What can be wrong about a request.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use super::{Asked, good};

/// A good request, wrong in up to three ways.
pub(super) fn asked() -> impl Strategy<Value = Asked> {
    (select(good::good()), prop::collection::vec(wrong(), 1..4)).prop_map(|(mut asked, wrongs)| {
        for wrong in &wrongs {
            wrong.make(&mut asked);
        }
        asked
    })
}

/// One thing that can be wrong.
#[derive(Clone, Debug)]
enum Wrong {
    Method(&'static str),
    Accept(Vec<u8>),
    ContentType(Vec<u8>),
    /// A part of the path is another.
    Segment(Index, String),
    Parameter(&'static str, String),
    /// At some place of the body's JSON, something else.
    Value(Index, Value),
    Field(Index, String, Value),
    Removed(Index),
    Byte(Index, u8),
    Cut(Index),
    Body(Vec<u8>),
}

fn wrong() -> impl Strategy<Value = Wrong> {
    prop_oneof![
        1 => select(&["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"][..]).prop_map(Wrong::Method),
        1 => media_type().prop_map(Wrong::Accept),
        1 => media_type().prop_map(Wrong::ContentType),
        2 => (any::<Index>(), segment()).prop_map(|(at, text)| Wrong::Segment(at, text)),
        4 => (select(PARAMETERS), parameter()).prop_map(|(name, text)| Wrong::Parameter(name, text)),
        6 => (any::<Index>(), any_json()).prop_map(|(at, value)| Wrong::Value(at, value)),
        4 => (any::<Index>(), name(), any_json()).prop_map(|(at, name, value)| Wrong::Field(at, name, value)),
        2 => any::<Index>().prop_map(Wrong::Removed),
        3 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Wrong::Byte(at, byte)),
        1 => any::<Index>().prop_map(Wrong::Cut),
        1 => prop::collection::vec(any::<u8>(), 0..40).prop_map(Wrong::Body),
    ]
}

const PARAMETERS: &[&str] = &[
    "labelSelector",
    "fieldSelector",
    "limit",
    "continue",
    "resourceVersion",
    "resourceVersionMatch",
    "timeoutSeconds",
    "watch",
    "allowWatchBookmarks",
    "sendInitialEvents",
    "dryRun",
    "fieldManager",
    "fieldValidation",
    "force",
    "propagationPolicy",
    "gracePeriodSeconds",
    "orphanDependents",
    "preconditions.uid",
    "pretty",
    "includeObject",
    "",
];

fn media_type() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        select(
            &[
                "",
                "*/*",
                "application/*",
                "application/json",
                "application/json;stream=watch",
                "application/yaml",
                "text/html",
                "application/json;as=Table;v=v1;g=meta.k8s.io",
                "application/json;as=Table;v=v9;g=meta.k8s.io",
                "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
                "application/vnd.kubernetes.protobuf",
                "application/json;q=0",
                ";;;,,,=",
                "application/json;as=",
                "application/merge-patch+json",
                "application/json-patch+json",
                "application/strategic-merge-patch+json",
                "application/apply-patch+yaml",
                "application/apply-patch+cbor",
                "application/cbor",
            ][..]
        )
        .prop_map(|text| text.as_bytes().to_vec()),
        prop::collection::vec(0x20_u8.., 0..20),
    ]
}

fn segment() -> impl Strategy<Value = String> {
    prop_oneof![
        select(
            &[
                "",
                ".",
                "..",
                "%2e%2e",
                "%00",
                "%ff%fe",
                "%F0%9F%A6%80",
                "status",
                "scale",
                "web",
                "WEB",
                "a%2Fb",
                "watch",
                "apis",
                "v1",
                "namespaces",
                "finalize",
                "log",
                "%25",
                "a b",
                "-",
                "default",
            ][..]
        )
        .prop_map(str::to_owned),
        "[a-z0-9.%-]{0,12}",
        Just("x".repeat(300)),
    ]
    // What is no part of a path would end the request before it begins.
    .prop_map(|text| text.replace(' ', "%20"))
}

fn parameter() -> impl Strategy<Value = String> {
    prop_oneof![
        select(
            &[
                "",
                "true",
                "false",
                "maybe",
                "0",
                "1",
                "-1",
                "2",
                "007",
                "1e9",
                "18446744073709551615",
                "18446744073709551616",
                "NaN",
                "All",
                "None",
                "Exact",
                "NotOlderThan",
                "Strict",
                "Background",
                "Foreground",
                "Orphan",
                "a=b",
                "a==b",
                "a!=b",
                "a in (b,c)",
                "a notin ()",
                "a in (",
                "!a",
                "!",
                ",",
                "a,,b",
                "a>1",
                "a<x",
                "=",
                "metadata.name=web",
                "metadata.namespace!=default",
                "spec.color=\\,",
                "status.phase=a\\",
                "eyJ2IjoxfQ",
                "eyJydiI6MSwic3RhcnQiOiJhIn0",
                "////",
                "=====",
                "\u{0}",
                "\u{202e}",
                "🦀",
                "%zz",
            ][..]
        )
        .prop_map(str::to_owned),
        "[a-z=!,() \\\\./-]{0,16}",
        ".{0,6}",
        any::<i64>().prop_map(|number| number.to_string()),
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        select(
            &[
                "metadata",
                "name",
                "namespace",
                "uid",
                "labels",
                "annotations",
                "finalizers",
                "ownerReferences",
                "managedFields",
                "resourceVersion",
                "deletionTimestamp",
                "creationTimestamp",
                "generation",
                "generateName",
                "spec",
                "status",
                "data",
                "stringData",
                "kind",
                "apiVersion",
                "size",
                "parts",
                "color",
                "op",
                "path",
                "from",
                "value",
                "$patch",
                "$setElementOrder/parts",
                "$retainKeys",
                "f:spec",
                "k:{\"name\":\"a\"}",
                "",
                ".",
                "a/b",
                "~1",
                "series",
                "involvedObject",
                "preconditions",
                "dryRun",
            ][..]
        )
        .prop_map(str::to_owned),
        ".{0,5}",
    ]
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        name().prop_map(Value::from),
        select(
            &[
                "web",
                "default",
                "2026-11-21T12:00:00Z",
                "0000-00-00T00:00:00Z",
                "9999999-01-01T00:00:00Z",
                "-1",
                "99999999999999999999",
                "FieldsV1",
                "Apply",
                "v1",
                "test.dev/v1",
                "/spec/size",
                "/metadata/-",
                "/spec/parts/99999999999",
                "${{a.B}}",
                "1.5h",
                "-3d",
                "ZA==",
                "not base64",
            ][..]
        )
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name(), inner, 0..4).prop_map(|fields| json!(fields)),
        ]
    })
}

impl Wrong {
    fn make(&self, asked: &mut Asked) {
        match self {
            Self::Method(method) => asked.method = (*method).into(),
            Self::Accept(value) => asked.accept.clone_from(value),
            Self::ContentType(value) => asked.content_type.clone_from(value),
            Self::Segment(at, text) => {
                let mut segments: Vec<&str> = asked.path.split('/').collect();
                // The path still begins with a slash.
                let at = 1 + at.index(segments.len() - 1);
                segments[at] = text;
                asked.path = segments.join("/");
            }
            Self::Parameter(name, value) => {
                match asked.query.iter_mut().find(|(own, _)| own == name) {
                    Some((_, own)) => own.clone_from(value),
                    None => asked.query.push(((*name).to_owned(), value.clone())),
                }
            }
            Self::Value(at, value) => edit(asked, |place| *pick(place, at) = value.clone()),
            Self::Field(at, name, value) => edit(asked, |place| match pick(place, at) {
                Value::Object(fields) => {
                    fields.insert(name.clone(), value.clone());
                }
                Value::Array(items) => items.push(value.clone()),
                other => *other = json!({ name.clone(): value }),
            }),
            Self::Removed(at) => edit(asked, |place| match pick(place, at) {
                Value::Object(fields) => fields.clear(),
                Value::Array(items) => items.clear(),
                other => *other = Value::Null,
            }),
            Self::Byte(at, byte) if !asked.body.is_empty() => {
                let at = at.index(asked.body.len());
                asked.body[at] = *byte;
            }
            Self::Byte(_, byte) => asked.body.push(*byte),
            Self::Cut(at) => asked.body.truncate(at.index(asked.body.len() + 1)),
            Self::Body(body) => asked.body.clone_from(body),
        }
    }
}

fn edit(asked: &mut Asked, change: impl FnOnce(&mut Value)) {
    // A body that is no JSON (any more) is left to the changes of bytes.
    if let Ok(mut body) = serde_json::from_slice(&asked.body) {
        change(&mut body);
        asked.body = body.to_string().into_bytes();
    }
}

/// One of all the places of a document, itself among them.
fn pick<'v>(document: &'v mut Value, at: &Index) -> &'v mut Value {
    fn count(value: &Value) -> usize {
        1 + match value {
            Value::Object(fields) => fields.values().map(count).sum(),
            Value::Array(items) => items.iter().map(count).sum(),
            _ => 0,
        }
    }
    fn walk(value: &mut Value, mut nth: usize) -> &mut Value {
        if nth == 0 {
            return value;
        }
        nth -= 1;
        let children: Vec<&mut Value> = match value {
            Value::Object(fields) => fields.values_mut().collect(),
            Value::Array(items) => items.iter_mut().collect(),
            _ => Vec::new(),
        };
        for child in children {
            let size = count(child);
            if nth < size {
                return walk(child, nth);
            }
            nth -= size;
        }
        unreachable!("there are as many places as were counted")
    }
    let nth = at.index(count(document));
    walk(document, nth)
}
