//! The newest stretch of the change log, as it was committed: who follows the log asks for it a moment later, several
//! times over, and need not have it read from the file and taken apart anew.
//!
//! # Why it is right
//! Nobody else writes to the file, and the writer enters each commit before anybody hears of it. So the stretch is all that
//! there is between its two ends, and there is an answer only for what lies there: what is older, the file knows, and what
//! has been forgotten there is not here either.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::store::{Change, Key, read_through};

/// At most so many changes.
const CHANGES: usize = 4096;

/// At most so many bytes of documents as text. They are the same documents as those that are known to be current and those
/// that the feed holds, not others beside them; without these two and all of them read as values, 16 MiB × 6 are 96 MiB.
const BYTES: usize = 16 << 20;

/// The newest changes, or nothing while it is not certain which they are.
#[derive(Debug)]
pub(super) struct Recent(Mutex<Option<Stretch>>);

/// Every change above `after` through `through`.
#[derive(Debug)]
struct Stretch {
    after: u64,
    through: u64,
    /// In order of revision.
    changes: VecDeque<Change>,
    /// Of all changes.
    bytes: usize,
}

fn weight(change: &Change) -> usize {
    let previous = change.previous.as_ref();
    change.object.weight() + previous.map_or(0, |document| document.weight())
}

impl Recent {
    /// No change yet, above this revision.
    pub(super) fn new(at: u64) -> Self {
        Self(Mutex::new(Some(Stretch::new(at))))
    }

    fn stretch(&self) -> MutexGuard<'_, Option<Stretch>> {
        // Nothing between lock and unlock can panic half-way through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters what has been committed on top of the revision `before`.
    pub(super) fn was_committed(&self, before: u64, changes: impl Iterator<Item = Change>) {
        let mut stretch = self.stretch();
        // After one that was uncertain there is a gap: a new stretch begins behind it.
        let stretch = match &mut *stretch {
            Some(stretch) if stretch.through == before => stretch,
            other => other.insert(Stretch::new(before)),
        };
        for change in changes {
            stretch.push(change);
        }
    }

    /// Leaves out what has been forgotten.
    pub(super) fn was_compacted(&self, floor: u64) {
        if let Some(stretch) = &mut *self.stretch() {
            stretch.cut(floor);
        }
    }

    /// Forgets everything: it is not certain what has been written, or how.
    pub(super) fn forget(&self) {
        *self.stretch() = None;
    }

    /// At most `limit` changes above `after` of the objects that are `wanted`, and through which revision that is; `None`
    /// when only the file knows.
    pub(super) fn after(
        &self,
        after: u64,
        limit: usize,
        wanted: impl Fn(&Key) -> bool,
    ) -> Option<(Vec<Change>, u64)> {
        let stretch = self.stretch();
        let stretch = stretch.as_ref()?;
        if after < stretch.after || after > stretch.through {
            return None;
        }
        let start = stretch
            .changes
            .partition_point(|change| change.revision <= after);
        let found: Vec<Change> = stretch
            .changes
            .range(start..)
            .filter(|change| wanted(&change.key))
            .take(limit)
            .cloned()
            .collect();
        let through = read_through(&found, after, limit, stretch.through);
        Some((found, through))
    }
}

impl Stretch {
    fn new(at: u64) -> Self {
        Self {
            after: at,
            through: at,
            changes: VecDeque::new(),
            bytes: 0,
        }
    }

    fn push(&mut self, change: Change) {
        self.through = change.revision;
        self.bytes += weight(&change);
        self.changes.push_back(change);
        while self.changes.len() > CHANGES || self.bytes > BYTES {
            self.drop_oldest();
        }
    }

    fn cut(&mut self, floor: u64) {
        while self
            .changes
            .front()
            .is_some_and(|oldest| oldest.revision <= floor)
        {
            self.drop_oldest();
        }
        self.after = self.after.max(floor);
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.changes.pop_front() {
            self.bytes -= weight(&oldest);
            self.after = oldest.revision;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::store::{ChangeKind, Document};

    fn change(revision: u64, document: Document) -> Change {
        let parity = ["even", "odd"][(revision % 2) as usize];
        Change {
            revision,
            key: Key::new(parity, "a", "x"),
            kind: ChangeKind::Created,
            object: document,
            previous: None,
        }
    }

    fn commit(recent: &Recent, revisions: std::ops::RangeInclusive<u64>) {
        let before = revisions.start() - 1;
        let changes = revisions.map(|revision| change(revision, json!(revision).into()));
        recent.was_committed(before, changes);
    }

    fn even(recent: &Recent, after: u64, limit: usize) -> Option<(Vec<u64>, u64)> {
        let (found, through) = recent.after(after, limit, |key| key.resource == "even")?;
        Some((found.iter().map(|it| it.revision).collect(), through))
    }

    #[test]
    fn it_answers_for_what_lies_in_it_and_for_nothing_else() {
        let recent = Recent::new(10);
        assert_eq!(even(&recent, 10, 9), Some((vec![], 10)));
        commit(&recent, 11..=13);
        commit(&recent, 14..=17);
        for (after, limit, expected) in [
            (9, 9, None),
            (10, 9, Some((vec![12, 14, 16], 17))),
            (10, 2, Some((vec![12, 14], 14))),
            (10, 0, Some((vec![], 10))),
            (12, 9, Some((vec![14, 16], 17))),
            (17, 9, Some((vec![], 17))),
            (18, 9, None),
        ] {
            assert_eq!(even(&recent, after, limit), expected, "{after} {limit}");
        }
        recent.was_compacted(13);
        assert_eq!(even(&recent, 12, 9), None);
        assert_eq!(even(&recent, 13, 9), Some((vec![14, 16], 17)));
    }

    #[test]
    fn after_an_uncertain_commit_it_begins_anew() {
        let recent = Recent::new(10);
        commit(&recent, 11..=13);
        recent.forget();
        assert_eq!(even(&recent, 13, 9), None);
        // 14 was committed in spite of the error.
        commit(&recent, 15..=16);
        assert_eq!(even(&recent, 13, 9), None);
        assert_eq!(even(&recent, 14, 9), Some((vec![16], 16)));
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many_or_they_are_too_large() {
        let recent = Recent::new(0);
        commit(&recent, 1..=CHANGES as u64 + 100);
        assert_eq!(even(&recent, 99, 1), None);
        assert_eq!(even(&recent, 100, 1), Some((vec![102], 102)));
        let large = Document::from(json!("x".repeat(BYTES / 4)));
        let before = CHANGES as u64 + 100;
        let changes = (1..=9).map(|nth| change(before + nth, large.clone()));
        recent.was_committed(before, changes);
        let stretch = recent.stretch();
        let stretch = stretch.as_ref().unwrap();
        assert!(stretch.bytes <= BYTES);
        assert_eq!((stretch.after, stretch.changes.len()), (before + 6, 3));
    }
}
