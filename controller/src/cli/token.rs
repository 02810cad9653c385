//! `mirage token …`

mod create;
mod list;
mod revoke;

use std::io::Write;

use clap::{Args, Subcommand};

use crate::{cli::failure::Failure, exit::Exit};

/// Make, list and revoke bearer tokens
#[derive(Debug, Args)]
pub(crate) struct Token {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Create(create::Create),
    List(list::List),
    Revoke(revoke::Revoke),
}

impl Token {
    pub(crate) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        match self.command {
            Command::Create(verb) => verb.run(out).await,
            Command::List(verb) => verb.run(out).await,
            Command::Revoke(verb) => verb.run(out).await,
        }
    }
}
