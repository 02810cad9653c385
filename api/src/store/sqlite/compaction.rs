//! Forgetting changes, and with them the versions that nobody can ask for any more.

use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;

use crate::store::column::{column_to_revision, revision_to_column};

/// Changes that are forgotten in one transaction: the writes that come meanwhile wait for no more.
const PIECE: u64 = 1024;

/// Raises the floor towards `floor`, and answers with where it stands.
///
/// A version goes when the floor passes the change that came after it, and a deletion when the floor passes itself. Until
/// then the version is what was before a change; and with nothing after it, it is the object as it is now.
pub(super) async fn compact(
    connection: &mut SqliteConnection,
    floor: u64,
) -> Result<u64, sqlx::Error> {
    // `immediate` takes the write lock at once: a read that is upgraded later may fail when another program wrote.
    let mut transaction = connection.begin_with("begin immediate").await?;
    let (before, newest): (i64, i64) = sqlx::query_as("select floor, revision from store_state")
        .fetch_one(&mut *transaction)
        .await?;
    let (before, newest) = (column_to_revision(before)?, column_to_revision(newest)?);
    let floor = floor.min(newest).min(before + PIECE);
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
    .execute(&mut *transaction)
    .await?;
    sqlx::query("update store_state set floor = ?1")
        .bind(revision_to_column(floor))
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(floor)
}
