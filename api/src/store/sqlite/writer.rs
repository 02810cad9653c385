//! The only writer. It takes every request that waits, does them in one transaction and answers after the commit.

use std::sync::Arc;

use sqlx::sqlite::{SqliteConnection, SqliteTransaction};
use sqlx::{Connection, Row};
use tokio::sync::{mpsc, watch};

use super::read;
use crate::store::audit::AuditEntry;
use crate::store::column::{column_to_revision, kind_to_column, revision_to_column};
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

/// Serves requests until every sender is gone.
pub(super) async fn run(
    mut connection: SqliteConnection,
    mut requests: mpsc::Receiver<Request<Work>>,
    announced: watch::Sender<u64>,
) {
    let mut group = Vec::with_capacity(GROUP);
    while requests.recv_many(&mut group, GROUP).await > 0 {
        match commit(&mut connection, &group).await {
            Ok((newest, outcomes)) => {
                // Before the replies: who has an answer finds its revision announced.
                announce(&announced, newest);
                for (request, outcome) in group.drain(..).zip(outcomes) {
                    // A caller that has gone away does not undo its write.
                    let _ = request.reply.send(outcome);
                }
            }
            Err(error) => {
                tracing::error!(%error, writes = group.len(), "the database refused a group of writes");
                let error = Arc::new(error);
                for request in group.drain(..) {
                    let refusal = StoreError::unavailable(Arc::clone(&error));
                    let _ = request.reply.send(Err(refusal));
                }
            }
        }
    }
    if let Err(error) = connection.close().await {
        tracing::warn!(%error, "the database did not close cleanly");
    }
}

/// Does the whole group in one transaction. A failed expectation is that request's outcome and leaves the others alone;
/// an error of the database is everybody's, and nothing has happened.
async fn commit(
    connection: &mut SqliteConnection,
    group: &[Request<Work>],
) -> Result<(u64, Vec<Outcome>), sqlx::Error> {
    // `immediate` takes the write lock at once: a read that is upgraded later may fail when another program wrote.
    let mut transaction = connection.begin_with("begin immediate").await?;
    // Read anew each time rather than remembered: after a commit that failed, only the file knows.
    let before = read::newest(&mut transaction).await?;
    let mut newest = before;
    let mut outcomes = Vec::with_capacity(group.len());
    for request in group {
        outcomes.push(match &request.work {
            Work::Write(prepared) => write(&mut transaction, &mut newest, prepared).await?,
            Work::Record(entries) => {
                for entry in entries {
                    record(&mut transaction, entry, None).await?;
                }
                Ok(newest)
            }
            Work::Compact { keep_from } => Ok(compact(&mut transaction, newest, *keep_from).await?),
        });
    }
    if newest != before {
        sqlx::query("update store_state set revision = ?1")
            .bind(revision_to_column(newest))
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok((newest, outcomes))
}

async fn write(
    transaction: &mut SqliteTransaction<'_>,
    newest: &mut u64,
    prepared: &Prepared,
) -> Result<Outcome, sqlx::Error> {
    let Prepared {
        key,
        expect,
        intent,
        document,
        audit,
    } = prepared;
    let current = current(transaction, key).await?;
    let kind = match decide(
        *expect,
        *intent,
        current.as_ref().map(|(revision, _)| *revision),
    ) {
        Ok(kind) => kind,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let revision = *newest + 1;
    match kind {
        ChangeKind::Created | ChangeKind::Updated => {
            put(transaction, key, revision, document).await?;
        }
        ChangeKind::Deleted => remove(transaction, key).await?,
    }
    sqlx::query(
        "insert into changes (revision, resource, namespace, name, kind, object, previous)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )
    .bind(revision_to_column(revision))
    .bind(&key.resource)
    .bind(&key.namespace)
    .bind(&key.name)
    .bind(kind_to_column(kind))
    .bind(document)
    .bind(current.map(|(_, document)| document))
    .execute(&mut **transaction)
    .await?;
    if let Some(entry) = audit {
        record(transaction, entry, Some(revision)).await?;
    }
    *newest = revision;
    Ok(Ok(revision))
}

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
) -> Result<Option<(u64, String)>, sqlx::Error> {
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
    row.map(|row| Ok((column_to_revision(row.try_get(0)?)?, row.try_get(1)?)))
        .transpose()
}

async fn put(
    transaction: &mut SqliteTransaction<'_>,
    key: &Key,
    revision: u64,
    document: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into objects (resource, namespace, name, revision, object)
        values (?1, ?2, ?3, ?4, ?5)
        on conflict (resource, namespace, name) do update set
            revision = excluded.revision,
            object = excluded.object",
    )
    .bind(&key.resource)
    .bind(&key.namespace)
    .bind(&key.name)
    .bind(revision_to_column(revision))
    .bind(document)
    .execute(&mut **transaction)
    .await
    .map(drop)
}

async fn remove(transaction: &mut SqliteTransaction<'_>, key: &Key) -> Result<(), sqlx::Error> {
    sqlx::query(
        "delete from objects
        where resource = ?1 and namespace = ?2 and name = ?3",
    )
    .bind(&key.resource)
    .bind(&key.namespace)
    .bind(&key.name)
    .execute(&mut **transaction)
    .await
    .map(drop)
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
