//! apiextensions.k8s.io/v1 CustomResourceDefinition, read-only: tools such as k9s list them to learn of our kinds.

use serde_json::json;

use super::{Kind, READ_VERBS};
use crate::kubernetes::table::Column;

pub(super) fn kind() -> Kind {
    let document = json!({
        "type": "object", "description": "Describes a kind.",
        "properties": {
            "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "description": "Names and schema."},
            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "description": "Whether it is served."}
        }
    });
    let mut kind = Kind::new(
        "apiextensions.k8s.io",
        "v1",
        "CustomResourceDefinition",
        "customresourcedefinitions",
        document,
    );
    kind.short_names = vec!["crd".into(), "crds".into()];
    kind.categories = vec!["api-extensions".into()];
    kind.namespaced = false;
    kind.verbs = READ_VERBS;
    kind.columns = vec![
        Column::path("Created At", "string", ".metadata.creationTimestamp")
            .described("When it was made."),
    ];
    kind
}
