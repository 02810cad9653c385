//! Who belongs to whom, as far as the change log has been read.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::Value;

use crate::kubernetes::metadata;
use crate::kubernetes::owners::{OwnerReference, Propagation, owners};
use crate::store::Key;

/// What is remembered of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Node {
    uid: String,
    owners: Vec<OwnerReference>,
    /// How it goes, once its deletion was asked for and a finalizer of ours holds it.
    waits: Option<Propagation>,
}

/// All objects, by name, by uid and by owner.
#[derive(Debug, Default)]
pub(super) struct Graph {
    nodes: HashMap<Key, Node>,
    by_uid: HashMap<String, Key>,
    /// By the owner's uid.
    dependents: HashMap<String, BTreeSet<Key>>,
}

impl Graph {
    /// Takes in what an object has become; answers with whom that concerns.
    pub(super) fn put(&mut self, key: &Key, object: &Value) -> BTreeSet<Key> {
        let propagation = Propagation::of(object);
        let is_held = metadata::is_deleting(object) && propagation != Propagation::Background;
        let node = Node {
            uid: metadata::text(object, "uid").to_owned(),
            owners: owners(object),
            waits: is_held.then_some(propagation),
        };
        if self.nodes.get(key) == Some(&node) {
            return BTreeSet::new();
        }
        let mut concerned = self.remove(key);
        self.by_uid.insert(node.uid.clone(), key.clone());
        for owner in &node.owners {
            let dependents = self.dependents.entry(owner.uid.clone()).or_default();
            dependents.insert(key.clone());
        }
        // Those that it has now beside those that it had, and those that must hear how it goes.
        concerned.extend(self.around(&node));
        if !node.owners.is_empty() || node.waits.is_some() {
            concerned.insert(key.clone());
        }
        self.nodes.insert(key.clone(), node);
        concerned
    }

    /// Forgets an object; answers with whom that concerns.
    pub(super) fn remove(&mut self, key: &Key) -> BTreeSet<Key> {
        let Some(node) = self.nodes.remove(key) else {
            return BTreeSet::new();
        };
        if self.by_uid.get(&node.uid) == Some(key) {
            self.by_uid.remove(&node.uid);
        }
        for owner in &node.owners {
            if let Some(dependents) = self.dependents.get_mut(&owner.uid) {
                dependents.remove(key);
                if dependents.is_empty() {
                    self.dependents.remove(&owner.uid);
                }
            }
        }
        self.around(&node)
    }

    /// Its dependents, and the owners that wait for theirs.
    fn around(&self, node: &Node) -> BTreeSet<Key> {
        let waiting = node
            .owners
            .iter()
            .filter_map(|owner| self.by_uid.get(&owner.uid))
            .filter(|key| {
                self.nodes
                    .get(*key)
                    .is_some_and(|node| node.waits.is_some())
            });
        self.dependents(&node.uid).chain(waiting).cloned().collect()
    }

    /// Everyone whose owners, or whose own deletion, must be looked at when nothing is known of what was done before.
    pub(super) fn all_concerned(&self) -> BTreeSet<Key> {
        self.nodes
            .iter()
            .filter(|(_, node)| !node.owners.is_empty() || node.waits.is_some())
            .map(|(key, _)| key.clone())
            .collect()
    }

    /// The objects that say that this one owns them.
    pub(super) fn dependents(&self, uid: &str) -> impl Iterator<Item = &Key> {
        self.dependents.get(uid).into_iter().flatten()
    }

    /// Where the object with this uid is.
    pub(super) fn home(&self, uid: &str) -> Option<&Key> {
        self.by_uid.get(uid)
    }

    /// Whether a foreground deletion of this object has to wait for a dependent. One that in turn waits for this object
    /// does not count: of a circle someone must go first.
    pub(super) fn is_blocked(&self, uid: &str) -> bool {
        self.blocking(uid).any(|key| !self.waits_for(key, uid))
    }

    fn blocking(&self, uid: &str) -> impl Iterator<Item = &Key> {
        self.dependents(uid).filter(move |key| {
            self.nodes.get(*key).is_some_and(|node| {
                let mut owners = node.owners.iter();
                owners.any(|owner| owner.uid == uid && owner.blocks)
            })
        })
    }

    /// Whether this object is the one with the uid, or waits in the foreground for one that waits for it.
    fn waits_for(&self, key: &Key, uid: &str) -> bool {
        let (mut seen, mut next) = (HashSet::new(), vec![key]);
        while let Some(key) = next.pop() {
            let Some(node) = self.nodes.get(key) else {
                continue;
            };
            if node.uid == uid {
                return true;
            }
            if node.waits == Some(Propagation::Foreground) && seen.insert(key) {
                next.extend(self.blocking(&node.uid));
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn key(name: &str) -> Key {
        Key::new("things", "default", name)
    }

    /// An object whose uid is its name.
    fn object(name: &str, owners: &[&str], finalizers: &[&str]) -> Value {
        let owners: Vec<Value> = owners
            .iter()
            .map(|owner| {
                json!({"apiVersion": "v1", "kind": "Thing", "name": owner, "uid": owner,
                    "blockOwnerDeletion": true})
            })
            .collect();
        let deletion = (!finalizers.is_empty()).then_some("2026-11-21T12:00:00Z");
        json!({"metadata": {"name": name, "uid": name, "ownerReferences": owners,
            "finalizers": finalizers, "deletionTimestamp": deletion}})
    }

    fn names(keys: BTreeSet<Key>) -> Vec<String> {
        keys.into_iter().map(|key| key.name).collect()
    }

    fn put(graph: &mut Graph, name: &str, owners: &[&str], finalizers: &[&str]) -> Vec<String> {
        names(graph.put(&key(name), &object(name, owners, finalizers)))
    }

    #[test]
    fn a_change_concerns_the_object_its_dependents_and_the_owners_that_wait() {
        let mut graph = Graph::default();
        assert_eq!(put(&mut graph, "child", &["owner"], &[]), ["child"]);
        // The owner comes after its dependent, as it may while everything is read.
        assert_eq!(put(&mut graph, "owner", &[], &[]), ["child"]);
        assert_eq!(put(&mut graph, "alone", &[], &[]), [""; 0]);
        let waiting = put(&mut graph, "owner", &[], &["foregroundDeletion"]);
        assert_eq!(waiting, ["child", "owner"]);
        assert!(graph.is_blocked("owner"));
        assert_eq!(names(graph.remove(&key("child"))), ["owner"]);
        assert!(!graph.is_blocked("owner"));
        assert_eq!(names(graph.remove(&key("owner"))), [""; 0]);
    }

    #[test]
    fn an_object_that_loses_its_owner_concerns_the_owner_that_waits() {
        let mut graph = Graph::default();
        put(&mut graph, "owner", &[], &["orphan"]);
        put(&mut graph, "child", &["owner"], &[]);
        assert_eq!(put(&mut graph, "child", &[], &[]), ["owner"]);
        assert_eq!(graph.dependents("owner").count(), 0);
    }

    #[test]
    fn the_same_again_concerns_nobody() {
        let mut graph = Graph::default();
        put(&mut graph, "child", &["owner"], &[]);
        assert_eq!(put(&mut graph, "child", &["owner"], &[]), [""; 0]);
        assert_eq!(names(graph.all_concerned()), ["child"]);
    }

    #[test]
    fn a_name_that_comes_back_as_another_object_is_another_object() {
        let mut graph = Graph::default();
        put(&mut graph, "owner", &[], &[]);
        put(&mut graph, "child", &["owner"], &[]);
        let mut other = object("owner", &[], &[]);
        other["metadata"]["uid"] = json!("another");
        assert_eq!(names(graph.put(&key("owner"), &other)), ["child"]);
        assert_eq!(graph.home("owner"), None);
        assert_eq!(graph.home("another"), Some(&key("owner")));
    }

    #[test]
    fn in_a_circle_nobody_waits_for_one_that_waits() {
        let mut graph = Graph::default();
        put(&mut graph, "a", &["c"], &["foregroundDeletion"]);
        put(&mut graph, "b", &["a"], &["foregroundDeletion"]);
        put(&mut graph, "c", &["b"], &[]);
        // As long as c is not going, b has to wait for it.
        assert!(graph.is_blocked("b"));
        put(&mut graph, "c", &["b"], &["foregroundDeletion"]);
        for uid in ["a", "b", "c"] {
            assert!(!graph.is_blocked(uid), "{uid}");
        }
        put(&mut graph, "self", &["self"], &["foregroundDeletion"]);
        assert!(!graph.is_blocked("self"));
    }
}
