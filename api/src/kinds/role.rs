//! rbac.authorization.k8s.io/v1 Role and ClusterRole: lists of rules.

use serde_json::{Value, json};

use super::{Audience, Kind};
use crate::access::RBAC;
use crate::error::{CauseReason, Fault};
use crate::kubernetes::table::Column;

pub(super) fn kind() -> Kind {
    let mut kind = Kind::new(RBAC, "v1", "Role", "roles", document());
    kind.audience = Audience::Administrators;
    kind.validate = |object| faults(object, true);
    finished(kind)
}

pub(super) fn cluster_kind() -> Kind {
    let mut document = document();
    // Kept in the schema so that it is refused by name instead of being dropped without a word.
    document["properties"]["aggregationRule"] = json!({
        "type": "object", "nullable": true, "x-kubernetes-preserve-unknown-fields": true,
        "description": "Not supported: write the rules out."});
    let mut kind = Kind::new(RBAC, "v1", "ClusterRole", "clusterroles", document);
    kind.namespaced = false;
    kind.audience = Audience::ClusterAdministrators;
    kind.validate = |object| {
        let mut faults = faults(object, false);
        if !object["aggregationRule"].is_null() {
            let message = "Forbidden: aggregated roles are not supported; write the rules out";
            let reason = CauseReason::FieldValueForbidden;
            faults.push(Fault::new("aggregationRule", reason, message));
        }
        faults
    };
    finished(kind)
}

fn finished(mut kind: Kind) -> Kind {
    kind.has_path_names = true;
    kind.columns = vec![
        Column::path("Created At", "string", ".metadata.creationTimestamp")
            .described("When it was made."),
    ];
    kind
}

fn document() -> Value {
    let texts = |description: &str| json!({"type": "array", "items": {"type": "string"}, "description": description});
    json!({
        "type": "object", "description": "What those may do to whom it is bound.",
        "properties": {"rules": {"type": "array", "nullable": true, "description": "Each adds rights; none takes any away.",
            "items": {"type": "object", "required": ["verbs"], "properties": {
                "verbs": texts("What may be done: get, list, watch, create, update, patch, delete, deletecollection; * for all."),
                "apiGroups": texts("In which API groups; \"\" is the core group, * all."),
                "resources": texts("To which resources, by plural; environments/status for a part, * for all."),
                "resourceNames": texts("To objects of these names only."),
                "nonResourceURLs": texts("On which paths that are no resources; a * may end them.")
            }}}}
    })
}

fn faults(object: &Value, is_namespaced: bool) -> Vec<Fault> {
    let mut faults = Vec::new();
    let rules = object["rules"].as_array().into_iter().flatten();
    for (index, rule) in rules.enumerate() {
        let has = |field: &str| rule[field].as_array().is_some_and(|list| !list.is_empty());
        let mut fault = |field: &str, reason, message: &str| {
            faults.push(Fault::new(
                format!("rules[{index}].{field}"),
                reason,
                message,
            ));
        };
        let required = CauseReason::FieldValueRequired;
        if !has("verbs") {
            let message = "Required value: verbs must contain at least one value";
            fault("verbs", required, message);
        }
        if has("nonResourceURLs") {
            let invalid = CauseReason::FieldValueInvalid;
            if is_namespaced {
                let message = "Invalid value: namespaced rules cannot apply to non-resource URLs";
                fault("nonResourceURLs", invalid, message);
            }
            if has("apiGroups") || has("resources") || has("resourceNames") {
                let message = "Invalid value: rules cannot apply to both regular resources and non-resource URLs";
                fault("nonResourceURLs", invalid, message);
            }
            continue;
        }
        if !has("apiGroups") {
            let message = "Required value: resource rules must supply at least one api group";
            fault("apiGroups", required, message);
        }
        if !has("resources") {
            let message = "Required value: resource rules must supply at least one resource";
            fault("resources", required, message);
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_of_a_rule_names_its_field() {
        for (rule, namespaced, expected) in [
            (
                json!({"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"]}),
                true,
                vec![],
            ),
            (
                json!({"apiGroups": [""], "resources": ["secrets"]}),
                true,
                vec!["rules[0].verbs"],
            ),
            (
                json!({"verbs": ["get"]}),
                true,
                vec!["rules[0].apiGroups", "rules[0].resources"],
            ),
            (
                json!({"verbs": ["get"], "nonResourceURLs": ["/metrics"]}),
                false,
                vec![],
            ),
            (
                json!({"verbs": ["get"], "nonResourceURLs": ["/metrics"]}),
                true,
                vec!["rules[0].nonResourceURLs"],
            ),
            (
                json!({"verbs": ["get"], "nonResourceURLs": ["/x"], "resources": ["secrets"]}),
                false,
                vec!["rules[0].nonResourceURLs"],
            ),
        ] {
            let found = faults(&json!({"rules": [rule]}), namespaced);
            let paths: Vec<&str> = found.iter().map(|fault| fault.path.as_str()).collect();
            assert_eq!(paths, expected, "{rule}");
        }
    }
}
