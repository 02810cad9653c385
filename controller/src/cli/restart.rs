//! `mirage restart`

use std::io::Write;

use clap::Args;
use mirage_specs::wake::RESTART;

use crate::{
    cli::{failure::Failure, once::OnceArgs},
    exit::Exit,
};

/// Start the processes of services again, with the image that runs
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage restart shop
  mirage restart shop --service web --service api

Nothing is built and nothing pulled; what is stopped stays so. For a new build: `mirage redeploy`.
With kubectl: kubectl annotate environment shop --overwrite mirage.dev/restart=\"$(date -u +%FT%TZ) web,api\"")]
pub(crate) struct Restart {
    #[command(flatten)]
    once: OnceArgs,
}

impl Restart {
    pub(crate) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let which = self.once.ask(RESTART, "restart the services of").await?;
        writeln!(out, "{which} is restarted")?;
        Ok(Exit::Success)
    }
}
