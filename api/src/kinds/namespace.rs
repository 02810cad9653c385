//! core/v1 Namespace.

use serde_json::{Value, json};

use super::{Audience, Kind};
use crate::kubernetes::table::Column;

pub(super) fn kind() -> Kind {
    let mut kind = Kind::new("", "v1", "Namespace", "namespaces", document());
    kind.short_names = vec!["ns".into()];
    kind.namespaced = false;
    kind.has_status = true;
    kind.audience = Audience::Readers;
    kind.columns = vec![
        Column::path("Status", "string", ".status.phase").described("Active or Terminating."),
        Column::path("Age", "date", ".metadata.creationTimestamp")
            .described("Time since it was created."),
    ];
    kind.selectable = vec![super::Selectable::field("status.phase")];
    kind.normalize = |object| {
        // Kubernetes sets this label on every namespace; selectors rely on it.
        let Some(name) = object["metadata"]["name"].as_str().map(str::to_owned) else {
            return;
        };
        let Some(metadata) = object["metadata"].as_object_mut() else {
            return;
        };
        let labels = metadata.entry("labels").or_insert_with(|| json!({}));
        if let Some(labels) = labels.as_object_mut() {
            labels.insert("kubernetes.io/metadata.name".into(), json!(name));
        }
    };
    kind
}

fn document() -> Value {
    json!({
        "type": "object", "description": "A scope for names.",
        "properties": {
            "spec": {"type": "object", "default": {"finalizers": ["kubernetes"]}, "description": "Kept for clients that expect it.", "properties": {
                "finalizers": {"type": "array", "items": {"type": "string"},
                    "description": "Who still has to clean up before the namespace may go."}}},
            "status": {"type": "object", "default": {"phase": "Active"}, "description": "Whether it is going away.", "properties": {
                "phase": {"type": "string", "description": "Active or Terminating."},
                "conditions": {"type": "array", "items": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                    "description": "Why it has not gone yet."}}}
        }
    })
}
