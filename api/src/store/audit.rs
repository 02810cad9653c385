//! The audit log beside the objects: entries are added and never changed, each in one commit with the write that it is
//! about.
//!
//! The store knows of an entry what it is searched by, and keeps the rest as it comes: what a record says is decided
//! by the layer above, and so is that no secret is in it.

mod sql;

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

pub(super) use sql::{recorded, select};

/// Longer texts are cut before they become something to search by: 253 characters are the longest name that there can
/// be, and in four bytes each they fit into the 2,704 bytes that PostgreSQL allows a row of an index.
const LONGEST: usize = 253;

/// An entry to be added.
#[derive(Clone, PartialEq, Eq)]
pub struct AuditEntry {
    pub(super) time: i64,
    pub(super) username: String,
    pub(super) verb: String,
    pub(super) resource: String,
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) code: u16,
    pub(super) is_routine: bool,
    pub(super) record: String,
}

/// What an entry is about, as far as it is searched by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditSubject<'a> {
    /// When it happened.
    pub time: Timestamp,
    /// Who did it; empty for nobody known.
    pub username: &'a str,
    /// What was done: `patch`.
    pub verb: &'a str,
    /// To what: plural and group, as in [`Key`](super::Key).
    pub resource: &'a str,
    /// Empty for cluster-scoped kinds.
    pub namespace: &'a str,
    /// Empty where no single object is meant.
    pub name: &'a str,
    /// The HTTP status of the answer.
    pub code: u16,
    /// Whether it is what the server's own parts do all day.
    pub is_routine: bool,
}

impl AuditEntry {
    /// An entry with a record, whose maps have text for keys, without anything secret in it.
    ///
    /// Texts to search by are cut to 253 characters and have no NUL, which not every database can hold.
    pub fn new(subject: &AuditSubject<'_>, record: &impl Serialize) -> Self {
        let AuditSubject {
            time,
            username,
            verb,
            resource,
            namespace,
            name,
            code,
            is_routine,
        } = *subject;
        let searchable = |text: &str| {
            if text.len() <= LONGEST && !text.contains('\0') {
                return text.to_owned();
            }
            text.chars()
                .take(LONGEST)
                .map(|char| if char == '\0' { '\u{fffd}' } else { char })
                .collect()
        };
        Self {
            time: time.as_microsecond(),
            username: searchable(username),
            verb: searchable(verb),
            resource: searchable(resource),
            namespace: searchable(namespace),
            name: searchable(name),
            code,
            is_routine,
            record: serde_json::to_string(record).expect("a record's maps have text for keys"),
        }
    }
}

/// What it is about; not the record, which may be long.
impl fmt::Debug for AuditEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "AuditEntry({} {} {} {}/{}: {})",
            self.username, self.verb, self.resource, self.namespace, self.name, self.code
        )
    }
}

/// An entry that was added.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Its place in the log: from 1, without a gap.
    pub sequence: u64,
    /// The revision of the write that it is about; `None` for what wrote nothing.
    pub revision: Option<u64>,
    /// The record as it was added.
    pub record: Value,
}

/// How something ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was done.
    Done,
    /// It was not.
    Refused,
    /// With this HTTP status.
    With(u16),
}

/// Which way the log is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AuditOrder {
    /// From the newest entry back.
    #[default]
    NewestFirst,
    /// From the oldest on.
    OldestFirst,
}

/// Which entries are wanted. What is `None` does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditQuery {
    /// Empty for what is in no namespace.
    pub namespace: Option<String>,
    /// The object's name.
    pub name: Option<String>,
    /// Plural and group.
    pub resource: Option<String>,
    /// Who did it.
    pub username: Option<String>,
    /// What was done.
    pub verb: Option<String>,
    /// How it ended.
    pub ended: Option<Ended>,
    /// Not before this.
    pub since: Option<Timestamp>,
    /// Before this.
    pub until: Option<Timestamp>,
    /// Whether what the server's own parts do all day is left out.
    pub without_routine: bool,
    /// Which way.
    pub order: AuditOrder,
    /// Begin behind this sequence number, in the order that is asked for.
    pub behind: Option<u64>,
    /// At most so many.
    pub limit: usize,
}

impl AuditQuery {
    /// Whether the entry is wanted, wherever it stands.
    pub(super) fn selects(&self, entry: &AuditEntry) -> bool {
        fn is(wanted: Option<&String>, found: &str) -> bool {
            wanted.is_none_or(|wanted| wanted == found)
        }
        is(self.namespace.as_ref(), &entry.namespace)
            && is(self.name.as_ref(), &entry.name)
            && is(self.resource.as_ref(), &entry.resource)
            && is(self.username.as_ref(), &entry.username)
            && is(self.verb.as_ref(), &entry.verb)
            && self.ended.is_none_or(|ended| match ended {
                Ended::Done => entry.code < 400,
                Ended::Refused => entry.code >= 400,
                Ended::With(code) => entry.code == code,
            })
            && self
                .since
                .is_none_or(|since| entry.time >= since.as_microsecond())
            && self
                .until
                .is_none_or(|until| entry.time < until.as_microsecond())
            && !(self.without_routine && entry.is_routine)
    }
}
