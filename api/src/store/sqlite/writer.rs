//! The only writer. It takes every request that waits, does them in one transaction and answers after the commit.

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::sqlite::{SqliteConnection, SqliteTransaction};
use sqlx::{Connection, Row};
use tokio::sync::{mpsc, watch};

use super::known::{Current, Known};
use super::read;
use crate::store::audit::AuditEntry;
use crate::store::column::{
    column_to_document, column_to_revision, kind_to_column, revision_to_column,
};
use crate::store::decision::{decide, floor_after};
use crate::store::group::{GROUP, Outcome, Prepared, Request, announce};
use crate::store::{ChangeKind, Key, StoreError};

/// What the writer can do.
#[derive(Debug)]
pub(super) enum Work {
    /// One conditional write.
    Write(Box<Prepared>),
    /// Add to the audit log what is about no write.
    Record(Vec<AuditEntry>),
    /// Forget the changes before `keep_from`.
    Compact { keep_from: u64 },
}

/// The file, and what is known of it.
pub(super) struct File {
    pub(super) connection: SqliteConnection,
    pub(super) known: Arc<Known>,
}

/// What a group has done so far; nobody knows of it before the commit.
struct Group {
    newest: u64,
    /// Objects that it wrote, with the revision of the last write.
    written: HashMap<Key, (u64, Current)>,
}

/// Serves requests until every sender is gone.
pub(super) async fn run(
    mut file: File,
    mut requests: mpsc::Receiver<Request<Work>>,
    announced: watch::Sender<u64>,
) {
    let mut group = Vec::with_capacity(GROUP);
    while requests.recv_many(&mut group, GROUP).await > 0 {
        match file.commit(&group).await {
            Ok((done, outcomes)) => {
                for (key, (revision, current)) in done.written {
                    file.known.was_written(key, current, revision);
                }
                // Before the replies: who has an answer finds its revision announced, and its write known.
                announce(&announced, done.newest);
                for (request, outcome) in group.drain(..).zip(outcomes) {
                    // A caller that has gone away does not undo its write.
                    let _ = request.reply.send(outcome);
                }
            }
            Err(error) => {
                tracing::error!(%error, writes = group.len(), "the database refused a group of writes");
                // Whether it was committed in spite of the error, only the file can tell.
                file.known.forget(*announced.borrow() + group.len() as u64);
                let error = Arc::new(error);
                for request in group.drain(..) {
                    let refusal = StoreError::unavailable(Arc::clone(&error));
                    let _ = request.reply.send(Err(refusal));
                }
            }
        }
    }
    if let Err(error) = file.connection.close().await {
        tracing::warn!(%error, "the database did not close cleanly");
    }
}

impl File {
    /// Does the whole group in one transaction. A failed expectation is that request's outcome and leaves the others
    /// alone; an error of the database is everybody's, and nothing has happened.
    async fn commit(
        &mut self,
        requests: &[Request<Work>],
    ) -> Result<(Group, Vec<Outcome>), sqlx::Error> {
        // `immediate` takes the write lock at once: a read that is upgraded later may fail when another program wrote.
        let mut transaction = self.connection.begin_with("begin immediate").await?;
        // Read anew each time rather than remembered: after a commit that failed, only the file knows.
        let before = read::newest(&mut transaction).await?;
        let mut group = Group {
            newest: before,
            written: HashMap::new(),
        };
        let mut outcomes = Vec::with_capacity(requests.len());
        for request in requests {
            outcomes.push(match &request.work {
                Work::Write(prepared) => {
                    group.write(&mut transaction, &self.known, prepared).await?
                }
                Work::Record(entries) => {
                    for entry in entries {
                        record(&mut transaction, entry, None).await?;
                    }
                    Ok(group.newest)
                }
                Work::Compact { keep_from } => {
                    Ok(compact(&mut transaction, group.newest, *keep_from).await?)
                }
            });
        }
        if group.newest != before {
            sqlx::query("update store_state set revision = ?1")
                .bind(revision_to_column(group.newest))
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok((group, outcomes))
    }
}

impl Group {
    async fn write(
        &mut self,
        transaction: &mut SqliteTransaction<'_>,
        known: &Known,
        prepared: &Prepared,
    ) -> Result<Outcome, sqlx::Error> {
        let Prepared {
            key,
            expect,
            intent,
            document,
            audit,
        } = prepared;
        let own = self.written.get(key).map(|(_, current)| current.clone());
        let current = match own.or_else(|| known.get(key)) {
            Some(current) => current,
            None => current(transaction, key).await?,
        };
        let kind = match decide(
            *expect,
            *intent,
            current.as_ref().map(|(revision, _)| *revision),
        ) {
            Ok(kind) => kind,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let revision = self.newest + 1;
        // Two statements in one: each has to be carried to SQLite's own thread and its answer back.
        let statement = match kind {
            ChangeKind::Created | ChangeKind::Updated => PUT,
            ChangeKind::Deleted => DELETE,
        };
        sqlx::query(statement)
            .bind(&key.resource)
            .bind(&key.namespace)
            .bind(&key.name)
            .bind(revision_to_column(revision))
            .bind(document.text())
            .bind(kind_to_column(kind))
            .bind(current.as_ref().map(|(_, document)| document.text()))
            .execute(&mut **transaction)
            .await?;
        if let Some(entry) = audit {
            record(transaction, entry, Some(revision)).await?;
        }
        let after = (kind != ChangeKind::Deleted).then(|| (revision, document.clone()));
        self.written.insert(key.clone(), (revision, after));
        self.newest = revision;
        Ok(Ok(revision))
    }
}

/// The object as it becomes, and the change.
const PUT: &str = "insert into objects (resource, namespace, name, revision, object)
    values (?1, ?2, ?3, ?4, ?5)
    on conflict (resource, namespace, name) do update set
        revision = excluded.revision,
        object = excluded.object;
    insert into changes (revision, resource, namespace, name, kind, object, previous)
    values (?4, ?1, ?2, ?3, ?6, ?5, ?7)";

/// The same for an object that goes.
const DELETE: &str = "delete from objects
    where resource = ?1 and namespace = ?2 and name = ?3;
    insert into changes (revision, resource, namespace, name, kind, object, previous)
    values (?4, ?1, ?2, ?3, ?6, ?5, ?7)";

async fn record(
    transaction: &mut SqliteTransaction<'_>,
    entry: &AuditEntry,
    revision: Option<u64>,
) -> Result<(), sqlx::Error> {
    // Sequence numbers are the file's own row numbers: the largest and one more, which without removals has no gap.
    sqlx::query(
        "insert into audit (time, username, verb, resource, namespace, name, code, is_routine, revision, record)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )
    .bind(entry.time)
    .bind(&entry.username)
    .bind(&entry.verb)
    .bind(&entry.resource)
    .bind(&entry.namespace)
    .bind(&entry.name)
    .bind(i64::from(entry.code))
    .bind(i64::from(entry.is_routine))
    .bind(revision.map(revision_to_column))
    .bind(&entry.record)
    .execute(&mut **transaction)
    .await
    .map(drop)
}

async fn current(
    transaction: &mut SqliteTransaction<'_>,
    key: &Key,
) -> Result<Current, sqlx::Error> {
    let row = sqlx::query(
        "select revision, object
        from objects
        where resource = ?1 and namespace = ?2 and name = ?3",
    )
    .bind(&key.resource)
    .bind(&key.namespace)
    .bind(&key.name)
    .fetch_optional(&mut **transaction)
    .await?;
    row.map(|row| {
        let revision = column_to_revision(row.try_get(0)?)?;
        Ok((revision, column_to_document(row.try_get(1)?)?))
    })
    .transpose()
}

async fn compact(
    transaction: &mut SqliteTransaction<'_>,
    newest: u64,
    keep_from: u64,
) -> Result<u64, sqlx::Error> {
    let floor: i64 = sqlx::query_scalar("select floor from store_state")
        .fetch_one(&mut **transaction)
        .await?;
    let floor = floor_after(keep_from, column_to_revision(floor)?, newest);
    sqlx::query("update store_state set floor = ?1")
        .bind(revision_to_column(floor))
        .execute(&mut **transaction)
        .await?;
    sqlx::query("delete from changes where revision <= ?1")
        .bind(revision_to_column(floor))
        .execute(&mut **transaction)
        .await?;
    Ok(floor)
}
