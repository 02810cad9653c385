//! `mirage webhook …`

mod railway;

use std::io::Write;

use clap::{Args, Subcommand};

use crate::{cli::failure::Failure, exit::Exit};

/// Show where others send webhooks, which make Mirage look sooner
#[derive(Debug, Args)]
pub(crate) struct Webhook {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Railway(railway::Railway),
}

impl Webhook {
    pub(crate) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        match self.command {
            Command::Railway(verb) => verb.run(out).await,
        }
    }
}
