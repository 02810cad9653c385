//! The rules of `metadata` that hold for every kind.

use serde_json::{Value, json};

use super::owners;
use super::selector::{is_label_name, is_label_value};
use crate::error::{CauseReason, Fault, Status};
use crate::kinds::Kind;

/// All annotations of an object together (Kubernetes docs: "Annotations").
const ANNOTATIONS_LIMIT: usize = 256 * 1024;

/// The fields that only the server sets, and that outlive every write.
pub(super) const SERVER_OWNED: &[&str] = &[
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "name",
    "namespace",
];

/// Sees to it that the object is one and has a metadata object.
pub(super) fn ensure_shape(object: &mut Value) -> Result<(), Status> {
    let Some(fields) = object.as_object_mut() else {
        return Err(Status::bad_request("the body is not an object"));
    };
    let metadata = fields.entry("metadata").or_insert_with(|| json!({}));
    if metadata.is_null() {
        *metadata = json!({});
    }
    let Some(metadata) = metadata.as_object_mut() else {
        return Err(Status::bad_request("metadata is not an object"));
    };
    // Typed clients send null for what they leave out.
    metadata.retain(|_, value| !value.is_null());
    for field in [
        "name",
        "generateName",
        "namespace",
        "uid",
        "resourceVersion",
    ] {
        if metadata.get(field).is_some_and(|value| !value.is_string()) {
            return Err(Status::bad_request(format!(
                "metadata.{field} is not a string"
            )));
        }
    }
    Ok(())
}

/// A field of the metadata as text; empty when it is not there.
pub(crate) fn text<'v>(object: &'v Value, field: &str) -> &'v str {
    object["metadata"][field].as_str().unwrap_or_default()
}

/// The version that the object says it is.
pub(super) fn version(object: &Value) -> Option<u64> {
    text(object, "resourceVersion").parse().ok()
}

/// Sets or removes a field of the metadata.
pub(super) fn set(object: &mut Value, field: &str, value: Option<Value>) {
    let Some(metadata) = object["metadata"].as_object_mut() else {
        return;
    };
    match value {
        Some(value) => {
            metadata.insert(field.to_owned(), value);
        }
        None => {
            metadata.remove(field);
        }
    }
}

/// Counts one more change of what the user wants.
pub(super) fn raise_generation(object: &mut Value) {
    let generation = object["metadata"]["generation"]
        .as_u64()
        .unwrap_or_default()
        + 1;
    set(object, "generation", Some(json!(generation)));
}

/// Whether deletion was asked for.
pub(crate) fn is_deleting(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}

/// Who still has to clean up.
pub(crate) fn finalizers(object: &Value) -> Vec<&str> {
    object["metadata"]["finalizers"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

/// Whether two objects differ in nothing but `metadata` and `status`.
pub(crate) fn same_spec(one: &Value, other: &Value) -> bool {
    fn spec(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
        let fields = object.as_object().into_iter().flatten();
        fields.filter(|(name, _)| {
            !matches!(name.as_str(), "metadata" | "status" | "apiVersion" | "kind")
        })
    }
    // Fields come in the order of their names.
    spec(one).eq(spec(other))
}

/// What is wrong with names, labels, annotations and owners.
pub(super) fn faults(kind: &Kind, object: &Value) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut fault =
        |path: String, reason, message: String| faults.push(Fault::new(path, reason, message));
    let name = text(object, "name");
    if name.is_empty() {
        let message = "Required value: name or generateName is required";
        fault(
            "metadata.name".into(),
            CauseReason::FieldValueRequired,
            message.into(),
        );
    } else if kind.has_path_names && !is_path_segment(name) {
        fault(
            "metadata.name".into(),
            CauseReason::FieldValueInvalid,
            format!(
                "Invalid value: {name:?}: may not be '.' or '..' and may not contain '/' or '%'"
            ),
        );
    } else if !kind.has_path_names && !is_subdomain(name) {
        fault(
            "metadata.name".into(),
            CauseReason::FieldValueInvalid,
            format!(
                "Invalid value: {name:?}: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric \
                 characters, '-' or '.', and must start and end with an alphanumeric character"
            ),
        );
    }
    for (name, value) in object["metadata"]["labels"]
        .as_object()
        .into_iter()
        .flatten()
    {
        if !is_label_name(name) {
            let message = format!(
                "Invalid value: {name:?}: not a label name ([prefix/]name, at most 63 characters)"
            );
            fault(
                "metadata.labels".into(),
                CauseReason::FieldValueInvalid,
                message,
            );
        }
        if let Some(value) = value.as_str().filter(|value| !is_label_value(value)) {
            let message = format!(
                "Invalid value: {value:?}: not a label value (at most 63 letters, digits, '-', '_' and '.', \
                 beginning and ending with a letter or digit)"
            );
            fault(
                format!("metadata.labels[{name}]"),
                CauseReason::FieldValueInvalid,
                message,
            );
        }
    }
    let mut size = 0;
    for (name, value) in object["metadata"]["annotations"]
        .as_object()
        .into_iter()
        .flatten()
    {
        size += name.len() + value.as_str().map_or(0, str::len);
        if !is_label_name(name) {
            let message =
                format!("Invalid value: {name:?}: not an annotation name ([prefix/]name)");
            fault(
                "metadata.annotations".into(),
                CauseReason::FieldValueInvalid,
                message,
            );
        }
    }
    if size > ANNOTATIONS_LIMIT {
        let message = format!("Too long: may not be more than {ANNOTATIONS_LIMIT} bytes");
        fault(
            "metadata.annotations".into(),
            CauseReason::FieldValueTooLong,
            message,
        );
    }
    faults.extend(owners::faults(object));
    faults
}

/// What a URL's path can hold as one part.
fn is_path_segment(name: &str) -> bool {
    name.len() <= 253
        && !matches!(name, "." | "..")
        && !name.contains(|char: char| matches!(char, '/' | '%') || char.is_control())
}

/// An RFC 1123 subdomain of at most 253 characters.
pub(crate) fn is_subdomain(name: &str) -> bool {
    name.len() <= 253
        && name.split('.').all(|label| {
            let is_inner =
                |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-';
            !label.is_empty()
                && label.chars().all(is_inner)
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_rfc_1123_subdomains() {
        for (name, expected) in [
            ("web", true),
            ("web-1.example", true),
            ("0", true),
            ("Web", false),
            ("-web", false),
            ("web-", false),
            ("a..b", false),
            ("a_b", false),
            ("ä", false),
        ] {
            assert_eq!(is_subdomain(name), expected, "{name}");
        }
        assert!(!is_subdomain(&"a".repeat(254)));
    }

    #[test]
    fn labels_are_checked_by_name_and_value() {
        let object = json!({"metadata": {"name": "a", "labels": {"ok": "fine", "bad name": "x", "v": "-no-"}}});
        let kind = Kind::new("", "v1", "Thing", "things", json!({"type": "object"}));
        let paths: Vec<_> = faults(&kind, &object)
            .into_iter()
            .map(|fault| fault.path)
            .collect();
        assert_eq!(paths, ["metadata.labels", "metadata.labels[v]"]);
    }
}
