//! The newest stretch of the change log. Pure: bounded by count and by size, and without a gap.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Entry;
use crate::store::Change;

/// At most so many changes: at 200 writes a second, 20 seconds of them.
const CHANGES: usize = 4096;

/// At most so many bytes of documents as text. What watches make of them (a line each, and a tree for selectors and
/// tables) comes on top and is a few times as much: 16 MiB × 5 are 80 MiB at worst.
const BYTES: usize = 16 << 20;

/// Whose changes a watch wants.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// The store's name of the resource.
    pub(crate) resource: &'a str,
    /// `None` for all namespaces.
    pub(crate) namespace: Option<&'a str>,
}

impl Wanted<'_> {
    fn has(&self, change: &Change) -> bool {
        change.key.resource == self.resource
            && self
                .namespace
                .is_none_or(|namespace| change.key.namespace == namespace)
    }
}

/// What the window knows of the time after a revision.
#[derive(Debug)]
pub(crate) enum Reach {
    /// These changes, and that there were no others through this revision.
    Through(Vec<Arc<Entry>>, u64),
    /// The window begins later: only the store knows.
    Older,
}

/// Every change above `after` through `through`.
#[derive(Debug)]
pub(super) struct Window {
    after: u64,
    through: u64,
    /// In order of revision.
    entries: VecDeque<Arc<Entry>>,
    /// Of all entries.
    bytes: usize,
}

impl Window {
    /// An empty stretch at this revision.
    pub(super) fn new(at: u64) -> Self {
        Self {
            after: at,
            through: at,
            entries: VecDeque::new(),
            bytes: 0,
        }
    }

    /// Appends what the log holds between the window's end and `through`.
    pub(super) fn push(&mut self, changes: &[Change], through: u64) {
        for change in changes {
            if change.revision > self.through {
                let entry = Entry::new(change.clone());
                self.bytes += entry.weight();
                self.entries.push_back(Arc::new(entry));
            }
        }
        self.through = self.through.max(through);
        while self.entries.len() > CHANGES || self.bytes > BYTES {
            let Some(oldest) = self.entries.pop_front() else {
                break;
            };
            self.bytes -= oldest.weight();
            self.after = oldest.change().revision;
        }
    }

    pub(super) fn after(&self, after: u64, wanted: &Wanted<'_>, limit: usize) -> Reach {
        if after < self.after {
            return Reach::Older;
        }
        let start = self
            .entries
            .partition_point(|entry| entry.change().revision <= after);
        let mut found = Vec::new();
        for entry in self.entries.range(start..) {
            if found.len() == limit {
                let last = found
                    .last()
                    .map_or(after, |entry: &Arc<Entry>| entry.change().revision);
                return Reach::Through(found, last);
            }
            if wanted.has(entry.change()) {
                found.push(Arc::clone(entry));
            }
        }
        // A watch may have read further in the store than the window has come.
        Reach::Through(found, self.through.max(after))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::store::{ChangeKind, Document, Key};

    fn change(revision: u64, document: Document) -> Change {
        Change {
            revision,
            key: Key::new(
                if revision.is_multiple_of(2) {
                    "even"
                } else {
                    "odd"
                },
                "a",
                "x",
            ),
            kind: ChangeKind::Created,
            object: document,
            previous: None,
        }
    }

    fn smalls(revisions: std::ops::RangeInclusive<u64>) -> Vec<Change> {
        revisions
            .map(|revision| change(revision, Document::from(json!(revision))))
            .collect()
    }

    const EVEN: Wanted<'static> = Wanted {
        resource: "even",
        namespace: None,
    };

    fn found(reach: Reach) -> Option<(Vec<u64>, u64)> {
        match reach {
            Reach::Older => None,
            Reach::Through(entries, through) => Some((
                entries
                    .iter()
                    .map(|entry| entry.change().revision)
                    .collect(),
                through,
            )),
        }
    }

    #[test]
    fn a_window_knows_all_after_its_beginning_and_nothing_before() {
        let mut window = Window::new(10);
        window.push(&smalls(11..=16), 18);
        for (after, limit, expected) in [
            (9, 9, None),
            (10, 9, Some((vec![12, 14, 16], 18))),
            (10, 2, Some((vec![12, 14], 14))),
            (12, 9, Some((vec![14, 16], 18))),
            (14, 1, Some((vec![16], 18))),
            (18, 9, Some((vec![], 18))),
            (20, 9, Some((vec![], 20))),
        ] {
            assert_eq!(
                found(window.after(after, &EVEN, limit)),
                expected,
                "after {after}, {limit}"
            );
        }
        let nowhere = Wanted {
            namespace: Some("b"),
            ..EVEN
        };
        assert_eq!(found(window.after(10, &nowhere, 9)), Some((vec![], 18)));
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many() {
        let mut window = Window::new(0);
        let many = CHANGES as u64 + 100;
        window.push(&smalls(1..=many), many);
        assert_eq!(window.entries.len(), CHANGES);
        assert!(found(window.after(99, &EVEN, 9)).is_none());
        assert!(found(window.after(100, &EVEN, 9)).is_some());
    }

    #[test]
    fn the_oldest_go_when_they_are_too_large() {
        let mut window = Window::new(0);
        let large = Document::from(json!("x".repeat(BYTES / 4)));
        let changes: Vec<Change> = (1..=9)
            .map(|revision| change(revision, large.clone()))
            .collect();
        window.push(&changes, 9);
        assert!(window.bytes <= BYTES);
        assert_eq!(found(window.after(6, &EVEN, 9)), Some((vec![8], 9)));
        assert!(found(window.after(5, &EVEN, 9)).is_none());
    }

    #[test]
    fn what_is_read_twice_is_held_once() {
        let mut window = Window::new(10);
        window.push(&smalls(11..=14), 14);
        window.push(&smalls(13..=16), 16);
        assert_eq!(
            found(window.after(10, &EVEN, 9)),
            Some((vec![12, 14, 16], 16))
        );
    }
}
