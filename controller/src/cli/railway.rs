//! `mirage railway …`

pub(super) mod browse;
mod doctor;

use std::io::Write;

use clap::{Args, Subcommand};

use crate::{cli::failure::Failure, exit::Exit};

/// Look at Railway itself: what is there, and whether the token is good
#[derive(Debug, Args)]
pub(crate) struct Railway {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Projects(browse::Projects),
    Environments(browse::Environments),
    Services(browse::Services),
    Deployments(browse::Deployments),
    Doctor(doctor::Doctor),
}

impl Railway {
    pub(crate) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        match self.command {
            Command::Projects(verb) => verb.run(out).await,
            Command::Environments(verb) => verb.run(out).await,
            Command::Services(verb) => verb.run(out).await,
            Command::Deployments(verb) => verb.run(out).await,
            Command::Doctor(verb) => verb.run(out).await,
        }
    }
}
