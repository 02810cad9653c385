//! `mirage redeploy`

use std::io::Write;

use clap::Args;
use mirage_specs::wake::REDEPLOY;

use crate::{
    cli::{failure::Failure, once::OnceArgs},
    exit::Exit,
};

/// Deploy again what is declared: a new build of the current source, or the image anew
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage redeploy shop
  mirage redeploy shop --service web --service api

A repository's branch is built at its newest commit; an image is pulled again, which a moved tag needs.
After a failed rollout use `mirage retry`.
With kubectl: kubectl annotate environment shop --overwrite mirage.dev/redeploy=\"$(date -u +%FT%TZ) web,api\"")]
pub(crate) struct Redeploy {
    #[command(flatten)]
    once: OnceArgs,
}

impl Redeploy {
    pub(crate) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let which = self.once.ask(REDEPLOY, "deploy again what is in").await?;
        writeln!(out, "{which} is deployed again")?;
        Ok(Exit::Success)
    }
}
