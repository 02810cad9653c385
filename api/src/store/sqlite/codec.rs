//! Rows to our types.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::store::column::{column_to_document, column_to_kind, column_to_revision};
use crate::store::{Change, ChangeKind, Key, Stored};

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
    let kind = column_to_kind(row.try_get("kind")?)?;
    let previous: Option<&str> = row.try_get("previous")?;
    // It comes from a row of its own. One that is missing must not look like one that never was.
    if (kind == ChangeKind::Created) != previous.is_none() {
        let missing = "the version before a change is missing";
        return Err(sqlx::Error::Decode(missing.into()));
    }
    Ok(Change {
        revision: column_to_revision(row.try_get("revision")?)?,
        key: key(row)?,
        kind,
        object: column_to_document(row.try_get("object")?)?,
        previous: previous.map(column_to_document).transpose()?,
    })
}
