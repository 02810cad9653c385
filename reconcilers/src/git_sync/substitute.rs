//! `${NAME}` in the values of a document. Pure.
//!
//! Values are filled in after the YAML was read, so that a value can never become structure, and faults keep their line.
//! Railway's own `${{…}}` is copied as it is, with all that is inside it. `$${NAME}` is the text `${NAME}`.

use std::collections::BTreeMap;

use mirage_railway::secret::SecretValue;
use mirage_specs::path::FieldPath;
use serde_json::Value;

/// What can be filled in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Variables {
    /// Text, numbers, true and false; these win over secret ones of their name.
    pub plain: BTreeMap<String, Value>,
    /// For Secrets only.
    pub secret: BTreeMap<String, SecretValue>,
}

/// Something that cannot be filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The field.
    pub path: String,
    /// What is wrong, and what would do.
    pub message: String,
}

/// The document with everything filled in.
///
/// # Errors
/// Every name that has no value, and every secret one where it would be kept in the clear.
pub fn substitute(document: &Value, variables: &Variables) -> Result<Value, Vec<Gap>> {
    let mut filling = Filling {
        variables,
        is_secret: document["kind"] == "Secret" && document["apiVersion"] == "v1",
        gaps: Vec::new(),
    };
    let filled = filling.value(document, &FieldPath::root());
    if filling.gaps.is_empty() {
        Ok(filled)
    } else {
        Err(filling.gaps)
    }
}

struct Filling<'v> {
    variables: &'v Variables,
    /// Whether the document is a Secret, which is kept sealed.
    is_secret: bool,
    gaps: Vec<Gap>,
}

impl Filling<'_> {
    fn value(&mut self, value: &Value, path: &FieldPath) -> Value {
        match value {
            Value::String(text) => self.text(text, path),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .map(|(index, item)| self.value(item, &path.index(index)))
                .collect(),
            Value::Object(map) => map
                .iter()
                .map(|(key, value)| (key.clone(), self.value(value, &path.key(key))))
                .collect(),
            other => other.clone(),
        }
    }

    fn text(&mut self, text: &str, path: &FieldPath) -> Value {
        let parts = parts(text);
        // One that stands alone keeps its type.
        if let [Part::Name(name)] = parts.as_slice() {
            return self.named(name, path).unwrap_or(Value::Null);
        }
        let mut filled = String::with_capacity(text.len());
        for part in parts {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Name(name) => match self.named(name, path) {
                    Some(Value::String(text)) => filled.push_str(&text),
                    Some(other) => filled.push_str(&other.to_string()),
                    None => {}
                },
            }
        }
        Value::String(filled)
    }

    fn named(&mut self, name: &str, path: &FieldPath) -> Option<Value> {
        if let Some(value) = self.variables.plain.get(name) {
            return Some(value.clone());
        }
        let problem = match self.variables.secret.get(name) {
            Some(secret) if self.is_secret && is_data(path) => {
                return Some(Value::String(secret.expose().to_owned()));
            }
            Some(_) => format!(
                "${{{name}}} comes from a Secret, and would be kept here in the clear: it can stand in the data or \
                 stringData of a Secret only; an Environment's variables take {{secretRef: {{name, key}}}}"
            ),
            None => format!(
                "${{{name}}} has no value: give it one in spec.variables of the GitSync, or write $${{{name}}} for the \
                 text itself"
            ),
        };
        self.gaps.push(Gap {
            path: path.as_str().to_owned(),
            message: problem,
        });
        None
    }
}

fn is_data(path: &FieldPath) -> bool {
    let path = path.as_str();
    path.starts_with("data.")
        || path.starts_with("stringData.")
        || path.starts_with("data[")
        || path.starts_with("stringData[")
}

#[derive(Debug, PartialEq)]
enum Part<'t> {
    Text(&'t str),
    Name(&'t str),
}

fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    let mut from = 0;
    while let Some(found) = rest[from..].find('$') {
        let at = from + found;
        let tail = &rest[at..];
        if tail.starts_with("${{") {
            // To the end of Railway's reference; without an end the whole rest is text.
            let Some(end) = tail.find("}}") else { break };
            from = at + end + 2;
        } else if tail.starts_with("$${") && name(&tail[1..]).is_some() {
            if at > 0 {
                parts.push(Part::Text(&rest[..at]));
            }
            let (_, length) = name(&tail[1..]).unwrap_or_default();
            parts.push(Part::Text(&tail[1..=length]));
            rest = &tail[1 + length..];
            from = 0;
        } else if let Some((name, length)) = name(tail) {
            if at > 0 {
                parts.push(Part::Text(&rest[..at]));
            }
            parts.push(Part::Name(name));
            rest = &tail[length..];
            from = 0;
        } else {
            from = at + 1;
        }
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    parts
}

/// The name in `${NAME}` at the beginning of a text, and how long all of it is.
fn name(text: &str) -> Option<(&str, usize)> {
    let inner = text.strip_prefix("${")?;
    let end = inner.find('}')?;
    let name = &inner[..end];
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    is_name.then_some((name, end + 3))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn variables() -> Variables {
        Variables {
            plain: [
                ("TAG".to_owned(), json!("1.5")),
                ("N".to_owned(), json!(3)),
                ("ON".to_owned(), json!(true)),
            ]
            .into(),
            secret: [("TOKEN".to_owned(), SecretValue::new("canary"))].into(),
        }
    }

    #[test]
    fn names_are_filled_in_and_everything_else_stays() {
        for (text, filled) in [
            ("plain", json!("plain")),
            ("${TAG}", json!("1.5")),
            ("nginx:${TAG}", json!("nginx:1.5")),
            ("${N}", json!(3)),
            ("${ON}", json!(true)),
            ("v${N}-${TAG}!", json!("v3-1.5!")),
            ("${{postgres.URL}}", json!("${{postgres.URL}}")),
            ("${{shared.${TAG}}}", json!("${{shared.${TAG}}}")),
            ("${TAG}${{x.Y}}${TAG}", json!("1.5${{x.Y}}1.5")),
            ("$${TAG}", json!("${TAG}")),
            ("a$${TAG}b${TAG}", json!("a${TAG}b1.5")),
            (
                "$TAG $ ${ ${} ${a b} ${1}",
                json!("$TAG $ ${ ${} ${a b} ${1}"),
            ),
            ("${{never closed ${TAG}", json!("${{never closed ${TAG}")),
            ("é${TAG}é", json!("é1.5é")),
        ] {
            let filled_in = substitute(&json!({"a": [text]}), &variables()).unwrap();
            assert_eq!(filled_in, json!({"a": [filled]}), "{text}");
        }
    }

    #[test]
    fn a_value_never_becomes_structure() {
        let mut variables = variables();
        variables.plain.insert("X".into(), json!("a: {b: c}\n- d"));
        assert_eq!(
            substitute(&json!({"k": "${X}"}), &variables).unwrap(),
            json!({"k": "a: {b: c}\n- d"})
        );
    }

    #[test]
    fn a_name_without_a_value_is_a_fault_where_it_stands() {
        let gaps = substitute(&json!({"spec": {"a": ["x", "${NOPE}"]}}), &variables()).unwrap_err();
        assert_eq!(gaps.len(), 1);
        assert_eq!(gaps[0].path, "spec.a[1]");
        assert!(gaps[0].message.starts_with("${NOPE} has no value"));
    }

    #[test]
    fn secret_values_go_into_secrets_and_nowhere_else() {
        let secret =
            |field: &str| json!({"apiVersion": "v1", "kind": "Secret", field: {"k": "x${TOKEN}"}});
        for field in ["stringData", "data"] {
            let filled = substitute(&secret(field), &variables()).unwrap();
            assert_eq!(filled[field]["k"], "xcanary");
        }
        for document in [
            secret("metadata"),
            json!({"kind": "Environment", "stringData": {"k": "${TOKEN}"}}),
            json!({"apiVersion": "example.com/v1", "kind": "Secret", "data": {"k": "${TOKEN}"}}),
        ] {
            let gaps = substitute(&document, &variables()).unwrap_err();
            assert!(gaps[0].message.contains("in the clear"), "{gaps:?}");
            assert!(!format!("{gaps:?}").contains("canary"));
        }
    }
}
