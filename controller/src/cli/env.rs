//! `mirage env …`

mod export;
mod file;
mod import;
mod plan;

use std::io::Write;

use clap::{Args, Subcommand};

use crate::{cli::failure::Failure, exit::Exit};

/// Bring variables in from a .env file, and write one
#[derive(Debug, Args)]
pub(crate) struct Env {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Import(import::Import),
    Export(export::Export),
}

impl Env {
    pub(crate) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        match self.command {
            Command::Import(verb) => verb.run(out).await,
            Command::Export(verb) => verb.run(out).await,
        }
    }
}
