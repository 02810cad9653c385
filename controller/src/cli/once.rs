//! Asking for something that is done once: an annotation with the time of asking, and the services.

use clap::Args;
use mirage_specs::{rollout::RolloutState, wake::REDEPLOY};
use serde_json::json;

use crate::cli::{
    confirm::ConfirmArgs, connection::ConnectionArgs, failure::Failure, moment, patching,
};

/// Of what it is asked for.
#[derive(Debug, Args)]
pub(crate) struct OnceArgs {
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

impl OnceArgs {
    /// Asks by this annotation; answers with what it was asked for, in words. `what` is for the question to whoever asks.
    pub(crate) async fn ask(self, annotation: &'static str, what: &str) -> Result<String, Failure> {
        let Self {
            name,
            service: services,
            confirm,
            connection,
        } = self;
        let connection = &connection.open().await?;
        let object = patching::read(connection, &name).await?;
        let status = &object.data["status"];
        let known = status["services"].as_object();
        if let Some(known) = known
            && let Some(unknown) = services
                .iter()
                .find(|service| !known.contains_key(*service))
        {
            let names: Vec<&str> = known.keys().map(String::as_str).collect();
            return Err(Failure::Usage(format!(
                "{name} has no service {unknown}; it has {}",
                names.join(", ")
            )));
        }
        if object.data["spec"]["suspend"] == true {
            return Err(Failure::Usage(format!(
                "{name} is suspended: `mirage resume {name}` starts it"
            )));
        }
        let rollout = &status["rollout"]["state"];
        if annotation == REDEPLOY
            && rollout.is_string()
            && *rollout != RolloutState::Progressing.to_string().as_str()
        {
            return Err(Failure::Usage(format!(
                "the last rollout of {name} failed: `mirage retry {name}` tries it again"
            )));
        }
        confirm.confirm(&object, what)?;
        let now = moment::now();
        let value = if services.is_empty() {
            now.to_string()
        } else {
            format!("{now} {}", services.join(","))
        };
        let patch = json!({"metadata": {"annotations": {annotation: value}}});
        patching::merge(connection, &name, &patch).await?;
        Ok(if services.is_empty() {
            name
        } else {
            format!("{} of {name}", services.join(", "))
        })
    }
}
