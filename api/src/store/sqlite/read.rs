//! Reads, each from one snapshot: what needs two statements runs them in one transaction.

use sqlx::sqlite::{SqliteConnection, SqlitePool, SqliteRow, SqliteTransaction};
use sqlx::{AssertSqlSafe, Row, Sqlite};

use super::codec;
use crate::store::audit::{self, AuditQuery, Recorded};
use crate::store::column::{column_to_revision, revision_to_column};
use crate::store::position::{position, position_in};
use crate::store::{Change, Key, ListQuery, Page, StoreError, Stored, read_through};

/// SQLite reads a negative limit as none.
const NO_LIMIT: i64 = -1;

pub(super) async fn newest(connection: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
    let revision: i64 = sqlx::query_scalar("select revision from store_state")
        .fetch_one(connection)
        .await?;
    column_to_revision(revision)
}

const GET: &str = "
    select resource, namespace, name, revision, object
    from objects
    where resource = ?1 and namespace = ?2 and name = ?3";

pub(super) async fn get(readers: &SqlitePool, key: &Key) -> Result<Option<Stored>, StoreError> {
    let row = sqlx::query(GET)
        .bind(&key.resource)
        .bind(&key.namespace)
        .bind(&key.name)
        .fetch_optional(readers)
        .await?;
    Ok(row.as_ref().map(codec::stored).transpose()?)
}

/// The documents of `wanted`, as far as they are there. In this order whatever SQLite thinks of it, and from the outside,
/// as the view has it.
const SEVERAL: &str = ") as wanted
    cross join heads
        on heads.resource = wanted.column1
        and heads.namespace = wanted.column2
        and heads.name = wanted.column3
    left join versions on versions.revision = heads.revision";

/// For a power of two of objects, so that there are few different texts; those that are too many are null.
fn several_of(objects: usize) -> String {
    let more = ", (?, ?, ?)".repeat(objects.next_power_of_two() - 1);
    format!(
        "select heads.resource, heads.namespace, heads.name, heads.revision, versions.object
    from (values (?, ?, ?){more}{SEVERAL}"
    )
}

/// Those of these objects that are there.
pub(super) async fn several(
    connection: &mut SqliteConnection,
    keys: &[&Key],
) -> Result<Vec<Stored>, sqlx::Error> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let mut statement = sqlx::query(AssertSqlSafe(several_of(keys.len())));
    for key in keys {
        statement = statement
            .bind(&*key.resource)
            .bind(&*key.namespace)
            .bind(&*key.name);
    }
    let rows = statement.fetch_all(connection).await?;
    rows.iter().map(codec::stored).collect()
}

pub(super) async fn list(readers: &SqlitePool, query: &ListQuery) -> Result<Page, StoreError> {
    let mut snapshot = readers.begin().await?;
    let revision = newest(&mut snapshot).await?;
    let items = match &query.namespace {
        Some(namespace) => list_namespace(&mut snapshot, query, namespace).await?,
        None => list_everywhere(&mut snapshot, query).await?,
    };
    let is_cut = query.limit.is_some_and(|limit| items.len() >= limit);
    let remaining = if is_cut {
        let last = items
            .last()
            .map(|item| (item.key.namespace.clone(), item.key.name.clone()));
        let rest = ListQuery {
            after: last.or_else(|| query.after.clone()),
            ..query.clone()
        };
        count(&mut snapshot, &rest).await?
    } else {
        0
    };
    snapshot.commit().await?;
    Ok(Page {
        items,
        revision,
        remaining,
    })
}

const LIST_EVERYWHERE: &str = "
    select resource, namespace, name, revision, object
    from objects
    where resource = ?1 and (namespace, name) > (?2, ?3)
    order by namespace, name
    limit ?4";

async fn list_everywhere(
    snapshot: &mut SqliteTransaction<'_>,
    query: &ListQuery,
) -> Result<Vec<Stored>, sqlx::Error> {
    let (namespace, name) = position(query);
    let rows = sqlx::query(LIST_EVERYWHERE)
        .bind(&query.resource)
        .bind(namespace)
        .bind(name)
        .bind(limit(query))
        .fetch_all(&mut **snapshot)
        .await?;
    rows.iter().map(codec::stored).collect()
}

const LIST_NAMESPACE: &str = "
    select resource, namespace, name, revision, object
    from objects
    where resource = ?1 and namespace = ?2 and name > ?3
    order by name
    limit ?4";

async fn list_namespace(
    snapshot: &mut SqliteTransaction<'_>,
    query: &ListQuery,
    namespace: &str,
) -> Result<Vec<Stored>, sqlx::Error> {
    let Some(name) = position_in(query, namespace) else {
        return Ok(Vec::new());
    };
    let rows = sqlx::query(LIST_NAMESPACE)
        .bind(&query.resource)
        .bind(namespace)
        .bind(name)
        .bind(limit(query))
        .fetch_all(&mut **snapshot)
        .await?;
    rows.iter().map(codec::stored).collect()
}

// Without the documents, which the view would bring along.
const COUNT_NAMESPACE: &str = "
    select count(*)
    from heads
    where resource = ?1 and namespace = ?2 and name > ?3";

const COUNT_EVERYWHERE: &str = "
    select count(*)
    from heads
    where resource = ?1 and (namespace, name) > (?2, ?3)";

async fn count(
    snapshot: &mut SqliteTransaction<'_>,
    query: &ListQuery,
) -> Result<u64, sqlx::Error> {
    let statement = match &query.namespace {
        Some(namespace) => {
            let Some(name) = position_in(query, namespace) else {
                return Ok(0);
            };
            sqlx::query::<Sqlite>(COUNT_NAMESPACE)
                .bind(&query.resource)
                .bind(namespace)
                .bind(name)
        }
        None => {
            let (namespace, name) = position(query);
            sqlx::query::<Sqlite>(COUNT_EVERYWHERE)
                .bind(&query.resource)
                .bind(namespace)
                .bind(name)
        }
    };
    let row = statement.fetch_one(&mut **snapshot).await?;
    column_to_revision(row.try_get(0)?)
}

fn limit(query: &ListQuery) -> i64 {
    query
        .limit
        .map_or(NO_LIMIT, |limit| i64::try_from(limit).unwrap_or(i64::MAX))
}

/// The rows of `changes` with the state, which has one row: that comes along with each change, or alone when there is none.
/// One statement is one snapshot. Not read through the view: with its bound, the floor, beside `?1` it would be open from
/// which of the two SQLite begins to read.
macro_rules! log {
    ($narrower:literal) => {
        concat!(
            "
    select
        store_state.revision as newest,
        store_state.floor,
        versions.revision,
        versions.resource,
        versions.namespace,
        versions.name,
        versions.kind,
        versions.object,
        past.object as previous
    from store_state
    left join versions
        on versions.revision > max(?1, store_state.floor)",
            $narrower,
            "
    left join versions as past on past.revision = versions.previous
    where store_state.id = 1
    order by versions.revision
    limit ?2"
        )
    };
}

const LOG: &str = log!("");

const CHANGES: &str = log!(
    "
        and versions.resource = ?3
        and (?4 is null or versions.namespace = ?4)"
);

pub(super) async fn changes(
    readers: &SqlitePool,
    resource: &str,
    namespace: Option<&str>,
    after: u64,
    limit: usize,
) -> Result<(Vec<Change>, u64), StoreError> {
    let rows = sqlx::query(CHANGES)
        .bind(revision_to_column(after))
        .bind(at_least_the_state(limit))
        .bind(resource)
        .bind(namespace)
        .fetch_all(readers)
        .await?;
    logged(&rows, after, limit)
}

pub(super) async fn log(
    readers: &SqlitePool,
    after: u64,
    limit: usize,
) -> Result<(Vec<Change>, u64), StoreError> {
    let rows = sqlx::query(LOG)
        .bind(revision_to_column(after))
        .bind(at_least_the_state(limit))
        .fetch_all(readers)
        .await?;
    logged(&rows, after, limit)
}

fn at_least_the_state(limit: usize) -> i64 {
    i64::try_from(limit.max(1)).unwrap_or(i64::MAX)
}

/// Changes from rows that carry the state, and through which revision they have been read.
fn logged(rows: &[SqliteRow], after: u64, limit: usize) -> Result<(Vec<Change>, u64), StoreError> {
    let state = rows.first().ok_or(sqlx::Error::RowNotFound)?;
    let newest = column_to_revision(state.try_get("newest")?)?;
    let floor = column_to_revision(state.try_get("floor")?)?;
    if after < floor {
        return Err(StoreError::Compacted { floor });
    }
    let is_without_change = state.try_get::<Option<i64>, _>("revision")?.is_none();
    let changes = rows
        .iter()
        .take(if is_without_change { 0 } else { limit })
        .map(codec::change)
        .collect::<Result<Vec<_>, _>>()?;
    let through = read_through(&changes, after, limit, newest);
    Ok((changes, through))
}

pub(super) async fn audit(
    readers: &SqlitePool,
    query: &AuditQuery,
) -> Result<Vec<Recorded>, StoreError> {
    let rows = audit::select::<Sqlite>(query)
        .build()
        .fetch_all(readers)
        .await?;
    Ok(rows.iter().map(audit::recorded).collect::<Result<_, _>>()?)
}

#[cfg(test)]
pub(super) mod tests;
