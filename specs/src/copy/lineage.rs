//! Where a copy comes from, as it stands on the copy itself: it outlives every object that it speaks of.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Label on a copy: the `metadata.uid` of the environment it was made from.
pub const CLONED_FROM: &str = "mirage.dev/cloned-from";
/// Annotation on a copy: its [`Origin`] as JSON.
pub const ORIGIN: &str = "mirage.dev/clone-origin";
/// Annotation on a copy: when it must have been ready once, RFC 3339. A copy that fails before, or is not ready by then,
/// is torn down. Goes when it has been ready.
pub const READY_BY: &str = "mirage.dev/roll-back-unless-ready-by";
/// Annotation on a copy that is being taken back: a [`TakenBack`] as JSON.
pub const ROLLED_BACK: &str = "mirage.dev/rolled-back";

/// Generations that are remembered; a chain of copies of copies has an end somewhere.
const LONGEST: usize = 64;

/// Why a copy is being taken back.
///
/// It holds for the object with this uid only: somebody may save a copy's manifest, annotations and all, and apply it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TakenBack {
    /// `metadata.uid` of the copy.
    pub environment_id: String,
    /// Why.
    pub why: String,
}

impl TakenBack {
    /// Why the object with this uid is being taken back; `None` when it is not.
    pub fn of(annotations: &BTreeMap<String, String>, uid: Option<&str>) -> Option<String> {
        let found: Self = serde_json::from_str(annotations.get(ROLLED_BACK)?).ok()?;
        (Some(found.environment_id.as_str()) == uid).then_some(found.why)
    }

    /// As it stands in the annotation.
    pub fn written(&self) -> String {
        serde_json::to_string(self).expect("ids and words are text")
    }
}

/// Where a copy comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Origin {
    /// What it was made from, what that was made from, and so on: the nearest first.
    pub ancestors: Vec<Ancestor>,
    /// Services that have another name here, by their name in the source. Values that are copied on Railway refer to
    /// services by the source's names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<String, String>,
}

/// An environment that something was copied from, as it was then.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ancestor {
    /// Its `metadata.uid`.
    pub environment_id: String,
    /// Its id on Railway, if it had been made there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub railway_environment_id: Option<String>,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Origin {
    /// Reads it off an object's annotations; `None` when it is no copy. What cannot be read is no claim.
    pub fn of(annotations: &BTreeMap<String, String>) -> Option<Self> {
        serde_json::from_str(annotations.get(ORIGIN)?).ok()
    }

    /// That of a copy of `parent`, which itself has this origin, if any.
    pub fn of_copy(
        parent: Ancestor,
        of_parent: Option<Self>,
        services: BTreeMap<String, String>,
    ) -> Self {
        let earlier = of_parent.map(|origin| origin.ancestors).unwrap_or_default();
        Self {
            ancestors: [parent].into_iter().chain(earlier).take(LONGEST).collect(),
            services,
        }
    }

    /// As it stands in the annotation.
    pub fn written(&self) -> String {
        serde_json::to_string(self).expect("names and ids are text")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ancestor(name: &str) -> Ancestor {
        Ancestor {
            environment_id: format!("uid-{name}"),
            railway_environment_id: None,
            namespace: "default".to_owned(),
            name: name.to_owned(),
        }
    }

    #[test]
    fn a_copy_of_a_copy_remembers_both() {
        let first = Origin::of_copy(ancestor("shop"), None, BTreeMap::new());
        let second = Origin::of_copy(ancestor("stage"), Some(first), BTreeMap::new());
        let annotations = BTreeMap::from([(ORIGIN.to_owned(), second.written())]);
        let read = Origin::of(&annotations).unwrap();
        assert_eq!(read, second);
        let names: Vec<&str> = read.ancestors.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["stage", "shop"]);
    }

    #[test]
    fn what_somebody_scribbled_is_no_origin() {
        let annotations = BTreeMap::from([(ORIGIN.to_owned(), "shop".to_owned())]);
        assert_eq!(Origin::of(&annotations), None);
    }
}
