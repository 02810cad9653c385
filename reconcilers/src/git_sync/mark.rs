//! Whose an object is: two labels on everything that a GitSync brings.
//!
//! By name and not by uid, so that a GitSync that was restored from a backup, or moved to another server, still knows
//! its own.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Name of the GitSync.
pub const NAME: &str = "mirage.dev/gitsync";
/// Namespace of the GitSync.
pub const NAMESPACE: &str = "mirage.dev/gitsync-namespace";

/// A GitSync, as its mark names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Owner {
    /// Whom labels name; `None` when nobody.
    pub fn of(labels: &BTreeMap<String, String>) -> Option<Self> {
        Some(Self {
            namespace: labels.get(NAMESPACE)?.clone(),
            name: labels.get(NAME)?.clone(),
        })
    }

    /// Puts the mark on an object that is about to be applied.
    pub fn mark(&self, object: &mut Value) {
        let labels = &mut object["metadata"]["labels"];
        if !labels.is_object() {
            *labels = json!({});
        }
        labels[NAME] = json!(self.name);
        labels[NAMESPACE] = json!(self.namespace);
    }
}

/// The patch that takes the mark off an object of this `resourceVersion`: on a later one it may be another's.
pub fn removal(version: Option<&str>) -> Value {
    json!({"metadata": {"resourceVersion": version, "labels": {NAME: null, NAMESPACE: null}}})
}
