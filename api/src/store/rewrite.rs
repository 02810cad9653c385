//! Another text for what is stored, with the same meaning: how sealed values come under a new key.

use std::fmt;

use super::{Document, Key};

/// Where a stored text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    /// It is the object as it is now.
    Object,
    /// It is what a change left.
    Change,
    /// It is what was there before a change.
    Previous,
}

/// One stored text and what is to stand in its place. `Debug` leaves the documents out.
#[derive(Clone)]
pub struct Rewrite {
    /// Whose it is.
    pub key: Key,
    /// The object's last write, or the change's own revision.
    pub revision: u64,
    /// Which of the stored texts.
    pub stands: Stands,
    /// As it was read. What has been written or rewritten since stays as it is.
    pub before: Document,
    /// Means the same as `before`.
    pub after: Document,
}

impl fmt::Debug for Rewrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {} at {}", self.stands, self.key, self.revision)
    }
}
