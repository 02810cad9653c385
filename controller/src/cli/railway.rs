//! `mirage railway …`

mod doctor;

use std::io::Write;

use clap::{Args, Subcommand};

use crate::{cli::failure::Failure, exit::Exit};

/// Look at Railway itself, with the token of the environment
#[derive(Debug, Args)]
pub(crate) struct Railway {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Doctor(doctor::Doctor),
}

impl Railway {
    pub(crate) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        match self.command {
            Command::Doctor(verb) => verb.run(out).await,
        }
    }
}
