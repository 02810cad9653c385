//! Reads, each one statement: one statement is one snapshot and one round trip. The one row of the state comes along
//! with each row that is asked for, or alone when there is none.

use sqlx::postgres::{PgConnection, PgPool, PgRow};
use sqlx::{Executor, Postgres, Row};

use super::codec::{self, has_nul, without_nul};
use crate::store::audit::{self, AuditQuery, Recorded};
use crate::store::column::{column_to_revision, revision_to_column};
use crate::store::position::{position, position_in};
use crate::store::{Change, Key, ListQuery, Page, StoreError, Stored, read_through};

pub(super) async fn newest(connection: &mut PgConnection) -> Result<u64, sqlx::Error> {
    newest_of(connection).await
}

pub(super) async fn newest_of<'c>(
    executor: impl Executor<'c, Database = Postgres>,
) -> Result<u64, sqlx::Error> {
    let revision: i64 = sqlx::query_scalar("select revision from store_state")
        .fetch_one(executor)
        .await?;
    column_to_revision(revision)
}

pub(super) async fn get(readers: &PgPool, key: &Key) -> Result<Option<Stored>, StoreError> {
    if has_nul(key) {
        return Ok(None);
    }
    let row = sqlx::query(
        "select resource, namespace, name, revision, object
        from objects
        where resource = $1 and namespace = $2 and name = $3",
    )
    .bind(&key.resource)
    .bind(&key.namespace)
    .bind(&key.name)
    .fetch_optional(readers)
    .await?;
    Ok(row.as_ref().map(codec::stored).transpose()?)
}

pub(super) async fn list(readers: &PgPool, query: &ListQuery) -> Result<Page, StoreError> {
    let rows = match &query.namespace {
        None => list_everywhere(readers, query).await?,
        Some(namespace) => match position_in(query, namespace) {
            Some(after) if !namespace.contains('\0') => {
                list_namespace(readers, query, namespace, after).await?
            }
            _ => {
                return Ok(Page {
                    items: Vec::new(),
                    revision: newest_of(readers).await?,
                    remaining: 0,
                });
            }
        },
    };
    let state = rows.first().ok_or(sqlx::Error::RowNotFound)?;
    let newest = column_to_revision(state.try_get("newest")?)?;
    let matching = column_to_revision(state.try_get("matching")?)?;
    let items = items(&rows, codec::stored)?;
    // Not counted where there is no limit: then the items are all.
    let remaining = matching.saturating_sub(items.len() as u64);
    Ok(Page {
        items,
        revision: newest,
        remaining,
    })
}

/// The rows, unless there is only the state's, with nothing beside it.
fn items<T>(
    rows: &[PgRow],
    item: impl Fn(&PgRow) -> Result<T, sqlx::Error>,
) -> Result<Vec<T>, sqlx::Error> {
    match rows {
        [only] if only.try_get::<Option<i64>, _>("revision")?.is_none() => Ok(Vec::new()),
        rows => rows.iter().map(item).collect(),
    }
}

async fn list_everywhere(readers: &PgPool, query: &ListQuery) -> Result<Vec<PgRow>, sqlx::Error> {
    let (namespace, name) = without_nul(position(query));
    sqlx::query(
        "select
            store_state.revision as newest,
            case
                when $4::bigint is null then 0
                else (
                    select count(*)
                    from objects
                    where resource = $1 and (namespace, name) > ($2, $3)
                )
            end as matching,
            page.resource,
            page.namespace,
            page.name,
            page.revision,
            page.object
        from store_state
        left join lateral (
            select resource, namespace, name, revision, object
            from objects
            where resource = $1 and (namespace, name) > ($2, $3)
            order by namespace, name
            limit $4
        ) as page on true
        order by page.namespace, page.name",
    )
    .bind(&query.resource)
    .bind(namespace)
    .bind(name)
    .bind(query.limit.map(rows_at_most))
    .fetch_all(readers)
    .await
}

async fn list_namespace(
    readers: &PgPool,
    query: &ListQuery,
    namespace: &str,
    after: &str,
) -> Result<Vec<PgRow>, sqlx::Error> {
    let (namespace, after) = without_nul((namespace, after));
    sqlx::query(
        "select
            store_state.revision as newest,
            case
                when $4::bigint is null then 0
                else (
                    select count(*)
                    from objects
                    where resource = $1 and namespace = $2 and name > $3
                )
            end as matching,
            page.resource,
            page.namespace,
            page.name,
            page.revision,
            page.object
        from store_state
        left join lateral (
            select resource, namespace, name, revision, object
            from objects
            where resource = $1 and namespace = $2 and name > $3
            order by name
            limit $4
        ) as page on true
        order by page.name",
    )
    .bind(&query.resource)
    .bind(namespace)
    .bind(after)
    .bind(query.limit.map(rows_at_most))
    .fetch_all(readers)
    .await
}

fn rows_at_most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

pub(super) async fn changes(
    readers: &PgPool,
    resource: &str,
    namespace: Option<&str>,
    after: u64,
    limit: usize,
) -> Result<(Vec<Change>, u64), StoreError> {
    // No namespace has a NUL in its name, so that nothing ever happened there.
    let is_nowhere = namespace.is_some_and(|namespace| namespace.contains('\0'));
    let rows = sqlx::query(
        "select
            store_state.revision as newest,
            store_state.floor,
            page.revision,
            page.resource,
            page.namespace,
            page.name,
            page.kind,
            page.object,
            page.previous
        from store_state
        left join lateral (
            select revision, resource, namespace, name, kind, object, previous
            from changes
            where resource = $1
                and revision > $2
                and ($3::text is null or namespace = $3)
            order by revision
            limit $4
        ) as page on true
        order by page.revision",
    )
    .bind(resource)
    .bind(revision_to_column(after))
    .bind(namespace.filter(|_| !is_nowhere))
    .bind(if is_nowhere { 0 } else { rows_at_most(limit) })
    .fetch_all(readers)
    .await?;
    logged(&rows, after, limit)
}

pub(super) async fn log(
    readers: &PgPool,
    after: u64,
    limit: usize,
) -> Result<(Vec<Change>, u64), StoreError> {
    let rows = sqlx::query(
        "select
            store_state.revision as newest,
            store_state.floor,
            page.revision,
            page.resource,
            page.namespace,
            page.name,
            page.kind,
            page.object,
            page.previous
        from store_state
        left join lateral (
            select revision, resource, namespace, name, kind, object, previous
            from changes
            where revision > $1
            order by revision
            limit $2
        ) as page on true
        order by page.revision",
    )
    .bind(revision_to_column(after))
    .bind(rows_at_most(limit))
    .fetch_all(readers)
    .await?;
    logged(&rows, after, limit)
}

/// Changes from rows that carry the state, and through which revision they have been read.
fn logged(rows: &[PgRow], after: u64, limit: usize) -> Result<(Vec<Change>, u64), StoreError> {
    let state = rows.first().ok_or(sqlx::Error::RowNotFound)?;
    let newest = column_to_revision(state.try_get("newest")?)?;
    let floor = column_to_revision(state.try_get("floor")?)?;
    if after < floor {
        return Err(StoreError::Compacted { floor });
    }
    let changes = items(rows, codec::change)?;
    let through = read_through(&changes, after, limit, newest);
    Ok((changes, through))
}

pub(super) async fn audit(
    readers: &PgPool,
    query: &AuditQuery,
) -> Result<Vec<Recorded>, StoreError> {
    let rows = audit::select::<Postgres>(query)
        .build()
        .fetch_all(readers)
        .await?;
    Ok(rows.iter().map(audit::recorded).collect::<Result<_, _>>()?)
}
