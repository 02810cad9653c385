//! Which database.

use std::fmt;
use std::path::PathBuf;

use super::MaintenanceError;
use super::session::Session;
use super::{postgres, sqlite};
use crate::store::postgres::Address;

/// A database, of either backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres(Address),
}

impl Database {
    /// The backend's name.
    pub fn backend(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgres",
        }
    }

    /// A session with it as it is: nothing is made, and nothing brought up to date.
    pub(super) async fn connect(&self) -> Result<Session, MaintenanceError> {
        match self {
            Self::Sqlite(path) => Ok(Session::Sqlite(sqlite::connect(path).await?)),
            Self::Postgres(address) => Ok(Session::Postgres(postgres::connect(address).await?)),
        }
    }

    /// For `map_err`.
    pub(super) fn statement(&self) -> impl Fn(sqlx::Error) -> MaintenanceError + '_ {
        |source| MaintenanceError::Statement {
            database: self.to_string(),
            source,
        }
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(f),
            Self::Postgres(address) => address.fmt(f),
        }
    }
}
