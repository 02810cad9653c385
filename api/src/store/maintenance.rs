//! What is done to a whole database: looking it over, backing it up, restoring it.
//!
//! ```text
//!   SQLite ─────┐                                     ┌────► SQLite
//!               ├─ snapshot ─► backup file ─► restore ┤
//!   PostgreSQL ─┘              (a SQLite file)        └────► PostgreSQL
//! ```
//!
//! # The backup file
//! A SQLite database with the schema that the source had, whatever backend that was, and one table more: `backup` says
//! when and of what it was made, and what every table must hold. Having the schema of its time it is brought up to date by
//! the same migrations as any other database.
//!
//! It has every table but the change log, which is of no use to a database that goes on elsewhere. Secrets are in it as
//! they are in the database, sealed; the key that opens them never is.
//!
//! # Versions after a restore
//! Between the backup and the restore the lost database may have given out versions that clients still hold. A restored
//! database therefore goes on [`STRIDE`] above the newest it knows of, and knows no changes below: whoever watches from a
//! version of the lost one is told to list anew, instead of waiting for changes that have another number now.

mod backup;
mod check;
mod contents;
mod database;
mod migrations;
mod postgres;
mod restore;
mod session;
mod sqlite;

use std::io;
use std::path::PathBuf;

pub use self::backup::{Backup, back_up};
pub use self::check::{Fault, Finding, Report, Severity, check};
pub use self::contents::TableContents;
pub use self::database::Database;
pub use self::restore::{Restored, restore};
use super::seal::SealError;
use super::{postgres as postgres_store, sqlite as sqlite_store};

/// How far above the newest known version a restored database goes on. At 1,000 writes a second the lost database would
/// have had to go on for 31 years (10^12 / 10^3 / 3.15 * 10^7) to give out as many; and a column holds nine million of them.
pub const STRIDE: u64 = 1_000_000_000_000;

/// Why a database could not be looked over, backed up or restored.
#[derive(Debug, thiserror::Error)]
pub enum MaintenanceError {
    /// There is no such file.
    #[error("there is no database {}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The SQLite database does not open.
    #[error("the database cannot be opened")]
    Sqlite(#[source] sqlite_store::OpenError),
    /// The PostgreSQL database does not open.
    #[error("the database cannot be opened")]
    Postgres(#[source] postgres_store::OpenError),
    /// The database refused a statement, or is damaged.
    #[error("{database} did not answer")]
    Statement {
        /// Which database.
        database: String,
        /// What it said.
        source: sqlx::Error,
    },
    /// It holds something, but nothing that Mirage made.
    #[error("{database} is no database of Mirage's")]
    Foreign {
        /// Which database.
        database: String,
    },
    /// A newer Mirage has been here.
    #[error("{database} has schema {version}, and this Mirage knows schemas up to {known}")]
    Newer {
        /// Which database.
        database: String,
        /// Its schema.
        version: i64,
        /// The newest one known here.
        known: i64,
    },
    /// Its schema is half one and half another, or none that was ever released.
    #[error("the schema of {database} is not one that Mirage made: step {version} {what}")]
    Schema {
        /// Which database.
        database: String,
        /// Which step.
        version: i64,
        /// What is wrong with the step.
        what: &'static str,
    },
    /// A file could not be read or written.
    #[error("cannot use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Something is there already.
    #[error("{} exists already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file is a database, but not one that a backup made.
    #[error("{} is no backup", path.display())]
    NotABackup {
        /// The file.
        path: PathBuf,
    },
    /// The backup is not what it was when it was made.
    #[error("the backup {} is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// A restore would replace what is there.
    #[error("{database} is not empty: it holds {objects} objects")]
    NotEmpty {
        /// Which database.
        database: String,
        /// How many.
        objects: u64,
    },
    /// Servers would go on with what they remember of the old content.
    #[error("{database} is in use: {sessions} sessions of Mirage servers are connected to it")]
    InUse {
        /// Which database.
        database: String,
        /// How many.
        sessions: i64,
    },
    /// What was sealed does not open with the master key at hand.
    #[error("the master key at hand does not open the backup's secrets: {first}")]
    WrongKey {
        /// Which one was tried first.
        first: String,
        /// Why it does not open.
        source: SealError,
    },
    /// What was written is not what was read. Nothing was kept.
    #[error("{database} does not hold what was written to it: table {table} differs")]
    Differs {
        /// Which database.
        database: String,
        /// Which table.
        table: String,
    },
    /// No number is left for the next version.
    #[error("the versions of {database} have come to their end")]
    OutOfVersions {
        /// Which database.
        database: String,
    },
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod upgrade;
