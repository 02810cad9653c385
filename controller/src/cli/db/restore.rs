//! `mirage db restore`

use std::{io::Write, path::PathBuf};

use clap::Args;
use mirage_api::store::maintenance;

use super::{Which, counts};
use crate::{cli::failure::Failure, exit::Exit};

/// Put a backup into a database that no server uses
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage db restore mirage-2026-11-21.backup                                into the data folder's database
  mirage db restore mirage.backup --database postgres://mirage@db/mirage    also one that was made from SQLite
  mirage db restore mirage.backup --force                                   instead of what is there

The backup is verified first, and what was written afterwards; it is all one transaction. Put master.key into the data
folder before (or set MIRAGE_MASTER_KEY), so that it is seen whether it fits.
Versions go on far above the backup's, so that clients which remember a later one list anew.")]
pub(super) struct Restore {
    /// A file that `mirage db backup` made
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace everything that is there
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    which: Which,
}

impl Restore {
    pub(super) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let database = self.which.database();
        let _hold = self.which.hold()?;
        let sealer = self.which.sealer()?;
        let restored =
            maintenance::restore(&self.file, &database, sealer.as_ref(), self.force).await?;
        writeln!(
            out,
            "restored {} of {} into {database}: {}",
            self.file.display(),
            restored.backup.made_at,
            counts(&restored.backup.tables)
        )?;
        if restored.replaced > 0 {
            writeln!(
                out,
                "{} objects that were there before are gone",
                restored.replaced
            )?;
        }
        writeln!(
            out,
            "versions went up to {} and go on at {}",
            restored.backup.revision, restored.revision
        )?;
        match restored.opened {
            Some(count) => writeln!(out, "the master key fits: {count} sealed values open")?,
            None => writeln!(
                out,
                "no master key was found: put the one of the backup's server into {} before `mirage serve`, which would make another",
                self.which.data_dir.join("master.key").display()
            )?,
        }
        Ok(Exit::Success)
    }
}
