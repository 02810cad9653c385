//! Databases of every schema that was ever released are opened, and keep all they had. A step of the schema that was cut
//! off begins anew, one that was edited is caught, and one from the future is refused.

use std::fs;
use std::path::{Path, PathBuf};

use super::session::{Row, Session, Table};
use super::{Database, MaintenanceError, check, migrations};
use crate::store::postgres::{self, Address, PostgresStore, test_server};
use crate::store::sqlite::{self, SqliteStore};
use futures::TryStreamExt as _;
use sqlx::migrate::Migrator;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations")
}

fn versions() -> Vec<i64> {
    let known = sqlite::MIGRATIONS.iter();
    known.map(|migration| migration.version).collect()
}

/// Rows of this schema. Those of both backends are one file for as long as they have the same tables.
fn fixture(version: i64, backend: &str) -> String {
    let read = |name: &str| fs::read_to_string(folder().join("fixtures").join(name)).ok();
    read(&format!("{version:04}.sql"))
        .or_else(|| read(&format!("{version:04}.{backend}.sql")))
        .unwrap_or_else(|| {
            panic!("write rows into migrations/fixtures/{version:04}.{backend}.sql as schema {version} has them")
        })
}

async fn migrate(session: &mut Session, target: i64) {
    match session {
        Session::Sqlite(connection) => {
            sqlite::MIGRATIONS.run_to(target, connection).await.unwrap();
        }
        Session::Postgres(connection) => {
            postgres::MIGRATIONS
                .run_to(target, connection)
                .await
                .unwrap();
        }
    }
}

/// Opens it as a server does when it starts.
async fn serve(database: &Database) -> Result<(), MaintenanceError> {
    match database {
        Database::Sqlite(path) => {
            let store = SqliteStore::open(path).await;
            store.map_err(MaintenanceError::Sqlite)?.close().await;
        }
        Database::Postgres(address) => {
            let store = PostgresStore::open(address).await;
            store.map_err(MaintenanceError::Postgres)?.close().await;
        }
    }
    Ok(())
}

/// An empty database of each backend that is at hand.
async fn empty(folder: &Path) -> Vec<Database> {
    let file = folder.join("it.db");
    fs::write(&file, b"").unwrap();
    let mut databases = vec![Database::Sqlite(file)];
    if let Some(name) = test_server::empty("").await {
        let address = Address::new(test_server::url(&name).unwrap());
        databases.push(Database::Postgres(address));
    }
    databases
}

async fn rows(session: &mut Session, table: &Table) -> Vec<Row> {
    let mut rows: Vec<Row> = session.rows(table, None).try_collect().await.unwrap();
    rows.sort();
    rows
}

/// What the steps up to this one left in each table, by columns of that time.
async fn everything(session: &mut Session, tables: &[Table]) -> Vec<(String, Vec<Row>)> {
    let mut everything = Vec::new();
    for table in tables {
        everything.push((table.name.clone(), rows(session, table).await));
    }
    everything
}

#[tokio::test]
async fn a_database_of_every_earlier_schema_is_upgraded_and_keeps_everything() {
    for version in versions() {
        let scene = tempfile::tempdir().unwrap();
        for database in empty(scene.path()).await {
            let fixture = fixture(version, database.backend());
            let mut old = database.connect().await.unwrap();
            migrate(&mut old, version).await;
            old.run(fixture).await.unwrap();
            let tables = old.tables().await.unwrap();
            let before = everything(&mut old, &tables).await;
            assert!(
                before.iter().all(|(_, rows)| !rows.is_empty()),
                "every table has rows"
            );
            old.close().await.unwrap();

            serve(&database).await.unwrap();
            let mut upgraded = database.connect().await.unwrap();
            assert_eq!(
                everything(&mut upgraded, &tables).await,
                before,
                "{database}"
            );
            upgraded.close().await.unwrap();
            let report = check(&database, None).await.unwrap();
            assert!(report.is_sound(), "{database}: {report:#?}");
            assert_eq!(Some(&report.schema), versions().last());
        }
    }
}

#[tokio::test]
async fn an_upgraded_database_has_the_tables_of_a_fresh_one_step_by_step() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let fresh = empty(one.path()).await;
    let stepped = empty(other.path()).await;
    for (fresh, stepped) in fresh.iter().zip(&stepped) {
        serve(fresh).await.unwrap();
        let mut session = stepped.connect().await.unwrap();
        for version in versions() {
            migrate(&mut session, version).await;
        }
        let tables = session.tables().await.unwrap();
        assert_eq!(
            fresh.connect().await.unwrap().tables().await.unwrap(),
            tables
        );
    }
}

#[tokio::test]
async fn both_backends_have_the_same_tables_and_columns() {
    let scene = tempfile::tempdir().unwrap();
    let databases = empty(scene.path()).await;
    let mut shapes = Vec::new();
    for database in &databases {
        serve(database).await.unwrap();
        let tables = database.connect().await.unwrap().tables().await.unwrap();
        let shape: Vec<_> = tables
            .into_iter()
            .map(|table| {
                (
                    table.name.clone(),
                    table.columns(|_, column| column.name.clone()),
                )
            })
            .collect();
        shapes.push(shape);
    }
    assert!(
        shapes.windows(2).all(|pair| pair[0] == pair[1]),
        "{shapes:#?}"
    );
}

#[tokio::test]
async fn a_database_of_a_newer_mirage_is_refused_and_says_so() {
    let scene = tempfile::tempdir().unwrap();
    for database in empty(scene.path()).await {
        serve(&database).await.unwrap();
        let mut session = database.connect().await.unwrap();
        session
            .run(
                "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
                select 9999, 'from the future', success, checksum, 0
                from _sqlx_migrations
                where version = 1"
                    .to_owned(),
            )
            .await
            .unwrap();
        session.close().await.unwrap();
        let refused = serve(&database).await.unwrap_err();
        let reason = std::error::Error::source(&refused).unwrap().to_string();
        assert!(
            reason.contains("schema 9999") && reason.contains("newer Mirage"),
            "{reason}"
        );
    }
}

/// The steps of this backend, as SQL.
fn steps(migrations: &Migrator) -> Vec<(i64, String)> {
    migrations
        .iter()
        .map(|migration| (migration.version, migration.sql.as_str().to_owned()))
        .collect()
}

#[tokio::test]
async fn a_step_that_was_cut_off_by_a_kill_is_done_anew() {
    for version in versions() {
        let scene = tempfile::tempdir().unwrap();
        for database in empty(scene.path()).await {
            let mut session = database.connect().await.unwrap();
            // Whoever is killed leaves an open transaction behind, which nobody commits.
            if let Session::Sqlite(_) = session {
                // A small cache, so that what is not committed reaches the file all the same.
                let pragmas = "pragma journal_mode = wal; pragma cache_size = 1";
                session.run(pragmas.to_owned()).await.unwrap();
            }
            migrate(&mut session, version - 1).await;
            session.run("begin".to_owned()).await.unwrap();
            let all = steps(migrations::of(&database));
            let (_, sql) = all.into_iter().find(|(own, _)| *own == version).unwrap();
            session.run(sql).await.unwrap();
            let left = match &database {
                // The files as they are at the moment of the kill.
                Database::Sqlite(path) => {
                    let crashed = scene.path().join("crashed");
                    fs::create_dir(&crashed).unwrap();
                    for entry in fs::read_dir(path.parent().unwrap()).unwrap() {
                        let entry = entry.unwrap();
                        if entry.file_type().unwrap().is_file() {
                            fs::copy(entry.path(), crashed.join(entry.file_name())).unwrap();
                        }
                    }
                    Database::Sqlite(crashed.join("it.db"))
                }
                Database::Postgres(_) => database.clone(),
            };
            drop(session);
            serve(&left).await.unwrap();
            let report = check(&left, None).await.unwrap();
            assert!(report.is_sound(), "{left}: {report:#?}");
        }
    }
}

#[test]
fn steps_that_were_released_are_never_edited() {
    let list = fs::read_to_string(folder().join("released.txt")).unwrap();
    let mut released: Vec<&str> = list.lines().filter(|line| !line.starts_with('#')).collect();
    released.sort_unstable();
    let mut found = Vec::new();
    for (backend, migrations) in [
        ("sqlite", &sqlite::MIGRATIONS),
        ("postgres", &postgres::MIGRATIONS),
    ] {
        for migration in migrations.iter() {
            let name = format!(
                "{:04}_{}.sql",
                migration.version,
                migration.description.replace(' ', "_")
            );
            found.push(format!(
                "{}  {backend}/{name}",
                hex::encode(&*migration.checksum)
            ));
        }
    }
    found.sort_unstable();
    assert_eq!(
        released, found,
        "a released step was edited (put it back and add another), or a new one is not in migrations/released.txt yet"
    );
}
