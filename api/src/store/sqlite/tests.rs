mod versions;

use std::io::{BufRead as _, Write as _};
use std::os::unix::fs::PermissionsExt;

use serde_json::json;
use sqlx::Connection;

use super::*;
use crate::store::audit::AuditSubject;
use crate::store::{Effect, Expect, conformance};

async fn fresh() -> (SqliteStore, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path().join("mirage.db"))
        .await
        .unwrap();
    (store, dir)
}

conformance::suite!(async || Some(fresh().await));

fn put(name: &str, expect: Expect, mark: u32) -> Write {
    Write {
        key: Key::new("environments.mirage.dev", "default", name),
        expect,
        effect: Effect::put(json!({ "mark": mark })),
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
        (stored.revision, stored.object.into_value()),
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

fn audited(name: &str) -> AuditEntry {
    let subject = AuditSubject {
        time: jiff::Timestamp::UNIX_EPOCH,
        username: "alice",
        verb: "create",
        resource: "environments.mirage.dev",
        namespace: "default",
        name,
        code: 201,
        is_routine: false,
    };
    AuditEntry::new(&subject, &json!({}))
}

#[tokio::test]
async fn an_acknowledged_write_has_its_record_in_the_file_without_a_clean_close() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mirage.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let revision = store
        .write_audited(put("a", Expect::Absent, 1), audited("a"))
        .await
        .unwrap();
    let copy = dir.path().join("copy.db");
    for suffix in ["", "-wal"] {
        let from = format!("{}{suffix}", path.display());
        std::fs::copy(from, format!("{}{suffix}", copy.display())).unwrap();
    }
    let revived = SqliteStore::open(&copy).await.unwrap();
    let query = AuditQuery {
        limit: 10,
        ..AuditQuery::default()
    };
    let found = revived.audit(&query).await.unwrap();
    assert_eq!(found[0].revision, Some(revision));
}

#[tokio::test]
async fn the_database_itself_refuses_to_change_or_remove_a_record() {
    let (store, dir) = fresh().await;
    store.record(vec![audited("a")]).await.unwrap();
    let mut connection = options(&dir.path().join("mirage.db"))
        .connect()
        .await
        .unwrap();
    for statement in ["update audit set username = 'bob'", "delete from audit"] {
        let refused = sqlx::query(statement).execute(&mut connection).await;
        let said = refused.unwrap_err().to_string();
        assert!(said.contains("audit records are never"), "{said}");
    }
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
async fn a_group_that_the_database_refuses_leaves_nothing_and_holds_nothing_up() {
    let (store, dir) = fresh().await;
    let first = store
        .write_audited(put("a", Expect::Absent, 1), audited("a"))
        .await
        .unwrap();
    // Another program that writes without asking: the number is taken.
    let path = dir.path().join("mirage.db");
    let mut other = options(&path).connect().await.unwrap();
    let take = "insert into versions select revision + 1, 'other', '', name, kind, previous, object from versions";
    sqlx::query(take).execute(&mut other).await.unwrap();
    let refused = store
        .write_audited(put("a", Expect::Revision(first), 2), audited("a"))
        .await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))));
    let update = "update store_state set revision = revision + 1";
    sqlx::query(update).execute(&mut other).await.unwrap();
    let next = store
        .write_audited(put("a", Expect::Revision(first), 3), audited("a"))
        .await
        .unwrap();
    assert_eq!(next, first + 2);
    let query = AuditQuery {
        limit: 10,
        ..AuditQuery::default()
    };
    let revisions: Vec<_> = store.audit(&query).await.unwrap();
    let revisions: Vec<_> = revisions.iter().map(|it| it.revision).collect();
    assert_eq!(revisions, [Some(next), Some(first)]);
    let key = put("a", Expect::Absent, 0).key;
    let stored = store.get(&key).await.unwrap().unwrap();
    assert_eq!(stored.object, json!({"mark": 3}));
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

#[tokio::test]
async fn a_database_with_pages_of_before_keeps_them_and_works() {
    let dir = tempfile::tempdir().unwrap();
    for (name, page) in [("old.db", 4096), ("new.db", i64::from(PAGE))] {
        let path = dir.path().join(name);
        if page != i64::from(PAGE) {
            let mut old = options(&path)
                .page_size(4096)
                .create_if_missing(true)
                .connect()
                .await
                .unwrap();
            MIGRATIONS.run_to(2, &mut old).await.unwrap();
            old.close().await.unwrap();
        }
        let store = SqliteStore::open(&path).await.unwrap();
        store.write(put("a", Expect::Absent, 1)).await.unwrap();
        let found: i64 = sqlx::query_scalar("pragma page_size")
            .fetch_one(&store.readers)
            .await
            .unwrap();
        assert_eq!(found, page);
    }
}

/// Names the database file for the process that `acknowledged_writes_survive_a_kill` starts and kills.
const VICTIM: &str = "MIRAGE_TEST_VICTIM_DATABASE";

/// Not a test by itself: writes as fast as it can and says which revisions were acknowledged, until it is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "only a test's own child process runs this"]
async fn victim() {
    let Ok(path) = std::env::var(VICTIM) else {
        return;
    };
    let store = std::sync::Arc::new(SqliteStore::open(path).await.unwrap());
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let store = std::sync::Arc::clone(&store);
            tokio::spawn(async move {
                for object in 0.. {
                    let name = format!("{}-{writer}-{object}", std::process::id());
                    let revision = store
                        .write(put(&name, Expect::Absent, object))
                        .await
                        .unwrap();
                    let line = format!("{revision} {name}\n");
                    // One call a line: parts of two lines must not mix.
                    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
}

#[tokio::test]
async fn acknowledged_writes_survive_a_kill() {
    const KILLS: usize = 4;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mirage.db");
    let mut acknowledged: Vec<(u64, String)> = Vec::new();
    for kill in 0..KILLS {
        let mut victim = std::process::Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "store::sqlite::tests::victim",
                "--ignored",
                "--nocapture",
            ])
            .env(VICTIM, &path)
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let stdout = std::io::BufReader::new(victim.stdout.take().unwrap());
        let wanted = acknowledged.len() + 20 + 30 * kill;
        for line in stdout.lines() {
            let line = line.unwrap();
            let Some((revision, name)) = line.split_once(' ') else {
                continue;
            };
            // The test harness has lines of its own, and the last one may be cut short.
            if let Ok(revision) = revision.parse()
                && name.split('-').count() == 3
            {
                acknowledged.push((revision, name.to_owned()));
            }
            if acknowledged.len() == wanted {
                victim.kill().unwrap();
            }
        }
        victim.wait().unwrap();
        assert!(acknowledged.len() >= wanted, "the victim wrote too little");
    }

    let store = SqliteStore::open(&path).await.unwrap();
    let (changes, _) = store
        .changes("environments.mirage.dev", None, 0, usize::MAX)
        .await
        .unwrap();
    let first = changes[0].revision;
    let are_consecutive = (first..)
        .zip(&changes)
        .all(|(expected, it)| expected == it.revision);
    assert!(are_consecutive);
    let logged: std::collections::HashMap<u64, &str> = changes
        .iter()
        .map(|it| (it.revision, it.key.name.as_str()))
        .collect();
    for (revision, name) in &acknowledged {
        assert_eq!(
            logged.get(revision),
            Some(&name.as_str()),
            "lost after its answer"
        );
        let key = Key::new("environments.mirage.dev", "default", name);
        assert_eq!(store.get(&key).await.unwrap().unwrap().revision, *revision);
    }
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
