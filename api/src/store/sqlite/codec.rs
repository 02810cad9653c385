//! Rows and columns to our types and back. SQLite's integers are signed; revisions are far from the sign.

use serde_json::Value;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::store::{Change, ChangeKind, Key, Stored};

pub(super) fn revision_to_column(revision: u64) -> i64 {
    // At a million writes a second the largest column value is reached in 292,000 years: 2^63 / 10^6 / 3.15 * 10^7.
    i64::try_from(revision).unwrap_or(i64::MAX)
}

pub(super) fn column_to_revision(column: i64) -> Result<u64, sqlx::Error> {
    u64::try_from(column).map_err(|error| sqlx::Error::Decode(error.into()))
}

pub(super) fn kind_to_column(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Created => "created",
        ChangeKind::Updated => "updated",
        ChangeKind::Deleted => "deleted",
    }
}

fn column_to_kind(column: &str) -> Result<ChangeKind, sqlx::Error> {
    match column {
        "created" => Ok(ChangeKind::Created),
        "updated" => Ok(ChangeKind::Updated),
        "deleted" => Ok(ChangeKind::Deleted),
        other => Err(sqlx::Error::Decode(
            format!("{other:?} is no kind of change").into(),
        )),
    }
}

fn key(row: &SqliteRow) -> Result<Key, sqlx::Error> {
    Ok(Key {
        resource: row.try_get("resource")?,
        namespace: row.try_get("namespace")?,
        name: row.try_get("name")?,
    })
}

fn document(text: &str) -> Result<Value, sqlx::Error> {
    // serde_json's message names a line and a column, not the content.
    serde_json::from_str(text).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// A row of `objects`.
pub(super) fn stored(row: &SqliteRow) -> Result<Stored, sqlx::Error> {
    Ok(Stored {
        key: key(row)?,
        revision: column_to_revision(row.try_get("revision")?)?,
        object: document(row.try_get("object")?)?,
    })
}

/// A row of `changes`.
pub(super) fn change(row: &SqliteRow) -> Result<Change, sqlx::Error> {
    Ok(Change {
        revision: column_to_revision(row.try_get("revision")?)?,
        key: key(row)?,
        kind: column_to_kind(row.try_get("kind")?)?,
        object: document(row.try_get("object")?)?,
        previous: row
            .try_get::<Option<&str>, _>("previous")?
            .map(document)
            .transpose()?,
    })
}
