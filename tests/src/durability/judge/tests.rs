//! A judge that finds nothing proves nothing: each promise is broken once, in a journal that is sound without it.

use super::*;

fn document(put: &str, patch: Option<&str>) -> Document {
    Document {
        put: put.into(),
        patch: patch.map(str::to_owned),
    }
}

fn event(kind: Kind, key: &str, revision: u64, put: &str, patch: Option<&str>) -> Event {
    Event {
        kind,
        key: key.into(),
        revision,
        document: Some(document(put, patch)),
    }
}

fn attempt(
    key: &str,
    mark: &str,
    action: Action,
    answer: Answer,
    (begun, ended): (u64, u64),
) -> Attempt {
    Attempt {
        key: key.into(),
        mark: mark.into(),
        action,
        answer,
        begun,
        ended,
    }
}

/// `k2` is created, patched, replaced and deleted; `k3` is created by a write whose answer was lost.
fn sound() -> Journal {
    let events = vec![
        event(Kind::Added, "k2", 5, "a", None),
        event(Kind::Modified, "k2", 6, "a", Some("b")),
        event(Kind::Modified, "k2", 7, "c", None),
        event(Kind::Added, "k3", 8, "d", None),
        event(Kind::Deleted, "k2", 9, "c", None),
    ];
    let even = events
        .iter()
        .filter(|event| event.key == "k2")
        .cloned()
        .collect();
    Journal {
        attempts: vec![
            attempt("k2", "a", Action::Create, Answer::Done(Some(5)), (1, 2)),
            attempt("k2", "b", Action::Patch, Answer::Done(Some(6)), (3, 4)),
            attempt(
                "k2",
                "c",
                Action::Update { from: 6 },
                Answer::Done(Some(7)),
                (5, 6),
            ),
            attempt(
                "k2",
                "late",
                Action::Update { from: 6 },
                Answer::Refused,
                (5, 9),
            ),
            attempt("k3", "d", Action::Create, Answer::Nothing, (7, 8)),
            attempt(
                "k2",
                "e",
                Action::Delete { from: 7 },
                Answer::Done(None),
                (9, 12),
            ),
            attempt("k3", "never", Action::Patch, Answer::Nothing, (13, 14)),
        ],
        watched: vec![
            Watched {
                name: "all".into(),
                selects: false,
                events,
            },
            Watched {
                name: "even".into(),
                selects: true,
                events: even,
            },
        ],
        looks: vec![
            Look {
                begun: 10,
                ended: 11,
                revision: 8,
                objects: BTreeMap::from([
                    ("k2".into(), (7, Some(document("c", None)))),
                    ("k3".into(), (8, Some(document("d", None)))),
                ]),
            },
            Look {
                begun: 15,
                ended: 16,
                revision: 9,
                objects: BTreeMap::from([("k3".into(), (8, Some(document("d", None))))]),
            },
        ],
    }
}

fn verdict(change: impl FnOnce(&mut Journal)) -> Vec<String> {
    let mut journal = sound();
    change(&mut journal);
    judge(&journal).iter().map(Broken::to_string).collect()
}

fn both_forget(journal: &mut Journal, revision: u64) {
    for watched in &mut journal.watched {
        watched.events.retain(|event| event.revision != revision);
    }
}

#[test]
fn a_sound_journal_breaks_nothing() {
    assert_eq!(verdict(|_| {}), Vec::<String>::new());
}

#[test]
fn a_write_that_was_acknowledged_and_is_not_there_is_lost() {
    let told = verdict(|journal| both_forget(journal, 9));
    assert!(
        told.contains(&"e was acknowledged and is lost".to_owned()),
        "{told:?}"
    );
    // The last write of all, which nothing comes after, and which every list leaves out too.
    let told = verdict(|journal| {
        journal.attempts[6].answer = Answer::Done(Some(10));
    });
    assert_eq!(told, ["never was acknowledged and is lost"]);
}

#[test]
fn an_acknowledgement_with_another_version_is_a_lost_write() {
    let told = verdict(|journal| journal.attempts[1].answer = Answer::Done(Some(7)));
    assert_eq!(told, ["b was acknowledged and is lost"]);
}

#[test]
fn a_write_that_all_watchers_missed_shows_by_what_came_after_it() {
    let told = verdict(|journal| {
        journal.attempts[1].answer = Answer::Nothing;
        both_forget(journal, 6);
    });
    // And so the write that came after it is none that was asked for either.
    assert_eq!(
        told,
        [
            "k2 at 7 follows from nothing that was asked for",
            "c was acknowledged and is lost"
        ]
    );
}

#[test]
fn what_one_watcher_missed_or_saw_twice_is_told_by_its_name() {
    assert_eq!(
        verdict(|journal| drop(journal.watched[1].events.remove(1))),
        ["even was not sent 6"]
    );
    let told = verdict(|journal| {
        let again = journal.watched[0].events[3].clone();
        journal.watched[0].events.push(again);
    });
    assert_eq!(told, ["all was sent 8 after 9"]);
    let told = verdict(|journal| {
        let foreign = journal.watched[0].events[3].clone();
        journal.watched[1].events.insert(3, foreign);
    });
    assert_eq!(told, ["even was sent 8, which it had not selected"]);
}

#[test]
fn half_a_write_is_torn() {
    let told = verdict(|journal| journal.watched[0].events[3].document = None);
    assert!(told.contains(&"k3 is torn at 8".to_owned()), "{told:?}");
}

#[test]
fn a_patch_that_loses_what_another_wrote_follows_from_nothing() {
    let told = verdict(|journal| {
        for watched in &mut journal.watched {
            watched.events[1].document = Some(document("z", Some("b")));
        }
    });
    assert!(
        told.contains(&"k2 at 6 follows from nothing that was asked for".to_owned()),
        "{told:?}"
    );
}

#[test]
fn what_was_refused_must_not_happen() {
    let told = verdict(|journal| journal.attempts[4].answer = Answer::Refused);
    assert_eq!(told, ["d was refused and is done"]);
}

#[test]
fn two_contents_of_one_version_are_two_truths() {
    let told = verdict(|journal| {
        journal.watched[1].events[2].document = Some(document("x", None));
    });
    assert!(
        told.contains(&"version 7 is two things".to_owned()),
        "{told:?}"
    );
}

#[test]
fn versions_that_go_back_in_time_are_told() {
    // The patch is said to have begun only after the update was acknowledged.
    let told = verdict(|journal| {
        journal.attempts[1].begun = 7;
        journal.attempts[1].ended = 8;
    });
    assert_eq!(told, ["b became 6 after 7 was acknowledged"]);
}

#[test]
fn a_list_is_neither_stale_nor_something_else_than_was_written() {
    let told = verdict(|journal| journal.looks[1].begun = 17);
    assert_eq!(told, Vec::<String>::new());
    let told = verdict(|journal| {
        journal.looks.swap(0, 1);
        journal.looks[1].begun = 17;
    });
    assert_eq!(told, ["a list at 8 came after 9 was seen"]);
    let told = verdict(|journal| drop(journal.looks[0].objects.remove("k3")));
    assert_eq!(told, ["a list at 8 shows another k3 than was written"]);
}

#[test]
fn of_two_deletions_without_an_answer_the_first_asked_may_have_done_it() {
    let broken = verdict(|journal| {
        let deletion = journal.attempts.iter_mut().find(|it| it.mark == "e");
        deletion.unwrap().answer = Answer::Nothing;
        let action = Action::Create;
        let other = attempt("k4", "f", action, Answer::Done(Some(10)), (15, 16));
        journal.attempts.push(other);
        // Asked for when version 10 was acknowledged, so that it cannot have become version 9.
        let action = Action::Delete { from: 7 };
        let again = attempt("k2", "again", action, Answer::Nothing, (17, 18));
        journal.attempts.push(again);
        for watched in &mut journal.watched {
            let created = event(Kind::Added, "k4", 10, "f", None);
            watched.events.push(created);
        }
    });
    assert_eq!(broken, Vec::<String>::new());
}
