//! The seven scenarios in which structured-merge-diff 4.1.2 gave these very objects and sets.

use super::*;
use proptest::prelude::*;

fn schema() -> Schema {
    Schema::of_object(&json!({"type": "object", "properties": {
        "spec": {"type": "object", "properties": {
            "template": {"type": "string"},
            "paused": {"type": "boolean"},
            "limits": {"type": "object", "properties": {"cpu": {"type": "string"}}},
            "tags": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
            "args": {"type": "array", "items": {"type": "string"}},
            "services": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                "items": {"type": "object", "properties": {"name": {"type": "string"}, "image": {"type": "string"},
                    "replicas": {"type": "integer"}}}},
            "byName": {"type": "object", "additionalProperties": {"type": "object",
                "properties": {"image": {"type": "string"}}}}
        }},
        "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}
    }}))
}

fn author(manager: &str) -> Author {
    Author {
        manager: manager.into(),
        api_version: "mirage.dev/v1alpha1".into(),
        subresource: String::new(),
        time: "2026-11-21T12:00:00Z".into(),
    }
}

fn env(spec: Value) -> Value {
    json!({"apiVersion": "mirage.dev/v1alpha1", "kind": "Environment",
        "metadata": {"name": "web", "labels": {"app": "web"}}, "spec": spec})
}

fn fields(managers: &Managers, manager: &str) -> Value {
    let entry = managers
        .0
        .iter()
        .find(|entry| entry.author.manager == manager);
    entry.map_or(Value::Null, |entry| entry.set.clone().into_fields_v1())
}

fn apply(
    on: Option<&Applied>,
    manager: &str,
    config: &Value,
    force: bool,
) -> Result<Applied, Vec<String>> {
    let nothing = Applied {
        object: json!({"metadata": {}}),
        managers: Managers::default(),
    };
    let Applied { object, managers } = on.unwrap_or(&nothing);
    managers
        .apply(&schema(), object, config, &author(manager), force)
        .map_err(|conflicts| {
            conflicts
                .iter()
                .map(|conflict| dotted(&conflict.path))
                .collect()
        })
}

#[test]
fn creating_by_apply_owns_what_was_sent() {
    let config = env(
        json!({"template": "dev", "tags": ["red"], "args": ["a", "b"], "limits": {},
        "services": [{"name": "api", "image": "a:1"}], "byName": {"web": {"image": "w"}}}),
    );
    let done = apply(None, "a", &config, false).unwrap();
    assert_eq!(
        fields(&done.managers, "a"),
        json!({
            "f:metadata": {"f:labels": {"f:app": {}}},
            "f:spec": {"f:template": {}, "f:args": {}, "f:limits": {}, "f:tags": {"v:\"red\"": {}},
                "f:services": {"k:{\"name\":\"api\"}": {".": {}, "f:name": {}, "f:image": {}}},
                "f:byName": {"f:web": {".": {}, "f:image": {}}}}
        })
    );
}

#[test]
fn creating_by_update_owns_the_containers_too() {
    let mut managers = Managers::default();
    managers.update(
        &schema(),
        &json!({"metadata": {}}),
        &env(json!({"template": "dev"})),
        &author("a"),
    );
    assert_eq!(
        fields(&managers, "a"),
        json!({"f:metadata": {"f:labels": {".": {}, "f:app": {}}}, "f:spec": {".": {}, "f:template": {}}})
    );
}

#[test]
fn the_same_value_is_shared() {
    let config = env(json!({"template": "dev"}));
    let first = apply(None, "a", &config, false).unwrap();
    let both = apply(Some(&first), "b", &config, false).unwrap();
    assert_eq!(fields(&both.managers, "a"), fields(&both.managers, "b"));
    assert_eq!(both.object, first.object);
}

#[test]
fn another_value_conflicts_with_its_owner_at_its_path() {
    let first = apply(
        None,
        "a",
        &env(json!({"services": [{"name": "api", "image": "a:1"}]})),
        false,
    )
    .unwrap();
    let other = env(json!({"services": [{"name": "api", "image": "a:2"}, {"name": "db"}]}));
    assert_eq!(
        apply(Some(&first), "b", &other, false).unwrap_err(),
        [".spec.services[name=\"api\"].image"]
    );
    let (text, causes) = conflict_report(
        &first
            .managers
            .apply(&schema(), &first.object, &other, &author("b"), false)
            .unwrap_err(),
    );
    assert_eq!(
        text,
        "Apply failed with 1 conflict: conflict with \"a\": .spec.services[name=\"api\"].image"
    );
    assert_eq!(causes[0].message, "conflict with \"a\"");
}

#[test]
fn giving_a_field_up_removes_it_unless_someone_else_owns_it() {
    let full = env(
        json!({"template": "dev", "limits": {"cpu": "1"}, "tags": ["red", "blue"],
        "services": [{"name": "api", "image": "a"}, {"name": "db"}]}),
    );
    let first = apply(None, "a", &full, false).unwrap();
    let shared = apply(
        Some(&first),
        "b",
        &env(json!({"template": "dev", "services": [{"name": "db", "replicas": 2}]})),
        false,
    )
    .unwrap();
    let left = apply(Some(&shared), "a", &env(json!({"tags": ["red"]})), false).unwrap();
    assert_eq!(
        left.object["spec"],
        json!({"template": "dev", "tags": ["red"], "services": [{"name": "db", "replicas": 2}]})
    );
}

#[test]
fn an_update_takes_fields_from_those_who_applied_them() {
    let first = apply(
        None,
        "a",
        &env(json!({"template": "dev", "paused": true})),
        false,
    )
    .unwrap();
    let mut managers = first.managers.clone();
    let new = env(json!({"template": "prod"}));
    managers.update(&schema(), &first.object, &new, &author("editor"));
    assert_eq!(
        fields(&managers, "a"),
        json!({"f:metadata": {"f:labels": {"f:app": {}}}})
    );
    assert_eq!(
        fields(&managers, "editor"),
        json!({"f:spec": {"f:template": {}}})
    );
}

#[test]
fn force_takes_the_contested_field_and_leaves_the_rest() {
    let first = apply(
        None,
        "a",
        &env(json!({"template": "dev", "paused": true})),
        false,
    )
    .unwrap();
    let config = json!({"spec": {"template": "prod"}});
    let forced = apply(Some(&first), "b", &config, true).unwrap();
    assert_eq!(
        forced.object["spec"],
        json!({"template": "prod", "paused": true})
    );
    assert_eq!(
        fields(&forced.managers, "a"),
        json!({"f:metadata": {"f:labels": {"f:app": {}}}, "f:spec": {"f:paused": {}}})
    );
}

#[test]
fn empty_containers_conflict_with_nothing_but_an_empty_atomic_list_does() {
    let first = apply(
        None,
        "a",
        &env(json!({"services": [{"name": "api"}], "byName": {"x": {}}, "args": ["x"]})),
        false,
    )
    .unwrap();
    let empty = json!({"spec": {"services": [], "byName": {}}});
    assert_eq!(
        apply(Some(&first), "b", &empty, false).unwrap().object,
        first.object
    );
    let atomic = json!({"spec": {"args": []}});
    assert_eq!(
        apply(Some(&first), "b", &atomic, false).unwrap_err(),
        [".spec.args"]
    );
}

#[test]
fn several_conflicts_are_listed_by_manager() {
    let first = apply(
        None,
        "a",
        &env(json!({"template": "dev", "paused": true})),
        false,
    )
    .unwrap();
    let config = json!({"spec": {"template": "x", "paused": false}});
    let conflicts = first
        .managers
        .apply(&schema(), &first.object, &config, &author("b"), false)
        .unwrap_err();
    assert_eq!(
        conflict_report(&conflicts).0,
        "Apply failed with 2 conflicts: conflicts with \"a\":\n- .spec.paused\n- .spec.template"
    );
}

fn updated(managers: &Managers, by: &str) -> FieldSet {
    let author = author(by);
    let mut entries = managers.0.iter();
    let entry = entries.find(|entry| entry.is_of(Operation::Update, &author));
    entry
        .map(|entry| entry.set.set().into_owned())
        .unwrap_or_default()
}

fn spec() -> impl Strategy<Value = Value> {
    let service = ("[ab]", prop::option::of("[xy]")).prop_map(|(name, image)| (name, image));
    (
        prop::option::of("[xy]"),
        prop::collection::btree_set("[ab]", 0..3),
        prop::collection::btree_map("[abc]", prop::option::of("[xy]"), 0..3),
        prop::collection::vec(service, 0..1),
    )
        .prop_map(|(template, tags, services, by_name)| {
            let services: Vec<Value> = services
                .into_iter()
                .map(|(name, image)| match image {
                    Some(image) => json!({"name": name, "image": image}),
                    None => json!({"name": name}),
                })
                .collect();
            let mut spec = json!({"tags": tags, "services": services});
            if let Some(template) = template {
                spec["template"] = json!(template);
            }
            for (name, image) in by_name {
                spec["byName"][name] = image.map_or(json!({}), |image| json!({"image": image}));
            }
            spec
        })
}

proptest! {
    #[test]
    fn applying_twice_changes_nothing(first in spec(), second in spec()) {
        let live = apply(None, "a", &env(first), false).unwrap();
        let once = apply(Some(&live), "b", &env(second.clone()), true).unwrap();
        let twice = apply(Some(&once), "b", &env(second), false).unwrap();
        prop_assert_eq!(once, twice);
    }

    #[test]
    fn applying_less_and_less_settles_at_once(first in spec(), second in spec()) {
        let live = apply(None, "a", &env(first), false).unwrap();
        let once = apply(Some(&live), "a", &env(second.clone()), false).unwrap();
        let twice = apply(Some(&once), "a", &env(second), false).unwrap();
        prop_assert_eq!(once, twice);
    }

    #[test]
    fn the_only_applier_gets_exactly_what_it_sends(first in spec(), second in spec()) {
        let live = apply(None, "a", &env(first), false).unwrap();
        let then = apply(Some(&live), "a", &env(second.clone()), false).unwrap();
        let fresh = apply(None, "a", &env(second), false).unwrap();
        prop_assert_eq!(fields(&then.managers, "a"), fields(&fresh.managers, "a"));
        prop_assert_eq!(applied(&schema(), &then.object), applied(&schema(), &fresh.object));
    }

    #[test]
    fn an_update_leaves_every_remaining_node_with_an_owner_or_untouched(first in spec(), second in spec()) {
        let mut managers = Managers::default();
        managers.update(&schema(), &json!({"metadata": {}}), &env(first.clone()), &author("a"));
        managers.update(&schema(), &env(first), &env(second.clone()), &author("b"));
        let mut expected = Managers::default();
        expected.update(&schema(), &json!({"metadata": {}}), &env(second), &author("a"));
        let mut all = updated(&managers, "a");
        all.extend(&updated(&managers, "b"));
        prop_assert_eq!(all, updated(&expected, "a"));
    }

    #[test]
    fn managers_that_were_stored_in_between_are_the_same(first in spec(), second in spec(), third in spec()) {
        let stored = |managers: Managers| {
            let mut object = json!({"metadata": {}});
            managers.write_into(&mut object);
            object
        };
        let mut kept = Managers::default();
        kept.update(&schema(), &json!({"metadata": {}}), &env(first.clone()), &author("a"));
        let mut read = Managers::of(&stored(kept.clone()));
        for (before, after, by) in [(&first, &second, "b"), (&second, &third, "a"), (&third, &third, "c")] {
            for managers in [&mut kept, &mut read] {
                managers.update(&schema(), &env(before.clone()), &env(after.clone()), &author(by));
            }
            prop_assert_eq!(&kept, &read);
            read = Managers::of(&stored(read));
            prop_assert_eq!(stored(kept.clone()), stored(read.clone()));
        }
        let applied = [kept, read].map(|managers| managers.apply(&schema(), &env(third.clone()), &env(first.clone()), &author("a"), true));
        prop_assert_eq!(&applied[0], &applied[1]);
    }

    #[test]
    fn a_change_is_on_record_exactly_when_recording_it_would_change_nothing(
        first in spec(), second in spec(), third in spec(), fourth in spec(),
    ) {
        let mut managers = Managers::default();
        managers.update(&schema(), &json!({"metadata": {}}), &env(first.clone()), &author("a"));
        for (before, after, by) in [(&first, &second, "b"), (&second, &third, "a")] {
            managers.update(&schema(), &env(before.clone()), &env(after.clone()), &author(by));
        }
        let mut stored = json!({"metadata": {}});
        managers.write_into(&mut stored);
        for by in ["a", "b", "c"] {
            for after in [&third, &fourth] {
                let changed = Changed::between(&schema(), &env(third.clone()), &env(after.clone()));
                let later = Author { time: "2026-11-21T13:00:00Z".into(), ..author(by) };
                let is_known = is_on_record(&stored["metadata"]["managedFields"], &changed, &later);
                let mut recorded = Managers::of(&stored);
                recorded.attribute(changed, &later);
                let mut again = json!({"metadata": {}});
                recorded.write_into(&mut again);
                prop_assert_eq!(is_known, again == stored);
            }
        }
    }
}
