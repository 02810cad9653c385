//! A store that forgets everything with its process: for tests and for the simulated world, where time stands still
//! until every task waits and a database's own thread would not be waited for.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::watch;

use super::audit::{AuditEntry, AuditOrder, AuditQuery, Recorded};
use super::decision::{Intent, decide, floor_after};
use super::{
    Change, ChangeKind, Document, Effect, FIRST_REVISION, Key, ListQuery, Page, Rewrite, Stands,
    Store, StoreError, Stored, Write,
};

/// Keeps everything in ordered maps: the same writes in the same order give the same answers.
#[derive(Debug)]
pub struct MemoryStore {
    state: Mutex<State>,
    revision: watch::Sender<u64>,
}

#[derive(Debug)]
struct State {
    objects: BTreeMap<Key, Stored>,
    log: BTreeMap<u64, Change>,
    revision: u64,
    floor: u64,
    /// With the revision of the write that each is about. The position is the sequence number less one.
    audit: Vec<(AuditEntry, Option<u64>)>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self {
            state: Mutex::new(State {
                objects: BTreeMap::new(),
                log: BTreeMap::new(),
                revision: FIRST_REVISION,
                floor: 0,
                audit: Vec::new(),
            }),
            revision: watch::Sender::new(FIRST_REVISION),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing between lock and unlock can panic half-way through a change, so a poisoned state is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl State {
    fn write(&mut self, write: Write) -> Result<u64, StoreError> {
        let Write {
            key,
            expect,
            effect,
        } = write;
        let current = self.objects.get(&key).map(|stored| stored.revision);
        let kind = decide(expect, Intent::from(&effect), current)?;
        let revision = self.revision + 1;
        let (previous, object) = match effect {
            Effect::Put(object) => (self.put(&key, revision, object.clone()), object),
            Effect::Delete(last) => {
                let was = self.objects.remove(&key).map(|was| was.object);
                (was, last)
            }
        };
        self.log.insert(
            revision,
            Change {
                revision,
                key,
                kind,
                object,
                previous: previous.filter(|_| kind != ChangeKind::Created),
            },
        );
        self.revision = revision;
        Ok(revision)
    }

    fn put(&mut self, key: &Key, revision: u64, object: Document) -> Option<Document> {
        let stored = Stored {
            key: key.clone(),
            revision,
            object,
        };
        let was = self.objects.insert(key.clone(), stored);
        was.map(|was| was.object)
    }

    /// The stored document that is to be replaced, if it is still there.
    fn standing(&mut self, rewrite: &Rewrite) -> Option<&mut Document> {
        match rewrite.stands {
            Stands::Object => {
                let stored = self.objects.get_mut(&rewrite.key)?;
                (stored.revision == rewrite.revision).then_some(&mut stored.object)
            }
            Stands::Change => Some(&mut self.log.get_mut(&rewrite.revision)?.object),
            Stands::Previous => self.log.get_mut(&rewrite.revision)?.previous.as_mut(),
        }
    }

    fn audit(&self, query: &AuditQuery) -> Result<Vec<Recorded>, StoreError> {
        let all = (1..).zip(&self.audit);
        let select = |(sequence, (entry, revision)): (u64, &(AuditEntry, Option<u64>))| {
            query.selects(entry).then(|| {
                let record =
                    serde_json::from_str(&entry.record).map_err(StoreError::unavailable)?;
                Ok(Recorded {
                    sequence,
                    revision: *revision,
                    record,
                })
            })
        };
        match query.order {
            AuditOrder::OldestFirst => all
                .skip_while(|(sequence, _)| query.behind.is_some_and(|behind| *sequence <= behind))
                .filter_map(select)
                .take(query.limit)
                .collect(),
            AuditOrder::NewestFirst => all
                .take_while(|(sequence, _)| query.behind.is_none_or(|behind| *sequence < behind))
                .collect::<Vec<_>>()
                .into_iter()
                .rev()
                .filter_map(select)
                .take(query.limit)
                .collect(),
        }
    }

    fn list(&self, query: &ListQuery) -> Page {
        let (namespace, name) = match &query.after {
            Some((namespace, name)) => (namespace.as_str(), name.as_str()),
            None => ("", ""),
        };
        let after = Key::new(&query.resource, namespace, name);
        let mut matching = self
            .objects
            .range((Bound::Excluded(after), Bound::Unbounded))
            .map(|(_, stored)| stored)
            .take_while(|stored| stored.key.resource == query.resource)
            .filter(|stored| {
                query
                    .namespace
                    .as_ref()
                    .is_none_or(|namespace| *namespace == stored.key.namespace)
            });
        let items = matching
            .by_ref()
            .take(query.limit.unwrap_or(usize::MAX))
            .cloned()
            .collect();
        Page {
            items,
            revision: self.revision,
            remaining: matching.count() as u64,
        }
    }

    fn changes(
        &self,
        resource: Option<&str>,
        namespace: Option<&str>,
        after: u64,
        limit: usize,
    ) -> Result<(Vec<Change>, u64), StoreError> {
        if after < self.floor {
            return Err(StoreError::Compacted { floor: self.floor });
        }
        let changes: Vec<Change> = self
            .log
            .range((Bound::Excluded(after), Bound::Unbounded))
            .map(|(_, change)| change)
            .filter(|change| resource.is_none_or(|resource| resource == change.key.resource))
            .filter(|change| namespace.is_none_or(|namespace| namespace == change.key.namespace))
            .take(limit)
            .cloned()
            .collect();
        let through = super::read_through(&changes, after, limit, self.revision);
        Ok((changes, through))
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn get(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        Ok(self.state().objects.get(key).cloned())
    }

    async fn list(&self, query: &ListQuery) -> Result<Page, StoreError> {
        Ok(self.state().list(query))
    }

    async fn write(&self, write: Write) -> Result<u64, StoreError> {
        let mut state = self.state();
        let revision = state.write(write)?;
        // Under the lock, so that two writers cannot announce their revisions in the wrong order.
        self.revision.send_replace(revision);
        Ok(revision)
    }

    async fn write_audited(&self, write: Write, entry: AuditEntry) -> Result<u64, StoreError> {
        let mut state = self.state();
        let revision = state.write(write)?;
        state.audit.push((entry, Some(revision)));
        // Under the lock, so that two writers cannot announce their revisions in the wrong order.
        self.revision.send_replace(revision);
        Ok(revision)
    }

    async fn record(&self, entries: Vec<AuditEntry>) -> Result<(), StoreError> {
        let entries = entries.into_iter().map(|entry| (entry, None));
        self.state().audit.extend(entries);
        Ok(())
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<Recorded>, StoreError> {
        self.state().audit(query)
    }

    async fn changes(
        &self,
        resource: &str,
        namespace: Option<&str>,
        after: u64,
        limit: usize,
    ) -> Result<(Vec<Change>, u64), StoreError> {
        self.state()
            .changes(Some(resource), namespace, after, limit)
    }

    async fn log(&self, after: u64, limit: usize) -> Result<(Vec<Change>, u64), StoreError> {
        self.state().changes(None, None, after, limit)
    }

    fn revision(&self) -> watch::Receiver<u64> {
        self.revision.subscribe()
    }

    async fn compact(&self, keep_from: u64) -> Result<(), StoreError> {
        let mut state = self.state();
        state.floor = floor_after(keep_from, state.floor, state.revision);
        let kept_from = state.floor + 1;
        state.log = state.log.split_off(&kept_from);
        Ok(())
    }

    async fn rewrite(&self, rewrites: Vec<Rewrite>) -> Result<u64, StoreError> {
        let mut state = self.state();
        let mut done = 0;
        for rewrite in rewrites {
            if let Some(standing) = state.standing(&rewrite)
                && *standing == rewrite.before
            {
                *standing = rewrite.after;
                done += 1;
            }
        }
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    super::super::conformance::suite!(async || Some((MemoryStore::new(), ())));
}
