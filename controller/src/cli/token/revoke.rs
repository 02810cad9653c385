//! `mirage token revoke`

use std::io::Write;

use clap::Args;
use kube::api::DeleteParams;

use crate::{
    cli::{connection::ServerArgs, failure::Failure, kind::TOKEN},
    exit::Exit,
};

/// Make tokens good no longer, and with each those that were made with it if it was limited or to end
#[derive(Debug, Args)]
pub(crate) struct Revoke {
    /// Names of tokens, as `mirage token list` shows them
    #[arg(required = true)]
    names: Vec<String>,
    #[command(flatten)]
    server: ServerArgs,
}

impl Revoke {
    pub(crate) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let connection = self.server.open(None).await?;
        let tokens = connection.api(&TOKEN, "");
        for name in &self.names {
            tokens
                .delete(name, &DeleteParams::default())
                .await
                .map_err(|error| connection.failed(error))?;
            writeln!(out, "{} revoked", TOKEN.name_of(name))?;
        }
        Ok(Exit::Success)
    }
}
