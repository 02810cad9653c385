//! The shared store: a PostgreSQL database, for more than one API server.
//!
//! # Order
//! Every writing transaction begins by locking the one row that holds the counter, and holds it until its commit; so
//! revisions are given out in commit order over all servers, and what an expectation was checked against cannot change
//! before the write. The lock comes first and not last because then no two transactions can wait for each other. It is
//! held for two short statements and the commit; a server that stalls in between loses its transaction, and with it the
//! lock, after [`IDLE_IN_TRANSACTION`]. Each server commits all writes that wait as one transaction (`writer`).
//!
//! # Waking up
//! A write notifies in its own transaction. The notification is only a wake-up: whoever hears it reads the counter
//! (`follow`). The counter is also read every now and then, which covers a lost listener.
//!
//! # Failure
//! What fails before the commit is sent has not happened; when only the connection was lost, it is tried once more on
//! a new one. When the answer to the commit is missing, the write may or may not have happened, and its outcome is
//! [`StoreError::Unavailable`]: never a success that was not seen.
//!
//! # Caveats
//! `LISTEN` and settings of a session do not go through a pooler that hands out connections by transaction. Connect to
//! the server itself, or to a pooler in session mode.

mod address;
mod codec;
mod columns;
mod follow;
pub(in crate::store) mod open;
mod read;
mod rewrite;
mod seat;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

pub use self::address::Address;
pub(in crate::store) use self::open::MIGRATIONS;
pub use self::open::OpenError;
pub(in crate::store) use self::seat::LOCK as SEAT;
pub use self::seat::Seat;
use self::writer::Work;
use super::audit::{AuditEntry, AuditQuery, Recorded};
use super::column::{column_to_revision, revision_to_column};
use super::decision::floor_after;
use super::group::{Prepared, Writer};
use super::{Change, Key, ListQuery, Page, Rewrite, Store, StoreError, Stored, Write};

/// Readers at a time. Reading is short; a database allows some hundred connections in all, from all servers.
const READERS: u32 = 8;

/// How long to wait for a connection: to be made, or to be given back by another reader.
const CONNECT: Duration = Duration::from_secs(5);

/// How long one question may take in all. Longer than the server lets a statement run, so that its reason arrives.
const ANSWER: Duration = Duration::from_secs(20);

/// How long the server lets one statement run, in milliseconds.
const STATEMENT: &str = "15000";

/// How long the server waits for a transaction that says nothing, in milliseconds, before it undoes it and lets the
/// others write.
const IDLE_IN_TRANSACTION: &str = "5000";

/// Changes forgotten in one transaction.
const FORGET: i64 = 5000;

/// A [`Store`] in a PostgreSQL database, which others may use at the same time.
#[derive(Debug)]
pub struct PostgresStore {
    readers: PgPool,
    revision: watch::Receiver<u64>,
    writer: Writer<Work>,
    /// Ends with the store.
    followers: JoinSet<()>,
}

impl PostgresStore {
    /// Connects, and migrates the database to the newest schema. Several servers may do so at once.
    pub async fn open(address: &Address) -> Result<Self, OpenError> {
        let options = address.options()?;
        let (connection, newest) = open::prepare(address, &options).await?;
        let readers = PgPoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(CONNECT)
            // A ping each time: after the server was restarted, no reader meets a connection from before.
            .test_before_acquire(true)
            .connect_lazy_with(options.clone());
        let (announced, revision) = watch::channel(newest);
        let announced = Arc::new(announced);
        let wake = Arc::new(Notify::new());
        let mut followers = JoinSet::new();
        followers.spawn(follow::listen(options.clone(), Arc::clone(&wake)));
        followers.spawn(follow::follow(
            readers.clone(),
            wake,
            Arc::clone(&announced),
        ));
        let session = writer::Session::new(options, connection);
        let writer = Writer::spawn(|queue| writer::run(session, queue, announced));
        Ok(Self {
            readers,
            revision,
            writer,
            followers,
        })
    }

    /// Waits for the writes under way and says goodbye to the server. Nothing is lost without it.
    pub async fn close(mut self) {
        self.writer.close().await;
        self.followers.shutdown().await;
        self.readers.close().await;
    }
}

/// The settings under which every connection runs.
fn settings(options: PgConnectOptions) -> PgConnectOptions {
    use sqlx::ConnectOptions as _;
    options
        .application_name("mirage")
        .options([
            ("statement_timeout", STATEMENT),
            ("lock_timeout", STATEMENT),
            ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION),
        ])
        // Statements carry no values, but a slow one is no news either: the timeouts say so when it matters.
        .disable_statement_logging()
}

/// Gives up on a server that neither answers nor hangs up.
async fn within<T, E>(question: impl Future<Output = Result<T, E>>) -> Result<T, StoreError>
where
    StoreError: From<E>,
{
    match tokio::time::timeout(ANSWER, question).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(StoreError::unavailable(format!(
            "the database gave no answer within {} s",
            ANSWER.as_secs()
        ))),
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn get(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        within(read::get(&self.readers, key)).await
    }

    async fn list(&self, query: &ListQuery) -> Result<Page, StoreError> {
        within(read::list(&self.readers, query)).await
    }

    async fn write(&self, write: Write) -> Result<u64, StoreError> {
        refuse_nul(&write.key)?;
        self.writer.ask(Work::Write(Box::new(write.into()))).await
    }

    async fn write_audited(&self, write: Write, entry: AuditEntry) -> Result<u64, StoreError> {
        refuse_nul(&write.key)?;
        let prepared = Prepared::audited(write, entry);
        self.writer.ask(Work::Write(Box::new(prepared))).await
    }

    async fn record(&self, entries: Vec<AuditEntry>) -> Result<(), StoreError> {
        self.writer.ask(Work::Record(entries)).await.map(drop)
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<Recorded>, StoreError> {
        within(read::audit(&self.readers, query)).await
    }

    async fn changes(
        &self,
        resource: &str,
        namespace: Option<&str>,
        after: u64,
        limit: usize,
    ) -> Result<(Vec<Change>, u64), StoreError> {
        within(read::changes(
            &self.readers,
            resource,
            namespace,
            after,
            limit,
        ))
        .await
    }

    async fn log(&self, after: u64, limit: usize) -> Result<(Vec<Change>, u64), StoreError> {
        within(read::log(&self.readers, after, limit)).await
    }

    fn revision(&self) -> watch::Receiver<u64> {
        self.revision.clone()
    }

    async fn compact(&self, keep_from: u64) -> Result<(), StoreError> {
        let floor = within(raise_floor(&self.readers, keep_from)).await?;
        // Behind the floor nobody reads, so that what is forgotten may go in steps and without holding up writers. What
        // a crash leaves goes with the next compaction.
        while within(forget(&self.readers, floor)).await? == FORGET.unsigned_abs() {}
        Ok(())
    }

    async fn rewrite(&self, rewrites: Vec<Rewrite>) -> Result<u64, StoreError> {
        within(rewrite::rewrite(&self.readers, &rewrites)).await
    }
}

/// Here and not at the database, which would refuse everybody's writes of the same group with it.
fn refuse_nul(key: &Key) -> Result<(), StoreError> {
    if codec::has_nul(key) {
        return Err(StoreError::unavailable(
            "PostgreSQL stores no name with a NUL in it",
        ));
    }
    Ok(())
}

async fn raise_floor(pool: &PgPool, keep_from: u64) -> Result<u64, sqlx::Error> {
    let mut transaction = pool.begin().await?;
    let (newest, floor): (i64, i64) =
        sqlx::query_as("select revision, floor from store_state for update")
            .fetch_one(&mut *transaction)
            .await?;
    let floor = floor_after(
        keep_from,
        column_to_revision(floor)?,
        column_to_revision(newest)?,
    );
    sqlx::query("update store_state set floor = $1")
        .bind(revision_to_column(floor))
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(floor)
}

/// Removes some of the changes up to the floor and says how many.
async fn forget(pool: &PgPool, floor: u64) -> Result<u64, sqlx::Error> {
    let done = sqlx::query(
        "delete from changes
        where revision in (
            select revision
            from changes
            where revision <= $1
            order by revision
            limit $2
            -- Another server's compaction is at work on the others.
            for update skip locked
        )",
    )
    .bind(revision_to_column(floor))
    .bind(FORGET)
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

#[cfg(test)]
pub(super) mod test_server;
#[cfg(test)]
mod tests;
