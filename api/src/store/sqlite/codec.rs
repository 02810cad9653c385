//! Rows to our types.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::store::column::{column_to_document, column_to_kind, column_to_revision};
use crate::store::{Change, Key, Stored};

fn key(row: &SqliteRow) -> Result<Key, sqlx::Error> {
    Ok(Key {
        resource: row.try_get("resource")?,
        namespace: row.try_get("namespace")?,
        name: row.try_get("name")?,
    })
}

/// A row of `objects`.
pub(super) fn stored(row: &SqliteRow) -> Result<Stored, sqlx::Error> {
    Ok(Stored {
        key: key(row)?,
        revision: column_to_revision(row.try_get("revision")?)?,
        object: column_to_document(row.try_get("object")?)?,
    })
}

/// A row of `changes`.
pub(super) fn change(row: &SqliteRow) -> Result<Change, sqlx::Error> {
    Ok(Change {
        revision: column_to_revision(row.try_get("revision")?)?,
        key: key(row)?,
        kind: column_to_kind(row.try_get("kind")?)?,
        object: column_to_document(row.try_get("object")?)?,
        previous: row
            .try_get::<Option<&str>, _>("previous")?
            .map(column_to_document)
            .transpose()?,
    })
}
