//! A collection as it was at an earlier version: as it is now, with what has happened since taken back.
//!
//! # Caveats
//! The log keeps what an object was before a change but not which write had made it so. Where that write is still in the log
//! its number is found there; where it is older, the object is shown with the oldest version that the log reaches back
//! to. As a lock both are equally stale, for the object has changed since.

use std::collections::{BTreeMap, BTreeSet};

use super::version::Wanted;
use crate::error::Status;
use crate::kubernetes::call::Call;
use crate::store::{Change, Key, ListQuery, StoreError, Stored};

/// Changes read from the log in one go.
const BATCH: usize = 500;

/// Objects, and those of them whose last write is not known.
#[derive(Debug, Default)]
struct Rewound {
    objects: BTreeMap<Key, Stored>,
    undone: BTreeSet<Key>,
}

impl Rewound {
    fn new(objects: Vec<Stored>) -> Self {
        let objects = objects.into_iter();
        Self {
            objects: objects.map(|stored| (stored.key.clone(), stored)).collect(),
            undone: BTreeSet::new(),
        }
    }

    /// Takes back a change. They come in the order in which they happened, so that the first of each object knows what it
    /// was before all of them.
    fn undo(&mut self, change: Change) {
        if !self.undone.insert(change.key.clone()) {
            return;
        }
        match change.previous {
            None => {
                self.objects.remove(&change.key);
            }
            Some(object) => {
                let stored = Stored {
                    key: change.key.clone(),
                    revision: 0,
                    object,
                };
                self.objects.insert(change.key, stored);
            }
        }
    }

    /// Says of the objects that were put back when they had been written.
    fn date(&mut self, key: &Key, revision: u64) {
        if self.undone.contains(key)
            && let Some(stored) = self.objects.get_mut(key)
        {
            stored.revision = revision;
        }
    }

    fn has_undated(&self) -> bool {
        self.objects.values().any(|stored| stored.revision == 0)
    }
}

/// All objects of the call's collection at this version, in order.
///
/// # Errors
/// 410 when the log no longer reaches back so far, 504 when the version is not reached yet.
pub(super) async fn objects(call: &Call, version: u64) -> Result<Vec<Stored>, Status> {
    let query = ListQuery {
        resource: call.kind.resource(),
        namespace: call.info.namespace.clone(),
        after: None,
        limit: None,
    };
    let page = call.server.store.list(&query).await;
    let page = page.map_err(|error| call.refused("", error))?;
    Wanted::Exact(version).check(page.revision)?;
    let mut rewound = Rewound::new(page.items);
    let undo = |change| rewound.undo(change);
    read_log(call, version, page.revision, undo)
        .await
        .map_err(|error| match error {
            StoreError::Compacted { floor } => Status::expired(version, floor),
            error => call.refused("", error),
        })?;
    if rewound.has_undated() {
        date(call, &mut rewound, version)
            .await
            .map_err(|error| call.refused("", error))?;
    }
    Ok(rewound.objects.into_values().collect())
}

async fn date(call: &Call, rewound: &mut Rewound, version: u64) -> Result<(), StoreError> {
    let mut floor = 0;
    loop {
        let read = read_log(call, floor, version, |change: Change| {
            rewound.date(&change.key, change.revision);
        });
        match read.await {
            // It may be compacted further while it is read; each time it begins later.
            Err(StoreError::Compacted { floor: higher }) if higher > floor => floor = higher,
            other => {
                for stored in rewound.objects.values_mut() {
                    if stored.revision == 0 {
                        stored.revision = floor;
                    }
                }
                return other;
            }
        }
    }
}

/// The changes above `after` up to and with `through`.
async fn read_log(
    call: &Call,
    mut after: u64,
    through: u64,
    mut each: impl FnMut(Change),
) -> Result<(), StoreError> {
    let (resource, namespace) = (call.kind.resource(), call.info.namespace.as_deref());
    while after < through {
        let (changes, reached) = call
            .server
            .store
            .changes(&resource, namespace, after, BATCH)
            .await?;
        for change in changes {
            if change.revision > through {
                return Ok(());
            }
            each(change);
        }
        after = reached;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::store::memory::MemoryStore;
    use crate::store::{Effect, Expect, Store as _, Write};

    const RESOURCE: &str = "things";

    async fn all(store: &MemoryStore) -> Vec<Stored> {
        let query = ListQuery {
            resource: RESOURCE.into(),
            namespace: None,
            after: None,
            limit: None,
        };
        store.list(&query).await.unwrap().items
    }

    proptest! {
        #[test]
        fn taking_back_what_happened_gives_what_was(
            steps in prop::collection::vec((0_u8..4, any::<bool>()), 1..40),
            back in 0_usize..40,
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let store = MemoryStore::new();
                let mut states = vec![(*store.revision().borrow(), all(&store).await)];
                for (index, (name, goes)) in steps.iter().enumerate() {
                    let key = Key::new(RESOURCE, "default", format!("o{name}"));
                    let live = store.get(&key).await.unwrap();
                    let expect = live.map_or(Expect::Absent, |live| Expect::Revision(live.revision));
                    let object = json!({"index": index});
                    let effect = match expect {
                        Expect::Revision(_) if *goes => Effect::delete(object),
                        _ => Effect::put(object),
                    };
                    let revision = store.write(Write { key, expect, effect }).await.unwrap();
                    states.push((revision, all(&store).await));
                }
                let (version, expected) = &states[back % states.len()];
                let mut rewound = Rewound::new(all(&store).await);
                let (changes, _) = store.changes(RESOURCE, None, *version, usize::MAX).await.unwrap();
                changes.into_iter().for_each(|change| rewound.undo(change));
                let (before, _) = store.changes(RESOURCE, None, 0, usize::MAX).await.unwrap();
                for change in before.iter().filter(|change| change.revision <= *version) {
                    rewound.date(&change.key, change.revision);
                }
                let found: Vec<Stored> = rewound.objects.into_values().collect();
                assert_eq!(&found, expected);
            });
        }
    }
}
