//! One change, and its line on the wire, which is written once for all watches that want it.

use std::sync::OnceLock;

use bytes::Bytes;

use crate::kubernetes::splice;
use crate::store::Change;

/// What a watch is told about an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// It came, or came into the selection.
    Added,
    /// It changed.
    Modified,
    /// It went, or left the selection.
    Deleted,
}

impl Event {
    /// Kubernetes' word.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Added => "ADDED",
            Self::Modified => "MODIFIED",
            Self::Deleted => "DELETED",
        }
    }
}

/// A change of the window.
#[derive(Debug)]
pub(crate) struct Entry {
    change: Change,
    /// The object as it is, as JSON, by [`Event`].
    lines: [OnceLock<Option<Bytes>>; 3],
}

impl Entry {
    /// Nothing is written out yet.
    pub(crate) fn new(change: Change) -> Self {
        Self {
            change,
            lines: Default::default(),
        }
    }

    /// The change itself.
    pub(crate) fn change(&self) -> &Change {
        &self.change
    }

    /// The line of this event with the whole stored object. `None` for an object without metadata, which cannot carry
    /// its version.
    pub(crate) fn line(&self, event: Event) -> Option<Bytes> {
        let line = &self.lines[event as usize];
        line.get_or_init(|| {
            splice::event(
                event.name(),
                self.change.object.text(),
                self.change.revision,
            )
        })
        .clone()
    }

    /// Bytes of text.
    pub(super) fn weight(&self) -> usize {
        let previous = self.change.previous.as_ref();
        self.change.object.weight() + previous.map_or(0, |document| document.weight())
    }
}
