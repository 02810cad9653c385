//! A group's rows into the file, many in one statement: each statement has to be carried to SQLite's own thread and its
//! answer back, which takes longer than most of them.

use std::sync::Arc;

use sqlx::sqlite::SqliteTransaction;
use sqlx::{QueryBuilder, Sqlite};

use crate::store::batch::{Batch, Logged, Recorded};
use crate::store::column::{kind_to_column, revision_to_column};
use crate::store::{Document, Key};

/// Rows in one statement at most. Ten columns of them are far from the 32,766 values that SQLite takes.
const ROWS: usize = 64;

/// Writes all that the batch comes to.
pub(super) async fn insert(
    transaction: &mut SqliteTransaction<'_>,
    batch: &Batch<'_>,
) -> Result<(), sqlx::Error> {
    for rows in pieces(batch.log()) {
        insert_versions(transaction, rows).await?;
    }
    let put: Vec<_> = batch.put().collect();
    for rows in pieces(&put) {
        put_heads(transaction, rows).await?;
    }
    let gone: Vec<_> = batch.gone().collect();
    for keys in pieces(&gone) {
        remove_heads(transaction, keys).await?;
    }
    for rows in pieces(batch.audit()) {
        insert_audit(transaction, rows).await?;
    }
    Ok(())
}

/// In pieces of 64, 32, 16 … rows: so few different statements that each is prepared once.
fn pieces<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let length = rows.len().min(ROWS);
        let power = length.checked_ilog2()?;
        let (piece, rest) = rows.split_at_checked(1 << power)?;
        rows = rest;
        Some(piece)
    })
}

async fn insert_versions(
    transaction: &mut SqliteTransaction<'_>,
    rows: &[Logged<'_>],
) -> Result<(), sqlx::Error> {
    let Some(newest) = rows.last() else {
        return Ok(());
    };
    let mut statement = QueryBuilder::new(
        "insert into versions (revision, resource, namespace, name, kind, previous, object) ",
    );
    statement.push_values(rows, |mut row, logged| {
        let previous = logged.previous.map(|(revision, _)| revision);
        row.push_bind(revision_to_column(logged.revision))
            .push_bind(&*logged.key.resource)
            .push_bind(&*logged.key.namespace)
            .push_bind(&*logged.key.name)
            .push_bind(kind_to_column(logged.kind))
            .push_bind(previous.map(revision_to_column))
            .push_bind(Arc::clone(logged.document.shared_text()));
    });
    // Along with it: one way less to SQLite's thread.
    statement
        .push("; update store_state set revision = ")
        .push_bind(revision_to_column(newest.revision));
    execute(transaction, statement).await
}

async fn put_heads(
    transaction: &mut SqliteTransaction<'_>,
    rows: &[(&Key, u64, &Document)],
) -> Result<(), sqlx::Error> {
    let mut statement =
        QueryBuilder::new("insert into heads (resource, namespace, name, revision) ");
    statement.push_values(rows, |mut row, (key, revision, _)| {
        row.push_bind(&*key.resource)
            .push_bind(&*key.namespace)
            .push_bind(&*key.name)
            .push_bind(revision_to_column(*revision));
    });
    statement.push(
        " on conflict (resource, namespace, name) do update set revision = excluded.revision",
    );
    execute(transaction, statement).await
}

async fn remove_heads(
    transaction: &mut SqliteTransaction<'_>,
    keys: &[&Key],
) -> Result<(), sqlx::Error> {
    let mut statement =
        QueryBuilder::new("delete from heads where (resource, namespace, name) in (");
    statement.push_values(keys, |mut row, key| {
        row.push_bind(&*key.resource)
            .push_bind(&*key.namespace)
            .push_bind(&*key.name);
    });
    statement.push(")");
    execute(transaction, statement).await
}

async fn insert_audit(
    transaction: &mut SqliteTransaction<'_>,
    rows: &[Recorded<'_>],
) -> Result<(), sqlx::Error> {
    // Sequence numbers are the file's own row numbers: the largest and one more, which without removals has no gap.
    let mut statement = QueryBuilder::new(
        "insert into audit (time, username, verb, resource, namespace, name, code, is_routine, revision, record) ",
    );
    statement.push_values(rows, |mut row, (entry, revision)| {
        row.push_bind(entry.time)
            .push_bind(&*entry.username)
            .push_bind(&*entry.verb)
            .push_bind(&*entry.resource)
            .push_bind(&*entry.namespace)
            .push_bind(&*entry.name)
            .push_bind(i64::from(entry.code))
            .push_bind(i64::from(entry.is_routine))
            .push_bind(revision.map(revision_to_column))
            .push_bind(&*entry.record);
    });
    execute(transaction, statement).await
}

async fn execute(
    transaction: &mut SqliteTransaction<'_>,
    mut statement: QueryBuilder<Sqlite>,
) -> Result<(), sqlx::Error> {
    statement
        .build()
        .execute(&mut **transaction)
        .await
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_all_rows_in_order_and_of_few_lengths() {
        for count in [0, 1, 2, 3, 7, 64, 100, 256, 301] {
            let rows: Vec<usize> = (0..count).collect();
            let found: Vec<&[usize]> = pieces(&rows).collect();
            assert_eq!(found.concat(), rows);
            assert!(
                found
                    .iter()
                    .all(|piece| piece.len().is_power_of_two() && piece.len() <= ROWS)
            );
        }
    }
}
