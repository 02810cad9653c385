//! `mirage retry`

use std::io::Write;

use clap::Args;
use kube::api::{Patch, PatchParams};
use mirage_specs::wake::RETRY;
use serde_json::json;

use crate::{
    cli::{apply::FIELD_MANAGER, connection::ConnectionArgs, failure::Failure, kind::ENVIRONMENT},
    exit::Exit,
};

/// Go on with environments where Mirage stopped by itself
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage retry shop          after a failed rollout, or a field that something else kept changing back

Needed only where a condition says so; what can heal by itself is tried again without it.")]
pub(crate) struct Retry {
    /// NAME of an environment
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl Retry {
    pub(crate) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let connection = self.connection.open().await?;
        let api = connection.api(&ENVIRONMENT, &connection.namespace);
        let params = PatchParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let asked =
            json!({"metadata": {"annotations": {RETRY: jiff::Timestamp::now().to_string()}}});
        for name in &self.names {
            api.patch(name, &params, &Patch::Merge(&asked))
                .await
                .map_err(|error| connection.failed(error))?;
            writeln!(out, "{name} is tried again")?;
        }
        Ok(Exit::Success)
    }
}
