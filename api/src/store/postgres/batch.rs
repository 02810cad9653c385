//! What a group of writes comes to, decided before anything is written. Pure: the store's state goes in, rows come out.

use std::collections::HashMap;

use super::writer::Work;
use crate::store::audit::AuditEntry;
use crate::store::column::{kind_to_column, revision_to_column};
use crate::store::decision::decide;
use crate::store::group::{Outcome, Prepared};
use crate::store::{ChangeKind, Key};

/// An object that a write of the group concerns, and its document.
type Object<'a> = (u64, &'a str);

/// One row of the change log.
struct Logged<'a> {
    revision: u64,
    key: &'a Key,
    kind: ChangeKind,
    object: &'a str,
    previous: Option<&'a str>,
}

/// The rows that a group writes, and the answer to each of its writes.
pub(super) struct Batch<'a> {
    pub(super) newest: u64,
    pub(super) outcomes: Vec<Outcome>,
    log: Vec<Logged<'a>>,
    /// With the revision of the write that each is about.
    audit: Vec<(&'a AuditEntry, Option<u64>)>,
    objects: HashMap<&'a Key, Option<Object<'a>>>,
}

impl<'a> Batch<'a> {
    /// Decides one write after the other, each seeing what those before it did. `current` has the objects that are
    /// there, with revision and document.
    pub(super) fn decide(
        newest: u64,
        current: &'a HashMap<Key, (u64, String)>,
        group: impl IntoIterator<Item = &'a Work>,
    ) -> Self {
        let mut batch = Self {
            newest,
            outcomes: Vec::new(),
            log: Vec::new(),
            audit: Vec::new(),
            objects: HashMap::new(),
        };
        for work in group {
            let write = match work {
                Work::Write(write) => write,
                Work::Record(entries) => {
                    batch
                        .audit
                        .extend(entries.iter().map(|entry| (entry, None)));
                    batch.outcomes.push(Ok(batch.newest));
                    continue;
                }
            };
            let before = match batch.objects.get(&write.key) {
                Some(object) => *object,
                None => current
                    .get(&write.key)
                    .map(|(revision, document)| (*revision, document.as_str())),
            };
            let outcome = batch.write(write, before);
            batch.outcomes.push(outcome);
        }
        batch
    }

    fn write(&mut self, write: &'a Prepared, before: Option<Object<'a>>) -> Outcome {
        let kind = decide(
            write.expect,
            write.intent,
            before.map(|(revision, _)| revision),
        )?;
        self.newest += 1;
        let revision = self.newest;
        let after = (kind != ChangeKind::Deleted).then_some((revision, write.document.text()));
        self.objects.insert(&write.key, after);
        self.log.push(Logged {
            revision,
            key: &write.key,
            kind,
            object: write.document.text(),
            previous: before.map(|(_, document)| document),
        });
        if let Some(entry) = &write.audit {
            self.audit.push((entry, Some(revision)));
        }
        Ok(revision)
    }

    /// Whether every write was refused, and there is nothing else to add.
    pub(super) fn is_empty(&self) -> bool {
        self.log.is_empty() && self.audit.is_empty()
    }

    /// Rows of `objects` that are written, as columns.
    pub(super) fn put(&self) -> (Keys<'a>, Vec<i64>, Vec<&'a str>) {
        let mut rows = (Keys::default(), Vec::new(), Vec::new());
        for (key, object) in &self.objects {
            if let Some((revision, document)) = object {
                rows.0.push(key);
                rows.1.push(revision_to_column(*revision));
                rows.2.push(*document);
            }
        }
        rows
    }

    /// Rows of `objects` that go. Some of them may never have been there.
    pub(super) fn gone(&self) -> Keys<'a> {
        let mut keys = Keys::default();
        for (key, object) in &self.objects {
            if object.is_none() {
                keys.push(key);
            }
        }
        keys
    }

    /// Rows of `changes`, as columns.
    pub(super) fn log(&self) -> Log<'a> {
        let mut log = Log::default();
        for logged in &self.log {
            log.revisions.push(revision_to_column(logged.revision));
            log.keys.push(logged.key);
            log.kinds.push(kind_to_column(logged.kind));
            log.objects.push(logged.object);
            log.previous.push(logged.previous);
        }
        log
    }

    /// Rows of `audit`, as columns.
    pub(super) fn audit(&self) -> Audit<'a> {
        let mut audit = Audit::default();
        for (entry, revision) in &self.audit {
            audit.times.push(entry.time);
            audit.usernames.push(&entry.username);
            audit.verbs.push(&entry.verb);
            audit.keys.resources.push(&entry.resource);
            audit.keys.namespaces.push(&entry.namespace);
            audit.keys.names.push(&entry.name);
            audit.codes.push(entry.code.into());
            audit.are_routine.push(entry.is_routine.into());
            audit.revisions.push(revision.map(revision_to_column));
            audit.records.push(&entry.record);
        }
        audit
    }
}

/// Entries of the audit log as columns.
#[derive(Default)]
pub(super) struct Audit<'a> {
    pub(super) times: Vec<i64>,
    pub(super) usernames: Vec<&'a str>,
    pub(super) verbs: Vec<&'a str>,
    pub(super) keys: Keys<'a>,
    pub(super) codes: Vec<i32>,
    pub(super) are_routine: Vec<i32>,
    pub(super) revisions: Vec<Option<i64>>,
    pub(super) records: Vec<&'a str>,
}

/// Keys as columns.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Keys<'a> {
    pub(super) resources: Vec<&'a str>,
    pub(super) namespaces: Vec<&'a str>,
    pub(super) names: Vec<&'a str>,
}

impl<'a> Keys<'a> {
    pub(super) fn push(&mut self, key: &'a Key) {
        self.resources.push(&key.resource);
        self.namespaces.push(&key.namespace);
        self.names.push(&key.name);
    }
}

/// Changes as columns.
#[derive(Default)]
pub(super) struct Log<'a> {
    pub(super) revisions: Vec<i64>,
    pub(super) keys: Keys<'a>,
    pub(super) kinds: Vec<&'static str>,
    pub(super) objects: Vec<&'a str>,
    pub(super) previous: Vec<Option<&'a str>>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::store::{Effect, Expect, Write};

    fn write(name: &str, expect: Expect, effect: Effect) -> Work {
        let key = Key::new("secrets", "default", name);
        Work::Write(Box::new(Prepared::from(Write {
            key,
            expect,
            effect,
        })))
    }

    #[test]
    fn writes_of_one_object_in_one_group_see_each_other() {
        let current = HashMap::from([(
            Key::new("secrets", "default", "old"),
            (4, "\"before\"".to_owned()),
        )]);
        let put = |mark: &str| Effect::Put(json!(mark));
        let group = [
            write("new", Expect::Absent, put("a")),
            write("old", Expect::Revision(3), put("late")),
            write("new", Expect::Revision(10), put("b")),
            write("old", Expect::Revision(4), Effect::Delete(json!("last"))),
            write("fleeting", Expect::Absent, put("c")),
            write("fleeting", Expect::Revision(13), Effect::Delete(json!("c"))),
            write("new", Expect::Absent, put("twice")),
        ];
        let batch = Batch::decide(9, &current, &group);
        let revisions: Vec<Option<u64>> = batch
            .outcomes
            .iter()
            .map(|it| it.as_ref().ok().copied())
            .collect();
        let expected = [Some(10), None, Some(11), Some(12), Some(13), Some(14), None];
        assert_eq!(revisions, expected);
        assert_eq!(batch.newest, 14);

        let log = batch.log();
        assert_eq!(log.revisions, [10, 11, 12, 13, 14]);
        assert_eq!(
            log.kinds,
            ["created", "updated", "deleted", "created", "deleted"]
        );
        assert_eq!(
            log.previous,
            [None, Some("\"a\""), Some("\"before\""), None, Some("\"c\"")]
        );
        let (keys, revisions, documents) = batch.put();
        assert_eq!(
            (keys.names, revisions, documents),
            (vec!["new"], vec![11], vec!["\"b\""])
        );
        let mut gone = batch.gone().names;
        gone.sort_unstable();
        assert_eq!(gone, ["fleeting", "old"]);
    }

    #[test]
    fn a_group_of_refusals_writes_nothing() {
        let current = HashMap::new();
        let group = [write("a", Expect::Revision(1), Effect::Put(json!(1)))];
        let batch = Batch::decide(9, &current, &group);
        assert!(batch.is_empty());
        assert_eq!(batch.newest, 9);
    }
}
