//! A group's rows into the file, in one transaction and one way there and back: SQLite works on a thread of its own, and
//! to wake it and be woken takes longer than most statements. So the transaction is one text with all its statements, and
//! all but the inserts find what they need in the versions that have just been written.

use std::sync::Arc;

use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqliteConnection;

use crate::store::batch::Batch;
use crate::store::column::{kind_to_column, revision_to_column};

/// Rows in one statement at most. Ten columns of them are far from the 32,766 values that SQLite takes.
const ROWS: usize = 256;

const BEGIN: &str = "
    -- At once with the lock of the writer: a read that is upgraded later may fail when another program wrote.
    begin immediate;";

/// With `or rollback` SQLite keeps no journal for undoing the statement by itself, which would copy each page that it
/// changes once more: of a group that fails everything is undone anyway.
const VERSIONS: &str = "
    insert or rollback into versions (revision, resource, namespace, name, kind, previous, object)
    select * from (values ";

/// The last of a group's writes to an object is what counts: they come in their order.
const HEADS: &str = "
    insert into heads (resource, namespace, name, revision)
    select resource, namespace, name, revision
    from versions
    where revision > ?
    order by revision
    on conflict (resource, namespace, name) do update set revision = excluded.revision;";

/// And when it was a deletion, the object is gone.
const GONE: &str = "
    delete from heads
    where (resource, namespace, name) in (
            select resource, namespace, name
            from versions
            where revision > ? and kind = 'deleted'
        )
        and revision in (
            select revision
            from versions
            where revision > ? and kind = 'deleted'
        );";

const STATE: &str = "
    update store_state set revision = ?;";

/// Sequence numbers are the file's own row numbers: the largest and one more, which without removals has no gap.
const AUDIT: &str = "
    insert or rollback into audit (time, username, verb, resource, namespace, name, code, is_routine, revision, record)
    select * from (values ";

const COMMIT: &str = "
    commit;";

/// Writes all that the batch comes to, on top of the revision `before`. After an error the transaction may be open still.
pub(super) async fn commit(
    connection: &mut SqliteConnection,
    before: u64,
    batch: &Batch<'_>,
) -> Result<(), sqlx::Error> {
    let before = revision_to_column(before);
    let sql = text(batch.log().len(), batch.audit().len());
    let mut statement = sqlx::query(AssertSqlSafe(sql));
    for rows in batch.log().chunks(ROWS) {
        for logged in rows {
            let previous = logged.previous.map(|(revision, _)| revision);
            statement = statement
                .bind(revision_to_column(logged.revision))
                .bind(&*logged.key.resource)
                .bind(&*logged.key.namespace)
                .bind(&*logged.key.name)
                .bind(kind_to_column(logged.kind))
                .bind(previous.map(revision_to_column))
                .bind(Arc::clone(logged.document.shared_text()));
        }
        for _ in 0..7 * missing(rows.len()) {
            statement = statement.bind(None::<i64>);
        }
    }
    if !batch.log().is_empty() {
        statement = statement
            .bind(before)
            .bind(before)
            .bind(before)
            .bind(revision_to_column(batch.newest()));
    }
    for rows in batch.audit().chunks(ROWS) {
        for (entry, revision) in rows {
            statement = statement
                .bind(entry.time)
                .bind(&*entry.username)
                .bind(&*entry.verb)
                .bind(&*entry.resource)
                .bind(&*entry.namespace)
                .bind(&*entry.name)
                .bind(i64::from(entry.code))
                .bind(i64::from(entry.is_routine))
                .bind(revision.map(revision_to_column))
                .bind(&*entry.record);
        }
        for _ in 0..10 * missing(rows.len()) {
            statement = statement.bind(None::<i64>);
        }
    }
    statement.execute(connection).await.map(drop)
}

/// The whole transaction of so many rows.
fn text(versions: usize, audit: usize) -> String {
    let mut sql = BEGIN.to_owned();
    if versions > 0 {
        insert(&mut sql, VERSIONS, 7, versions);
        sql.push_str(HEADS);
        sql.push_str(GONE);
        sql.push_str(STATE);
    }
    if audit > 0 {
        insert(&mut sql, AUDIT, 10, audit);
    }
    sql.push_str(COMMIT);
    sql
}

/// Inserts for so many rows, each for a power of two of them: so few different texts that each is prepared once. Rows that
/// are too many are null and left out.
fn insert(sql: &mut String, into: &str, columns: usize, rows: usize) {
    let row = format!("(?{})", ", ?".repeat(columns - 1));
    for start in (0..rows).step_by(ROWS) {
        let rows = ROWS.min(rows - start);
        let rest = format!(", {row}").repeat(rows + missing(rows) - 1);
        sql.push_str(into);
        sql.push_str(&row);
        sql.push_str(&rest);
        sql.push_str(") where column1 is not null;");
    }
}

/// How many rows there are to the next power of two.
fn missing(rows: usize) -> usize {
    rows.next_power_of_two() - rows
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::store::sqlite::SqliteStore;
    use crate::store::sqlite::read::tests::plan;

    #[tokio::test]
    async fn what_the_new_versions_are_to_their_objects_is_found_by_keys() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mirage.db");
        let store = SqliteStore::open(path).await.unwrap();
        let newer = "SEARCH versions USING INTEGER PRIMARY KEY (rowid>?)";
        assert_eq!(plan(&store.readers, HEADS).await, [newer]);
        let plan = plan(&store.readers, GONE).await;
        let by_key = "SEARCH heads USING PRIMARY KEY (resource=? AND namespace=? AND name=?)";
        assert_eq!(plan[0], by_key);
        assert!(!plan.iter().any(|it| it.starts_with("SCAN")), "{plan:?}");
    }

    #[test]
    fn there_are_few_texts_and_each_takes_what_it_is_given() {
        let mut texts = HashSet::new();
        for versions in 0..=ROWS {
            for audit in [0, versions] {
                let sql = text(versions, audit);
                let of_state = if versions > 0 { 4 } else { 0 };
                let rows = |count: usize| if count > 0 { count + missing(count) } else { 0 };
                let expected = 7 * rows(versions) + of_state + 10 * rows(audit);
                assert_eq!(sql.matches('?').count(), expected, "{versions} {audit}");
                texts.insert(sql);
            }
        }
        // Without rows, and for 1, 2, 4 … 256 with an audit record each or without one.
        assert_eq!(texts.len(), 1 + 2 * 9);
        let many = text(0, 3 * ROWS + 5);
        assert_eq!(many.matches('?').count(), 10 * (3 * ROWS + 8));
    }
}
