//! The one question to the table of the audit log, alike for every database.

use sqlx::{ColumnIndex, Database, Decode, Encode, QueryBuilder, Row, Type};

use super::{AuditOrder, AuditQuery, Ended, Recorded};
use crate::store::column::{column_to_document, column_to_revision, revision_to_column};

/// The statement with its values. Only what is asked for stands in it, so that a database sees which index serves.
pub(in crate::store) fn select<DB: Database>(query: &AuditQuery) -> QueryBuilder<DB>
where
    for<'v> String: Encode<'v, DB> + Type<DB>,
    for<'v> i64: Encode<'v, DB> + Type<DB>,
{
    // Every field, so that one that is added is not forgotten here.
    let AuditQuery {
        namespace,
        name,
        resource,
        username,
        verb,
        ended,
        since,
        until,
        without_routine,
        order,
        behind,
        limit,
    } = query;
    let mut statement =
        QueryBuilder::new("select sequence, revision, record from audit where true");
    for (column, wanted) in [
        ("namespace", namespace),
        ("name", name),
        ("resource", resource),
        ("username", username),
        ("verb", verb),
    ] {
        if let Some(wanted) = wanted {
            statement
                .push(format_args!(" and {column} = "))
                // No entry has a NUL to search by, and not every database takes one.
                .push_bind(wanted.replace('\0', "\u{fffd}"));
        }
    }
    match ended {
        None => {}
        Some(Ended::Done) => {
            statement.push(" and code < 400");
        }
        Some(Ended::Refused) => {
            statement.push(" and code >= 400");
        }
        Some(Ended::With(code)) => {
            statement.push(" and code = ").push_bind(i64::from(*code));
        }
    }
    if let Some(since) = since {
        statement
            .push(" and time >= ")
            .push_bind(since.as_microsecond());
    }
    if let Some(until) = until {
        statement
            .push(" and time < ")
            .push_bind(until.as_microsecond());
    }
    if *without_routine {
        statement.push(" and is_routine = 0");
    }
    let (comparison, direction) = match order {
        AuditOrder::NewestFirst => ("<", "desc"),
        AuditOrder::OldestFirst => (">", "asc"),
    };
    if let Some(behind) = behind {
        statement
            .push(format_args!(" and sequence {comparison} "))
            .push_bind(revision_to_column(*behind));
    }
    statement
        .push(format_args!(" order by sequence {direction} limit "))
        .push_bind(i64::try_from(*limit).unwrap_or(i64::MAX));
    statement
}

/// A row of the answer.
pub(in crate::store) fn recorded<R: Row>(row: &R) -> Result<Recorded, sqlx::Error>
where
    for<'a> &'a str: ColumnIndex<R>,
    for<'r> i64: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> String: Decode<'r, R::Database> + Type<R::Database>,
{
    Ok(Recorded {
        sequence: column_to_revision(row.try_get("sequence")?)?,
        revision: row
            .try_get::<Option<i64>, _>("revision")?
            .map(column_to_revision)
            .transpose()?,
        record: column_to_document(&row.try_get::<String, _>("record")?)?.into_value(),
    })
}
