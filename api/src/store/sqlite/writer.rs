//! The only writer. It takes every request that waits, does them in one transaction and answers after the commit.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use sqlx::sqlite::{SqliteConnection, SqliteTransaction};
use sqlx::{Connection, Row};
use tokio::sync::{mpsc, watch};

use super::known::{Current, Known};
use super::{read, rewrite, rows};
use crate::store::audit::AuditEntry;
use crate::store::batch::Batch;
use crate::store::column::{column_to_document, column_to_revision, revision_to_column};
use crate::store::group::{GROUP, Outcome, Prepared, Request, announce};
use crate::store::{Key, Rewrite, StoreError};

/// What the writer can do.
#[derive(Debug)]
pub(super) enum Work {
    /// One conditional write.
    Write(Box<Prepared>),
    /// Add to the audit log what is about no write.
    Record(Vec<AuditEntry>),
    /// Forget the changes up to `floor`, or as many of them as go in one transaction.
    Compact { floor: u64 },
    /// Put other texts in the place of stored ones.
    Rewrite(Vec<Rewrite>),
}

/// The file, and what is known of it.
pub(super) struct File {
    pub(super) connection: SqliteConnection,
    pub(super) known: Arc<Known>,
}

/// What a group did to each object: the revision of the last write and what the object is since.
type Written = Vec<(Key, u64, Current)>;

/// Serves requests until every sender is gone.
pub(super) async fn run(
    mut file: File,
    mut requests: mpsc::Receiver<Request<Work>>,
    announced: watch::Sender<u64>,
) {
    let mut group = Vec::with_capacity(GROUP);
    while requests.recv_many(&mut group, GROUP).await > 0 {
        match file.commit(&group).await {
            Ok(Done {
                newest,
                written,
                outcomes,
            }) => {
                for (key, revision, current) in written {
                    file.known.was_written(key, current, revision);
                }
                // Before the replies: who has an answer finds its revision announced, and its write known.
                announce(&announced, newest);
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

/// What came of a group.
struct Done {
    newest: u64,
    written: Written,
    outcomes: Vec<Outcome>,
}

impl File {
    /// Does the whole group in one transaction. A failed expectation is that request's outcome and leaves the others
    /// alone; an error of the database is everybody's, and nothing has happened.
    async fn commit(&mut self, requests: &[Request<Work>]) -> Result<Done, sqlx::Error> {
        // `immediate` takes the write lock at once: a read that is upgraded later may fail when another program wrote.
        let mut transaction = self.connection.begin_with("begin immediate").await?;
        // Read anew each time rather than remembered: after a commit that failed, only the file knows.
        let before = read::newest(&mut transaction).await?;
        // Ahead of the writes: what they replace is no longer what was to be rewritten.
        let mut rewritten = Vec::new();
        let mut counts = VecDeque::new();
        for request in requests {
            if let Work::Rewrite(rewrites) = &request.work {
                let count = rewrite::rewrite(&mut transaction, rewrites, &mut rewritten).await?;
                counts.push_back(count);
            }
        }
        let there = there(&mut transaction, &self.known, requests).await?;
        let mut batch = Batch::new(before);
        let mut outcomes: Vec<Outcome> = requests
            .iter()
            .map(|request| match &request.work {
                Work::Write(prepared) => {
                    let there = there.get(&prepared.key).and_then(Option::as_ref);
                    batch.write(
                        prepared,
                        there.map(|(revision, document)| (*revision, document.text())),
                    )
                }
                Work::Record(entries) => batch.record(entries),
                Work::Compact { .. } => Ok(before),
                Work::Rewrite(_) => Ok(counts.pop_front().unwrap_or_default()),
            })
            .collect();
        rows::insert(&mut transaction, &batch).await?;
        // Behind the writes: what is forgotten must have been written.
        for (request, outcome) in requests.iter().zip(&mut outcomes) {
            if let Work::Compact { floor } = &request.work {
                *outcome = Ok(compact(&mut transaction, batch.newest(), *floor).await?);
            }
        }
        transaction.commit().await?;
        // Where a rewritten text stands counts as written behind everything: no reading that began before is believed.
        let behind = batch.newest() + 1;
        let rewritten = rewritten
            .into_iter()
            .map(|(key, current)| (key, behind, current));
        let written = batch.objects().map(|(key, last)| {
            let current = last.document.map(|it| (last.revision, it.clone()));
            (key.clone(), last.revision, current)
        });
        Ok(Done {
            newest: batch.newest(),
            written: rewritten.chain(written).collect(),
            outcomes,
        })
    }
}

/// The objects that the group concerns, as they are before it.
async fn there<'r>(
    transaction: &mut SqliteTransaction<'_>,
    known: &Known,
    requests: &'r [Request<Work>],
) -> Result<HashMap<&'r Key, Current>, sqlx::Error> {
    let mut there = HashMap::with_capacity(requests.len());
    for request in requests {
        if let Work::Write(prepared) = &request.work
            && !there.contains_key(&prepared.key)
        {
            let current = match known.get(&prepared.key) {
                Some(current) => current,
                None => current(transaction, &prepared.key).await?,
            };
            there.insert(&prepared.key, current);
        }
    }
    Ok(there)
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

/// Changes that are forgotten in one transaction: the writes that come meanwhile wait for no more.
const FORGOTTEN: u64 = 1024;

/// Raises the floor towards `floor`, and answers with where it stands.
///
/// A version goes when the floor passes the change that came after it, and a deletion when the floor passes itself. Until
/// then the version is what was before a change; and with nothing after it, it is the object as it is now.
async fn compact(
    transaction: &mut SqliteTransaction<'_>,
    newest: u64,
    floor: u64,
) -> Result<u64, sqlx::Error> {
    let before: i64 = sqlx::query_scalar("select floor from store_state")
        .fetch_one(&mut **transaction)
        .await?;
    let before = column_to_revision(before)?;
    let floor = floor.min(newest).min(before + FORGOTTEN);
    if floor <= before {
        return Ok(before);
    }
    sqlx::query(
        "delete from versions
        where revision in (
            select previous
            from versions
            where revision > ?1 and revision <= ?2 and previous is not null
            union all
            select revision
            from versions
            where revision > ?1 and revision <= ?2 and kind = 'deleted'
        )",
    )
    .bind(revision_to_column(before))
    .bind(revision_to_column(floor))
    .execute(&mut **transaction)
    .await?;
    sqlx::query("update store_state set floor = ?1")
        .bind(revision_to_column(floor))
        .execute(&mut **transaction)
        .await?;
    Ok(floor)
}
