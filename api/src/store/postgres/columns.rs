//! A group's rows as columns: PostgreSQL takes any number of rows in one statement as arrays.

use crate::store::Key;
use crate::store::batch::Batch;
use crate::store::column::{kind_to_column, revision_to_column};

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

/// Rows of `objects` that are written.
pub(super) fn put<'a>(batch: &Batch<'a>) -> (Keys<'a>, Vec<i64>, Vec<&'a str>) {
    let mut rows = (Keys::default(), Vec::new(), Vec::new());
    for (key, revision, document) in batch.put() {
        rows.0.push(key);
        rows.1.push(revision_to_column(revision));
        rows.2.push(document.text());
    }
    rows
}

/// Rows of `objects` that go.
pub(super) fn gone<'a>(batch: &Batch<'a>) -> Keys<'a> {
    let mut keys = Keys::default();
    for key in batch.gone() {
        keys.push(key);
    }
    keys
}

/// Rows of `changes`.
pub(super) fn log<'a>(batch: &Batch<'a>) -> Log<'a> {
    let mut log = Log::default();
    for logged in batch.log() {
        log.revisions.push(revision_to_column(logged.revision));
        log.keys.push(logged.key);
        log.kinds.push(kind_to_column(logged.kind));
        log.objects.push(logged.document.text());
        log.previous
            .push(logged.previous.map(|(_, document)| document));
    }
    log
}

/// Rows of `audit`.
pub(super) fn audit<'a>(batch: &Batch<'a>) -> Audit<'a> {
    let mut audit = Audit::default();
    for (entry, revision) in batch.audit() {
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
