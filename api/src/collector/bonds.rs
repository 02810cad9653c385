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
    if let Some(outline) = document.known_outline() {
        let metadata = &outline.value["metadata"];
        return Bonds {
            uid: metadata["uid"].clone(),
            owner_references: metadata["ownerReferences"].clone(),
            finalizers: metadata["finalizers"].clone(),
            deletion_timestamp: metadata["deletionTimestamp"].clone(),
        }
        .into_object();
    }
    match serde_json::from_str(document.text()) {
        Ok(Head { metadata }) => metadata.into_object(),
        Err(_) => Value::Null,
    }
}

impl Bonds {
    fn into_object(self) -> Value {
        let Self {
            uid,
            owner_references,
            finalizers,
            deletion_timestamp,
        } = self;
        json!({"metadata": {
            "uid": uid, "ownerReferences": owner_references, "finalizers": finalizers, "deletionTimestamp": deletion_timestamp,
        }})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_object_what_ties_it_is_read_and_nothing_else() {
        let bound = json!({"uid": "1", "ownerReferences": [{"uid": "2"}], "finalizers": ["a"], "deletionTimestamp": "now"});
        let mut object = json!({"metadata": bound, "spec": {"services": {"web": {}}}});
        object["metadata"]["labels"] = json!({"team": "a"});
        let document = Document::from(object);
        assert_eq!(bonds(&document), json!({"metadata": bound}));
        assert!(document.outline().is_some());
        assert_eq!(bonds(&document), json!({"metadata": bound}));
        assert_eq!(
            bonds(&Document::from(json!({})))["metadata"]["uid"],
            Value::Null
        );
        assert_eq!(bonds(&Document::from(json!("text"))), Value::Null);
    }
}
