//! `mirage resume`

use std::io::Write;

use clap::Args;
use mirage_specs::wake::{SUSPEND_REASON, SUSPEND_UNTIL, SUSPENDED_BY};
use serde_json::json;

use crate::{
    cli::{connection::ConnectionArgs, failure::Failure, ownership, patching},
    exit::Exit,
};

/// Start environments again that were suspended
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage resume shop

With kubectl: kubectl patch environment shop --type merge -p '{\"spec\":{\"suspend\":false}}'")]
pub(crate) struct Resume {
    /// NAME of an environment
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl Resume {
    pub(crate) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let connection = self.connection.open().await?;
        for name in &self.names {
            let object = patching::read(&connection, name).await?;
            ownership::refuse_if_in_git(&object, &["suspend"])?;
            let patch = json!({
                "metadata": {"annotations": {
                    SUSPEND_REASON: null,
                    SUSPEND_UNTIL: null,
                    SUSPENDED_BY: null,
                }},
                "spec": {"suspend": false},
            });
            patching::merge(&connection, name, &patch).await?;
            writeln!(out, "{name} starts again")?;
        }
        Ok(Exit::Success)
    }
}
