//! Asking for something that is done once: an annotation with the time of asking, and the services.

use mirage_specs::{rollout::RolloutState, wake::REDEPLOY};
use serde_json::json;

use crate::cli::{
    confirm::ConfirmArgs, connection::Connection, failure::Failure, moment, patching,
};

/// What is asked for.
pub(crate) struct Wish<'a> {
    /// The annotation that carries it.
    pub(crate) annotation: &'static str,
    /// For the question to whoever asks.
    pub(crate) what: &'static str,
    /// For which services; all when empty.
    pub(crate) services: &'a [String],
}

impl Wish<'_> {
    /// Asks; what it is asked for, in words.
    pub(crate) async fn send(
        &self,
        connection: &Connection,
        name: &str,
        confirm: ConfirmArgs,
    ) -> Result<String, Failure> {
        let object = patching::read(connection, name).await?;
        let status = &object.data["status"];
        let known = status["services"].as_object();
        if let Some(known) = known
            && let Some(unknown) = self
                .services
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
        if self.annotation == REDEPLOY
            && rollout.is_string()
            && *rollout != RolloutState::Progressing.to_string().as_str()
        {
            return Err(Failure::Usage(format!(
                "the last rollout of {name} failed: `mirage retry {name}` tries it again"
            )));
        }
        confirm.confirm(&object, self.what)?;
        let now = moment::now();
        let value = if self.services.is_empty() {
            now.to_string()
        } else {
            format!("{now} {}", self.services.join(","))
        };
        let patch = json!({"metadata": {"annotations": {self.annotation: value}}});
        patching::merge(connection, name, &patch).await?;
        Ok(if self.services.is_empty() {
            name.to_owned()
        } else {
            format!("{} of {name}", self.services.join(", "))
        })
    }
}
