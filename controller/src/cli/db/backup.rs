//! `mirage db backup`

use std::{
    io::{self, Write},
    path::PathBuf,
};

use clap::Args;
use jiff::Timestamp;
use mirage_api::store::maintenance;

use super::{Which, counts};
use crate::{cli::failure::Failure, exit::Exit};

/// Back a database up into a file; servers go on meanwhile
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage db backup mirage-$(date +%F).backup
  mirage db backup --database postgres://mirage@db/mirage nightly.backup --force

The file is of one moment, for its owner only, and appears whole or not at all. It can be restored into SQLite and into
PostgreSQL, whichever it came from.
Secrets are in it sealed. The master key is NOT: keep master.key of the data folder (or MIRAGE_MASTER_KEY) too, and
apart from the backup. Whoever has both has the secrets; whoever has only the backup has lost them.")]
pub(super) struct Backup {
    /// The file to write
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    which: Which,
}

impl Backup {
    pub(super) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let database = self.which.database();
        let backup =
            maintenance::back_up(&database, &self.file, self.force, Timestamp::now()).await?;
        writeln!(
            out,
            "backed up {database} at version {} to {}: {}",
            backup.revision,
            self.file.display(),
            counts(&backup.tables)
        )?;
        // To people, not to the script that reads the line above.
        writeln!(
            io::stderr(),
            "The key that opens its secrets is not in it: keep {} too, apart from the backup.",
            if std::env::var_os("MIRAGE_MASTER_KEY").is_some() {
                "MIRAGE_MASTER_KEY".to_owned()
            } else {
                self.which.data_dir.join("master.key").display().to_string()
            }
        )?;
        Ok(Exit::Success)
    }
}
