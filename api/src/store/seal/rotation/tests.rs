use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tokio::sync::watch;

use super::*;
use crate::store::audit::{AuditEntry, AuditQuery, Recorded};
use crate::store::memory::MemoryStore;
use crate::store::seal::{KEY_FILE, OpenError, Sealer};
use crate::store::sqlite::SqliteStore;
use crate::store::{Change, Effect, Expect, Page, Stored, Write};

/// Does so many rewrites more, each for itself, and is then out of reach: a process that is killed in between.
struct Mortal {
    inner: Arc<dyn Store>,
    left: AtomicI64,
}

impl Mortal {
    fn with(inner: Arc<dyn Store>, left: i64) -> Self {
        let left = AtomicI64::new(left);
        Self { inner, left }
    }
}

#[async_trait]
impl Store for Mortal {
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
        self.inner.log(after, limit).await
    }
    fn revision(&self) -> watch::Receiver<u64> {
        self.inner.revision()
    }
    async fn compact(&self, keep_from: u64) -> Result<(), StoreError> {
        self.inner.compact(keep_from).await
    }
    async fn rewrite(&self, rewrites: Vec<Rewrite>) -> Result<u64, StoreError> {
        let mut done = 0;
        for rewrite in rewrites {
            if self.left.fetch_sub(1, Ordering::Relaxed) <= 0 {
                return Err(StoreError::unavailable("killed"));
            }
            done += self.inner.rewrite(vec![rewrite]).await?;
        }
        Ok(done)
    }
}

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(minute * 60).unwrap()
}

fn secret(value: &str) -> Value {
    json!({"kind": "Secret", "metadata": {"name": "db"}, "data": {"a": value, "b": "other"}})
}

async fn put(store: &dyn Store, name: &str, expect: Expect, value: &str) -> u64 {
    let write = Write {
        key: Key::new("secrets", "default", name),
        expect,
        effect: Effect::put(secret(value)),
    };
    store.write(write).await.unwrap()
}

/// Three secrets, one written twice and one gone, so that every place of a sealed text is there.
async fn fill(store: &dyn Store) {
    let first = put(store, "twice", Expect::Absent, "first").await;
    put(store, "twice", Expect::Revision(first), "second").await;
    put(store, "once", Expect::Absent, "only").await;
    let gone = put(store, "gone", Expect::Absent, "lost").await;
    let write = Write {
        key: Key::new("secrets", "default", "gone"),
        expect: Expect::Revision(gone),
        effect: Effect::delete(secret("lost")),
    };
    store.write(write).await.unwrap();
}

async fn open(inner: Arc<dyn Store>, dir: &Path) -> Result<SealedStore<Arc<dyn Store>>, OpenError> {
    SealedStore::open(inner, Sealer::load(None, dir).unwrap()).await
}

/// Everything that a reader sees, change log included.
async fn seen(store: &dyn Store) -> (Page, Vec<Change>) {
    let query = ListQuery {
        resource: "secrets".to_owned(),
        namespace: None,
        after: None,
        limit: None,
    };
    let page = store.list(&query).await.unwrap();
    let (changes, _) = store.changes("secrets", None, 0, 100).await.unwrap();
    (page, changes)
}

async fn rotate(store: &dyn KeyRotation, minute: i64) -> Result<Rotated, RotateError> {
    store.rotate(at(minute), &|_| {}).await
}

#[tokio::test]
async fn a_rotation_changes_what_seals_and_nothing_that_anybody_sees() {
    let dir = tempfile::tempdir().unwrap();
    let sqlite = SqliteStore::open(dir.path().join("mirage.db")).await;
    // In memory: the change that made the check, two objects, five changes, and what two of them replaced. In the file a
    // text stands once, whatever it is: five versions, and the check's was the first to be sealed anew.
    let stores: [(Arc<dyn Store>, u64); 2] = [
        (Arc::new(MemoryStore::new()), 10),
        (Arc::new(sqlite.unwrap()), 5),
    ];
    for (index, (inner, texts)) in stores.into_iter().enumerate() {
        let keys = dir.path().join(index.to_string());
        let store = open(Arc::clone(&inner), &keys).await.unwrap();
        fill(&store).await;
        let before = seen(&store).await;
        let mut wake = store.revision();
        wake.borrow_and_update();

        let rotated = rotate(&store, 0).await.unwrap();
        assert!(rotated.is_new_key && rotated.unreadable.is_empty());
        assert_eq!((rotated.previous, rotated.version), (1, 2));
        assert_eq!(rotated.resealed, texts);
        assert_eq!(seen(&store).await, before);
        assert!(!wake.has_changed().unwrap(), "no watcher is woken");
        let state = store.state().await.unwrap();
        assert_eq!((state.in_use, state.at_hand), (2, vec![1, 2]));
        assert_eq!(state.values.into_keys().collect::<Vec<_>>(), [2]);

        // Without the old key everything is there still, history too, and new values go under the new one.
        let early = store.retire(at(0)).await;
        assert!(matches!(early, Err(RotateError::TooSoon { .. })));
        let retired = store.retire(at(2)).await.unwrap();
        assert_eq!((retired.versions, retired.is_removed), (vec![1], true));
        let again = open(inner, &keys).await.unwrap();
        assert_eq!(seen(&again).await, before);
        put(&again, "new", Expect::Absent, "x").await;
        assert_eq!(again.state().await.unwrap().at_hand, [2]);
    }
}

#[tokio::test]
async fn a_rotation_killed_between_any_two_texts_is_finished_by_the_next() {
    for killed_after in 0..11 {
        let dir = tempfile::tempdir().unwrap();
        let inner: Arc<dyn Store> = Arc::new(MemoryStore::new());
        fill(&open(Arc::clone(&inner), dir.path()).await.unwrap()).await;
        let before = seen(&open(Arc::clone(&inner), dir.path()).await.unwrap()).await;

        let mortal: Arc<dyn Store> = Arc::new(Mortal::with(Arc::clone(&inner), killed_after));
        let killed = rotate(&open(mortal, dir.path()).await.unwrap(), 0).await;
        assert!(matches!(killed, Err(RotateError::Store(_))));

        let store = open(Arc::clone(&inner), dir.path()).await.unwrap();
        assert_eq!(seen(&store).await, before, "after {killed_after}");
        if killed_after > 0 {
            let early = store.retire(at(5)).await;
            assert!(matches!(
                early,
                Err(RotateError::StillInUse { version: 1, .. })
            ));
        }
        let rotated = rotate(&store, 1).await.unwrap();
        assert_eq!(rotated.version, 2, "no further key is made");
        assert!(!rotated.is_new_key);
        assert_eq!(store.retire(at(9)).await.unwrap().versions, [1]);
        let store = open(inner, dir.path()).await.unwrap();
        assert_eq!(seen(&store).await, before);
    }
}

#[tokio::test]
async fn a_prepared_key_waits_until_it_is_taken_into_use() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(Arc::new(MemoryStore::new()), dir.path())
        .await
        .unwrap();
    assert_eq!(store.prepare().await.unwrap(), 2);
    assert_eq!(store.prepare().await.unwrap(), 2);
    put(&store, "a", Expect::Absent, "x").await;
    assert_eq!(store.state().await.unwrap().in_use, 1);
    let rotated = rotate(&store, 0).await.unwrap();
    assert_eq!((rotated.version, rotated.is_new_key), (2, false));
    let rotated = rotate(&store, 0).await.unwrap();
    assert_eq!((rotated.version, rotated.is_new_key), (3, true));
}

#[tokio::test]
async fn another_server_goes_on_once_it_has_the_new_key_file() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let inner: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let first = open(Arc::clone(&inner), here.path()).await.unwrap();
    let copy = || std::fs::copy(here.path().join(KEY_FILE), there.path().join(KEY_FILE));
    copy().unwrap();
    let second = open(Arc::clone(&inner), there.path()).await.unwrap();
    put(&first, "a", Expect::Absent, "x").await;
    rotate(&first, 0).await.unwrap();

    let key = Key::new("secrets", "default", "a");
    let error = second.get(&key).await.unwrap_err();
    let why = std::error::Error::source(&error).unwrap().to_string();
    assert!(
        why.contains("version 2") && why.contains("copy the key file"),
        "{why}"
    );
    let write = Write {
        key: Key::new("secrets", "default", "b"),
        expect: Expect::Absent,
        effect: Effect::put(secret("y")),
    };
    let refused = second.write(write.clone()).await;
    assert!(
        refused.is_err(),
        "nothing is sealed with a key that is on its way out"
    );

    copy().unwrap();
    assert_eq!(second.get(&key).await.unwrap().unwrap().object, secret("x"));
    second.write(write).await.unwrap();
    let versions = second.state().await.unwrap().values;
    assert_eq!(versions.into_keys().collect::<Vec<_>>(), [2]);
}

#[tokio::test]
async fn keys_of_the_environment_are_rotated_by_who_gives_them() {
    let inner: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let old = "11".repeat(32);
    let dir = Path::new("never made");
    let with = async |keys: &str| {
        let sealer = Sealer::load(Some(keys), dir).unwrap();
        SealedStore::open(Arc::clone(&inner), sealer).await
    };
    let store = with(&old).await.unwrap();
    put(&store, "a", Expect::Absent, "x").await;
    let refused = rotate(&store, 0).await.unwrap_err();
    assert!(matches!(refused, RotateError::NoNewKey { next: 2 }));
    assert!(refused.to_string().contains("`2:NEW_KEY`"), "{refused}");

    // Both are given, and the old one seals until somebody rotates: a server that was not started anew reads on.
    let both = format!("{old} 2:{}", "22".repeat(32));
    let newer = with(&both).await.unwrap();
    put(&newer, "b", Expect::Absent, "y").await;
    assert!(
        store
            .get(&Key::new("secrets", "default", "b"))
            .await
            .is_ok()
    );
    assert_eq!(rotate(&newer, 0).await.unwrap().version, 2);
    let retired = newer.retire(at(2)).await.unwrap();
    assert_eq!((retired.versions, retired.is_removed), (vec![1], false));
    with(&format!("2:{}", "22".repeat(32))).await.unwrap();
    let refused = with(&old).await;
    assert!(matches!(
        refused,
        Err(OpenError::WrongKey(SealError::UnknownKey { version: 2 }))
    ));
}
