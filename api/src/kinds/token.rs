//! auth.mirage.dev/v1alpha1 Token: a bearer token as far as it may be looked at.

use jiff::Timestamp;
use mirage_specs::duration::Span;
use serde_json::{Value, json};

use super::{Audience, Form, Kind, Selectable};
use crate::error::{CauseReason, Fault};
use crate::kubernetes::request::Verb;
use crate::kubernetes::table::{Column, human_duration};

/// The API group of tokens.
pub(crate) const GROUP: &str = "auth.mirage.dev";

/// The plural of the kind.
pub(crate) const PLURAL: &str = "tokens";

pub(super) fn kind() -> Kind {
    let mut kind = Kind::new(GROUP, "v1alpha1", "Token", PLURAL, document());
    kind.namespaced = false;
    kind.audience = Audience::ClusterAdministrators;
    kind.categories = vec!["mirage".into()];
    // A token is what it was made as: whoever wants another one makes another one.
    kind.verbs = &[
        Verb::Create,
        Verb::Delete,
        Verb::DeleteCollection,
        Verb::Get,
        Verb::List,
        Verb::Watch,
    ];
    kind.takes_strategic_patch = false;
    kind.selectable = vec![Selectable::field("spec.user")];
    kind.form = Some(Form {
        to_stored: |object| object,
        from_stored: shown,
    });
    kind.validate = validate;
    kind.columns = vec![
        Column::path("User", "string", ".spec.user").described("Whom its bearer is taken for."),
        Column::computed("Limits", "string", limits).described("To what it is held down."),
        Column::computed("Expires", "string", time_left)
            .described("Time left until it is good no longer."),
        Column::path("Last Used", "date", ".status.lastUsedAt")
            .described("Time since it was last used, to within ten minutes."),
        Column::path("Age", "date", ".metadata.creationTimestamp")
            .described("Time since it was made."),
        Column::path("Made By", "string", ".status.createdBy")
            .described("Who made it.")
            .priority(1),
        Column::path("Id", "string", ".status.id")
            .described("How its hash begins, to find the token that leaked.")
            .priority(1),
    ];
    kind
}

fn document() -> Value {
    let text = |description: &str| json!({"type": "string", "description": description});
    let texts = |description: &str| json!({"type": "array", "items": {"type": "string"}, "description": description});
    json!({
        "type": "object", "description": "A bearer token. The token itself is in the answer to its creation and nowhere else.",
        "properties": {
            "spec": {"type": "object", "default": {}, "description": "For whom, until when, and how far.", "properties": {
                "user": text("Whom its bearer is taken for; whoever makes it, if not said."),
                "groups": texts("The groups that its bearer is in; those of whoever makes it, if it is for them."),
                "ttl": text("How long it is good, written 24h or 30d; kept as expiresAt."),
                "expiresAt": text("When it is good no longer; for ever, if not said."),
                "limits": {"type": "object", "description": "What to take away from the user's rights; an empty list takes nothing away.", "properties": {
                    "role": text("Only what this ClusterRole allows."),
                    "namespaces": texts("Only in these namespaces, and nothing at the cluster scope."),
                    "names": texts("Only objects of these names."),
                    "verbs": texts("Only these verbs."),
                    "resources": texts("Only these resources: environments, environments/status, environments.mirage.dev.")}}}},
            "status": {"type": "object", "description": "Written by the server.", "properties": {
                "token": text("The token, once."),
                "id": text("How its hash begins."),
                "hash": text("SHA-256 of the token; not shown."),
                "createdBy": text("Who made it."),
                "createdWith": {"type": "object", "description": "The token by which it was made, and with which it ends.", "properties": {
                    "name": text("Its name."), "uid": text("Its uid.")}},
                "lastUsedAt": text("When it was last used, to within ten minutes.")}}
        }
    })
}

/// The hash is of use to nobody but the server.
fn shown(mut object: Value) -> Value {
    if let Some(status) = object.get_mut("status").and_then(Value::as_object_mut) {
        status.remove("hash");
    }
    object
}

fn validate(object: &Value) -> Vec<Fault> {
    let (spec, mut faults) = (&object["spec"], Vec::new());
    let mut fault = |path: String, message: String| {
        faults.push(Fault::new(path, CauseReason::FieldValueInvalid, message));
    };
    if let Some(text) = spec["expiresAt"].as_str()
        && text.parse::<Timestamp>().is_err()
    {
        let message = format!("Invalid value: {text:?}: write a time as 2027-01-31T12:00:00Z");
        fault("spec.expiresAt".into(), message);
    }
    if let Some(text) = spec["ttl"].as_str()
        && let Err(error) = text.parse::<Span>()
    {
        fault("spec.ttl".into(), format!("Invalid value: {error}"));
    }
    if spec["ttl"].is_string() && spec["expiresAt"].is_string() {
        let message = "Invalid value: say either ttl or expiresAt";
        fault("spec.ttl".into(), message.into());
    }
    for field in ["namespaces", "names", "verbs", "resources"] {
        let values = spec["limits"][field].as_array().into_iter().flatten();
        for (index, value) in values.enumerate() {
            let text = value.as_str().unwrap_or_default();
            let is_word = |char: char| char.is_ascii_graphic() && char != ',';
            if text.is_empty() || !text.chars().all(is_word) {
                let message = format!("Invalid value: {text:?}: one word each, without commas");
                fault(format!("spec.limits.{field}[{index}]"), message);
            }
        }
    }
    faults
}

fn limits(object: &Value, _now: Timestamp) -> Value {
    let limits = &object["spec"]["limits"];
    match serde_json::from_value::<crate::access::Limits>(limits.clone()) {
        Ok(limits) if !limits.is_empty() => json!(limits.sentence()),
        _ => Value::Null,
    }
}

fn time_left(object: &Value, now: Timestamp) -> Value {
    let expiry = object["spec"]["expiresAt"].as_str();
    match expiry.and_then(|text| text.parse::<Timestamp>().ok()) {
        None => json!("never"),
        Some(expiry) if expiry <= now => json!("expired"),
        Some(expiry) => json!(human_duration(expiry.duration_since(now))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_name_their_field() {
        for (spec, expected) in [
            (json!({}), vec![]),
            (json!({"ttl": "24h", "limits": {"verbs": ["get"]}}), vec![]),
            (json!({"ttl": "24"}), vec!["spec.ttl"]),
            (json!({"expiresAt": "tomorrow"}), vec!["spec.expiresAt"]),
            (
                json!({"ttl": "1h", "expiresAt": "2027-01-31T12:00:00Z"}),
                vec!["spec.ttl"],
            ),
            (
                json!({"limits": {"verbs": ["get,list"], "names": [""]}}),
                vec!["spec.limits.names[0]", "spec.limits.verbs[0]"],
            ),
        ] {
            let faults = validate(&json!({"spec": spec}));
            let paths: Vec<&str> = faults.iter().map(|fault| fault.path.as_str()).collect();
            assert_eq!(paths, expected, "{spec}");
        }
    }

    #[test]
    fn the_hash_is_not_shown() {
        let object = json!({"status": {"id": "ab", "hash": "abcd"}});
        assert_eq!(shown(object), json!({"status": {"id": "ab"}}));
    }
}
