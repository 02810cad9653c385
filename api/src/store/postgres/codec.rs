//! Rows to our types, and what PostgreSQL's text cannot hold.

use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::store::column::{column_to_document, column_to_kind, column_to_revision};
use crate::store::{Change, Key, Stored};

/// The largest character there is: text that ends in it comes behind all that begins alike.
const LAST: char = '\u{10FFFF}';

/// PostgreSQL refuses text with a NUL in it; no stored key has one.
pub(super) fn has_nul(key: &Key) -> bool {
    [&key.resource, &key.namespace, &key.name]
        .iter()
        .any(|part| part.contains('\0'))
}

/// A position in the same place among keys without a NUL: a name is behind `a\0…` exactly when it is behind `a`.
pub(super) fn without_nul<'a>((namespace, name): (&'a str, &'a str)) -> (&'a str, String) {
    match namespace.split_once('\0') {
        // Behind every name of the namespace before it.
        Some((namespace, _)) => (namespace, LAST.into()),
        None => (
            namespace,
            name.split('\0').next().unwrap_or_default().to_owned(),
        ),
    }
}

fn key(row: &PgRow) -> Result<Key, sqlx::Error> {
    Ok(Key {
        resource: row.try_get("resource")?,
        namespace: row.try_get("namespace")?,
        name: row.try_get("name")?,
    })
}

/// A row of `objects`.
pub(super) fn stored(row: &PgRow) -> Result<Stored, sqlx::Error> {
    Ok(Stored {
        key: key(row)?,
        revision: column_to_revision(row.try_get("revision")?)?,
        object: column_to_document(row.try_get("object")?)?,
    })
}

/// A row of `objects` whose document stays as it is.
pub(super) fn current(row: &PgRow) -> Result<(Key, (u64, String)), sqlx::Error> {
    let revision = column_to_revision(row.try_get("revision")?)?;
    Ok((key(row)?, (revision, row.try_get("object")?)))
}

/// A row of `changes`.
pub(super) fn change(row: &PgRow) -> Result<Change, sqlx::Error> {
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
