//! The part of an object that ties it to others, read without building the rest: every write in the store passes here.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::store::Document;

#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    metadata: Bonds,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Bonds {
    uid: Value,
    owner_references: Value,
    finalizers: Value,
    deletion_timestamp: Value,
}

/// The object's `metadata`, of which there is what the graph asks for. Of what is no object, nothing.
pub(super) fn bonds(document: &Document) -> Value {
    let Ok(Head { metadata }) = serde_json::from_str(document.text()) else {
        return Value::Null;
    };
    let Bonds {
        uid,
        owner_references,
        finalizers,
        deletion_timestamp,
    } = metadata;
    json!({"metadata": {
        "uid": uid, "ownerReferences": owner_references, "finalizers": finalizers, "deletionTimestamp": deletion_timestamp,
    }})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_object_what_ties_it_is_read_and_nothing_else() {
        let bound = json!({"uid": "1", "ownerReferences": [{"uid": "2"}], "finalizers": ["a"], "deletionTimestamp": "now"});
        let mut object = json!({"metadata": bound, "spec": {"services": {"web": {}}}});
        object["metadata"]["labels"] = json!({"team": "a"});
        let read = bonds(&Document::from(object));
        assert_eq!(read, json!({"metadata": bound}));
        assert_eq!(
            bonds(&Document::from(json!({})))["metadata"]["uid"],
            Value::Null
        );
        assert_eq!(bonds(&Document::from(json!("text"))), Value::Null);
    }
}
