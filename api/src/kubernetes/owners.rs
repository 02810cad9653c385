//! Whom an object belongs to, and what becomes of it when its owners go (Kubernetes docs: "Owners and Dependents",
//! "Garbage Collection").

use serde::Deserialize;
use serde_json::Value;

use super::metadata;
use crate::error::{CauseReason, Fault};

/// What becomes of an object's dependents when it is deleted; the names are the wire's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, strum::EnumString, strum::IntoStaticStr)]
pub(crate) enum Propagation {
    /// The object goes at once, its dependents soon after.
    #[default]
    Background,
    /// The object goes after the dependents that say so.
    Foreground,
    /// The dependents stay, and forget that they had this owner.
    Orphan,
}

impl Propagation {
    /// The finalizer by which an object waits for the collector; Kubernetes' own names.
    pub(crate) fn finalizer(self) -> Option<&'static str> {
        match self {
            Self::Background => None,
            Self::Foreground => Some("foregroundDeletion"),
            Self::Orphan => Some("orphan"),
        }
    }

    /// What the finalizers of an object say.
    pub(crate) fn of(object: &Value) -> Self {
        let finalizers = metadata::finalizers(object);
        let says = |policy: &Self| {
            policy
                .finalizer()
                .is_some_and(|finalizer| finalizers.contains(&finalizer))
        };
        // What is to be left behind must be let go before anything waits for it.
        [Self::Orphan, Self::Foreground]
            .into_iter()
            .find(says)
            .unwrap_or_default()
    }

    /// The finalizers of an object that is to be deleted so: everyone else's as they are, and the one for this.
    pub(crate) fn applied_to(self, object: &Value) -> Vec<String> {
        let is_ours = |name: &str| {
            [Self::Foreground, Self::Orphan]
                .iter()
                .any(|policy| policy.finalizer() == Some(name))
        };
        metadata::finalizers(object)
            .into_iter()
            .filter(|name| !is_ours(name))
            .chain(self.finalizer())
            .map(str::to_owned)
            .collect()
    }
}

/// One entry of `metadata.ownerReferences`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OwnerReference {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) uid: String,
    /// Whether a foreground deletion of the owner waits for this object.
    #[serde(default, rename = "blockOwnerDeletion")]
    pub(crate) blocks: bool,
}

impl OwnerReference {
    /// The owner's group; empty for the core group.
    pub(crate) fn group(&self) -> &str {
        self.api_version
            .split_once('/')
            .map_or("", |(group, _)| group)
    }
}

/// Whom the object says it belongs to.
pub(crate) fn owners(object: &Value) -> Vec<OwnerReference> {
    references(object)
        .filter_map(|reference| OwnerReference::deserialize(reference).ok())
        .collect()
}

fn references(object: &Value) -> impl Iterator<Item = &Value> {
    object["metadata"]["ownerReferences"]
        .as_array()
        .into_iter()
        .flatten()
}

/// What is wrong with the owner references beyond their schema.
pub(super) fn faults(object: &Value) -> Vec<Fault> {
    const PATH: &str = "metadata.ownerReferences";
    let invalid =
        |path: String, message: String| Fault::new(path, CauseReason::FieldValueInvalid, message);
    let mut faults = Vec::new();
    for (index, reference) in references(object).enumerate() {
        for field in ["apiVersion", "kind", "name", "uid"] {
            if reference[field] == "" {
                let message = "Invalid value: \"\": must not be empty";
                faults.push(invalid(format!("{PATH}[{index}].{field}"), message.into()));
            }
        }
        if reference["kind"] == "Event" {
            let message = "Invalid value: an Event is disallowed from being an owner";
            faults.push(invalid(format!("{PATH}[{index}]"), message.into()));
        }
    }
    let controllers: Vec<&str> = references(object)
        .filter(|reference| reference["controller"] == true)
        .map(|reference| reference["name"].as_str().unwrap_or_default())
        .collect();
    if let [first, second, ..] = controllers.as_slice() {
        let message = format!(
            "Invalid value: Only one reference can have Controller set to true. Found \"true\" in references for \
             {first} and {second}"
        );
        faults.push(invalid(PATH.into(), message));
    }
    faults
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn finalizers_say_how_an_object_goes_and_others_are_left_alone() {
        let with = |finalizers: Value| json!({"metadata": {"finalizers": finalizers}});
        for (finalizers, expected) in [
            (json!(null), Propagation::Background),
            (json!(["mirage.dev/teardown"]), Propagation::Background),
            (
                json!(["x/y", "foregroundDeletion"]),
                Propagation::Foreground,
            ),
            (json!(["foregroundDeletion", "orphan"]), Propagation::Orphan),
        ] {
            assert_eq!(Propagation::of(&with(finalizers)), expected);
        }
        let object = with(json!(["orphan", "x/y"]));
        assert_eq!(
            Propagation::Foreground.applied_to(&object),
            ["x/y", "foregroundDeletion"]
        );
        assert_eq!(Propagation::Background.applied_to(&object), ["x/y"]);
    }

    #[test]
    fn references_are_checked_one_by_one_and_together() {
        let reference = |name: &str, more: Value| {
            let mut reference =
                json!({"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": "u"});
            reference
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            reference
        };
        for (references, paths) in [
            (json!([reference("a", json!({"controller": true}))]), vec![]),
            (
                json!([reference("a", json!({"uid": ""}))]),
                vec!["metadata.ownerReferences[0].uid"],
            ),
            (
                json!([reference("a", json!({"kind": "Event"}))]),
                vec!["metadata.ownerReferences[0]"],
            ),
            (
                json!([
                    reference("a", json!({"controller": true})),
                    reference("b", json!({"controller": true}))
                ]),
                vec!["metadata.ownerReferences"],
            ),
            (
                json!([
                    reference("a", json!({"controller": true})),
                    reference("b", json!({}))
                ]),
                vec![],
            ),
        ] {
            let object = json!({"metadata": {"ownerReferences": references}});
            let found: Vec<String> = faults(&object).into_iter().map(|it| it.path).collect();
            assert_eq!(found, paths, "{object}");
        }
    }
}
