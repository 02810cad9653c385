//! Our values as the columns of a SQL database and back, alike for every backend. SQL's integers are signed; revisions
//! are far from the sign.

use super::{ChangeKind, Document, StoreError};

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::unavailable(error)
    }
}

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

pub(super) fn column_to_kind(column: &str) -> Result<ChangeKind, sqlx::Error> {
    match column {
        "created" => Ok(ChangeKind::Created),
        "updated" => Ok(ChangeKind::Updated),
        "deleted" => Ok(ChangeKind::Deleted),
        other => Err(sqlx::Error::Decode(
            format!("{other:?} is no kind of change").into(),
        )),
    }
}

pub(super) fn column_to_document(text: &str) -> Result<Document, sqlx::Error> {
    Document::parse(text).map_err(|error| sqlx::Error::Decode(error.into()))
}
