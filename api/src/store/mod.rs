//! Where objects live: a small versioned key-value store with a change log.
//!
//! # What is stored
//! One JSON document per [`Key`], exactly as clients see it except for `metadata.resourceVersion`: that is the
//! [`revision`](Stored::revision) beside the document, so that a document never has to be rewritten to carry its own
//! version. Every write also leaves a [`Change`] with the document before and after, which is what watches are fed
//! from and how a selector notices that an object left its selection.
//!
//! Beside the objects stands the audit log ([`audit`]): who did what. A write and its record are one commit.
//!
//! # Order
//! One counter numbers the writes of the whole store, and a number is visible only when every smaller one is: a watcher
//! that has read through revision N never learns later of a change at or below N. Numbers are therefore given out in
//! commit order by a single writer, not by a database sequence, whose numbers may commit out of turn.
//!
//! # What is refused
//! No queries into documents, no joins, no partial updates: selecting, merging and defaulting belong to the layer above.
//! No plain secret either: [`seal::SealedStore`] stands before any store that reaches a disk.
//!
//! # Caveats
//! [`Store::revision`] is a wake-up and carries no payload; whoever wakes reads [`Store::changes`] from its own position.

pub mod audit;
mod batch;
mod column;
pub mod compaction;
pub mod data_dir;
mod decision;
mod document;
pub(crate) mod following;
mod group;
pub(crate) mod kept_key;
pub mod maintenance;
pub mod memory;
mod position;
pub mod postgres;
mod rewrite;
pub mod seal;
pub mod sqlite;

#[cfg(test)]
mod agreement;
#[cfg(test)]
mod conformance;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::watch;

use self::audit::{AuditEntry, AuditQuery, Recorded};
pub use self::document::Document;
pub(crate) use self::document::{Managed, Outline};
pub use self::rewrite::{Rewrite, Stands};

/// The revision of a store that nobody has written to. Clients read a list's version `"0"` as "any", so it is not 0.
pub const FIRST_REVISION: u64 = 1;

/// Names one object in the store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Plural and group, `environments.mirage.dev`; the core group has no suffix: `secrets`.
    pub resource: String,
    /// Empty for cluster-scoped kinds.
    pub namespace: String,
    /// The object's `metadata.name`.
    pub name: String,
}

impl Key {
    /// The three parts in the order in which objects are sorted.
    pub fn new(
        resource: impl Into<String>,
        namespace: impl Into<String>,
        name: impl Into<String>,
    ) -> Self {
        Self {
            resource: resource.into(),
            namespace: namespace.into(),
            name: name.into(),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            write!(f, "{}/{}", self.resource, self.name)
        } else {
            write!(f, "{}/{}/{}", self.resource, self.namespace, self.name)
        }
    }
}

/// An object as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// Which object.
    pub key: Key,
    /// The revision of its last write; clients know it as `metadata.resourceVersion`.
    pub revision: u64,
    /// The document, without `metadata.resourceVersion`.
    pub object: Document,
}

/// Which objects to list, in order of (namespace, name).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListQuery {
    /// The resource whose objects are wanted.
    pub resource: String,
    /// `None` for all namespaces.
    pub namespace: Option<String>,
    /// Begin behind this (namespace, name), which need not exist.
    pub after: Option<(String, String)>,
    /// At most so many; `None` for all.
    pub limit: Option<usize>,
}

/// One answer to a [`ListQuery`], read from one snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// In order of (namespace, name).
    pub items: Vec<Stored>,
    /// The newest revision of the whole store at the snapshot, from which a watch may go on.
    pub revision: u64,
    /// How many objects of the query come behind the last item.
    pub remaining: u64,
}

/// What must hold of an object for a write to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// There is no such object.
    Absent,
    /// The object is there and its last write had this revision.
    Revision(u64),
}

/// What a write does. `Debug` leaves the document out.
#[derive(Clone, PartialEq)]
pub enum Effect {
    /// The document becomes this.
    Put(Document),
    /// The object goes; this last state is kept in the change log.
    Delete(Document),
}

impl Effect {
    /// The document becomes this.
    pub fn put(document: impl Into<Document>) -> Self {
        Self::Put(document.into())
    }

    /// The object goes; this last state is kept in the change log.
    pub fn delete(last: impl Into<Document>) -> Self {
        Self::Delete(last.into())
    }

    /// What the object becomes, or was last.
    pub fn document(&self) -> &Document {
        match self {
            Self::Put(document) | Self::Delete(document) => document,
        }
    }
}

impl fmt::Debug for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Put(_) => "Put(..)",
            Self::Delete(_) => "Delete(..)",
        })
    }
}

/// One conditional write of one object.
#[derive(Debug, Clone, PartialEq)]
pub struct Write {
    /// Which object.
    pub key: Key,
    /// Checked and acted on in one step.
    pub expect: Expect,
    /// What happens when the expectation holds.
    pub effect: Effect,
}

/// What a change did to its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// It was absent before.
    Created,
    /// It was there and is still.
    Updated,
    /// It is gone.
    Deleted,
}

/// One entry of the change log.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The write's own revision; for a deletion that of the deletion, not of the write before it.
    pub revision: u64,
    /// Which object.
    pub key: Key,
    /// What happened to it.
    pub kind: ChangeKind,
    /// The document after the write; for a deletion the last state that was handed in.
    pub object: Document,
    /// The document before the write; `None` exactly when the object was created.
    pub previous: Option<Document>,
}

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// [`Expect::Absent`] met an object. Nothing was written.
    #[error("the object exists already")]
    AlreadyExists,
    /// The object to change or to delete is not there. Nothing was written.
    #[error("there is no such object")]
    NotFound,
    /// The object was written since. Nothing was written; read it again and decide anew.
    #[error("the object has been changed since: it is at revision {current}")]
    Conflict {
        /// The revision that the object has.
        current: u64,
    },
    /// The change log no longer reaches back so far; list, and watch from the list's revision.
    #[error("changes up to revision {floor} have been compacted")]
    Compacted {
        /// The smallest `after` that [`Store::changes`] still answers.
        floor: u64,
    },
    /// The store could not answer. A write that ends so may or may not have happened: read before repeating it.
    #[error("the store is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl StoreError {
    /// Wraps whatever kept the store from answering.
    pub fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unavailable(source.into())
    }
}

/// A versioned store of objects with a change log.
///
/// # Guarantees
/// - Revisions rise strictly, by one per write, over all resources together.
/// - A reader who has seen revision N sees every change up to N.
/// - A write is durable when it returns (as far as the store is durable at all).
/// - A failed expectation changes nothing and uses up no revision.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// The object as it is now.
    async fn get(&self, key: &Key) -> Result<Option<Stored>, StoreError>;

    /// Objects of one resource in order of (namespace, name), all from one snapshot.
    async fn list(&self, query: &ListQuery) -> Result<Page, StoreError>;

    /// Checks the expectation and does the effect in one step; answers with the write's revision.
    ///
    /// Asking to delete while expecting absence is never satisfied: `AlreadyExists` or `NotFound`.
    async fn write(&self, write: Write) -> Result<u64, StoreError>;

    /// As [`Store::write`], and adds the entry about it to the audit log in the same commit: both happen or neither.
    /// A write that is refused leaves no entry.
    async fn write_audited(&self, write: Write, entry: AuditEntry) -> Result<u64, StoreError>;

    /// Adds entries to the audit log that are about no write, in their order. Uses up no revision.
    async fn record(&self, entries: Vec<AuditEntry>) -> Result<(), StoreError>;

    /// Entries of the audit log. Who has seen the entry N sees every entry up to N.
    async fn audit(&self, query: &AuditQuery) -> Result<Vec<Recorded>, StoreError>;

    /// At most `limit` changes of one resource with a revision above `after`, in order, and the revision through which
    /// the log has been read: the last change's when the limit cut the answer off, else the newest of the whole store.
    /// Going on from there misses nothing and repeats nothing. An `after` beyond the newest revision gives no changes.
    async fn changes(
        &self,
        resource: &str,
        namespace: Option<&str>,
        after: u64,
        limit: usize,
    ) -> Result<(Vec<Change>, u64), StoreError>;

    /// Like [`Self::changes`], of every resource and namespace.
    async fn log(&self, after: u64, limit: usize) -> Result<(Vec<Change>, u64), StoreError>;

    /// The newest committed revision; changes after the commit. A wake-up, not a payload.
    fn revision(&self) -> watch::Receiver<u64>;

    /// Forgets the changes before `keep_from`. Objects stay. Never goes back, and never forgets what is not yet written.
    async fn compact(&self, keep_from: u64) -> Result<(), StoreError>;

    /// Puts texts that mean the same in the place of stored ones, each where it still stands as it was read; answers with
    /// how many did. Uses up no revision, leaves no change and wakes nobody.
    async fn rewrite(&self, rewrites: Vec<Rewrite>) -> Result<u64, StoreError>;
}

/// Through which revision `changes` were read, for [`Store::changes`]' second answer.
fn read_through(changes: &[Change], after: u64, limit: usize, newest: u64) -> u64 {
    if changes.len() < limit {
        newest
    } else {
        changes.last().map_or(after, |change| change.revision)
    }
}

#[async_trait]
impl<S: Store + ?Sized> Store for Arc<S> {
    async fn get(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        (**self).get(key).await
    }

    async fn list(&self, query: &ListQuery) -> Result<Page, StoreError> {
        (**self).list(query).await
    }

    async fn write(&self, write: Write) -> Result<u64, StoreError> {
        (**self).write(write).await
    }

    async fn write_audited(&self, write: Write, entry: AuditEntry) -> Result<u64, StoreError> {
        (**self).write_audited(write, entry).await
    }

    async fn record(&self, entries: Vec<AuditEntry>) -> Result<(), StoreError> {
        (**self).record(entries).await
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<Recorded>, StoreError> {
        (**self).audit(query).await
    }

    async fn changes(
        &self,
        resource: &str,
        namespace: Option<&str>,
        after: u64,
        limit: usize,
    ) -> Result<(Vec<Change>, u64), StoreError> {
        (**self).changes(resource, namespace, after, limit).await
    }

    async fn log(&self, after: u64, limit: usize) -> Result<(Vec<Change>, u64), StoreError> {
        (**self).log(after, limit).await
    }

    fn revision(&self) -> watch::Receiver<u64> {
        (**self).revision()
    }

    async fn compact(&self, keep_from: u64) -> Result<(), StoreError> {
        (**self).compact(keep_from).await
    }

    async fn rewrite(&self, rewrites: Vec<Rewrite>) -> Result<u64, StoreError> {
        (**self).rewrite(rewrites).await
    }
}
