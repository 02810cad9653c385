//! Backups are made, altered, refused and put back; with PostgreSQL too, where there is one.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::json;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};

use super::*;
use crate::store::postgres::{Address, PostgresStore, test_server};
use crate::store::seal::{MasterKeys, SealedStore, Sealer};
use crate::store::sqlite::SqliteStore;
use crate::store::{Effect, Expect, Key, ListQuery, Store, StoreError, Stored, Write};

const CANARY: &str = "canary-5b1c-in-plain-sight";

fn sealer(byte: &str) -> Sealer {
    Sealer::new(MasterKeys::parse(&byte.repeat(32)).unwrap())
}

fn now() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

/// A folder for files, and a database in it.
struct Scene {
    folder: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn database(&self, name: &str) -> Database {
        Database::Sqlite(self.file(name))
    }

    /// A database with a life behind it: things, one of which is gone, and a Secret.
    async fn lived_in(&self, name: &str) -> Database {
        let store = SqliteStore::open(self.file(name)).await.unwrap();
        let store = SealedStore::open(store, sealer("11")).await.unwrap();
        live(&store).await;
        self.database(name)
    }

    /// A backup of such a database.
    async fn backup(&self) -> PathBuf {
        let database = self.lived_in("source.db").await;
        let file = self.file("a.backup");
        back_up(&database, &file, false, now()).await.unwrap();
        file
    }
}

fn things(name: &str) -> Key {
    Key::new("things.test.dev", "default", name)
}

async fn put(store: &dyn Store, key: Key, expect: Expect, value: serde_json::Value) -> u64 {
    let write = Write {
        key,
        expect,
        effect: Effect::put(value),
    };
    store.write(write).await.unwrap()
}

async fn live(store: &dyn Store) {
    let text = "a \u{0} and an \u{1F980}, 1e400 and 12345678901234567890123";
    for name in ["a", "b", "c"] {
        put(
            store,
            things(name),
            Expect::Absent,
            json!({"text": text, "n": 1.5}),
        )
        .await;
    }
    let b = store.get(&things("b")).await.unwrap().unwrap().revision;
    put(store, things("b"), Expect::Revision(b), json!({"n": 2})).await;
    let c = store.get(&things("c")).await.unwrap().unwrap();
    let gone = Write {
        key: things("c"),
        expect: Expect::Revision(c.revision),
        effect: Effect::Delete(c.object),
    };
    store.write(gone).await.unwrap();
    let secret = Key::new("secrets", "default", "db");
    put(
        store,
        secret,
        Expect::Absent,
        json!({"data": {"password": CANARY}}),
    )
    .await;
}

async fn all(store: &dyn Store) -> Vec<Stored> {
    let mut all = Vec::new();
    for resource in ["things.test.dev", "secrets", "seals.store.mirage.dev"] {
        let query = ListQuery {
            resource: resource.into(),
            namespace: None,
            after: None,
            limit: None,
        };
        all.extend(store.list(&query).await.unwrap().items);
    }
    all
}

async fn contents_of(database: &Database) -> Vec<Stored> {
    match database {
        Database::Sqlite(path) => all(&SqliteStore::open(path).await.unwrap()).await,
        Database::Postgres(address) => {
            let store = PostgresStore::open(address).await.unwrap();
            let all = all(&store).await;
            store.close().await;
            all
        }
    }
}

/// Alters a file behind everybody's back.
async fn alter(path: &Path, sql: &str) {
    let mut connection = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(path)
        .connect()
        .await
        .unwrap();
    connection.execute(AssertSqlSafe(sql)).await.unwrap();
    connection.close().await.unwrap();
}

async fn sound(database: &Database, sealer: &Sealer) -> Report {
    let report = check(database, Some(sealer)).await.unwrap();
    assert!(report.is_sound(), "{report:#?}");
    report
}

#[tokio::test]
async fn a_backup_is_private_whole_without_a_secret_and_sound() {
    let scene = Scene::new();
    let file = scene.backup().await;
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut names: Vec<_> = std::fs::read_dir(scene.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with("source.db"))
        .collect();
    names.sort();
    assert_eq!(names, ["a.backup"], "nothing unfinished is left");
    let bytes = std::fs::read(&file).unwrap();
    let has = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    assert!(has(b"mirage:sealed:v1:") && !has(CANARY.as_bytes()));
    let report = sound(&Database::Sqlite(file.clone()), &sealer("11")).await;
    assert_eq!((report.objects, report.changes, report.opened), (4, 0, 2));

    let database = scene.database("source.db");
    let again = back_up(&database, &file, false, now()).await;
    assert!(matches!(again, Err(MaintenanceError::Exists { .. })));
    back_up(&database, &file, true, now()).await.unwrap();
}

#[tokio::test]
async fn a_restored_database_has_every_object_and_goes_on_far_above() {
    let scene = Scene::new();
    let file = scene.backup().await;
    let before = contents_of(&scene.database("source.db")).await;
    let target = scene.database("target.db");
    let restored = restore(&file, &target, Some(&sealer("11")), false)
        .await
        .unwrap();
    assert_eq!(restored.opened, Some(2));
    assert_eq!(restored.revision, restored.backup.revision + STRIDE);
    assert_eq!(contents_of(&target).await, before);
    sound(&target, &sealer("11")).await;

    // Whoever remembers a version of the lost database, even one that the backup never saw, is told to list anew.
    let store = SqliteStore::open(scene.file("target.db")).await.unwrap();
    for remembered in [1, restored.backup.revision, restored.backup.revision + 5000] {
        let answer = store.changes("things.test.dev", None, remembered, 10).await;
        assert!(matches!(answer, Err(StoreError::Compacted { .. })));
    }
    let next = put(&store, things("d"), Expect::Absent, json!({})).await;
    assert_eq!(next, restored.revision + 1);
    let (changes, _) = store
        .changes("things.test.dev", None, restored.revision, 10)
        .await
        .unwrap();
    assert_eq!(changes.len(), 1);
    // A version that a client holds of an object is good as long as the object is that version.
    let b = store.get(&things("b")).await.unwrap().unwrap();
    assert!(b.revision < restored.backup.revision);
    put(&store, things("b"), Expect::Revision(b.revision), json!({})).await;
}

#[tokio::test]
async fn a_backup_moves_from_one_backend_to_the_other_and_back() {
    let Some(name) = test_server::empty("").await else {
        return;
    };
    let scene = Scene::new();
    let file = scene.backup().await;
    let before = contents_of(&scene.database("source.db")).await;
    let postgres = Database::Postgres(Address::new(test_server::url(&name).unwrap()));
    let moved = restore(&file, &postgres, Some(&sealer("11")), false)
        .await
        .unwrap();
    assert_eq!(contents_of(&postgres).await, before);
    sound(&postgres, &sealer("11")).await;

    let file = scene.file("b.backup");
    let backup = back_up(&postgres, &file, false, now()).await.unwrap();
    assert_eq!(backup.source, "postgres");
    assert_eq!(backup.tables, moved.backup.tables);
    let back = scene.database("back.db");
    let restored = restore(&file, &back, Some(&sealer("11")), false)
        .await
        .unwrap();
    assert_eq!(restored.revision, moved.revision + STRIDE);
    assert_eq!(contents_of(&back).await, before);
    sound(&back, &sealer("11")).await;
}

#[tokio::test]
async fn a_database_that_servers_use_is_not_replaced() {
    let Some(address) = test_server::database().await else {
        return;
    };
    let scene = Scene::new();
    let file = scene.backup().await;
    let database = Database::Postgres(address.clone());
    let server = PostgresStore::open(&address).await.unwrap();
    let refused = restore(&file, &database, None, true).await;
    assert!(matches!(refused, Err(MaintenanceError::InUse { .. })));
    server.close().await;
    // The database takes note of the end of a session a little later.
    loop {
        match restore(&file, &database, None, true).await {
            Err(MaintenanceError::InUse { .. }) => tokio::task::yield_now().await,
            restored => break drop(restored.unwrap()),
        }
    }
}

#[tokio::test]
async fn what_is_there_is_replaced_only_when_that_is_asked_for_and_then_whole() {
    let scene = Scene::new();
    let file = scene.backup().await;
    let target = scene.database("target.db");
    let store = SqliteStore::open(scene.file("target.db")).await.unwrap();
    for name in 0..60 {
        put(
            &store,
            things(&format!("own-{name}")),
            Expect::Absent,
            json!({}),
        )
        .await;
    }
    let newest = *store.revision().borrow();
    store.close().await;
    let refused = restore(&file, &target, None, false).await;
    assert!(matches!(
        refused,
        Err(MaintenanceError::NotEmpty { objects: 60, .. })
    ));
    assert_eq!(contents_of(&target).await.len(), 60);
    let restored = restore(&file, &target, None, true).await.unwrap();
    assert_eq!((restored.replaced, restored.opened), (60, None));
    // Above what this database had given out itself, too.
    assert_eq!(
        restored.revision,
        newest.max(restored.backup.revision) + STRIDE
    );
    let before = contents_of(&scene.database("source.db")).await;
    assert_eq!(contents_of(&target).await, before);
}

#[tokio::test]
async fn an_altered_backup_is_refused_and_touches_nothing() {
    let scene = Scene::new();
    let file = scene.backup().await;
    let whole = std::fs::read(&file).unwrap();
    let target = scene.database("target.db");
    let refusal = async || {
        let refused = restore(&file, &target, None, false).await.unwrap_err();
        assert!(!scene.file("target.db").exists(), "{refused}");
        refused
    };
    alter(
        &file,
        "update versions set object = '{\"n\":3}' where name = 'b'",
    )
    .await;
    assert!(matches!(refusal().await, MaintenanceError::Damaged { .. }));
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let cut = refusal().await;
    assert!(
        matches!(
            cut,
            MaintenanceError::Damaged { .. } | MaintenanceError::Sqlite(_)
        ),
        "{cut:?}"
    );
    std::fs::write(&file, &whole).unwrap();
    alter(&file, "drop table backup").await;
    assert!(matches!(
        refusal().await,
        MaintenanceError::NotABackup { .. }
    ));
    std::fs::write(&file, &whole).unwrap();
    alter(&file, "insert into _sqlx_migrations (version, description, success, checksum, execution_time) values (9999, '', true, x'00', 0)").await;
    assert!(matches!(
        refusal().await,
        MaintenanceError::Newer { version: 9999, .. }
    ));
    std::fs::write(&file, &whole).unwrap();
    let wrong = restore(&file, &target, Some(&sealer("22")), false).await;
    assert!(matches!(wrong, Err(MaintenanceError::WrongKey { .. })));
    let missing = restore(&scene.file("none"), &target, None, false).await;
    assert!(matches!(missing, Err(MaintenanceError::Missing { .. })));
}

#[tokio::test]
async fn a_backup_of_a_moment_is_made_while_others_write() {
    let scene = Scene::new();
    let database = scene.lived_in("busy.db").await;
    let store = SqliteStore::open(scene.file("busy.db")).await.unwrap();
    let file = scene.file("busy.backup");
    let writing = async {
        for nth in 0.. {
            // Two that belong together, the second after the first.
            for half in ["first", "second"] {
                let key = things(&format!("{half}-{nth}"));
                put(&store, key, Expect::Absent, json!({})).await;
            }
        }
    };
    let backup = tokio::select! {
        () = writing => unreachable!("it writes for ever"),
        backup = back_up(&database, &file, false, now()) => backup.unwrap(),
    };
    let restored = scene.database("restored.db");
    restore(&file, &restored, None, false).await.unwrap();
    let all = contents_of(&restored).await;
    assert!(all.iter().all(|stored| stored.revision <= backup.revision));
    let count = |half: &str| {
        all.iter()
            .filter(|it| it.key.name.starts_with(half))
            .count()
    };
    assert!(matches!(count("first") - count("second"), 0 | 1));
}

#[tokio::test]
async fn what_is_wrong_with_a_database_is_found_and_told_without_its_content() {
    for (sql, fault) in [
        (
            "update heads set revision = revision - 2 where name = 'b'",
            Fault::LogDiffers,
        ),
        (
            "update versions set object = 'canary-5b1c' where name = 'a'",
            Fault::Document,
        ),
        ("delete from heads where name = 'a'", Fault::LogDiffers),
        (
            "update heads set revision = 99 where name = 'a'",
            Fault::Version,
        ),
        // Of an object whose last change has been forgotten nothing else tells.
        (
            "update store_state set floor = revision; delete from versions where name = 'a'",
            Fault::Document,
        ),
        ("delete from versions where kind = 'updated'", Fault::LogGap),
        (
            "update versions
            set previous = (select revision from heads where name = 'b')
            where kind = 'deleted'",
            Fault::LogBroken,
        ),
        (
            "update versions set previous = -1 where kind = 'deleted'",
            Fault::LogBroken,
        ),
        (
            "update store_state set revision = revision - 1",
            Fault::Version,
        ),
        (
            "update store_state set revision = revision + 1",
            Fault::LogGap,
        ),
        ("delete from store_state", Fault::Counter),
        (
            "update versions set object = '{\"data\":{\"password\":\"canary-5b1c\"}}' where resource = 'secrets'",
            Fault::Unsealed,
        ),
        (
            "update heads set name = 'moved' where resource = 'secrets'",
            Fault::Seal,
        ),
        (
            "update _sqlx_migrations set checksum = x'00' where version = 1",
            Fault::Schema,
        ),
        (
            "update _sqlx_migrations set success = false where version = 1",
            Fault::Schema,
        ),
    ] {
        let scene = Scene::new();
        let database = scene.lived_in("it.db").await;
        sound(&database, &sealer("11")).await;
        alter(&scene.file("it.db"), sql).await;
        let report = check(&database, Some(&sealer("11"))).await.unwrap();
        assert!(!report.is_sound(), "{sql}");
        assert!(
            report.findings.iter().any(|finding| finding.fault == fault),
            "{sql}: {:#?}",
            report.findings
        );
        let told = serde_json::to_string(&report).unwrap();
        assert!(!told.contains("canary"), "{told}");
    }
}

/// The page where the table of documents begins, and how long pages are.
async fn root_of_versions(path: &Path) -> (usize, usize) {
    let mut connection = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(path)
        .connect()
        .await
        .unwrap();
    let (page, size): (i64, i64) = sqlx::query_as(
        "select rootpage, page_size
        from sqlite_schema, pragma_page_size
        where name = 'versions'",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    connection.close().await.unwrap();
    (page.try_into().unwrap(), size.try_into().unwrap())
}

#[tokio::test]
async fn a_damaged_page_is_found() {
    let scene = Scene::new();
    let database = scene.lived_in("it.db").await;
    alter(&scene.file("it.db"), "pragma wal_checkpoint(truncate)").await;
    let (page, size) = root_of_versions(&scene.file("it.db")).await;
    let mut bytes = std::fs::read(scene.file("it.db")).unwrap();
    // Pages are numbered from 1. Nonsense in its header breaks the tree.
    let start = (page - 1) * size;
    bytes[start..start + 16].fill(0xff);
    std::fs::write(scene.file("it.db"), bytes).unwrap();
    match check(&database, Some(&sealer("11"))).await {
        Ok(report) => assert!(
            report
                .findings
                .iter()
                .any(|finding| finding.fault == Fault::Damaged),
            "{report:#?}"
        ),
        Err(error) => assert!(
            matches!(error, MaintenanceError::Statement { .. }),
            "{error:?}"
        ),
    }
}

#[tokio::test]
async fn a_check_without_a_key_says_that_it_had_none_and_with_another_that_it_does_not_fit() {
    let scene = Scene::new();
    let database = scene.lived_in("it.db").await;
    let report = check(&database, None).await.unwrap();
    assert!(report.is_sound());
    assert_eq!(report.findings[0].fault, Fault::NoKey);
    let report = check(&database, Some(&sealer("22"))).await.unwrap();
    assert!(report.findings.iter().any(|it| it.fault == Fault::Seal));
}
