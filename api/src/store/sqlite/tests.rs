use std::os::unix::fs::PermissionsExt;

use serde_json::json;
use sqlx::Connection;

use super::*;
use crate::store::{Effect, Expect, conformance};

async fn fresh() -> (SqliteStore, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path().join("mirage.db"))
        .await
        .unwrap();
    (store, dir)
}

conformance::suite!(fresh);

fn put(name: &str, expect: Expect, mark: u32) -> Write {
    Write {
        key: Key::new("environments.mirage.dev", "default", name),
        expect,
        effect: Effect::Put(json!({ "mark": mark })),
    }
}

#[tokio::test]
async fn a_reopened_store_has_everything_and_goes_on_counting() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mirage.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let first = store.write(put("a", Expect::Absent, 1)).await.unwrap();
    let second = store
        .write(put("a", Expect::Revision(first), 2))
        .await
        .unwrap();
    store.compact(second).await.unwrap();
    store.close().await;

    let store = SqliteStore::open(&path).await.unwrap();
    assert_eq!(*store.revision().borrow(), second);
    let key = Key::new("environments.mirage.dev", "default", "a");
    let stored = store.get(&key).await.unwrap().unwrap();
    assert_eq!(
        (stored.revision, stored.object),
        (second, json!({"mark": 2}))
    );
    let early = store.changes(&key.resource, None, 0, 10).await;
    assert!(matches!(early, Err(StoreError::Compacted { floor }) if floor == first));
    let (changes, _) = store.changes(&key.resource, None, first, 10).await.unwrap();
    assert_eq!(changes.len(), 1);
    let third = store.write(put("b", Expect::Absent, 3)).await.unwrap();
    assert_eq!(third, second + 1);
}

#[tokio::test]
async fn what_was_acknowledged_is_in_the_file_without_a_clean_close() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mirage.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let revision = store.write(put("a", Expect::Absent, 1)).await.unwrap();
    // As a killed process leaves them: the files copied while the store is still open.
    let copy = dir.path().join("copy.db");
    for suffix in ["", "-wal"] {
        let from = format!("{}{suffix}", path.display());
        std::fs::copy(from, format!("{}{suffix}", copy.display())).unwrap();
    }
    let revived = SqliteStore::open(&copy).await.unwrap();
    assert_eq!(*revived.revision().borrow(), revision);
}

#[tokio::test]
async fn a_refused_write_does_not_disturb_the_others_of_its_group() {
    let (store, _dir) = fresh().await;
    store.write(put("taken", Expect::Absent, 0)).await.unwrap();
    // Polled together and before the writer runs, so that they wait for it as one group.
    let outcomes = futures::future::join_all([
        store.write(put("a", Expect::Absent, 1)),
        store.write(put("taken", Expect::Absent, 2)),
        store.write(put("b", Expect::Absent, 3)),
        store.write(put("a", Expect::Absent, 4)),
    ])
    .await;
    let revisions: Vec<Option<u64>> = outcomes
        .iter()
        .map(|it| it.as_ref().ok().copied())
        .collect();
    let first = revisions[0].unwrap();
    assert_eq!(revisions, [Some(first), None, Some(first + 1), None]);
    assert!(matches!(outcomes[1], Err(StoreError::AlreadyExists)));
}

#[tokio::test]
async fn a_caller_that_gives_up_does_not_stop_the_writer() {
    let (store, _dir) = fresh().await;
    let abandoned = store.write(put("a", Expect::Absent, 1));
    drop(tokio::time::timeout(Duration::ZERO, abandoned).await);
    store.write(put("b", Expect::Absent, 2)).await.unwrap();
}

#[tokio::test]
async fn the_database_is_for_its_owner_only() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("data");
    let store = SqliteStore::open(dir.join("mirage.db")).await.unwrap();
    store.write(put("a", Expect::Absent, 1)).await.unwrap();
    store
        .list(&ListQuery {
            resource: "secrets".to_owned(),
            namespace: None,
            after: None,
            limit: None,
        })
        .await
        .unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    let mut files = 0;
    for entry in std::fs::read_dir(&dir).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
        files += 1;
    }
    assert_eq!(files, 3, "database, write-ahead log and its index");
}

#[tokio::test]
async fn what_is_no_database_is_refused_and_left_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notes.txt");
    let text = "these are my notes, and they are longer than a header".repeat(10);
    std::fs::write(&path, &text).unwrap();
    let error = SqliteStore::open(&path).await.unwrap_err();
    assert!(matches!(error, OpenError::Database { .. }));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test]
async fn acknowledged_writes_are_flushed_and_readers_cannot_write() {
    let (store, _dir) = fresh().await;
    let journal: String = sqlx::query_scalar("pragma journal_mode")
        .fetch_one(&store.readers)
        .await
        .unwrap();
    assert_eq!(journal, "wal");
    let flush: i64 = sqlx::query_scalar("pragma synchronous")
        .fetch_one(&store.readers)
        .await
        .unwrap();
    assert_eq!(flush, 2, "2 is full: the log is flushed at every commit");
    let write = sqlx::query("update store_state set revision = 99")
        .execute(&store.readers)
        .await;
    assert!(write.is_err());
}

/// Everything that defines the schema, comments and all.
async fn schema(connection: &mut sqlx::SqliteConnection) -> Vec<String> {
    sqlx::query_scalar("select sql from sqlite_schema where sql is not null order by type, name")
        .fetch_all(connection)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_database_upgraded_from_any_version_equals_a_fresh_one() {
    let dir = tempfile::tempdir().unwrap();
    let mut fresh = options(&dir.path().join("fresh.db"))
        .create_if_missing(true)
        .connect()
        .await
        .unwrap();
    MIGRATIONS.run(&mut fresh).await.unwrap();
    let expected = schema(&mut fresh).await;
    for migration in MIGRATIONS.iter() {
        let path = dir.path().join(format!("from-{}.db", migration.version));
        let mut old = options(&path)
            .create_if_missing(true)
            .connect()
            .await
            .unwrap();
        MIGRATIONS
            .run_to(migration.version, &mut old)
            .await
            .unwrap();
        old.close().await.unwrap();
        let store = SqliteStore::open(&path).await.unwrap();
        let mut connection = store.readers.acquire().await.unwrap();
        assert_eq!(schema(&mut connection).await, expected);
    }
    let versions: Vec<i64> = MIGRATIONS.iter().map(|it| it.version).collect();
    let numbers: Vec<i64> = (1..).take(versions.len()).collect();
    assert_eq!(versions, numbers, "numbered without a gap");
}
