//! The objects that are written: each says who wrote it, and carries enough beside that a torn one would show.

use serde_json::{Value, json};

/// The collection that is written and watched.
pub const COLLECTION: &str = "/api/v1/namespaces/default/configmaps";

/// The label by which one watcher selects. Every second key has it, for life.
pub const LABEL: &str = "half";

/// What an object says of its last writers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The mark of who wrote it whole.
    pub put: String,
    /// The mark of who patched it since.
    pub patch: Option<String>,
}

/// Whether the selecting watcher sees this key.
pub fn is_selected(key: &str) -> bool {
    key.as_bytes().last().is_some_and(|last| last % 2 == 0)
}

/// An object written whole. With `from` it replaces only that version.
pub fn whole(key: &str, mark: &str, from: Option<u64>) -> Value {
    let half = if is_selected(key) { "even" } else { "odd" };
    let mut object = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": key, "labels": {LABEL: half}},
        "data": {"put": mark, "put-body": body(mark)},
    });
    if let Some(from) = from {
        object["metadata"]["resourceVersion"] = json!(from.to_string());
    }
    object
}

/// A merge patch that leaves what was written whole as it is.
pub fn patch(mark: &str) -> Value {
    json!({"data": {"patch": mark, "patch-body": body(mark)}})
}

/// What the object says; nothing when its parts do not belong together.
pub fn read(object: &Value) -> Option<Document> {
    let data = &object["data"];
    let marked = |mark: &str, beside: &str| {
        let mark = data[mark].as_str()?;
        (data[beside] == body(mark)).then(|| mark.to_owned())
    };
    let patch = match data["patch"] {
        Value::Null => None,
        _ => Some(marked("patch", "patch-body")?),
    };
    Some(Document {
        put: marked("put", "put-body")?,
        patch,
    })
}

/// The object's version.
pub fn version(object: &Value) -> Option<u64> {
    object["metadata"]["resourceVersion"].as_str()?.parse().ok()
}

/// Follows from the mark, and is now short and now longer than a page of a database.
fn body(mark: &str) -> String {
    let number = mark.bytes().fold(7_usize, |number, byte| {
        number * 31 % 6007 + usize::from(byte)
    });
    mark.repeat(1 + number % 900)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_back_and_one_of_two_halves_is_not() {
        let mut object = whole("k2", "w1-5", None);
        let put = Document {
            put: "w1-5".into(),
            patch: None,
        };
        assert_eq!(read(&object), Some(put.clone()));
        json_merge(&mut object, &patch("w2-9"));
        let patched = Document {
            patch: Some("w2-9".into()),
            ..put
        };
        assert_eq!(read(&object), Some(patched));
        object["data"]["put"] = json!("w1-6");
        assert_eq!(read(&object), None);
    }

    fn json_merge(object: &mut Value, patch: &Value) {
        for (name, value) in patch["data"].as_object().unwrap() {
            object["data"][name] = value.clone();
        }
    }
}
