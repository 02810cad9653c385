//! An Environment as its owner would write it: without what the server added, and without what says nothing.

use serde_json::{Map, Value, json};

use crate::import::IMPORT_OPERATION;

/// Annotations that ask for something once; on another Environment they would ask again.
const MOMENTARY: [&str; 5] = [
    "mirage.dev/approve",
    "mirage.dev/import",
    "mirage.dev/redeploy",
    "mirage.dev/retry",
    "mirage.dev/wake-at",
];

/// kubectl's memory of the last client-side apply.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The object as a manifest. Secrets are references in it already; what is plain was written plainly.
pub fn exported(object: &Value) -> Value {
    let metadata = &object["metadata"];
    let mut kept = Map::new();
    for key in ["name", "namespace"] {
        if metadata[key].is_string() {
            kept.insert(key.to_owned(), metadata[key].clone());
        }
    }
    let annotations = without(&metadata["annotations"], |name| {
        MOMENTARY.contains(&name) || name == LAST_APPLIED
    });
    let labels = without(&metadata["labels"], |name| name == IMPORT_OPERATION);
    for (key, map) in [("annotations", annotations), ("labels", labels)] {
        if !map.is_empty() {
            kept.insert(key.to_owned(), Value::Object(map));
        }
    }
    json!({
        "apiVersion": object["apiVersion"],
        "kind": object["kind"],
        "metadata": kept,
        "spec": pruned(&object["spec"]).unwrap_or_else(|| json!({})),
    })
}

fn without(map: &Value, is_left_out: impl Fn(&str) -> bool) -> Map<String, Value> {
    let entries = map.as_object().into_iter().flatten();
    entries
        .filter(|(name, _)| !is_left_out(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Empty maps and lists go, at every depth; a `null` stays, as it takes something away.
pub(super) fn pruned(value: &Value) -> Option<Value> {
    match value {
        Value::Object(map) => {
            let kept: Map<String, Value> = map
                .iter()
                .filter_map(|(key, value)| {
                    // A domain without a name is one that Railway makes up: `{}` says something.
                    let kept = if key == "domains" {
                        (value.as_array().is_none_or(|list| !list.is_empty()))
                            .then(|| value.clone())
                    } else {
                        pruned(value)
                    };
                    Some((key.clone(), kept?))
                })
                .collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        Value::Array(list) if list.is_empty() => None,
        other => Some(other.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_added_goes_and_what_was_written_stays() {
        let object = json!({
            "apiVersion": "mirage.dev/v1alpha1", "kind": "Environment",
            "metadata": {
                "name": "shop", "namespace": "default", "uid": "u", "resourceVersion": "7", "generation": 3,
                "managedFields": [], "finalizers": ["mirage.dev/railway"], "creationTimestamp": "2026-01-01T00:00:00Z",
                "annotations": {"mirage.dev/retry": "", "owner": "ada", LAST_APPLIED: "{}"},
                "labels": {"mirage.dev/import-operation": "x", "team": "shop"},
            },
            "spec": {"services": {"web": {"source": {"image": "nginx"}, "deploy": {}, "domains": [{}], "tcpProxies": []}}, "variables": {}},
            "status": {"phase": "Ready"},
        });
        assert_eq!(
            exported(&object),
            json!({
                "apiVersion": "mirage.dev/v1alpha1", "kind": "Environment",
                "metadata": {"name": "shop", "namespace": "default", "annotations": {"owner": "ada"}, "labels": {"team": "shop"}},
                "spec": {"services": {"web": {"source": {"image": "nginx"}, "domains": [{}]}}},
            })
        );
    }
}
