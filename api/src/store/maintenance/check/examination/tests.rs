//! Each thing that can be wrong, in a database that is sound without it.

use super::*;

type Objects = Vec<(&'static str, u64, &'static str)>;
type Changes = Vec<(
    u64,
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
)>;

/// `a` and `b` are there, `c` came and went, and changes up to 5 are forgotten.
fn sound() -> ((i64, i64), Objects, Changes) {
    let objects = vec![("a", 4, r#"{"v":1}"#), ("b", 7, r#"{"v":2}"#)];
    let changes = vec![
        (6, "b", "created", r#"{"v":1}"#, None),
        (7, "b", "updated", r#"{"v":2}"#, Some(r#"{"v":1}"#)),
        (8, "c", "created", r#"{"v":1}"#, None),
        (9, "c", "deleted", r#"{"v":1}"#, Some(r#"{"v":1}"#)),
    ];
    ((9, 5), objects, changes)
}

fn told(change: impl FnOnce(&mut (i64, i64), &mut Objects, &mut Changes)) -> Vec<String> {
    let (mut state, mut objects, mut changes) = sound();
    change(&mut state, &mut objects, &mut changes);
    let mut examination = Examination::new(Some(state), None);
    let key = |name: &str| Key::new("things", "default", name);
    for (name, revision, document) in objects {
        examination.object(ObjectRow {
            key: key(name),
            revision,
            document,
        });
    }
    for (revision, name, kind, document, previous) in changes {
        examination.change(LogRow {
            key: key(name),
            revision,
            kind,
            document,
            previous,
        });
    }
    let report = examination.finish(1, Vec::new());
    assert_eq!(report.is_sound(), report.findings.is_empty());
    let line = |it: &Finding| format!("{} {}: {}", it.fault, it.subject, it.message);
    report.findings.iter().map(line).collect()
}

#[test]
fn a_sound_database_has_no_findings() {
    assert_eq!(told(|_, _, _| {}), Vec::<String>::new());
    // What a compaction that was killed left behind.
    let left = told(|_, _, changes| changes.insert(0, (3, "z", "updated", "{}", Some("{}"))));
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn a_counter_that_is_behind_or_before_its_floor_is_told() {
    let behind = told(|state, _, _| state.0 = 8);
    assert_eq!(
        behind,
        ["version things/default/c: a change has version 9, and the counter is at 8"]
    );
    let floor = told(|state, _, _| state.1 = 10);
    assert!(floor[0].starts_with("counter store_state"), "{floor:?}");
}

#[test]
fn holes_in_the_log_are_told_at_its_begin_in_it_and_at_its_end() {
    let begin = told(|state, _, _| state.1 = 4);
    assert_eq!(begin, ["log-gap changes: the changes 5 to 5 are missing"]);
    let end = told(|state, _, _| state.0 = 12);
    assert_eq!(end, ["log-gap changes: the changes 10 to 12 are missing"]);
    let middle = told(|_, _, changes| {
        changes.remove(2);
    });
    assert_eq!(middle, ["log-gap changes: the changes 8 to 8 are missing"]);
}

#[test]
fn an_object_that_is_not_as_its_last_change_left_it_is_told() {
    let content = told(|_, objects, _| objects[1].2 = r#"{"v":3}"#);
    assert_eq!(
        content,
        ["log-differs things/default/b: its content is not what its last change made it"]
    );
    let gone = told(|_, objects, _| {
        objects.remove(1);
    });
    assert_eq!(
        gone,
        ["log-differs things/default/b: the log says that it is there, and it is not"]
    );
    let risen = told(|_, objects, _| objects.push(("c", 8, "{}")));
    assert_eq!(
        risen,
        ["log-differs things/default/c: the log says that it was deleted"]
    );
    let unlogged = told(|_, objects, _| objects[0].1 = 6);
    assert_eq!(
        unlogged,
        ["log-differs things/default/a: the log does not have its last change 6"]
    );
}

#[test]
fn a_change_that_does_not_follow_is_told() {
    let other = told(|_, _, changes| changes[1].4 = Some("{}"));
    assert_eq!(
        other,
        ["log-broken things/default/b: the change 7 does not follow from the one before it"]
    );
    let twice = told(|_, _, changes| {
        changes[1].2 = "created";
        changes[1].4 = None;
    });
    assert_eq!(twice.len(), 1, "{twice:?}");
}

#[test]
fn documents_that_are_none_are_told_without_their_content() {
    for bad in ["{canary", "[]", r#"{"metadata":{"name":"canary"}}"#] {
        let told = told(|_, objects, _| objects[0].2 = bad);
        assert!(told[0].starts_with("document things/default/a"), "{told:?}");
        assert!(!told[0].contains("canary"), "{told:?}");
    }
}
