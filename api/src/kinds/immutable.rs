//! `immutable: true` of secrets and config maps: the values stay as they are, and so does the promise (Kubernetes docs:
//! "Immutable Secrets", "Immutable ConfigMaps").

use serde_json::Value;

use crate::error::{CauseReason, Fault};

/// What a change does to an immutable object that it must not do; `fields` hold the values. A value itself is never part
/// of the message.
pub(super) fn faults(before: &Value, after: &Value, fields: &[&str]) -> Vec<Fault> {
    if before["immutable"] != true {
        return Vec::new();
    }
    let is_empty = |value: &Value| value.as_object().is_none_or(serde_json::Map::is_empty);
    let mut changed = Vec::new();
    if after["immutable"] != true {
        changed.push("immutable");
    }
    for field in fields {
        let (old, new) = (&before[field], &after[field]);
        if old != new && !(is_empty(old) && is_empty(new)) {
            changed.push(field);
        }
    }
    let message = "Forbidden: field is immutable when `immutable` is set";
    let reason = CauseReason::FieldValueForbidden;
    changed
        .into_iter()
        .map(|field| Fault::new(field, reason, message))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_said_to_be_immutable_is() {
        let sealed = json!({"immutable": true, "data": {"a": "1"}});
        for (before, after, expected) in [
            (
                json!({"data": {"a": "1"}}),
                json!({"data": {"a": "2"}}),
                vec![],
            ),
            (
                json!({"immutable": false}),
                json!({"immutable": true}),
                vec![],
            ),
            (sealed.clone(), sealed.clone(), vec![]),
            (
                json!({"immutable": true}),
                json!({"immutable": true, "data": {}}),
                vec![],
            ),
            (
                sealed.clone(),
                json!({"immutable": true, "data": {"a": "2"}}),
                vec!["data"],
            ),
            (sealed.clone(), json!({"immutable": true}), vec!["data"]),
            (sealed, json!({"data": {"a": "1"}}), vec!["immutable"]),
        ] {
            let found: Vec<String> = faults(&before, &after, &["data", "binaryData"])
                .into_iter()
                .map(|fault| fault.path)
                .collect();
            assert_eq!(found, expected, "{before} {after}");
        }
    }
}
