//! `mirage restart`

use std::io::Write;

use clap::Args;
use mirage_specs::wake::RESTART;

use crate::{
    cli::{confirm::ConfirmArgs, connection::ConnectionArgs, failure::Failure, once},
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
    /// NAME of an environment
    name: String,
    /// Only this service; may be given several times
    #[arg(long, value_name = "SERVICE")]
    service: Vec<String>,
    #[command(flatten)]
    confirm: ConfirmArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl Restart {
    pub(crate) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let connection = self.connection.open().await?;
        let wish = once::Wish {
            annotation: RESTART,
            what: "restart the services of",
            services: &self.service,
        };
        let which = wish.send(&connection, &self.name, self.confirm).await?;
        writeln!(out, "{which} is restarted")?;
        Ok(Exit::Success)
    }
}
