//! `mirage secrets …`

mod keys;
mod retire_key;
mod rotate_key;

use std::io::Write;

use clap::{Args, Subcommand};

use crate::{cli::failure::Failure, exit::Exit};

/// The master key under which secrets are sealed: show it, rotate it, retire old versions
#[derive(Debug, Args)]
pub(crate) struct Secrets {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Keys(keys::Keys),
    RotateKey(rotate_key::RotateKey),
    RetireKey(retire_key::RetireKey),
}

impl Secrets {
    pub(crate) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        match self.command {
            Command::Keys(verb) => verb.run(out).await,
            Command::RotateKey(verb) => verb.run(out).await,
            Command::RetireKey(verb) => verb.run(out).await,
        }
    }
}
