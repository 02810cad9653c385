//! The only writer. It takes every request that waits, does them in one transaction and answers after the commit.

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::{mpsc, watch};

use super::known::{Current, Known};
use super::recent::Recent;
use super::{compaction, read, rewrite, rows};
use crate::store::audit::AuditEntry;
use crate::store::batch::{Batch, Logged};
use crate::store::group::{GROUP, Outcome, Prepared, Request, announce};
use crate::store::{Change, Key, Rewrite, StoreError};

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
    /// The newest revision; `None` after a commit that failed, when only the file knows.
    pub(super) newest: Option<u64>,
    pub(super) known: Arc<Known>,
    pub(super) recent: Arc<Recent>,
    pub(super) announced: watch::Sender<u64>,
}

/// Serves requests until every sender is gone.
pub(super) async fn run(mut file: File, mut requests: mpsc::Receiver<Request<Work>>) {
    let mut waiting = Vec::with_capacity(GROUP);
    while requests.recv_many(&mut waiting, GROUP).await > 0 {
        let mut writes = Vec::with_capacity(waiting.len());
        let mut compactions = Vec::new();
        for request in waiting.drain(..) {
            match &request.work {
                Work::Write(_) | Work::Record(_) => writes.push(request),
                Work::Compact { .. } => compactions.push(request),
                // Ahead of the writes: what they replace is no longer what was to be rewritten.
                Work::Rewrite(rewrites) => {
                    let outcome = file.rewrite(rewrites).await;
                    file.answer(vec![request], outcome.map(|count| vec![Ok(count)]));
                }
            }
        }
        let outcomes = file.write(&writes).await;
        file.answer(writes, outcomes);
        file.recent.trim();
        // Behind the writes: what is forgotten must have been written.
        for request in compactions {
            if let Work::Compact { floor } = request.work {
                let floor = file.compact(floor).await;
                file.answer(vec![request], floor.map(|floor| vec![Ok(floor)]));
            }
        }
    }
    if let Err(error) = file.connection.close().await {
        tracing::warn!(%error, "the database did not close cleanly");
    }
}

impl File {
    /// Tells everybody what came of their request.
    fn answer(
        &mut self,
        requests: Vec<Request<Work>>,
        outcomes: Result<Vec<Outcome>, sqlx::Error>,
    ) {
        let outcomes = outcomes.unwrap_or_else(|error| {
            tracing::error!(%error, writes = requests.len(), "the database refused a group of writes");
            // Whether it was committed in spite of the error, only the file can tell.
            self.newest = None;
            self.known
                .forget(*self.announced.borrow() + 1 + requests.len() as u64);
            self.recent.forget();
            let error = Arc::new(error);
            requests
                .iter()
                .map(|_| Err(StoreError::unavailable(Arc::clone(&error))))
                .collect()
        });
        for (request, outcome) in requests.into_iter().zip(outcomes) {
            // A caller that has gone away does not undo its write.
            let _ = request.reply.send(outcome);
        }
    }

    async fn newest(&mut self) -> Result<u64, sqlx::Error> {
        let newest = match self.newest {
            Some(newest) => newest,
            None => read::newest(&mut self.connection).await?,
        };
        self.newest = Some(newest);
        Ok(newest)
    }

    /// Does the whole group in one transaction. A failed expectation is that request's outcome and leaves the others
    /// alone; an error of the database is everybody's.
    async fn write(&mut self, requests: &[Request<Work>]) -> Result<Vec<Outcome>, sqlx::Error> {
        let before = self.newest().await?;
        // Nobody else writes to the file: what is there now is there when the transaction begins.
        let there = self.there(requests).await?;
        let mut batch = Batch::new(before);
        let outcomes: Vec<Outcome> = requests
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
                Work::Compact { .. } | Work::Rewrite(_) => Ok(before),
            })
            .collect();
        if batch.is_empty() {
            return Ok(outcomes);
        }
        if let Err(error) = rows::commit(&mut self.connection, before, &batch).await {
            // There may be none to undo, and then this fails; what it was about is the other error.
            let _ = sqlx::query("rollback").execute(&mut self.connection).await;
            return Err(error);
        }
        self.newest = Some(batch.newest());
        for (key, last) in batch.objects() {
            let current = last.document.map(|it| (last.revision, it.clone()));
            self.known.was_written(key.clone(), current, last.revision);
        }
        self.recent.was_committed(before, changes(&batch, &there));
        // Before the replies: who has an answer finds its revision announced, and its write known.
        announce(&self.announced, batch.newest());
        Ok(outcomes)
    }

    /// The objects that the group concerns, as they are before it.
    async fn there<'r>(
        &mut self,
        requests: &'r [Request<Work>],
    ) -> Result<HashMap<&'r Key, Current>, sqlx::Error> {
        let mut there = HashMap::with_capacity(requests.len());
        let mut unknown = Vec::new();
        for request in requests {
            if let Work::Write(prepared) = &request.work
                && !there.contains_key(&prepared.key)
            {
                let current = self.known.get(&prepared.key).unwrap_or_else(|| {
                    unknown.push(&prepared.key);
                    None
                });
                there.insert(&prepared.key, current);
            }
        }
        for stored in read::several(&mut self.connection, &unknown).await? {
            if let Some(current) = there.get_mut(&stored.key) {
                *current = Some((stored.revision, stored.object));
            }
        }
        Ok(there)
    }

    async fn rewrite(&mut self, rewrites: &[Rewrite]) -> Result<u64, sqlx::Error> {
        // Counts as written behind everything: no reading that began before is believed.
        let behind = self.newest().await? + 1;
        let mut rewritten = Vec::new();
        let mut transaction = self.connection.begin_with("begin immediate").await?;
        let count = rewrite::rewrite(&mut transaction, rewrites, &mut rewritten).await?;
        transaction.commit().await?;
        for (key, current) in rewritten {
            self.known.was_written(key, current, behind);
        }
        // Rare enough to be read from the file for a while.
        self.recent.forget();
        Ok(count)
    }

    async fn compact(&mut self, floor: u64) -> Result<u64, sqlx::Error> {
        let floor = compaction::compact(&mut self.connection, floor).await?;
        self.recent.was_compacted(floor);
        Ok(floor)
    }
}

/// What the group adds to the log, with the documents that are in memory anyway.
fn changes(batch: &Batch<'_>, there: &HashMap<&Key, Current>) -> impl Iterator<Item = Change> {
    let before = |logged: &Logged<'_>, revision| match batch.logged(revision) {
        Some(before) => Some(before.document.clone()),
        None => {
            let (_, document) = there.get(logged.key)?.as_ref()?;
            Some(document.clone())
        }
    };
    batch.log().iter().map(move |logged| Change {
        revision: logged.revision,
        key: logged.key.clone(),
        kind: logged.kind,
        object: logged.document.clone(),
        previous: logged
            .previous
            .and_then(|(revision, _)| before(logged, revision)),
    })
}
