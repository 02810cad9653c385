//! This server's only writer. It takes every request that waits, does them in one transaction and answers after the
//! commit. Other servers have theirs; the counter's row makes them take turns.

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgTransaction};
use tokio::sync::{mpsc, watch};

use super::columns::{self, Keys};
use super::follow::CHANNEL;
use super::{ANSWER, CONNECT, codec, open};
use crate::store::audit::AuditEntry;
use crate::store::batch::Batch;
use crate::store::column::{column_to_revision, revision_to_column};
use crate::store::group::{GROUP, Outcome, Prepared, Request, announce};
use crate::store::{Key, StoreError};

/// What the writer can do.
#[derive(Debug)]
pub(super) enum Work {
    /// One conditional write.
    Write(Box<Prepared>),
    /// Add to the audit log what is about no write.
    Record(Vec<AuditEntry>),
}

/// Serves requests until every sender is gone.
pub(super) async fn run(
    mut session: Session,
    mut requests: mpsc::Receiver<Request<Work>>,
    announced: Arc<watch::Sender<u64>>,
) {
    let mut group = Vec::with_capacity(GROUP);
    while requests.recv_many(&mut group, GROUP).await > 0 {
        let works: Vec<&Work> = group.iter().map(|request| &request.work).collect();
        let outcomes = session.write(&works, &announced).await;
        for (request, outcome) in group.drain(..).zip(outcomes) {
            // A caller that has gone away does not undo its write.
            let _ = request.reply.send(outcome);
        }
    }
    session.close().await;
}

/// How far a transaction came before it failed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// The server was not asked to commit: nothing has happened.
    #[error("the database did not take the write, and nothing was written")]
    Before(#[source] sqlx::Error),
    /// The server was asked to commit, and its answer is missing.
    #[error("the database did not say whether it took the write")]
    Commit(#[source] sqlx::Error),
    /// No answer in time, to whatever was asked last.
    #[error("the database gave no answer within {} s", ANSWER.as_secs())]
    Late,
}

impl Failure {
    /// Whether nothing has happened and a new connection may help.
    fn is_lost_connection(&self) -> bool {
        match self {
            Self::Before(sqlx::Error::Io(_) | sqlx::Error::Protocol(_)) => true,
            // 57P01 to 57P03: the server is shutting down or was told to end the session. 25P03: the session stalled.
            // (PostgreSQL docs: Appendix A, error codes.)
            Self::Before(sqlx::Error::Database(error)) => error
                .code()
                .is_some_and(|code| code.starts_with("57P0") || code == "25P03"),
            _ => false,
        }
    }

    /// Whether the server refused what one write of the group brought, and with it the others.
    fn is_refused_value(&self) -> bool {
        // 22: data exceptions. 23: constraints. 54: limits, such as the length of what an index holds.
        matches!(self, Self::Before(sqlx::Error::Database(error)) if error.code().is_some_and(|code| {
            ["22", "23", "54"].iter().any(|class| code.starts_with(class))
        }))
    }
}

/// The writer's connection, made anew after a failure.
pub(super) struct Session {
    options: PgConnectOptions,
    connection: Option<PgConnection>,
}

impl Session {
    pub(super) fn new(options: PgConnectOptions, connection: PgConnection) -> Self {
        Self {
            options,
            connection: Some(connection),
        }
    }

    /// Does the whole group; answers in its order.
    async fn write(&mut self, group: &[&Work], announced: &watch::Sender<u64>) -> Vec<Outcome> {
        let mut answer = self.commit(group).await;
        if answer.as_ref().is_err_and(Failure::is_lost_connection) {
            tracing::info!(
                "the connection to the database was lost; trying the write on a new one"
            );
            answer = self.commit(group).await;
        }
        let failure = match answer {
            Ok((newest, outcomes)) => {
                // Before the replies: who has an answer finds its revision announced.
                announce(announced, newest);
                return outcomes;
            }
            Err(failure) => failure,
        };
        if failure.is_refused_value() && group.len() > 1 {
            let mut outcomes = Vec::with_capacity(group.len());
            for work in group {
                outcomes.extend(Box::pin(self.write(&[work], announced)).await);
            }
            return outcomes;
        }
        tracing::error!(
            error = &failure as &dyn std::error::Error,
            writes = group.len(),
            "the database did not do a group of writes"
        );
        let failure = Arc::new(failure);
        group
            .iter()
            .map(|_| Err(StoreError::unavailable(Arc::clone(&failure))))
            .collect()
    }

    async fn commit(&mut self, group: &[&Work]) -> Result<(u64, Vec<Outcome>), Failure> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => tokio::time::timeout(CONNECT, open::connect(&self.options))
                .await
                .map_err(|_| Failure::Before(sqlx::Error::PoolTimedOut))?
                .map_err(Failure::Before)?,
        };
        let done = tokio::time::timeout(ANSWER, transact(&mut connection, group))
            .await
            .unwrap_or(Err(Failure::Late))?;
        // Kept only after success. One that is dropped is hung up, and the server undoes what was under way.
        self.connection = Some(connection);
        Ok(done)
    }

    async fn close(self) {
        if let Some(connection) = self.connection
            && let Err(error) = connection.close().await
        {
            tracing::debug!(%error, "the connection to the database did not close cleanly");
        }
    }
}

/// Does the whole group in one transaction. A failed expectation is that write's outcome and leaves the others alone; an
/// error of the database is everybody's.
async fn transact(
    connection: &mut PgConnection,
    group: &[&Work],
) -> Result<(u64, Vec<Outcome>), Failure> {
    let mut transaction = connection
        .begin_with("begin isolation level read committed read write")
        .await
        .map_err(Failure::Before)?;
    let done = fill(&mut transaction, group)
        .await
        .map_err(Failure::Before)?;
    transaction.commit().await.map_err(Failure::Commit)?;
    Ok(done)
}

async fn fill(
    transaction: &mut PgTransaction<'_>,
    group: &[&Work],
) -> Result<(u64, Vec<Outcome>), sqlx::Error> {
    // Waits for its turn; what follows sees everything that those before it committed.
    let newest: i64 = sqlx::query_scalar("select revision from store_state for update")
        .fetch_one(&mut **transaction)
        .await?;
    let current = current(transaction, group).await?;
    let mut batch = Batch::new(column_to_revision(newest)?);
    let outcomes = group
        .iter()
        .map(|work| match work {
            Work::Write(write) => {
                let there = current.get(&write.key);
                batch.write(
                    write,
                    there.map(|(revision, document)| (*revision, document.as_str())),
                )
            }
            Work::Record(entries) => batch.record(entries),
        })
        .collect();
    if !batch.is_empty() {
        write(transaction, &batch).await?;
    }
    Ok((batch.newest(), outcomes))
}

/// The objects that the group concerns, as far as they are there.
async fn current(
    transaction: &mut PgTransaction<'_>,
    group: &[&Work],
) -> Result<HashMap<Key, (u64, String)>, sqlx::Error> {
    let mut keys = Keys::default();
    for work in group {
        if let Work::Write(write) = work {
            keys.push(&write.key);
        }
    }
    let rows = sqlx::query(
        "select distinct on (objects.resource, objects.namespace, objects.name)
            objects.resource,
            objects.namespace,
            objects.name,
            objects.revision,
            objects.object
        from unnest($1::text[], $2::text[], $3::text[]) as wanted (resource, namespace, name)
        join objects
            on objects.resource = wanted.resource
            and objects.namespace = wanted.namespace
            and objects.name = wanted.name",
    )
    .bind(keys.resources)
    .bind(keys.namespaces)
    .bind(keys.names)
    .fetch_all(&mut **transaction)
    .await?;
    rows.iter().map(codec::current).collect()
}

/// One statement for the whole group: its length in round trips does not grow with the group, while everybody waits.
async fn write(transaction: &mut PgTransaction<'_>, batch: &Batch<'_>) -> Result<(), sqlx::Error> {
    let gone = columns::gone(batch);
    let (put, revisions, documents) = columns::put(batch);
    let log = columns::log(batch);
    let audit = columns::audit(batch);
    sqlx::query(
        "with
        counted as (
            update store_state set revision = $1
        ),
        gone as (
            delete from objects
            using unnest($2::text[], $3::text[], $4::text[]) as it (resource, namespace, name)
            where objects.resource = it.resource
                and objects.namespace = it.namespace
                and objects.name = it.name
        ),
        put as (
            insert into objects (resource, namespace, name, revision, object)
            select *
            from unnest($5::text[], $6::text[], $7::text[], $8::bigint[], $9::text[])
            on conflict on constraint objects_key do update set
                revision = excluded.revision,
                object = excluded.object
        ),
        logged as (
            insert into changes (revision, resource, namespace, name, kind, object, previous)
            select *
            from unnest(
                $10::bigint[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[]
            )
        ),
        audited as (
            insert into audit (
                sequence, time, username, verb, resource, namespace, name, code, is_routine, revision, record
            )
            select
                (select coalesce(max(sequence), 0) from audit) + it.position,
                it.time,
                it.username,
                it.verb,
                it.resource,
                it.namespace,
                it.name,
                it.code,
                it.is_routine,
                it.revision,
                it.record
            from unnest(
                $17::bigint[], $18::text[], $19::text[], $20::text[], $21::text[], $22::text[], $23::integer[],
                $24::integer[], $25::bigint[], $26::text[]
            ) with ordinality as it (
                time, username, verb, resource, namespace, name, code, is_routine, revision, record, position
            )
        )
        -- Sent with the commit, or not at all.
        select pg_notify($27, '')",
    )
    .bind(revision_to_column(batch.newest()))
    .bind(gone.resources)
    .bind(gone.namespaces)
    .bind(gone.names)
    .bind(put.resources)
    .bind(put.namespaces)
    .bind(put.names)
    .bind(revisions)
    .bind(documents)
    .bind(log.revisions)
    .bind(log.keys.resources)
    .bind(log.keys.namespaces)
    .bind(log.keys.names)
    .bind(log.kinds)
    .bind(log.objects)
    .bind(log.previous)
    .bind(audit.times)
    .bind(audit.usernames)
    .bind(audit.verbs)
    .bind(audit.keys.resources)
    .bind(audit.keys.namespaces)
    .bind(audit.keys.names)
    .bind(audit.codes)
    .bind(audit.are_routine)
    .bind(audit.revisions)
    .bind(audit.records)
    .bind(CHANNEL)
    .execute(&mut **transaction)
    .await
    .map(drop)
}
