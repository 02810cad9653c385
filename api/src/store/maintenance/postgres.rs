//! PostgreSQL's half of [`Session`](super::session::Session).

use futures::stream::{BoxStream, StreamExt as _};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Executor as _, Row as _};

use super::MaintenanceError;
use super::session::{Applied, Row, Table, quoted};
use crate::store::postgres::{Address, SEAT, open};

pub(super) async fn connect(address: &Address) -> Result<PgConnection, MaintenanceError> {
    let mut connection = open::session(address)
        .await
        .map_err(MaintenanceError::Postgres)?;
    // A whole database takes longer than a server's statements may, and this session is no server's.
    connection
        .execute(
            "set statement_timeout = 0;
            set idle_in_transaction_session_timeout = 0;
            set application_name = 'mirage db'",
        )
        .await
        .map_err(|source| MaintenanceError::Statement {
            database: address.to_string(),
            source,
        })?;
    Ok(connection)
}

/// How many sessions servers have with this database.
pub(super) async fn servers(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "select count(*)
        from pg_stat_activity
        where datname = current_database()
            and application_name = 'mirage'
            and pid <> pg_backend_pid()",
    )
    .fetch_one(connection)
    .await
}

/// Takes the seat of the controllers, for as long as the session lasts; whether nobody else has it.
pub(super) async fn take_seat(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("select pg_try_advisory_lock($1)")
        .bind(SEAT)
        .fetch_one(connection)
        .await
}

pub(super) async fn begin_reading(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    connection
        .execute("begin isolation level repeatable read read only")
        .await
        .map(drop)
}

pub(super) async fn begin_writing(
    connection: &mut PgConnection,
    tables: &[Table],
) -> Result<(), sqlx::Error> {
    run(connection, "begin".to_owned()).await?;
    for table in tables {
        let lock = format!(
            "lock table {} in access exclusive mode",
            quoted(&table.name)
        );
        run(connection, lock).await?;
    }
    Ok(())
}

pub(super) async fn commit(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    connection.execute("commit").await.map(drop)
}

/// PostgreSQL keeps that to itself: its checksums fail the read that meets a damaged page.
pub(super) async fn damages(_connection: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    Ok(Vec::new())
}

pub(super) async fn applied(
    connection: &mut PgConnection,
) -> Result<Option<Vec<Applied>>, sqlx::Error> {
    let is_there: bool = sqlx::query_scalar("select to_regclass('_sqlx_migrations') is not null")
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
    let applied = |row: &PgRow| {
        Ok(Applied {
            version: row.try_get("version")?,
            is_finished: row.try_get("success")?,
            checksum: row.try_get("checksum")?,
        })
    };
    rows.iter().map(applied).collect::<Result<_, _>>().map(Some)
}

pub(super) async fn tables(connection: &mut PgConnection) -> Result<Vec<Table>, sqlx::Error> {
    let rows = sqlx::query_as(
        "select
            own.relname::text,
            columns.attname::text,
            format_type(columns.atttypid, columns.atttypmod)
        from pg_class as own
        join pg_attribute as columns on columns.attrelid = own.oid
        where own.relnamespace = current_schema()::regnamespace
            and own.relkind in ('r', 'p')
            and own.relname <> '_sqlx_migrations'
            and columns.attnum > 0
            and not columns.attisdropped
        order by own.relname::text collate \"C\", columns.attname::text collate \"C\"",
    )
    .fetch_all(connection)
    .await?;
    Ok(Table::collect(rows))
}

pub(super) fn rows<'s>(
    connection: &'s mut PgConnection,
    table: &Table,
    order: Option<&str>,
) -> BoxStream<'s, Result<Row, sqlx::Error>> {
    let columns = table.columns(|_, column| format!("{}::text", quoted(&column.name)));
    let order = order.map_or_else(String::new, |column| {
        format!(" order by {}", quoted(column))
    });
    let sql = format!(
        "select {columns} from {} as own{order}",
        quoted(&table.name)
    );
    let width = table.columns.len();
    sqlx::query(AssertSqlSafe(sql))
        .fetch(connection)
        .map(move |row| values(&row?, width))
        .boxed()
}

fn values(row: &PgRow, width: usize) -> Result<Row, sqlx::Error> {
    (0..width).map(|nth| row.try_get(nth)).collect()
}

pub(super) async fn clear(
    connection: &mut PgConnection,
    tables: &[Table],
) -> Result<(), sqlx::Error> {
    for table in tables {
        let name = quoted(&table.name);
        run(
            connection,
            format!("alter table {name} disable trigger user"),
        )
        .await?;
        run(connection, format!("delete from {name}")).await?;
    }
    Ok(())
}

pub(super) async fn insert(
    connection: &mut PgConnection,
    table: &Table,
    rows: Vec<Row>,
) -> Result<(), sqlx::Error> {
    let sql = format!(
        "insert into {} ({}) overriding system value select {} from unnest({}) as given ({})",
        quoted(&table.name),
        table.columns(|_, column| quoted(&column.name)),
        table.columns(|nth, column| format!("value_{nth}::{}", column.kind)),
        table.columns(|nth, _| format!("${}::text[]", nth + 1)),
        table.columns(|nth, _| format!("value_{nth}")),
    );
    let mut columns: Vec<Vec<Option<String>>> = vec![Vec::new(); table.columns.len()];
    for row in rows {
        for (column, value) in columns.iter_mut().zip(row) {
            column.push(value);
        }
    }
    let mut statement = sqlx::query(AssertSqlSafe(sql));
    for column in columns {
        statement = statement.bind(column);
    }
    statement.execute(connection).await.map(drop)
}

pub(super) async fn settle(
    connection: &mut PgConnection,
    tables: &[Table],
) -> Result<(), sqlx::Error> {
    for table in tables {
        let name = quoted(&table.name);
        for column in &table.columns {
            let counter: Option<String> =
                sqlx::query_scalar("select pg_get_serial_sequence($1, $2)")
                    .bind(&name)
                    .bind(&column.name)
                    .fetch_one(&mut *connection)
                    .await?;
            if let Some(counter) = counter {
                let sql = format!(
                    "select setval($1, (select coalesce(max({}), 0) + 1 from {name}), false)",
                    quoted(&column.name)
                );
                sqlx::query(AssertSqlSafe(sql))
                    .bind(counter)
                    .execute(&mut *connection)
                    .await?;
            }
        }
        run(
            connection,
            format!("alter table {name} enable trigger user"),
        )
        .await?;
    }
    Ok(())
}

pub(super) async fn run(connection: &mut PgConnection, sql: String) -> Result<(), sqlx::Error> {
    connection.execute(AssertSqlSafe(sql)).await.map(drop)
}

pub(super) async fn state(
    connection: &mut PgConnection,
) -> Result<Option<(i64, i64)>, sqlx::Error> {
    let rows: Vec<(i64, i64)> = sqlx::query_as("select revision, floor from store_state")
        .fetch_all(connection)
        .await?;
    Ok(match rows[..] {
        [only] => Some(only),
        _ => None,
    })
}

pub(super) async fn count(connection: &mut PgConnection, table: &str) -> Result<u64, sqlx::Error> {
    let sql = format!("select count(*) from {}", quoted(table));
    let count: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
        .fetch_one(connection)
        .await?;
    Ok(count.unsigned_abs())
}
