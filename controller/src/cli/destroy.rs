//! `mirage destroy`

use std::io::Write;

use clap::{ArgGroup, Args};
use jiff::Timestamp;
use mirage_specs::duration::Span;
use serde_json::json;

use crate::{
    cli::{
        confirm::ConfirmArgs, connection::ConnectionArgs, failure::Failure, moment, ownership,
        patching,
    },
    exit::Exit,
};

/// Say when an environment is torn down
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("when").required(true).args(["at", "span"])), after_help = "\
Examples:
  mirage destroy shop --in 2h
  mirage destroy shop --at 2026-11-23T18:00:00Z
  mirage extend shop 24h            later after all

It sets spec.expiresAt in the place of spec.ttl. `mirage delete shop` does it now.")]
pub(crate) struct Destroy {
    /// NAME of an environment
    name: String,
    /// After so much time
    #[arg(long = "in", id = "span", value_name = "TIME")]
    span: Option<Span>,
    /// At that time, for example 2026-11-23T18:00:00Z
    #[arg(long, value_name = "WHEN")]
    at: Option<Timestamp>,
    #[command(flatten)]
    confirm: ConfirmArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl Destroy {
    pub(crate) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let connection = self.connection.open().await?;
        let name = &self.name;
        let at = match (self.span, self.at) {
            (Some(span), _) => moment::later(moment::now(), span)?,
            (None, Some(at)) if at > moment::now() => at,
            (None, _) => {
                return Err(Failure::Usage(format!(
                    "that time is over: `mirage delete {name}` tears it down now"
                )));
            }
        };
        let object = patching::read(&connection, name).await?;
        ownership::refuse_if_preview(&object, "/mirage destroy")?;
        ownership::refuse_if_in_git(&object, &["expiresAt", "ttl"])?;
        self.confirm.confirm(&object, "tear down")?;
        let patch = json!({"spec": {"expiresAt": at.to_string(), "ttl": null}});
        patching::merge(&connection, name, &patch).await?;
        writeln!(out, "{name} is torn down at {at}")?;
        Ok(Exit::Success)
    }
}
