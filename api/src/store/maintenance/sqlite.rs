//! SQLite's half of [`Session`](super::session::Session).

use std::path::Path;

use futures::stream::{BoxStream, StreamExt as _};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _, Row as _};

use super::MaintenanceError;
use super::session::{Applied, Row, Table, quoted};
use crate::store::sqlite::{BUSY, OpenError};

/// Where the statements that make the triggers wait while the tables are filled.
const ASIDE: &str = "temp.triggers_aside";

pub(super) async fn connect(path: &Path) -> Result<SqliteConnection, MaintenanceError> {
    if !path.exists() {
        return Err(MaintenanceError::Missing {
            path: path.to_owned(),
        });
    }
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .busy_timeout(BUSY)
        .disable_statement_logging()
        .connect()
        .await
        .map_err(|source| {
            MaintenanceError::Sqlite(OpenError::Database {
                path: path.to_owned(),
                source,
            })
        })
}

pub(super) async fn begin_reading(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    // The first read takes the snapshot; writers go on in the write-ahead log meanwhile.
    connection.execute("begin").await.map(drop)
}

pub(super) async fn begin_writing(
    connection: &mut SqliteConnection,
    _tables: &[Table],
) -> Result<(), sqlx::Error> {
    connection.execute("begin immediate").await.map(drop)
}

pub(super) async fn commit(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    connection.execute("commit").await.map(drop)
}

pub(super) async fn damages(connection: &mut SqliteConnection) -> Result<Vec<String>, sqlx::Error> {
    let mut found: Vec<String> = sqlx::query_scalar("pragma integrity_check")
        .fetch_all(&mut *connection)
        .await?;
    found.retain(|line| line != "ok");
    Ok(found)
}

pub(super) async fn applied(
    connection: &mut SqliteConnection,
) -> Result<Option<Vec<Applied>>, sqlx::Error> {
    let is_there: bool = sqlx::query_scalar(
        "select exists (
            select 1
            from sqlite_schema
            where type = 'table' and name = '_sqlx_migrations'
        )",
    )
    .fetch_one(&mut *connection)
    .await?;
    if !is_there {
        return Ok(None);
    }
    let rows = sqlx::query(
        "select version, success, checksum
        from _sqlx_migrations
        order by version",
    )
    .fetch_all(connection)
    .await?;
    let applied = |row: &SqliteRow| {
        Ok(Applied {
            version: row.try_get("version")?,
            is_finished: row.try_get("success")?,
            checksum: row.try_get("checksum")?,
        })
    };
    rows.iter().map(applied).collect::<Result<_, _>>().map(Some)
}

/// Objects and changes are views since schema 3; what they are made of is nobody else's business.
pub(super) async fn tables(connection: &mut SqliteConnection) -> Result<Vec<Table>, sqlx::Error> {
    let rows = sqlx::query_as(
        "select own.name, columns.name, columns.type
        from sqlite_schema as own, pragma_table_info(own.name) as columns
        where own.type in ('table', 'view')
            and own.name not like 'sqlite\\_%' escape '\\'
            and own.name not in ('_sqlx_migrations', 'backup', 'versions', 'heads')
        order by own.name, columns.name",
    )
    .fetch_all(connection)
    .await?;
    Ok(Table::collect(rows))
}

pub(super) fn rows<'s>(
    connection: &'s mut SqliteConnection,
    table: &Table,
    order: Option<&str>,
) -> BoxStream<'s, Result<Row, sqlx::Error>> {
    let columns = table.columns(|_, column| format!("cast({} as text)", quoted(&column.name)));
    let order = order.map_or_else(String::new, |column| {
        format!(" order by {}", quoted(column))
    });
    let sql = format!("select {columns} from {}{order}", quoted(&table.name));
    let width = table.columns.len();
    sqlx::query(AssertSqlSafe(sql))
        .fetch(connection)
        .map(move |row| values(&row?, width))
        .boxed()
}

fn values(row: &SqliteRow, width: usize) -> Result<Row, sqlx::Error> {
    (0..width).map(|nth| row.try_get(nth)).collect()
}

pub(super) async fn clear(
    connection: &mut SqliteConnection,
    _tables: &[Table],
) -> Result<(), sqlx::Error> {
    // A view's own triggers refuse nothing: they are how rows get into it.
    let triggers: Vec<(String, String)> = sqlx::query_as(
        "select own.name, own.sql
        from sqlite_schema as own
        join sqlite_schema as target on target.name = own.tbl_name
        where own.type = 'trigger' and target.type = 'table'",
    )
    .fetch_all(&mut *connection)
    .await?;
    run(
        connection,
        format!("create table {ASIDE} (sql text not null)"),
    )
    .await?;
    for (name, sql) in triggers {
        run(connection, format!("drop trigger {}", quoted(&name))).await?;
        sqlx::query(AssertSqlSafe(format!("insert into {ASIDE} values (?1)")))
            .bind(sql)
            .execute(&mut *connection)
            .await?;
    }
    let filled: Vec<String> = sqlx::query_scalar(
        "select name
        from sqlite_schema
        where type = 'table'
            and name not like 'sqlite\\_%' escape '\\'
            and name not in ('_sqlx_migrations', 'backup')",
    )
    .fetch_all(&mut *connection)
    .await?;
    for table in filled {
        run(connection, format!("delete from {}", quoted(&table))).await?;
    }
    Ok(())
}

pub(super) async fn insert(
    connection: &mut SqliteConnection,
    table: &Table,
    rows: Vec<Row>,
) -> Result<(), sqlx::Error> {
    // Text becomes a number where the column is one: the columns' affinity sees to it.
    let sql = format!(
        "insert into {} ({}) values ({})",
        quoted(&table.name),
        table.columns(|_, column| quoted(&column.name)),
        table.columns(|nth, _| format!("?{}", nth + 1)),
    );
    for row in rows {
        let mut statement = sqlx::query(AssertSqlSafe(sql.clone()));
        for value in row {
            statement = statement.bind(value);
        }
        statement.execute(&mut *connection).await?;
    }
    Ok(())
}

pub(super) async fn settle(
    connection: &mut SqliteConnection,
    _tables: &[Table],
) -> Result<(), sqlx::Error> {
    let triggers: Vec<String> =
        sqlx::query_scalar(AssertSqlSafe(format!("select sql from {ASIDE}")))
            .fetch_all(&mut *connection)
            .await?;
    for trigger in triggers {
        run(connection, trigger).await?;
    }
    run(connection, format!("drop table {ASIDE}")).await
}

pub(super) async fn run(connection: &mut SqliteConnection, sql: String) -> Result<(), sqlx::Error> {
    connection.execute(AssertSqlSafe(sql)).await.map(drop)
}

pub(super) async fn state(
    connection: &mut SqliteConnection,
) -> Result<Option<(i64, i64)>, sqlx::Error> {
    let rows: Vec<(i64, i64)> = sqlx::query_as("select revision, floor from store_state")
        .fetch_all(connection)
        .await?;
    Ok(match rows[..] {
        [only] => Some(only),
        _ => None,
    })
}

pub(super) async fn count(
    connection: &mut SqliteConnection,
    table: &str,
) -> Result<u64, sqlx::Error> {
    let sql = format!("select count(*) from {}", quoted(table));
    let count: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
        .fetch_one(connection)
        .await?;
    Ok(count.unsigned_abs())
}
