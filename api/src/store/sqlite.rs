//! The embedded store: one SQLite file in WAL mode.
//!
//! Reads come from a small pool and see a snapshot each, or from memory where it is certain what is current (`known`)
//! and what has happened last (`recent`); writes go through one task, which commits all that wait as one transaction
//! (`writer`). `synchronous=full` makes a commit durable, so what has been acknowledged is there after a power cut.
//!
//! # Caveats
//! One process per file: another one's writes would make the next of ours fail, for its number is taken; and they would
//! neither wake our watchers nor be known here. Whoever opens the store holds a lock on its folder or file against that.

mod codec;
mod compaction;
mod known;
mod read;
mod recent;
mod rewrite;
mod rows;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, ConnectOptions};
use tokio::sync::watch;

use self::known::Known;
use self::recent::Recent;
use self::writer::Work;
use super::audit::{AuditEntry, AuditQuery, Recorded};
use super::group::{Prepared, Writer};
use super::{Change, Key, ListQuery, Page, Rewrite, Store, StoreError, Stored, Write, data_dir};

pub(in crate::store) static MIGRATIONS: Migrator = sqlx::migrate!("../migrations/sqlite");

/// Readers at a time. Each is a thread of SQLite's; reading is short, so that more would only wait for a core.
const READERS: u32 = 4;

/// Bytes of a page, in a database that is made anew. Documents are 2 to 4 KB and stand one behind the other: of SQLite's own
/// 4 KB a quarter or more would stay empty behind them, and each page is written twice and summed up. With documents of 2.4 KB
/// 8 KB pages take 2.3 KB of the log for each, 4 KB ones 3.4; 16 KB ones no less, and more for what is small.
const PAGE: u32 = 8192;

/// Bytes of the log after which it is merged into the file. SQLite's own 4 MB are reached every two thousand writes, and
/// merging is the only time that the writer waits for the disk twice: for some 30 ms, which is one write in a thousand. A
/// connection that merges beside the writer halves that, and a fifth of all writes goes with it.
const MERGE_AFTER: i64 = 32 << 20;

/// Memory for pages that are being written, in KiB with SQLite's minus sign: 16 MiB.
const PAGE_CACHE: &str = "-16384";

/// How long to wait for a lock that another program (a backup, a curious person) holds on the file.
pub(in crate::store) const BUSY: Duration = Duration::from_secs(10);

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder or the file could not be made.
    #[error("cannot make the database file {}", path.display())]
    File {
        /// The database file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// SQLite refused the file: not a database, locked for long, or damaged.
    #[error("cannot open the database {}", path.display())]
    Database {
        /// The database file.
        path: PathBuf,
        /// What SQLite said.
        source: sqlx::Error,
    },
    /// A newer Mirage wrote the file; this one does not know what it may change there.
    #[error("the database {} has schema {version}, which a newer Mirage made", path.display())]
    Newer {
        /// The database file.
        path: PathBuf,
        /// The schema's version.
        version: i64,
    },
    /// The schema could not be brought up to date.
    #[error("cannot bring the database {} up to date", path.display())]
    Migrate {
        /// The database file.
        path: PathBuf,
        /// Which step failed.
        source: MigrateError,
    },
}

impl OpenError {
    pub(in crate::store) fn migrate(path: &Path, source: MigrateError) -> Self {
        let path = path.to_owned();
        match source {
            MigrateError::VersionMissing(version) => Self::Newer { path, version },
            source => Self::Migrate { path, source },
        }
    }
}

/// A [`Store`] in one SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    readers: SqlitePool,
    revision: watch::Receiver<u64>,
    known: Arc<Known>,
    recent: Arc<Recent>,
    writer: Writer<Work>,
}

impl SqliteStore {
    /// Opens the file, makes it (0600, in a 0700 folder) if it is missing, and migrates it to the newest schema.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let database = |source| OpenError::Database {
            path: path.to_owned(),
            source,
        };
        make_file(path)?;
        let options = options(path);
        let mut connection = options
            .clone()
            .pragma("cache_size", PAGE_CACHE)
            .connect()
            .await
            .map_err(database)?;
        merge_after(&mut connection).await.map_err(database)?;
        MIGRATIONS
            .run(&mut connection)
            .await
            .map_err(|source| OpenError::migrate(path, source))?;
        let newest = read::newest(&mut connection).await.map_err(database)?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .test_before_acquire(false)
            .connect_lazy_with(options.pragma("query_only", "on"));
        let (announced, revision) = watch::channel(newest);
        let known = Arc::new(Known::default());
        let recent = Arc::new(Recent::new(newest));
        let file = writer::File {
            connection,
            newest: Some(newest),
            known: Arc::clone(&known),
            recent: Arc::clone(&recent),
            announced,
        };
        let writer = Writer::spawn(|queue| writer::run(file, queue));
        Ok(Self {
            readers,
            revision,
            known,
            recent,
            writer,
        })
    }

    /// Waits for the writes under way and closes the file. Nothing is lost without it; the WAL is then merged by
    /// whoever opens the file next.
    pub async fn close(self) {
        // First, so that no reader keeps the writer from merging the log.
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// SQLite counts pages, and those of a database that was there before may be others.
async fn merge_after(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let page: i64 = sqlx::query_scalar("pragma page_size")
        .fetch_one(&mut *connection)
        .await?;
    let pages = MERGE_AFTER / page.max(1);
    sqlx::query(AssertSqlSafe(format!(
        "pragma wal_autocheckpoint = {pages}"
    )))
    .execute(connection)
    .await
    .map(drop)
}

fn make_file(path: &Path) -> Result<(), OpenError> {
    // SQLite gives the -wal and -shm files beside it the rights of the database file.
    path.parent()
        .map_or(Ok(()), data_dir::ensure)
        .and_then(|()| data_dir::touch_private(path))
        .map_err(|source| OpenError::File {
            path: path.to_owned(),
            source,
        })
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .page_size(PAGE)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY)
        .disable_statement_logging()
}

#[async_trait]
impl Store for SqliteStore {
    async fn get(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        if let Some(current) = self.known.get(key) {
            return Ok(current.map(|(revision, object)| Stored {
                key: key.clone(),
                revision,
                object,
            }));
        }
        let began = *self.revision.borrow();
        let found = read::get(&self.readers, key).await?;
        let current = found
            .as_ref()
            .map(|stored| (stored.revision, stored.object.clone()));
        self.known.was_read(key, &current, began);
        Ok(found)
    }

    async fn list(&self, query: &ListQuery) -> Result<Page, StoreError> {
        read::list(&self.readers, query).await
    }

    async fn write(&self, write: Write) -> Result<u64, StoreError> {
        self.writer.ask(Work::Write(Box::new(write.into()))).await
    }

    async fn write_audited(&self, write: Write, entry: AuditEntry) -> Result<u64, StoreError> {
        let prepared = Prepared::audited(write, entry);
        self.writer.ask(Work::Write(Box::new(prepared))).await
    }

    async fn record(&self, entries: Vec<AuditEntry>) -> Result<(), StoreError> {
        self.writer.ask(Work::Record(entries)).await.map(drop)
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<Recorded>, StoreError> {
        read::audit(&self.readers, query).await
    }

    async fn changes(
        &self,
        resource: &str,
        namespace: Option<&str>,
        after: u64,
        limit: usize,
    ) -> Result<(Vec<Change>, u64), StoreError> {
        match self.recent.changes(resource, namespace, after, limit) {
            Some(changes) => Ok(changes),
            None => read::changes(&self.readers, resource, namespace, after, limit).await,
        }
    }

    async fn log(&self, after: u64, limit: usize) -> Result<(Vec<Change>, u64), StoreError> {
        match self.recent.log(after, limit) {
            Some(changes) => Ok(changes),
            None => read::log(&self.readers, after, limit).await,
        }
    }

    fn revision(&self) -> watch::Receiver<u64> {
        self.revision.clone()
    }

    async fn compact(&self, keep_from: u64) -> Result<(), StoreError> {
        // A piece at a time, and no further than the store had come: with more being written it would have no end.
        let floor = keep_from.saturating_sub(1).min(*self.revision.borrow());
        while self.writer.ask(Work::Compact { floor }).await? < floor {}
        Ok(())
    }

    async fn rewrite(&self, rewrites: Vec<Rewrite>) -> Result<u64, StoreError> {
        self.writer.ask(Work::Rewrite(rewrites)).await
    }
}

#[cfg(test)]
mod tests;
