//! Small resources kept in memory, and up to date by the change log: what every request must know before it is served.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{ChangeKind, Document, Key, ListQuery, Store, StoreError};

/// Changes read from the log in one go.
const BATCH: usize = 500;

/// All objects of a few resources, as of some revision.
pub(crate) struct Following {
    resources: &'static [&'static str],
    objects: BTreeMap<Key, Document>,
    /// Every change up to this revision is in; `None` before the first look.
    through: Option<u64>,
}

impl Following {
    /// Knows nothing yet.
    pub(crate) fn new(resources: &'static [&'static str]) -> Self {
        Self {
            resources,
            objects: BTreeMap::new(),
            through: None,
        }
    }

    /// In the order of their keys.
    pub(crate) fn objects(&self) -> impl Iterator<Item = (&Key, &Value)> {
        self.objects
            .iter()
            .map(|(key, document)| (key, &**document))
    }

    /// Whether every change up to this revision is in.
    pub(crate) fn has_seen(&self, revision: u64) -> bool {
        self.through.is_some_and(|through| through >= revision)
    }

    /// Takes in what has been written since; true when that was anything.
    ///
    /// # Errors
    /// When the store does not answer. What was taken in until then stays, and the next call goes on from there.
    pub(crate) async fn catch_up(&mut self, store: &dyn Store) -> Result<bool, StoreError> {
        let Some(from) = self.through else {
            return self.load(store).await;
        };
        let (mut has_changed, mut reached) = (false, u64::MAX);
        for resource in self.resources {
            let mut after = from;
            loop {
                let (changes, through) = match store.changes(resource, None, after, BATCH).await {
                    Ok(found) => found,
                    Err(StoreError::Compacted { .. }) => return self.load(store).await,
                    Err(error) => return Err(error),
                };
                after = through;
                let is_all = changes.len() < BATCH;
                for change in changes {
                    has_changed = true;
                    match change.kind {
                        ChangeKind::Deleted => self.objects.remove(&change.key),
                        _ => self.objects.insert(change.key, change.object),
                    };
                }
                if is_all {
                    break;
                }
            }
            // What one resource has read further than another is read again, to the same end.
            reached = reached.min(after);
        }
        self.through = Some(reached.max(from));
        Ok(has_changed)
    }

    async fn load(&mut self, store: &dyn Store) -> Result<bool, StoreError> {
        let (mut objects, mut reached) = (BTreeMap::new(), u64::MAX);
        for resource in self.resources {
            let query = ListQuery {
                resource: (*resource).to_owned(),
                namespace: None,
                after: None,
                limit: None,
            };
            let page = store.list(&query).await?;
            reached = reached.min(page.revision);
            let found = page.items.into_iter();
            objects.extend(found.map(|stored| (stored.key, stored.object)));
        }
        self.objects = objects;
        self.through = Some(reached);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::store::memory::MemoryStore;
    use crate::store::{Effect, Expect, Write};

    async fn put(store: &MemoryStore, resource: &str, name: &str, expect: Expect) -> u64 {
        let write = Write {
            key: Key::new(resource, "", name),
            expect,
            effect: Effect::put(json!({"name": name})),
        };
        store.write(write).await.unwrap()
    }

    fn names(following: &Following) -> Vec<&str> {
        following
            .objects()
            .map(|(key, _)| key.name.as_str())
            .collect()
    }

    #[tokio::test]
    async fn what_is_written_is_known_and_what_is_foreign_is_not() {
        let store = MemoryStore::new();
        put(&store, "roles", "a", Expect::Absent).await;
        let mut following = Following::new(&["roles", "bindings"]);
        assert!(following.catch_up(&store).await.unwrap());
        assert_eq!(names(&following), ["a"]);
        put(&store, "secrets", "s", Expect::Absent).await;
        assert!(!following.catch_up(&store).await.unwrap());
        put(&store, "bindings", "b", Expect::Absent).await;
        let revision = put(&store, "roles", "c", Expect::Absent).await;
        assert!(!following.has_seen(revision));
        assert!(following.catch_up(&store).await.unwrap());
        assert!(following.has_seen(revision));
        assert_eq!(names(&following), ["b", "a", "c"]);
    }

    #[tokio::test]
    async fn what_was_compacted_away_is_listed_anew() {
        let store = MemoryStore::new();
        let revision = put(&store, "roles", "a", Expect::Absent).await;
        let mut following = Following::new(&["roles"]);
        following.catch_up(&store).await.unwrap();
        let write = Write {
            key: Key::new("roles", "", "a"),
            expect: Expect::Revision(revision),
            effect: Effect::delete(json!({})),
        };
        let revision = store.write(write).await.unwrap();
        put(&store, "roles", "b", Expect::Absent).await;
        store.compact(revision + 1).await.unwrap();
        following.catch_up(&store).await.unwrap();
        assert_eq!(names(&following), ["b"]);
    }
}
