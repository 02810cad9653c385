//! core/v1 Secret. Its values are sealed by the store; here they are only brought into one form and checked.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Audience, Kind, Selectable, immutable};
use crate::error::{CauseReason, Fault};
use crate::kubernetes::table::Column;

pub(super) fn kind() -> Kind {
    let mut kind = Kind::new("", "v1", "Secret", "secrets", document());
    kind.audience = Audience::Editors;
    kind.columns = vec![
        Column::path("Type", "string", ".type").described("What the values are for."),
        Column::computed("Data", "string", |object, _| {
            json!(object["data"].as_object().map_or(0, |data| data.len()))
        })
        .described("How many values there are."),
        Column::path("Age", "date", ".metadata.creationTimestamp")
            .described("Time since it was created."),
    ];
    kind.selectable = vec![Selectable::field("type")];
    kind.normalize = fold_string_data;
    kind.validate = validate;
    kind.inherit = keep_type;
    kind.validate_change = validate_change;
    kind
}

fn document() -> Value {
    json!({
        "type": "object", "description": "Values that are nobody's business; sealed at rest.",
        "properties": {
            "data": {"type": "object", "additionalProperties": {"type": "string"}, "description": "Values in base64."},
            "stringData": {"type": "object", "additionalProperties": {"type": "string"},
                "description": "Values as they are; written only, and folded into data."},
            "type": {"type": "string", "default": "Opaque", "description": "What the values are for."},
            "immutable": {"type": "boolean", "description": "Whether the values may never change again."}
        }
    })
}

/// `stringData` is a convenience of the wire: it never reaches the store.
fn fold_string_data(object: &mut Value) {
    let Some(fields) = object.as_object_mut() else {
        return;
    };
    let Some(Value::Object(plain)) = fields.remove("stringData") else {
        return;
    };
    if plain.is_empty() {
        return;
    }
    let data = fields.entry("data").or_insert_with(|| json!({}));
    if data.is_null() {
        *data = json!({});
    }
    let Some(data) = data.as_object_mut() else {
        return;
    };
    for (name, value) in plain {
        // What is no text stays as it is, so that validation sees and names it.
        let folded = value
            .as_str()
            .map_or_else(|| value.clone(), |text| json!(STANDARD.encode(text)));
        data.insert(name, folded);
    }
}

/// An update that does not name the type keeps it, or the default would change it.
fn keep_type(before: &Value, after: &mut Value) {
    let is_named = after["type"].as_str().is_some_and(|text| !text.is_empty());
    if !is_named && !before["type"].is_null() {
        after["type"] = before["type"].clone();
    }
}

fn validate_change(before: &Value, after: &Value) -> Vec<Fault> {
    let mut faults = immutable::faults(before, after, &["data"]);
    if before["type"] != after["type"] {
        let message = format!("Invalid value: {}: field is immutable", after["type"]);
        faults.push(Fault::new("type", CauseReason::FieldValueInvalid, message));
    }
    faults
}

fn validate(object: &Value) -> Vec<Fault> {
    let values = object["data"].as_object().into_iter().flatten();
    values
        .filter_map(|(name, value)| {
            let is_name = !name.is_empty()
                && name.len() <= 253
                && name
                    .chars()
                    .all(|char| char.is_ascii_alphanumeric() || "-_.".contains(char));
            let reason = CauseReason::FieldValueInvalid;
            if !is_name {
                let message = "Invalid value: a key is made of letters, digits, '-', '_' and '.'";
                return Some(Fault::new(format!("data[{name}]"), reason, message));
            }
            let is_base64 = value
                .as_str()
                .is_some_and(|text| STANDARD.decode(text).is_ok());
            // The value itself is never part of the message.
            let message = "Invalid value: not base64; give plain text as stringData";
            (!is_base64).then(|| Fault::new(format!("data.{name}"), reason, message))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn string_data_is_folded_into_data_and_wins() {
        let mut secret = json!({"data": {"a": "eA==", "b": "eQ=="}, "stringData": {"a": "new"}});
        fold_string_data(&mut secret);
        assert_eq!(secret, json!({"data": {"a": "bmV3", "b": "eQ=="}}));
    }

    #[test]
    fn a_fault_never_shows_the_value() {
        let faults = validate(
            &json!({"data": {"token": "not base64: hunter2", "bad/name": "aHVudGVyMg=="}}),
        );
        assert_eq!(faults.len(), 2);
        assert!(!format!("{faults:?}").contains("hunter2"));
    }
}
