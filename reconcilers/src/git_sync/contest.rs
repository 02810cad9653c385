//! What the API server says when somebody else has a field too. Pure.

use kube::core::Status;

/// The reason by which Kubernetes marks a field that somebody else has.
const FIELD_CONFLICT: &str = "FieldManagerConflict";

/// Whether an apply was refused because somebody else has fields of it.
pub(super) fn is_field_conflict(status: &Status) -> bool {
    status.code == 409
        && status.details.as_ref().is_some_and(|details| {
            details
                .causes
                .iter()
                .any(|cause| cause.reason == FIELD_CONFLICT)
        })
}

/// Who has the fields. The name stands in quotes at the beginning of the words (source: Kubernetes docs, Server-Side Apply,
/// "Conflicts"); there is no field for it.
pub(super) fn rivals(status: &Status) -> Vec<String> {
    let mut rivals: Vec<String> = status
        .details
        .iter()
        .flat_map(|details| &details.causes)
        .filter(|cause| cause.reason == FIELD_CONFLICT)
        .map(|cause| {
            let name = cause.message.split('"').nth(1);
            name.unwrap_or_default().to_owned()
        })
        .collect();
    rivals.sort();
    rivals.dedup();
    rivals
}

/// The sentence for people.
pub(super) fn described(status: &Status, rivals: &[String]) -> String {
    let fields: Vec<&str> = status
        .details
        .iter()
        .flat_map(|details| &details.causes)
        .filter(|cause| cause.reason == FIELD_CONFLICT)
        .map(|cause| cause.field.trim_start_matches('.'))
        .collect();
    format!(
        "{} declares {} too: take the fields out of Git, or let that manager let go of them",
        rivals.join(", "),
        fields.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn status(causes: serde_json::Value) -> Status {
        serde_json::from_value(json!({
            "code": 409, "reason": "Conflict", "message": "Apply failed", "details": {"causes": causes},
        }))
        .unwrap()
    }

    #[test]
    fn rivals_are_read_from_kubernetes_words() {
        let both = status(json!([
            {"reason": FIELD_CONFLICT, "field": ".spec.a", "message": "conflict with \"kubectl-edit\" using mirage.dev/v1alpha1 at 2026-01-01T00:00:00Z"},
            {"reason": FIELD_CONFLICT, "field": ".spec.b", "message": "conflict with \"terraform\""},
        ]));
        assert!(is_field_conflict(&both));
        assert_eq!(rivals(&both), ["kubectl-edit", "terraform"]);
        assert_eq!(
            described(&both, &rivals(&both)),
            "kubectl-edit, terraform declares spec.a, spec.b too: take the fields out of Git, or let that manager let go of them"
        );
        assert!(!is_field_conflict(&status(json!([]))));
    }
}
