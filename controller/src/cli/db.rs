//! `mirage db`: the whole database, from the machine that has it.

mod backup;
mod check;
mod restore;

use std::{io::Write, path::PathBuf};

use clap::{Args, Subcommand};
use mirage_api::store::{
    maintenance::{Database, MaintenanceError, TableContents},
    seal::Sealer,
};

use crate::{
    cli::{connection::DATA_DIR, failure::Failure},
    exit::Exit,
    serve,
};

/// Look the database over, back it up, restore it
#[derive(Debug, Args)]
pub(crate) struct Db {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Check(check::Check),
    Backup(backup::Backup),
    Restore(restore::Restore),
}

impl Db {
    pub(crate) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        match self.verb {
            Verb::Check(verb) => verb.run(out).await,
            Verb::Backup(verb) => verb.run(out).await,
            Verb::Restore(verb) => verb.run(out).await,
        }
    }
}

/// Which database, said as `mirage serve` is told it.
#[derive(Debug, Args)]
struct Which {
    /// The server's data folder: the database, unless --database names another, and the master key
    #[arg(long, env = "MIRAGE_DATA_DIR", value_name = "DIR", default_value = DATA_DIR)]
    data_dir: PathBuf,
    /// The database: sqlite:PATH, or postgres://USER@HOST/DATABASE [default: mirage.db in the data folder]
    #[arg(
        long,
        env = "MIRAGE_DATABASE",
        value_name = "URL",
        hide_env_values = true
    )]
    database: Option<serve::Database>,
}

impl Which {
    fn database(&self) -> Database {
        match &self.database {
            None => Database::Sqlite(serve::usual_file(&self.data_dir)),
            Some(serve::Database::Sqlite(path)) => Database::Sqlite(path.clone()),
            Some(serve::Database::Postgres(address)) => Database::Postgres(address.clone()),
        }
    }

    /// Opens what the server seals, where its key is.
    fn sealer(&self) -> Result<Option<Sealer>, Failure> {
        Ok(serve::find_keys(&self.data_dir)?.map(Sealer::new))
    }

    /// Keeps servers away as long as the value lives. A shared database does so itself.
    fn hold(&self) -> Result<Option<serve::Hold>, Failure> {
        Ok(match &self.database {
            None => Some(serve::Hold::on_folder(&self.data_dir)?),
            Some(serve::Database::Sqlite(path)) => Some(serve::Hold::on_file(path)?),
            Some(serve::Database::Postgres(_)) => None,
        })
    }
}

/// How many rows, for people.
fn counts<'t>(tables: impl IntoIterator<Item = (&'t String, &'t TableContents)>) -> String {
    let counts: Vec<String> = tables
        .into_iter()
        .map(|(table, contents)| format!("{} {table}", contents.rows))
        .collect();
    counts.join(", ")
}

/// What to do about it.
pub(super) fn next_step(error: &MaintenanceError) -> Option<&'static str> {
    use MaintenanceError as E;
    Some(match error {
        E::Missing { .. } => {
            "name the server's data folder with --data-dir, or its database with --database"
        }
        E::Foreign { .. } => "name Mirage's own database with --database",
        E::Newer { .. } => "use the Mirage that wrote it, or a newer one",
        E::Schema { .. } => "restore a backup into an empty database with `mirage db restore`",
        E::Exists { .. } => "name another file, or replace this one with --force",
        E::NotABackup { .. } => {
            "name a file that `mirage db backup` made; a copy of a database can be used with --database sqlite:FILE"
        }
        E::Damaged { .. } => "use another backup; this one was altered or cut after it was made",
        E::NotEmpty { .. } => {
            "restore into another database, or add --force to replace everything in this one"
        }
        E::InUse { .. } => "stop every `mirage serve` on this database, then restore again",
        E::WrongKey { .. } => {
            "set MIRAGE_MASTER_KEY to the key in use when the backup was made, or put its master.key into the data folder"
        }
        E::Statement { .. } | E::Sqlite(_) => {
            "if the file is damaged, move it away together with the files ending in -wal and -shm, and restore a backup in its place"
        }
        _ => return None,
    })
}
