//! coordination.k8s.io/v1 Lease: who leads, until when.

use serde_json::json;

use super::Kind;
use crate::kubernetes::table::Column;

pub(super) fn kind() -> Kind {
    let document = json!({
        "type": "object", "description": "Who holds something, and for how long.",
        "properties": {"spec": {"type": "object", "description": "The holding.", "properties": {
            "holderIdentity": {"type": "string", "nullable": true, "description": "Who holds it."},
            "leaseDurationSeconds": {"type": "integer", "nullable": true, "description": "How long after renewal others must wait."},
            "acquireTime": {"type": "string", "nullable": true, "description": "When it was taken."},
            "renewTime": {"type": "string", "nullable": true, "description": "When the holder last showed itself."},
            "leaseTransitions": {"type": "integer", "nullable": true, "description": "How often it changed hands."},
            "preferredHolder": {"type": "string", "nullable": true, "description": "Who ought to have it."},
            "strategy": {"type": "string", "nullable": true, "description": "How the holder is chosen."}
        }}}
    });
    let mut kind = Kind::new("coordination.k8s.io", "v1", "Lease", "leases", document);
    kind.columns = vec![
        Column::path("Holder", "string", ".spec.holderIdentity").described("Who holds it."),
        Column::path("Age", "date", ".metadata.creationTimestamp")
            .described("Time since it was created."),
    ];
    kind
}
