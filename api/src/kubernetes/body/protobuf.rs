//! Kubernetes' protobuf envelope: kubectl from 1.32 on, and typed Go clients, send the built-in kinds in it.
//!
//! The envelope is `k8s\0` and a `runtime.Unknown` whose `raw` is the object's own message (k8s.io/apimachinery and
//! k8s.io/api, `generated.proto`). The tables below are the field numbers of the messages that we serve; what is not in
//! them is skipped. Every proto2 scalar is sent even when it is empty, so empty values are left out of the JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// Why bytes are not a message that we know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ProtobufError {
    #[error("it does not begin with the envelope's magic number")]
    NoEnvelope,
    #[error("it ends early or is damaged")]
    Damaged,
    #[error("{0} is not a kind that is read from protobuf here; send JSON")]
    UnknownKind(String),
}

#[derive(Clone, Copy)]
enum Type {
    Text,
    Texts,
    Base64,
    Int,
    Bool,
    Time,
    MicroTime,
    TextMap,
    Base64Map,
    Message(&'static [Field]),
    Messages(&'static [Field]),
}

/// Number, JSON name, type.
type Field = (u64, &'static str, Type);

use Type::{
    Base64, Base64Map, Bool, Int, Message, Messages, MicroTime, Text, TextMap, Texts, Time,
};

const OWNER: &[Field] = &[
    (5, "apiVersion", Text),
    (1, "kind", Text),
    (3, "name", Text),
    (4, "uid", Text),
    (6, "controller", Bool),
    (7, "blockOwnerDeletion", Bool),
];
const META: Field = (
    1,
    "metadata",
    Message(&[
        (1, "name", Text),
        (2, "generateName", Text),
        (3, "namespace", Text),
        (5, "uid", Text),
        (6, "resourceVersion", Text),
        (7, "generation", Int),
        (8, "creationTimestamp", Time),
        (9, "deletionTimestamp", Time),
        (11, "labels", TextMap),
        (12, "annotations", TextMap),
        (13, "ownerReferences", Messages(OWNER)),
        (14, "finalizers", Texts),
    ]),
);
const REFERENCE: &[Field] = &[
    (1, "kind", Text),
    (2, "namespace", Text),
    (3, "name", Text),
    (4, "uid", Text),
    (5, "apiVersion", Text),
    (6, "resourceVersion", Text),
    (7, "fieldPath", Text),
];
const SOURCE: &[Field] = &[(1, "component", Text), (2, "host", Text)];
const SERIES: &[Field] = &[(1, "count", Int), (2, "lastObservedTime", MicroTime)];
const ATTRIBUTES: &[Field] = &[
    (1, "namespace", Text),
    (2, "verb", Text),
    (3, "group", Text),
    (4, "version", Text),
    (5, "resource", Text),
    (6, "subresource", Text),
    (7, "name", Text),
];

/// `k8s.io/api/authorization/v1`: what is asked, about whom.
const ASKED: [Field; 2] = [
    (1, "resourceAttributes", Message(ATTRIBUTES)),
    (
        2,
        "nonResourceAttributes",
        Message(&[(1, "path", Text), (2, "verb", Text)]),
    ),
];
const ACCESS: &[Field] = &[
    META,
    (
        2,
        "spec",
        Message(&[
            ASKED[0],
            ASKED[1],
            (3, "user", Text),
            (4, "groups", Texts),
            (6, "uid", Text),
        ]),
    ),
];

/// `k8s.io/api/rbac/v1`
const RULES: Field = (
    2,
    "rules",
    Messages(&[
        (1, "verbs", Texts),
        (2, "apiGroups", Texts),
        (3, "resources", Texts),
        (4, "resourceNames", Texts),
        (5, "nonResourceURLs", Texts),
    ]),
);
const BINDING: &[Field] = &[
    META,
    (
        2,
        "subjects",
        Messages(&[
            (1, "kind", Text),
            (2, "apiGroup", Text),
            (3, "name", Text),
            (4, "namespace", Text),
        ]),
    ),
    (
        3,
        "roleRef",
        Message(&[(1, "apiGroup", Text), (2, "kind", Text), (3, "name", Text)]),
    ),
];

/// The fields of a kind's message.
fn message(kind: &str, api_version: &str) -> Option<&'static [Field]> {
    Some(match (kind, api_version) {
        ("SelfSubjectReview", _) => &[META],
        ("SelfSubjectAccessReview", _) => &[META, (2, "spec", Message(&ASKED))],
        ("SubjectAccessReview" | "LocalSubjectAccessReview", _) => ACCESS,
        ("Role", _) => &[META, RULES],
        // An aggregation is refused, and for that only has to be seen.
        ("ClusterRole", _) => &[
            META,
            RULES,
            (
                3,
                "aggregationRule",
                Message(&[(1, "clusterRoleSelectors", Messages(&[]))]),
            ),
        ],
        ("RoleBinding" | "ClusterRoleBinding", _) => BINDING,
        ("SelfSubjectRulesReview", _) => &[META, (2, "spec", Message(&[(1, "namespace", Text)]))],
        ("Namespace", "v1") => &[
            META,
            (2, "spec", Message(&[(1, "finalizers", Texts)])),
            (3, "status", Message(&[(1, "phase", Text)])),
        ],
        ("ConfigMap", "v1") => &[
            META,
            (2, "data", TextMap),
            (3, "binaryData", Base64Map),
            (4, "immutable", Bool),
        ],
        ("Secret", "v1") => &[
            META,
            (2, "data", Base64Map),
            (3, "type", Text),
            (4, "stringData", TextMap),
            (5, "immutable", Bool),
        ],
        ("Lease", _) => &[
            META,
            (
                2,
                "spec",
                Message(&[
                    (1, "holderIdentity", Text),
                    (2, "leaseDurationSeconds", Int),
                    (3, "acquireTime", MicroTime),
                    (4, "renewTime", MicroTime),
                    (5, "leaseTransitions", Int),
                    (6, "strategy", Text),
                    (7, "preferredHolder", Text),
                ]),
            ),
        ],
        ("DeleteOptions", _) => &[
            (1, "gracePeriodSeconds", Int),
            (
                2,
                "preconditions",
                Message(&[(1, "uid", Text), (2, "resourceVersion", Text)]),
            ),
            (3, "orphanDependents", Bool),
            (4, "propagationPolicy", Text),
            (5, "dryRun", Texts),
        ],
        ("Event", "v1") => &[
            META,
            (2, "involvedObject", Message(REFERENCE)),
            (3, "reason", Text),
            (4, "message", Text),
            (5, "source", Message(SOURCE)),
            (6, "firstTimestamp", Time),
            (7, "lastTimestamp", Time),
            (8, "count", Int),
            (9, "type", Text),
            (10, "eventTime", MicroTime),
            (11, "series", Message(SERIES)),
            (12, "action", Text),
            (13, "related", Message(REFERENCE)),
            (14, "reportingComponent", Text),
            (15, "reportingInstance", Text),
        ],
        ("Event", _) => &[
            META,
            (2, "eventTime", MicroTime),
            (3, "series", Message(SERIES)),
            (4, "reportingController", Text),
            (5, "reportingInstance", Text),
            (6, "action", Text),
            (7, "reason", Text),
            (8, "regarding", Message(REFERENCE)),
            (9, "related", Message(REFERENCE)),
            (10, "note", Text),
            (11, "type", Text),
            (12, "deprecatedSource", Message(SOURCE)),
            (13, "deprecatedFirstTimestamp", Time),
            (14, "deprecatedLastTimestamp", Time),
            (15, "deprecatedCount", Int),
        ],
        _ => return None,
    })
}

/// The object in an envelope, as JSON.
pub(super) fn decode(bytes: &[u8]) -> Result<Value, ProtobufError> {
    const UNKNOWN: &[Field] = &[
        (
            1,
            "typeMeta",
            Message(&[(1, "apiVersion", Text), (2, "kind", Text)]),
        ),
        (2, "raw", Base64),
    ];
    let envelope = bytes
        .strip_prefix(b"k8s\0")
        .ok_or(ProtobufError::NoEnvelope)?;
    let unknown = read(UNKNOWN, envelope)?;
    let text = |name: &str| {
        unknown["typeMeta"][name]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    let fields =
        message(&kind, &api_version).ok_or_else(|| ProtobufError::UnknownKind(kind.clone()))?;
    let raw = STANDARD
        .decode(unknown["raw"].as_str().unwrap_or_default())
        .map_err(|_| ProtobufError::Damaged)?;
    let mut object = read(fields, &raw)?;
    object["apiVersion"] = json!(api_version);
    object["kind"] = json!(kind);
    Ok(object)
}

/// A field as it stands in the bytes.
enum Wire<'b> {
    Varint(u64),
    Bytes(&'b [u8]),
    Skipped,
}

fn read(fields: &[Field], mut bytes: &[u8]) -> Result<Value, ProtobufError> {
    let mut out = Map::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        let wire = match tag & 7 {
            0 => Wire::Varint(varint(&mut bytes)?),
            2 => {
                let length =
                    usize::try_from(varint(&mut bytes)?).map_err(|_| ProtobufError::Damaged)?;
                Wire::Bytes(take(&mut bytes, length)?)
            }
            1 => take(&mut bytes, 8).map(|_| Wire::Skipped)?,
            5 => take(&mut bytes, 4).map(|_| Wire::Skipped)?,
            _ => return Err(ProtobufError::Damaged),
        };
        if let Some((_, name, field_type)) = fields.iter().find(|(number, ..)| *number == tag >> 3)
        {
            put(&mut out, name, *field_type, &wire)?;
        }
    }
    Ok(Value::Object(out))
}

fn put(
    out: &mut Map<String, Value>,
    name: &str,
    field_type: Type,
    wire: &Wire<'_>,
) -> Result<(), ProtobufError> {
    let text = |bytes: &[u8]| {
        std::str::from_utf8(bytes)
            .map(str::to_owned)
            .map_err(|_| ProtobufError::Damaged)
    };
    let value = match (field_type, wire) {
        (Int, Wire::Varint(number)) => json!(number.cast_signed()),
        (Bool, Wire::Varint(number)) => json!(*number != 0),
        (Text, Wire::Bytes(bytes)) => json!(text(bytes)?),
        (Base64, Wire::Bytes(bytes)) => json!(STANDARD.encode(bytes)),
        (Time, Wire::Bytes(bytes)) => time(bytes, 0)?,
        (MicroTime, Wire::Bytes(bytes)) => time(bytes, 6)?,
        (Message(fields), Wire::Bytes(bytes)) => read(fields, bytes)?,
        (Texts, Wire::Bytes(bytes)) => return push(out, name, json!(text(bytes)?)),
        (Messages(fields), Wire::Bytes(bytes)) => return push(out, name, read(fields, bytes)?),
        (TextMap | Base64Map, Wire::Bytes(bytes)) => {
            let value_type = if matches!(field_type, TextMap) {
                Text
            } else {
                Base64
            };
            let entry = read(&[(1, "key", Text), (2, "value", value_type)], bytes)?;
            let key = entry["key"].as_str().unwrap_or_default().to_owned();
            let value = if entry["value"].is_null() {
                json!("")
            } else {
                entry["value"].clone()
            };
            let map = out.entry(name).or_insert_with(|| json!({}));
            if let Some(map) = map.as_object_mut() {
                map.insert(key, value);
            }
            return Ok(());
        }
        _ => return Ok(()),
    };
    let is_empty = match &value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    };
    if !is_empty {
        out.insert(name.to_owned(), value);
    }
    Ok(())
}

fn push(out: &mut Map<String, Value>, name: &str, value: Value) -> Result<(), ProtobufError> {
    if let Some(items) = out.entry(name).or_insert_with(|| json!([])).as_array_mut() {
        items.push(value);
    }
    Ok(())
}

/// Seconds and nanoseconds; an empty message is no time at all.
fn time(bytes: &[u8], digits: u8) -> Result<Value, ProtobufError> {
    let parts = read(&[(1, "seconds", Int), (2, "nanos", Int)], bytes)?;
    let Some(seconds) = parts["seconds"].as_i64() else {
        return Ok(Value::Null);
    };
    let nanos = parts["nanos"]
        .as_i64()
        .and_then(|nanos| i32::try_from(nanos).ok())
        .unwrap_or_default();
    let timestamp = Timestamp::new(seconds, nanos).map_err(|_| ProtobufError::Damaged)?;
    Ok(json!(if digits == 0 {
        format!("{timestamp:.0}")
    } else {
        format!("{timestamp:.6}")
    }))
}

fn varint(bytes: &mut &[u8]) -> Result<u64, ProtobufError> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first().ok_or(ProtobufError::Damaged)?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(ProtobufError::Damaged)
}

fn take<'b>(bytes: &mut &'b [u8], length: usize) -> Result<&'b [u8], ProtobufError> {
    let (taken, rest) = bytes
        .split_at_checked(length)
        .ok_or(ProtobufError::Damaged)?;
    *bytes = rest;
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn field(number: u8, payload: &[u8]) -> Vec<u8> {
        let mut out = vec![number << 3 | 2, u8::try_from(payload.len()).unwrap()];
        out.extend(payload);
        out
    }

    #[test]
    fn a_namespace_from_kubectl_becomes_json_without_its_empty_fields() {
        let type_meta = [field(1, b"v1"), field(2, b"Namespace")].concat();
        let label = [field(1, b"app"), field(2, b"web")].concat();
        let meta = [
            field(1, b"team"),
            field(2, b""),
            field(8, b""),
            field(11, &label),
        ]
        .concat();
        let object = [field(1, &meta), field(2, b""), field(3, &field(1, b""))].concat();
        let unknown = [
            field(1, &type_meta),
            field(2, &object),
            field(3, b""),
            field(4, b""),
        ]
        .concat();
        let envelope = [b"k8s\0".to_vec(), unknown].concat();
        assert_eq!(
            decode(&envelope).unwrap(),
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team", "labels": {"app": "web"}}})
        );
    }

    fn number(number: u8, value: u8) -> Vec<u8> {
        vec![number << 3, value]
    }

    fn enveloped(api_version: &str, kind: &str, object: &[u8]) -> Vec<u8> {
        let type_meta = [field(1, api_version.as_bytes()), field(2, kind.as_bytes())].concat();
        // Longer than a byte can say: the length is a varint.
        let mut raw = vec![2 << 3 | 2];
        let mut length = object.len();
        while length >= 0x80 {
            raw.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
            length >>= 7;
        }
        raw.push(u8::try_from(length).unwrap());
        [
            b"k8s\0".to_vec(),
            field(1, &type_meta),
            raw,
            object.to_vec(),
        ]
        .concat()
    }

    #[test]
    fn the_kinds_that_typed_clients_send_become_what_they_send_as_json() {
        let meta = field(1, &field(1, b"a"));
        let entry = |value: &[u8]| [field(1, b"k"), field(2, value)].concat();
        // 2026-11-21T12:00:00Z in seconds, as a varint.
        let seconds = [0x08, 0xc0, 0x8f, 0x86, 0xd8, 0x06];
        let micro = [seconds.to_vec(), vec![0x10, 0xc0, 0x84, 0x3d]].concat();
        let reference = [field(1, b"Thing"), field(3, b"web")].concat();
        for (api_version, kind, object, expected) in [
            (
                "v1",
                "Secret",
                [
                    meta.clone(),
                    field(2, &entry(b"\xff")),
                    field(3, b"Opaque"),
                    number(5, 1),
                ]
                .concat(),
                json!({"metadata": {"name": "a"}, "data": {"k": "/w=="}, "type": "Opaque", "immutable": true}),
            ),
            (
                "v1",
                "ConfigMap",
                [
                    meta.clone(),
                    field(2, &entry(b"v")),
                    field(3, &entry(b"\xff")),
                ]
                .concat(),
                json!({"metadata": {"name": "a"}, "data": {"k": "v"}, "binaryData": {"k": "/w=="}}),
            ),
            (
                "coordination.k8s.io/v1",
                "Lease",
                {
                    let spec = [
                        field(1, b"me"),
                        number(2, 15),
                        field(4, &micro),
                        number(5, 0),
                    ]
                    .concat();
                    [meta.clone(), field(2, &spec)].concat()
                },
                json!({"metadata": {"name": "a"}, "spec": {"holderIdentity": "me", "leaseDurationSeconds": 15,
                    "renewTime": "2026-11-21T12:00:00.001000Z", "leaseTransitions": 0}}),
            ),
            (
                "v1",
                "Event",
                [
                    meta.clone(),
                    field(2, &reference),
                    field(4, b"m"),
                    field(7, &seconds),
                    number(8, 3),
                ]
                .concat(),
                json!({"metadata": {"name": "a"}, "involvedObject": {"kind": "Thing", "name": "web"}, "message": "m",
                    "lastTimestamp": "2026-11-21T12:00:00Z", "count": 3}),
            ),
            (
                "events.k8s.io/v1",
                "Event",
                [
                    meta,
                    field(2, &micro),
                    field(8, &reference),
                    field(10, b"m"),
                ]
                .concat(),
                json!({"metadata": {"name": "a"}, "regarding": {"kind": "Thing", "name": "web"}, "note": "m",
                    "eventTime": "2026-11-21T12:00:00.001000Z"}),
            ),
            (
                "v1",
                "DeleteOptions",
                [
                    number(1, 0),
                    field(2, &field(1, b"u-1")),
                    number(3, 1),
                    field(5, b"All"),
                ]
                .concat(),
                json!({"gracePeriodSeconds": 0, "preconditions": {"uid": "u-1"}, "orphanDependents": true, "dryRun": ["All"]}),
            ),
        ] {
            let mut expected = expected;
            expected["apiVersion"] = json!(api_version);
            expected["kind"] = json!(kind);
            let found = decode(&enveloped(api_version, kind, &object)).unwrap();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_role_from_kubectl_keeps_the_core_group_in_its_rules() {
        let type_meta = [field(1, b"rbac.authorization.k8s.io/v1"), field(2, b"Role")].concat();
        let rule = [field(1, b"get"), field(2, b""), field(3, b"secrets")].concat();
        let object = [field(1, &field(1, b"reader")), field(2, &rule)].concat();
        let unknown = [field(1, &type_meta), field(2, &object)].concat();
        let envelope = [b"k8s\0".to_vec(), unknown].concat();
        assert_eq!(
            decode(&envelope).unwrap(),
            json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "reader"},
                "rules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"]}]})
        );
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = decode(&[b"k8s\0".to_vec(), bytes.clone()].concat());
            let _ = read(message("Event", "v1").unwrap(), &bytes);
        }
    }
}
