//! What the servers acknowledged, in the order of the versions that they gave out.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};

use super::selection::{Labels, Selection};

/// One acknowledged write: the labels that the object had before and has after it.
#[derive(Debug, Clone)]
pub(super) struct Written {
    pub(super) name: String,
    pub(super) before: Option<Labels>,
    pub(super) after: Option<Labels>,
    /// Whether it is one of those that end watches.
    pub(super) is_last: bool,
}

/// What a watch was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) word: String,
    pub(super) name: String,
    pub(super) version: u64,
}

/// Every write, by version.
#[derive(Debug, Default)]
pub(super) struct Journal(BTreeMap<u64, Written>);

impl Journal {
    pub(super) fn add(&mut self, version: u64, written: Written) -> Result<()> {
        let twice = self.0.insert(version, written);
        ensure!(twice.is_none(), "version {version} was given out twice");
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// What a watch of this selection must have seen, up to the first write that ends it.
    pub(super) fn events(&self, selection: &Selection) -> Vec<Event> {
        let mut events = Vec::new();
        for (version, written) in &self.0 {
            let was = written.before.is_some_and(|labels| selection.has(&labels));
            let is = written.after.is_some_and(|labels| selection.has(&labels));
            let word = match (was, is) {
                (true, true) => "MODIFIED",
                (false, true) => "ADDED",
                (true, false) => "DELETED",
                (false, false) => continue,
            };
            events.push(Event {
                word: word.to_owned(),
                name: written.name.clone(),
                version: *version,
            });
            if written.is_last {
                break;
            }
        }
        events
    }
}
