use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::collector::graph::Graph;
use crate::kubernetes::metadata;
use crate::kubernetes::owners::owners;
use crate::store::Key;

fn subject(owners: &[Owner]) -> Subject {
    let owners = owners.iter().enumerate();
    Subject {
        owners: owners
            .map(|(index, owner)| (index.to_string(), *owner))
            .collect(),
        ..Subject::default()
    }
}

#[test]
fn an_object_goes_when_all_owners_that_count_are_gone() {
    use Owner::{Elsewhere, Gone, There, Waiting};
    let delete = || Action::Delete(Propagation::Background);
    let forget = |uids: &[&str]| Action::Forget(uids.iter().map(ToString::to_string).collect());
    for (owners, expected) in [
        (vec![], Action::Keep),
        (vec![There], Action::Keep),
        (vec![Gone], delete()),
        (vec![Gone, Gone], delete()),
        (vec![Waiting], delete()),
        (vec![Gone, There], forget(&["0"])),
        (vec![There, Waiting, Gone], forget(&["1", "2"])),
        (vec![Elsewhere], Action::Keep),
        (vec![Elsewhere, There], Action::Keep),
        (vec![Elsewhere, Gone], delete()),
        (vec![Elsewhere, Gone, There], forget(&["1"])),
    ] {
        assert_eq!(collect(&subject(&owners)), expected, "{owners:?}");
    }
}

#[test]
fn an_object_goes_as_its_own_finalizers_and_its_owner_say() {
    let waiting = Subject {
        has_dependents: true,
        ..subject(&[Owner::Waiting])
    };
    assert_eq!(collect(&waiting), Action::Delete(Propagation::Foreground));
    let orphaning = Subject {
        propagation: Propagation::Orphan,
        ..subject(&[Owner::Gone])
    };
    assert_eq!(collect(&orphaning), Action::Delete(Propagation::Orphan));
}

#[test]
fn an_object_that_is_going_waits_for_its_dependents_as_it_was_asked_to() {
    for (propagation, has_dependents, is_blocked, expected) in [
        (Propagation::Background, true, true, Action::Keep),
        (Propagation::Foreground, true, true, Action::Keep),
        (
            Propagation::Foreground,
            true,
            false,
            Action::Release(Propagation::Foreground),
        ),
        (Propagation::Orphan, true, true, Action::Orphan),
        (
            Propagation::Orphan,
            false,
            false,
            Action::Release(Propagation::Orphan),
        ),
    ] {
        let going = Subject {
            is_deleting: true,
            propagation,
            has_dependents,
            is_blocked,
            ..subject(&[Owner::Gone])
        };
        assert_eq!(collect(&going), expected, "{going:?}");
    }
}

/// Objects by name; the uid is the name.
#[derive(Clone, Debug, Default)]
struct World(BTreeMap<String, Value>);

impl World {
    fn key(name: &str) -> Key {
        Key::new("things", "default", name)
    }

    /// As the API deletes.
    fn delete(&mut self, name: &str, propagation: Propagation) {
        let object = self.0.get_mut(name).unwrap();
        let finalizers = propagation.applied_to(object);
        if finalizers.is_empty() {
            self.0.remove(name);
            return;
        }
        object["metadata"]["finalizers"] = json!(finalizers);
        object["metadata"]["deletionTimestamp"] = json!("2026-11-21T12:00:00Z");
    }

    fn forget(&mut self, name: &str, uids: &[String]) {
        let object = self.0.get_mut(name).unwrap();
        let references = object["metadata"]["ownerReferences"]
            .as_array_mut()
            .unwrap();
        references.retain(|it| uids.iter().all(|uid| it["uid"] != **uid));
    }

    fn owner(&self, uid: &str) -> Owner {
        match self.0.get(uid) {
            None => Owner::Gone,
            Some(object)
                if metadata::is_deleting(object)
                    && Propagation::of(object) == Propagation::Foreground =>
            {
                Owner::Waiting
            }
            Some(_) => Owner::There,
        }
    }

    /// Visits an object; says whether that changed anything.
    fn visit(&mut self, name: &str) -> bool {
        let Some(object) = self.0.get(name) else {
            return false;
        };
        let mut graph = Graph::default();
        for (name, object) in &self.0 {
            graph.put(&Self::key(name), object);
        }
        let found = owners(object).into_iter();
        let found = found.map(|it| (it.uid.clone(), self.owner(&it.uid)));
        let subject = Subject {
            is_deleting: metadata::is_deleting(object),
            propagation: Propagation::of(object),
            owners: found.collect(),
            has_dependents: graph.dependents(name).next().is_some(),
            is_blocked: graph.is_blocked(name),
        };
        let is_owned = subject
            .owners
            .iter()
            .any(|(_, owner)| *owner == Owner::There);
        match collect(&subject) {
            Action::Keep => return false,
            Action::Delete(propagation) => {
                assert!(!is_owned, "{name} is still owned: {self:?}");
                self.delete(name, propagation);
            }
            Action::Forget(uids) => self.forget(name, &uids),
            Action::Orphan => {
                let dependents: Vec<String> =
                    graph.dependents(name).map(|key| key.name.clone()).collect();
                for dependent in dependents {
                    self.forget(&dependent, &[name.to_owned()]);
                }
            }
            Action::Release(_) => {
                self.0.remove(name);
            }
        }
        true
    }
}

fn worlds() -> impl Strategy<Value = World> {
    let owners = prop::collection::vec((0_usize..8, any::<bool>()), 0..3);
    prop::collection::vec(owners, 1..7).prop_map(|objects| {
        let mut world = World::default();
        for (index, mut owners) in objects.into_iter().enumerate() {
            owners.dedup_by_key(|(owner, _)| *owner);
            let references: Vec<Value> = owners
                .iter()
                .map(|(owner, blocks)| {
                    json!({"apiVersion": "v1", "kind": "Thing", "name": format!("o{owner}"),
                        "uid": format!("o{owner}"), "blockOwnerDeletion": blocks})
                })
                .collect();
            let name = format!("o{index}");
            let object =
                json!({"metadata": {"name": name, "uid": name, "ownerReferences": references}});
            world.0.insert(name, object);
        }
        world
    })
}

fn propagations() -> impl Strategy<Value = Propagation> {
    prop_oneof![
        Just(Propagation::Background),
        Just(Propagation::Foreground),
        Just(Propagation::Orphan),
    ]
}

proptest! {
    /// Whatever owns whatever, in circles too, and in whatever order they are visited.
    #[test]
    fn deletions_come_to_rest_and_leave_nobody_waiting_or_without_owner(
        mut world in worlds(),
        deletions in prop::collection::vec((any::<prop::sample::Index>(), propagations()), 1..4),
        order in prop::collection::vec(any::<prop::sample::Index>(), 300),
    ) {
        let names: Vec<String> = world.0.keys().cloned().collect();
        for (which, propagation) in deletions {
            let name = &names[which.index(names.len())];
            let goes = world.0.get(name).is_some_and(|it| !metadata::is_deleting(it));
            if goes {
                world.delete(name, propagation);
            }
        }
        for which in order {
            world.visit(&names[which.index(names.len())]);
        }
        let mut rounds = 0;
        while names.iter().any(|name| world.visit(name)) {
            rounds += 1;
            prop_assert!(rounds < 100, "it never comes to rest: {:?}", world);
        }
        for (name, object) in &world.0 {
            prop_assert!(!metadata::is_deleting(object), "{} waits for ever: {:?}", name, world);
            for reference in owners(object) {
                prop_assert_eq!(world.owner(&reference.uid), Owner::There, "{}: {:?}", name, &world);
            }
        }
    }
}
