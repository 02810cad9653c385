//! The newest stretch of the change log, as it was committed: who follows the log asks for it a moment later, several
//! times over, and need not have it read from the file and taken apart anew.
//!
//! # Why it is right
//! Nobody else writes to the file, and the writer enters each commit before anybody hears of it. So the stretch is all that
//! there is between its two ends, and there is an answer only for what lies there: what is older, the file knows, and what
//! has been forgotten there is not here either.
//!
//! For the same reason it knows of each resource when it last changed, for as long as it has had no gap: who follows what
//! seldom changes (roles, tokens) looks rarely, and by then the changes of others have pushed the stretch on.

use std::collections::{HashMap, VecDeque};
use std::iter;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::store::{Change, Key, read_through};

/// At most so many changes, and those of one group of writes.
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
    /// What is above it is counted in `last`, also when it is no longer among the changes.
    since: u64,
    /// The newest change of each resource.
    last: HashMap<String, u64>,
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

    /// Lets go of what is too much. Apart from entering it, because to free documents takes longer than to enter them, and
    /// those who wrote wait for that.
    pub(super) fn trim(&self) {
        let oldest = self.stretch().as_mut().map(Stretch::take_excess);
        // Nobody waits for the lock meanwhile.
        drop(oldest);
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

    /// At most `limit` changes above `after`, and through which revision that is; `None` when only the file knows.
    pub(super) fn log(&self, after: u64, limit: usize) -> Option<(Vec<Change>, u64)> {
        self.stretch().as_ref()?.after(after, limit, |_| true)
    }

    /// The same of one resource, in one namespace or in all.
    pub(super) fn changes(
        &self,
        resource: &str,
        namespace: Option<&str>,
        after: u64,
        limit: usize,
    ) -> Option<(Vec<Change>, u64)> {
        let stretch = self.stretch();
        let stretch = stretch.as_ref()?;
        if stretch.is_quiet(resource, after) {
            return Some((Vec::new(), read_through(&[], after, limit, stretch.through)));
        }
        stretch.after(after, limit, |key| {
            key.resource == resource && namespace.is_none_or(|namespace| key.namespace == namespace)
        })
    }
}

impl Stretch {
    fn new(at: u64) -> Self {
        Self {
            after: at,
            through: at,
            changes: VecDeque::new(),
            bytes: 0,
            since: at,
            last: HashMap::new(),
        }
    }

    fn push(&mut self, change: Change) {
        self.through = change.revision;
        self.bytes += weight(&change);
        match self.last.get_mut(&change.key.resource) {
            Some(last) => *last = change.revision,
            None => {
                let resource = change.key.resource.clone();
                self.last.insert(resource, change.revision);
            }
        }
        self.changes.push_back(change);
    }

    fn take_excess(&mut self) -> Vec<Change> {
        let is_too_much = |it: &Self| it.changes.len() > CHANGES || it.bytes > BYTES;
        iter::from_fn(|| is_too_much(self).then(|| self.take_oldest()).flatten()).collect()
    }

    fn cut(&mut self, floor: u64) {
        while self
            .changes
            .front()
            .is_some_and(|oldest| oldest.revision <= floor)
        {
            self.take_oldest();
        }
        self.after = self.after.max(floor);
        self.since = self.since.max(floor);
    }

    fn take_oldest(&mut self) -> Option<Change> {
        let oldest = self.changes.pop_front()?;
        self.bytes -= weight(&oldest);
        self.after = oldest.revision;
        Some(oldest)
    }

    /// Whether it is certain that nothing of this resource has changed above `after`.
    fn is_quiet(&self, resource: &str, after: u64) -> bool {
        let last = self.last.get(resource);
        (self.since..=self.through).contains(&after) && last.is_none_or(|last| *last <= after)
    }

    /// At most `limit` changes above `after` of the objects that are `wanted`, and through which revision that is; `None`
    /// when it reaches less far back, or `after` lies ahead.
    fn after(
        &self,
        after: u64,
        limit: usize,
        wanted: impl Fn(&Key) -> bool,
    ) -> Option<(Vec<Change>, u64)> {
        if !(self.after..=self.through).contains(&after) {
            return None;
        }
        let start = self
            .changes
            .partition_point(|change| change.revision <= after);
        let found: Vec<Change> = self
            .changes
            .range(start..)
            .filter(|change| wanted(&change.key))
            .take(limit)
            .cloned()
            .collect();
        let through = read_through(&found, after, limit, self.through);
        Some((found, through))
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
        recent.trim();
    }

    fn even(recent: &Recent, after: u64, limit: usize) -> Option<(Vec<u64>, u64)> {
        let (found, through) = recent.changes("even", None, after, limit)?;
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
    fn of_what_has_not_changed_it_knows_for_longer_than_the_stretch() {
        let recent = Recent::new(0);
        let newest = 2 * CHANGES as u64;
        commit(&recent, 1..=newest);
        let never = |after, limit| {
            let (found, through) = recent.changes("never", None, after, limit)?;
            Some((found.len(), through))
        };
        assert_eq!(even(&recent, 1, 9), None);
        assert_eq!(even(&recent, newest, 9), Some((vec![], newest)));
        assert_eq!(never(1, 9), Some((0, newest)));
        assert_eq!(never(1, 0), Some((0, 1)));
        assert_eq!(never(newest + 1, 9), None);
        // What is asked for below the floor is an error, and that is the file's to tell.
        recent.was_compacted(5);
        assert_eq!((never(4, 9), never(5, 9)), (None, Some((0, newest))));
        // Behind an uncertain commit nothing is known of before.
        recent.forget();
        commit(&recent, newest + 2..=newest + 2);
        assert_eq!(never(newest, 9), None);
        assert_eq!(never(newest + 1, 9), Some((0, newest + 2)));
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
        recent.trim();
        let stretch = recent.stretch();
        let stretch = stretch.as_ref().unwrap();
        assert!(stretch.bytes <= BYTES);
        assert_eq!((stretch.after, stretch.changes.len()), (before + 6, 3));
    }
}
