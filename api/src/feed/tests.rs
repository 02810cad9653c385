use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::store::audit::{AuditEntry, AuditQuery, Recorded};
use crate::store::memory::MemoryStore;
use crate::store::{Change, Effect, Expect, Key, ListQuery, Page, Rewrite, Stored, Write};

const RESOURCES: [&str; 2] = ["environments.mirage.dev", "secrets"];

async fn create(store: &dyn Store, resource: &str, namespace: &str, object: Value) -> u64 {
    let name = format!("o{}", *store.revision().borrow());
    let write = Write {
        key: Key::new(resource, namespace, name),
        expect: Expect::Absent,
        effect: Effect::put(object),
    };
    store.write(write).await.unwrap()
}

async fn until(wake: &mut watch::Receiver<u64>, through: u64) {
    wake.wait_for(|reached| *reached >= through).await.unwrap();
}

/// What a watch does: the feed where it reaches, the store where it does not.
async fn follow(
    feed: &Feed,
    store: &dyn Store,
    wanted: &Wanted<'_>,
    after: u64,
    limit: usize,
) -> Result<(Vec<Change>, u64), StoreError> {
    match feed.after(after, wanted, limit) {
        Reach::Through(entries, through) => {
            let changes = entries.iter().map(|entry| entry.change().clone());
            Ok((changes.collect(), through))
        }
        Reach::Older => {
            store
                .changes(wanted.resource, wanted.namespace, after, limit)
                .await
        }
    }
}

/// Everything a watch sees from here on, read in steps of `limit`.
async fn seen(
    feed: &Feed,
    store: &dyn Store,
    wanted: &Wanted<'_>,
    from: u64,
    limit: usize,
) -> Vec<Change> {
    let newest = *store.revision().borrow();
    let (mut at, mut seen) = (from, Vec::new());
    while at < newest {
        let (changes, through) = follow(feed, store, wanted, at, limit).await.unwrap();
        assert!(through > at, "a step of {limit} leads on");
        seen.extend(changes);
        at = through;
    }
    seen
}

#[derive(Debug, Clone)]
enum Step {
    Write { resource: usize, namespace: String },
    CatchUp,
    Compact { back: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..RESOURCES.len(), "[ab]")
            .prop_map(|(resource, namespace)| Step::Write { resource, namespace }),
        2 => Just(Step::CatchUp),
        1 => (0_u64..8).prop_map(|back| Step::Compact { back }),
    ]
}

proptest! {
    #[test]
    fn a_watch_on_the_feed_sees_what_the_stores_log_says(
        early in 0_usize..8,
        steps in prop::collection::vec(step(), 1..60),
        back in 0_u64..30,
        limit in 1_usize..6,
        namespace in prop::option::of("[ab]"),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
            for _ in 0..early {
                create(&*store, RESOURCES[0], "a", json!({})).await;
            }
            let feed = Feed::new(Arc::clone(&store));
            let mut wake = feed.subscribe();
            let mut floor = 0;
            for step in steps {
                let newest = *store.revision().borrow();
                match step {
                    Step::Write { resource, namespace } => {
                        create(&*store, RESOURCES[resource], &namespace, json!({"n": newest})).await;
                    }
                    Step::CatchUp => until(&mut wake, newest).await,
                    Step::Compact { back } => {
                        let keep_from = newest.saturating_sub(back);
                        store.compact(keep_from).await.unwrap();
                        floor = floor.max(keep_from.saturating_sub(1));
                    }
                }
            }
            let newest = *store.revision().borrow();
            until(&mut wake, newest).await;
            let from = newest.saturating_sub(back).max(floor);
            for resource in RESOURCES {
                let wanted = Wanted { resource, namespace: namespace.as_deref() };
                let (expected, _) = store
                    .changes(resource, wanted.namespace, from, usize::MAX)
                    .await
                    .unwrap();
                prop_assert_eq!(seen(&feed, &*store, &wanted, from, limit).await, expected);
            }
            Ok(())
        })?;
    }
}

/// A store that is out of reach now and then.
struct Flaky {
    inner: MemoryStore,
    is_down: AtomicBool,
}

#[async_trait]
impl Store for Flaky {
    async fn get(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        self.inner.get(key).await
    }

    async fn list(&self, query: &ListQuery) -> Result<Page, StoreError> {
        self.inner.list(query).await
    }

    async fn write(&self, write: Write) -> Result<u64, StoreError> {
        self.inner.write(write).await
    }

    async fn write_audited(&self, write: Write, entry: AuditEntry) -> Result<u64, StoreError> {
        self.inner.write_audited(write, entry).await
    }

    async fn record(&self, entries: Vec<AuditEntry>) -> Result<(), StoreError> {
        self.inner.record(entries).await
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<Recorded>, StoreError> {
        self.inner.audit(query).await
    }

    async fn changes(
        &self,
        resource: &str,
        namespace: Option<&str>,
        after: u64,
        limit: usize,
    ) -> Result<(Vec<Change>, u64), StoreError> {
        self.inner.changes(resource, namespace, after, limit).await
    }

    async fn log(&self, after: u64, limit: usize) -> Result<(Vec<Change>, u64), StoreError> {
        if self.is_down.load(Ordering::Relaxed) {
            return Err(StoreError::unavailable("nobody answers"));
        }
        self.inner.log(after, limit).await
    }

    fn revision(&self) -> watch::Receiver<u64> {
        self.inner.revision()
    }

    async fn compact(&self, keep_from: u64) -> Result<(), StoreError> {
        self.inner.compact(keep_from).await
    }

    async fn rewrite(&self, rewrites: Vec<Rewrite>) -> Result<u64, StoreError> {
        self.inner.rewrite(rewrites).await
    }
}

fn flaky() -> (Arc<Flaky>, Feed) {
    let store = Arc::new(Flaky {
        inner: MemoryStore::new(),
        is_down: AtomicBool::new(false),
    });
    let feed = Feed::new(Arc::clone(&store) as Arc<dyn Store>);
    (store, feed)
}

const ENVIRONMENTS: Wanted<'static> = Wanted {
    resource: RESOURCES[0],
    namespace: None,
};

#[tokio::test(start_paused = true)]
async fn what_is_written_while_the_store_is_silent_is_seen_afterwards() {
    let (store, feed) = flaky();
    let mut wake = feed.subscribe();
    let first = create(&*store, RESOURCES[0], "a", json!({})).await;
    until(&mut wake, first).await;
    store.is_down.store(true, Ordering::Relaxed);
    for _ in 0..3 {
        create(&*store, RESOURCES[0], "a", json!({})).await;
        tokio::time::sleep(AGAIN * 3).await;
    }
    assert_eq!(*wake.borrow(), first);
    store.is_down.store(false, Ordering::Relaxed);
    until(&mut wake, first + 3).await;
    assert_eq!(seen(&feed, &*store, &ENVIRONMENTS, first, 9).await.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_feed_that_was_cut_off_for_longer_than_the_log_sends_watches_to_the_store() {
    let (store, feed) = flaky();
    let mut wake = feed.subscribe();
    let first = create(&*store, RESOURCES[0], "a", json!({})).await;
    until(&mut wake, first).await;
    store.is_down.store(true, Ordering::Relaxed);
    for _ in 0..9 {
        create(&*store, RESOURCES[0], "a", json!({})).await;
    }
    store.compact(first + 5).await.unwrap();
    store.is_down.store(false, Ordering::Relaxed);
    until(&mut wake, first + 9).await;
    let answer = follow(&feed, &*store, &ENVIRONMENTS, first, 9).await;
    assert!(matches!(answer, Err(StoreError::Compacted { floor }) if floor == first + 4));
    assert_eq!(
        seen(&feed, &*store, &ENVIRONMENTS, first + 4, 9)
            .await
            .len(),
        5
    );
}

#[tokio::test]
async fn all_watches_share_one_line() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let feed = Feed::new(Arc::clone(&store));
    let mut wake = feed.subscribe();
    let start = *store.revision().borrow();
    let object = json!({"metadata": {"name": "x"}});
    let revision = create(&*store, RESOURCES[0], "a", object).await;
    until(&mut wake, revision).await;
    let line = || match feed.after(start, &ENVIRONMENTS, 9) {
        Reach::Through(entries, _) => entries[0].line(Event::Added).unwrap(),
        Reach::Older => panic!("the feed was there"),
    };
    let (one, other) = (line(), line());
    assert_eq!(one.as_ptr(), other.as_ptr());
    let event: Value = serde_json::from_slice(&one).unwrap();
    let expected = json!({"type": "ADDED", "object":
        {"metadata": {"name": "x", "resourceVersion": revision.to_string()}}});
    assert_eq!(event, expected);
    assert!(one.ends_with(b"\n"));
}

#[tokio::test]
async fn watches_end_with_the_feed() {
    let store = Arc::new(MemoryStore::new());
    let feed = Feed::new(store as Arc<dyn Store>);
    let mut wake = feed.subscribe();
    drop(feed);
    assert!(wake.changed().await.is_err());
}
