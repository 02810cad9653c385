//! What a group of writes comes to, decided before anything is written. Pure, and the same for every database: the store's
//! state goes in, rows come out, and a group costs a few statements however many writes it has.

use std::collections::HashMap;

use super::audit::AuditEntry;
use super::decision::decide;
use super::group::{Outcome, Prepared};
use super::{ChangeKind, Document, Key};

/// An object before the group: its revision and its document as text.
pub(super) type There<'a> = (u64, &'a str);

/// One row of the change log.
pub(super) struct Logged<'a> {
    pub(super) revision: u64,
    pub(super) key: &'a Key,
    pub(super) kind: ChangeKind,
    pub(super) document: &'a Document,
    /// The write before this one and its document; `None` exactly when the object was created.
    pub(super) previous: Option<There<'a>>,
}

/// One row of the audit log, with the revision of the write that it is about.
pub(super) type Recorded<'a> = (&'a AuditEntry, Option<u64>);

/// The last that the group did to an object.
pub(super) struct Last<'a> {
    pub(super) revision: u64,
    /// `None` when it is gone.
    pub(super) document: Option<&'a Document>,
}

/// The rows that a group writes.
pub(super) struct Batch<'a> {
    newest: u64,
    log: Vec<Logged<'a>>,
    audit: Vec<Recorded<'a>>,
    objects: HashMap<&'a Key, Last<'a>>,
}

impl<'a> Batch<'a> {
    /// Nothing yet, on top of this revision.
    pub(super) fn new(newest: u64) -> Self {
        Self {
            newest,
            log: Vec::new(),
            audit: Vec::new(),
            objects: HashMap::new(),
        }
    }

    /// Decides one more write, which sees what those before it did; `there` is the object as it was before the group.
    pub(super) fn write(&mut self, write: &'a Prepared, there: Option<There<'a>>) -> Outcome {
        let before = match self.objects.get(&write.key) {
            Some(Last { revision, document }) => {
                document.map(|document| (*revision, document.text()))
            }
            None => there,
        };
        let kind = decide(
            write.expect,
            write.intent,
            before.map(|(revision, _)| revision),
        )?;
        self.newest += 1;
        let revision = self.newest;
        let document = (kind != ChangeKind::Deleted).then_some(&write.document);
        self.objects.insert(&write.key, Last { revision, document });
        self.log.push(Logged {
            revision,
            key: &write.key,
            kind,
            document: &write.document,
            previous: before,
        });
        if let Some(entry) = &write.audit {
            self.audit.push((entry, Some(revision)));
        }
        Ok(revision)
    }

    /// Adds to the audit log what is about no write.
    pub(super) fn record(&mut self, entries: &'a [AuditEntry]) -> Outcome {
        self.audit.extend(entries.iter().map(|entry| (entry, None)));
        Ok(self.newest)
    }

    /// The revision after all of it.
    pub(super) fn newest(&self) -> u64 {
        self.newest
    }

    /// Whether every write was refused, and there is nothing else to add.
    pub(super) fn is_empty(&self) -> bool {
        self.log.is_empty() && self.audit.is_empty()
    }

    /// What the group did to each object in the end. Some that are gone may never have been there before.
    pub(super) fn objects(&self) -> impl Iterator<Item = (&'a Key, &Last<'a>)> {
        self.objects.iter().map(|(key, last)| (*key, last))
    }

    /// Rows of `objects` that are written: key, revision, document.
    pub(super) fn put(&self) -> impl Iterator<Item = (&'a Key, u64, &'a Document)> {
        self.objects().filter_map(|(key, last)| {
            let document = last.document?;
            Some((key, last.revision, document))
        })
    }

    /// Rows of `objects` that go.
    pub(super) fn gone(&self) -> impl Iterator<Item = &'a Key> {
        self.objects()
            .filter(|(_, last)| last.document.is_none())
            .map(|(key, _)| key)
    }

    /// Rows of `changes`, in order.
    pub(super) fn log(&self) -> &[Logged<'a>] {
        &self.log
    }

    /// What the log has of this write, if it is one of the group's.
    pub(super) fn logged(&self, revision: u64) -> Option<&Logged<'a>> {
        let first = self.log.first()?.revision;
        let nth = usize::try_from(revision.checked_sub(first)?).ok()?;
        self.log.get(nth)
    }

    /// Rows of `audit`, in order.
    pub(super) fn audit(&self) -> &[Recorded<'a>] {
        &self.audit
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::store::{Effect, Expect, Write};

    fn write(name: &str, expect: Expect, effect: Effect) -> Prepared {
        let key = Key::new("secrets", "default", name);
        Prepared::from(Write {
            key,
            expect,
            effect,
        })
    }

    #[test]
    fn writes_of_one_object_in_one_group_see_each_other() {
        let put = |mark: &str| Effect::put(json!(mark));
        let group = [
            write("new", Expect::Absent, put("a")),
            write("old", Expect::Revision(3), put("late")),
            write("new", Expect::Revision(10), put("b")),
            write("old", Expect::Revision(4), Effect::delete(json!("last"))),
            write("fleeting", Expect::Absent, put("c")),
            write("fleeting", Expect::Revision(13), Effect::delete(json!("c"))),
            write("new", Expect::Absent, put("twice")),
        ];
        let mut batch = Batch::new(9);
        let revisions: Vec<Option<u64>> = group
            .iter()
            .map(|write| {
                let there = (write.key.name == "old").then_some((4, "\"before\""));
                batch.write(write, there).ok()
            })
            .collect();
        let expected = [Some(10), None, Some(11), Some(12), Some(13), Some(14), None];
        assert_eq!(revisions, expected);
        assert_eq!(batch.newest(), 14);

        let log: Vec<_> = batch
            .log()
            .iter()
            .map(|it| (it.revision, it.kind, it.previous))
            .collect();
        let expected = [
            (10, ChangeKind::Created, None),
            (11, ChangeKind::Updated, Some((10, "\"a\""))),
            (12, ChangeKind::Deleted, Some((4, "\"before\""))),
            (13, ChangeKind::Created, None),
            (14, ChangeKind::Deleted, Some((13, "\"c\""))),
        ];
        assert_eq!(log, expected);
        let found = |revision| batch.logged(revision).map(|it| it.revision);
        assert_eq!([9, 10, 14, 15].map(found), [None, Some(10), Some(14), None]);
        let put: Vec<_> = batch
            .put()
            .map(|(key, revision, document)| (key.name.as_str(), revision, document.text()))
            .collect();
        assert_eq!(put, [("new", 11, "\"b\"")]);
        let mut gone: Vec<_> = batch.gone().map(|key| key.name.as_str()).collect();
        gone.sort_unstable();
        assert_eq!(gone, ["fleeting", "old"]);
    }

    #[test]
    fn a_group_of_refusals_writes_nothing() {
        let refused = write("a", Expect::Revision(1), Effect::put(json!(1)));
        let mut batch = Batch::new(9);
        assert!(batch.write(&refused, None).is_err());
        assert!(batch.is_empty());
        assert_eq!(batch.newest(), 9);
    }
}
