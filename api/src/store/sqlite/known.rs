//! What this process knows to be current, so that it need not ask the file: the objects that were written last, and those
//! that were read and not written since.
//!
//! # Why it is right
//! Nobody else writes to the file, and the writer enters what it has committed before anybody hears of the commit. So an
//! entry is current for as long as it is there. What was *read* may have been overtaken by a write on its way here. It is
//! entered only when no write of that object can have been forgotten since the reading began: an entry of a write stands
//! in the way, and [`Inner::forgotten`] remembers up to where such entries have been let go.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::store::{Document, Key};

/// At most so many objects.
const OBJECTS: usize = 8192;

/// At most so many bytes of documents as text. Those that are being read as values take some five times as much beside:
/// 8 MiB × 6 are 48 MiB at worst.
const BYTES: usize = 8 << 20;

/// An object's revision and document; none for an object that is gone.
pub(super) type Current = Option<(u64, Document)>;

/// The newest states, by key.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    objects: HashMap<Key, Entry>,
    /// Oldest first. A key that was entered again stands here more than once, and its last place counts.
    order: VecDeque<(Key, u64)>,
    /// Numbers the places in `order`.
    places: u64,
    bytes: usize,
    /// Of what was written at or below this revision, some is no longer here.
    forgotten: u64,
}

#[derive(Debug)]
struct Entry {
    current: Current,
    /// Its last place in the order.
    place: u64,
    /// The write that made it so; 0 for what was read.
    written: u64,
}

fn weight(current: &Current) -> usize {
    current
        .as_ref()
        .map_or(0, |(_, document)| document.text().len())
}

impl Known {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Nothing between lock and unlock can panic half-way through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state of the object, if it is known.
    pub(super) fn get(&self, key: &Key) -> Option<Current> {
        let inner = self.inner();
        inner.objects.get(key).map(|known| known.current.clone())
    }

    /// Enters what a reading found that began when the store was at `began`.
    pub(super) fn was_read(&self, key: &Key, current: &Current, began: u64) {
        let mut inner = self.inner();
        if began >= inner.forgotten && !inner.objects.contains_key(key) {
            inner.enter(key.clone(), current.clone(), 0);
        }
    }

    /// Enters what has been committed.
    pub(super) fn was_written(&self, key: Key, current: Current, revision: u64) {
        self.inner().enter(key, current, revision);
    }

    /// Forgets everything: it is not certain what has been written up to this revision.
    pub(super) fn forget(&self, through: u64) {
        let mut inner = self.inner();
        *inner = Inner {
            forgotten: through.max(inner.forgotten),
            ..Inner::default()
        };
    }
}

impl Inner {
    fn enter(&mut self, key: Key, current: Current, written: u64) {
        self.places += 1;
        let place = self.places;
        self.bytes += weight(&current);
        self.order.push_back((key.clone(), place));
        let before = self.objects.insert(
            key,
            Entry {
                current,
                place,
                written,
            },
        );
        if let Some(before) = before {
            self.bytes -= weight(&before.current);
        }
        // Places that no longer count go too, or one object that is written again and again would fill the order.
        while self.bytes > BYTES || self.objects.len() > OBJECTS || self.order.len() > 4 * OBJECTS {
            let Some((key, place)) = self.order.pop_front() else {
                break;
            };
            if self
                .objects
                .get(&key)
                .is_none_or(|known| known.place != place)
            {
                continue;
            }
            if let Some(gone) = self.objects.remove(&key) {
                self.bytes -= weight(&gone.current);
                self.forgotten = self.forgotten.max(gone.written);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn key(name: &str) -> Key {
        Key::new("things", "a", name)
    }

    fn at(revision: u64) -> Current {
        Some((revision, Document::from(json!(revision))))
    }

    #[test]
    fn what_was_read_never_replaces_what_was_written_since() {
        let known = Known::default();
        known.was_written(key("x"), at(7), 7);
        // The reading began before the write and ends after it.
        known.was_read(&key("x"), &at(5), 6);
        assert_eq!(known.get(&key("x")), Some(at(7)));
        known.was_written(key("x"), None, 8);
        known.was_read(&key("x"), &at(7), 7);
        assert_eq!(known.get(&key("x")), Some(None));
    }

    #[test]
    fn what_was_read_before_something_was_forgotten_is_not_believed() {
        let known = Known::default();
        known.was_written(key("x"), at(7), 7);
        for other in 0..=OBJECTS as u64 {
            known.was_written(key(&format!("other-{other}")), at(8 + other), 8 + other);
        }
        assert_eq!(known.get(&key("x")), None);
        known.was_read(&key("x"), &at(5), 6);
        assert_eq!(known.get(&key("x")), None);
        known.was_read(&key("x"), &at(7), 9);
        assert_eq!(known.get(&key("x")), Some(at(7)));
    }

    #[test]
    fn after_an_uncertain_commit_nothing_is_known() {
        let known = Known::default();
        known.was_written(key("x"), at(7), 7);
        known.forget(9);
        assert_eq!(known.get(&key("x")), None);
        known.was_read(&key("x"), &at(7), 8);
        assert_eq!(known.get(&key("x")), None);
        known.was_read(&key("x"), &at(9), 9);
        assert_eq!(known.get(&key("x")), Some(at(9)));
    }

    #[test]
    fn it_stays_within_its_bounds() {
        let known = Known::default();
        let large = Document::from(json!("x".repeat(BYTES / 8)));
        for revision in 1..100 {
            let name = format!("large-{}", revision % 20);
            known.was_written(key(&name), Some((revision, large.clone())), revision);
        }
        for revision in 100..100 + 9 * OBJECTS as u64 {
            known.was_written(key("same"), at(revision), revision);
        }
        let inner = known.inner();
        let bytes: usize = inner
            .objects
            .values()
            .map(|known| weight(&known.current))
            .sum();
        assert_eq!(inner.bytes, bytes);
        assert!(inner.bytes <= BYTES && inner.order.len() <= 4 * OBJECTS);
    }
}
