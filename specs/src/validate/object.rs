//! What every object has around its `spec`.

use serde_json::Value;

use crate::{
    name::EnvironmentName,
    nearest::suggestion,
    path::FieldPath,
    validate::{Faults, node::Node, spec::is_object_name},
};

const TOP: [&str; 5] = ["apiVersion", "kind", "metadata", "spec", "status"];

/// Fields of `metadata` (Kubernetes API reference: ObjectMeta).
const METADATA: [&str; 15] = [
    "annotations",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "labels",
    "managedFields",
    "name",
    "namespace",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// Checks the envelope and returns its `spec`; nothing when there is none to look at.
pub(super) fn spec_of<'a>(object: &'a Value, faults: &mut Faults) -> Option<Node<'a>> {
    let root = Node::new(object, FieldPath::root(), false);
    if !object.is_object() {
        faults.type_invalid(
            &root.path,
            "expected a map with apiVersion, kind, metadata and spec",
        );
        return None;
    }
    for (key, entry) in root.all_entries() {
        if !TOP.contains(&key) {
            faults.unknown(
                &entry.path,
                format!("unknown field{}", suggestion(key, TOP)),
            );
        }
    }
    check_metadata(&root.at("metadata"), faults);
    let spec = root.at("spec");
    if !spec.is_given() {
        faults.required(&spec.path, "must be given");
        return None;
    }
    Some(spec)
}

fn check_metadata(metadata: &Node<'_>, faults: &mut Faults) {
    for (key, entry) in metadata.all_entries() {
        if !METADATA.contains(&key) {
            faults.unknown(
                &entry.path,
                format!("unknown field{}", suggestion(key, METADATA)),
            );
        }
    }
    let name = metadata.at("name");
    match name.text() {
        Some(text) if !is_object_name(text) => {
            faults.invalid(
                &name.path,
                "lower-case letters, digits, '-' and '.', at most 253 characters",
            );
        }
        None if !metadata.at("generateName").is_given() => {
            faults.required(&name.path, "must be given")
        }
        _ => {}
    }
}

/// An Environment without `spec.name` gives its own name to Railway, which takes less than Kubernetes.
pub(super) fn check_railway_name(object: &Value, faults: &mut Faults) {
    let root = Node::new(object, FieldPath::root(), false);
    let name = root.at("metadata").at("name");
    if root.at("spec").at("name").is_given() {
        return;
    }
    if let Some(text) = name.text()
        && is_object_name(text)
        && let Err(error) = text.parse::<EnvironmentName>()
    {
        let message =
            format!("as the environment's name on Railway: {error}; give another in spec.name");
        faults.invalid(&name.path, message);
    }
}
