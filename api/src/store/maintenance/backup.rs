//! Making a backup: one snapshot of the database, whoever writes to it meanwhile, as one file.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use futures::StreamExt as _;
use jiff::Timestamp;

use super::contents::{self, Contents, STATE, TableContents, Tally};
use super::session::{Session, Table};
use super::{Database, MaintenanceError, migrations};
use crate::store::column::column_to_revision;
use crate::store::{data_dir, sqlite};

/// Rows that are copied in one go.
pub(super) const BATCH: usize = 200;

/// What was backed up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// When.
    pub made_at: Timestamp,
    /// The source's backend, `sqlite` or `postgres`.
    pub source: String,
    /// The source's schema.
    pub schema: i64,
    /// The newest version in it.
    pub revision: u64,
    /// What every table holds, by name.
    pub tables: BTreeMap<String, TableContents>,
}

/// Writes a backup of the database into a new file, for its owner only. The file appears whole or not at all; one of the
/// same name is replaced only if `replaces`.
///
/// # Errors
/// See [`MaintenanceError`]; nothing is left behind.
pub async fn back_up(
    database: &Database,
    file: &Path,
    replaces: bool,
    now: Timestamp,
) -> Result<Backup, MaintenanceError> {
    if !replaces && file.exists() {
        return Err(MaintenanceError::Exists {
            path: file.to_owned(),
        });
    }
    let unfinished = Unfinished::beside(file, "new")?;
    let backup = write(database, &unfinished.path, now).await?;
    unfinished.take_the_place_of(file)?;
    Ok(backup)
}

async fn write(
    database: &Database,
    path: &Path,
    now: Timestamp,
) -> Result<Backup, MaintenanceError> {
    let asking = database.statement();
    let mut source = database.connect().await?;
    source.begin_reading().await.map_err(&asking)?;
    let schema = migrations::version(database, &mut source).await?;
    let target = Database::Sqlite(path.to_owned());
    let writing = target.statement();
    let Session::Sqlite(mut fresh) = target.connect().await? else {
        unreachable!("a file is SQLite's")
    };
    sqlite::MIGRATIONS
        .run_to(schema, &mut fresh)
        .await
        .map_err(|source| MaintenanceError::Sqlite(sqlite::OpenError::migrate(path, source)))?;
    let mut fresh = Session::Sqlite(fresh);
    let tables = source.tables().await.map_err(&asking)?;
    fresh.begin_writing(&[]).await.map_err(&writing)?;
    let own = fresh.tables().await.map_err(&writing)?;
    let copied = copy(
        (database, &mut source, &tables),
        (&target, &mut fresh, &own),
    )
    .await?;
    let (revision, _) =
        source
            .state()
            .await
            .map_err(&asking)?
            .ok_or_else(|| MaintenanceError::Foreign {
                database: database.to_string(),
            })?;
    // Behind the floor nobody reads, and the log is not in here.
    let state =
        format!("insert into {STATE} (id, revision, floor) values (1, {revision}, {revision})");
    fresh.run(state).await.map_err(&writing)?;
    let backup = Backup {
        made_at: now,
        source: database.backend().to_owned(),
        schema,
        revision: column_to_revision(revision).map_err(&asking)?,
        tables: copied,
    };
    sign(&mut fresh, &backup).await.map_err(&writing)?;
    fresh.commit().await.map_err(&writing)?;
    let written = contents::read(&mut fresh, &own).await.map_err(&writing)?;
    if let Some(table) = contents::difference(&backup.tables, &written) {
        return Err(MaintenanceError::Differs {
            database: target.to_string(),
            table,
        });
    }
    fresh.close().await.map_err(&writing)?;
    // A snapshot that was read to its end cannot fail any more.
    let _ = source.close().await;
    Ok(backup)
}

/// Replaces the content of all kept tables of one database by another's, in the target's transaction; the state's row and
/// the log are left empty.
pub(super) async fn copy(
    (from, source, tables): (&Database, &mut Session, &[Table]),
    (to, target, own): (&Database, &mut Session, &[Table]),
) -> Result<Contents, MaintenanceError> {
    let (asking, writing) = (from.statement(), to.statement());
    target.clear(own).await.map_err(&writing)?;
    let mut copied = Contents::new();
    for table in tables.iter().filter(|table| contents::is_kept(table)) {
        let names = |table: &Table| table.columns(|_, column| column.name.clone());
        let same = own
            .iter()
            .find(|own| own.name == table.name && names(own) == names(table))
            .ok_or_else(|| MaintenanceError::Differs {
                database: to.to_string(),
                table: table.name.clone(),
            })?;
        let mut tally = Tally::default();
        let mut batches = source.rows(table, None).chunks(BATCH);
        while let Some(batch) = batches.next().await {
            let rows: Vec<_> = batch
                .into_iter()
                .collect::<Result<_, _>>()
                .map_err(&asking)?;
            for row in &rows {
                tally.add(row);
            }
            target.insert(same, rows).await.map_err(&writing)?;
        }
        copied.insert(table.name.clone(), tally.finish());
    }
    target.settle(own).await.map_err(&writing)?;
    Ok(copied)
}

/// What makes a database a backup.
async fn sign(session: &mut Session, backup: &Backup) -> Result<(), sqlx::Error> {
    let Session::Sqlite(connection) = session else {
        return Ok(());
    };
    sqlx::query(
        "create table backup (
            made_at text not null,
            source text not null,
            schema integer not null,
            revision integer not null,
            tables text not null
        ) strict",
    )
    .execute(&mut *connection)
    .await?;
    let tables =
        serde_json::to_string(&backup.tables).map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query(
        "insert into backup (made_at, source, schema, revision, tables)
        values (?1, ?2, ?3, ?4, ?5)",
    )
    .bind(backup.made_at.to_string())
    .bind(&backup.source)
    .bind(backup.schema)
    .bind(crate::store::column::revision_to_column(backup.revision))
    .bind(tables)
    .execute(connection)
    .await
    .map(drop)
}

/// A file that is not there yet. It goes with this value, unless it takes another's place.
pub(super) struct Unfinished {
    pub(super) path: PathBuf,
}

impl Unfinished {
    /// An empty private file beside another one.
    pub(super) fn beside(file: &Path, suffix: &str) -> Result<Self, MaintenanceError> {
        let mut name = file.as_os_str().to_owned();
        name.push(".");
        name.push(suffix);
        let unfinished = Self { path: name.into() };
        let failed = |source| MaintenanceError::File {
            path: unfinished.path.clone(),
            source,
        };
        // What a crash left may have other rights.
        remove(&unfinished.path).map_err(failed)?;
        data_dir::touch_private(&unfinished.path).map_err(failed)?;
        Ok(unfinished)
    }

    fn take_the_place_of(self, file: &Path) -> Result<(), MaintenanceError> {
        let failed = |source| MaintenanceError::File {
            path: file.to_owned(),
            source,
        };
        File::open(&self.path)
            .and_then(|content| content.sync_all())
            .and_then(|()| fs::rename(&self.path, file))
            .and_then(|()| match file.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
                _ => File::open(".")?.sync_all(),
            })
            .map_err(failed)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        for beside in ["", "-journal", "-wal", "-shm"] {
            let mut name = self.path.as_os_str().to_owned();
            name.push(beside);
            // It is only in the way; the next one removes it.
            let _ = remove(Path::new(&name));
        }
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
