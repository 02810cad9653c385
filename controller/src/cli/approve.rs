//! `mirage approve`

use std::io::Write;

use clap::Args;
use kube::api::{Patch, PatchParams};
use mirage_specs::{PlanView, wake::APPROVE};
use serde_json::json;

use crate::{
    cli::{
        apply::FIELD_MANAGER, connection::ConnectionArgs, failure::Failure, kind::ENVIRONMENT, plan,
    },
    exit::Exit,
};

/// Let exactly one waiting plan run
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage approve shop                   show the plan that waits, and its hash
  mirage approve shop --plan 4f1c9e7b   let that plan run, and no other

When what Railway has or what is declared changes meanwhile, the plan is another one and must be approved anew.")]
pub(crate) struct Approve {
    /// NAME of an environment
    name: String,
    /// Hash of the plan that was looked at; without it the plan is only shown
    #[arg(long, value_name = "HASH")]
    plan: Option<String>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl Approve {
    pub(crate) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let connection = self.connection.open().await?;
        let api = connection.api(&ENVIRONMENT, &connection.namespace);
        let object = api
            .get(&self.name)
            .await
            .map_err(|error| connection.failed(error))?;
        let waiting = &object.data["status"]["plan"];
        let waiting: Option<PlanView> = if waiting.is_null() {
            None
        } else {
            serde_json::from_value(waiting.clone()).map_err(Failure::Answer)?
        };
        let Some(waiting) = waiting.filter(|waiting| !waiting.actions.is_empty()) else {
            return Err(Failure::Usage(format!("no plan of {} waits", self.name)));
        };
        let Some(hash) = self.plan else {
            plan::render(out, &self.name, &waiting)?;
            writeln!(
                out,
                "\nTo let it run: mirage approve {} --plan {}",
                self.name, waiting.hash
            )?;
            return Ok(Exit::Success);
        };
        if hash != waiting.hash {
            return Err(Failure::Usage(format!(
                "the plan that waits is {}, not {hash}: look at it with `mirage approve {}`",
                waiting.hash, self.name
            )));
        }
        let annotation = json!({"metadata": {"annotations": {APPROVE: hash}}});
        let params = PatchParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        api.patch(&self.name, &params, &Patch::Merge(&annotation))
            .await
            .map_err(|error| connection.failed(error))?;
        writeln!(out, "plan {} of {} approved", waiting.hash, self.name)?;
        Ok(Exit::Success)
    }
}
