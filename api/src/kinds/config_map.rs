//! core/v1 ConfigMap.

use serde_json::json;

use super::{Kind, immutable};
use crate::kubernetes::table::Column;

pub(super) fn kind() -> Kind {
    let values = |description: &str| json!({"type": "object", "additionalProperties": {"type": "string"}, "description": description});
    let document = json!({
        "type": "object", "description": "Values that anybody may read.",
        "properties": {
            "data": values("Values as text."),
            "binaryData": values("Values in base64."),
            "immutable": {"type": "boolean", "description": "Whether the values may never change again."}
        }
    });
    let mut kind = Kind::new("", "v1", "ConfigMap", "configmaps", document);
    kind.short_names = vec!["cm".into()];
    kind.validate_change =
        |before, after| immutable::faults(before, after, &["data", "binaryData"]);
    kind.columns = vec![
        Column::computed("Data", "string", |object, _| {
            let count = |field: &str| object[field].as_object().map_or(0, |values| values.len());
            json!(count("data") + count("binaryData"))
        })
        .described("How many values there are."),
        Column::path("Age", "date", ".metadata.creationTimestamp")
            .described("Time since it was created."),
    ];
    kind
}
