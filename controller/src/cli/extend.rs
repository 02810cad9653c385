//! `mirage extend`

use std::io::Write;

use clap::Args;
use jiff::Timestamp;
use kube::api::DynamicObject;
use mirage_specs::duration::Span;
use serde_json::json;

use crate::{
    cli::{connection::ConnectionArgs, failure::Failure, moment, ownership, patching},
    exit::Exit,
};

/// Give an environment more time before it is torn down
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage extend shop 24h     a day more than it has

It sets spec.expiresAt in the place of spec.ttl.")]
pub(crate) struct Extend {
    /// NAME of an environment
    name: String,
    /// How much more
    #[arg(value_name = "TIME")]
    span: Span,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl Extend {
    pub(crate) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let connection = self.connection.open().await?;
        let name = &self.name;
        let object = patching::read(&connection, name).await?;
        ownership::refuse_if_preview(&object, &format!("/mirage extend {}", self.span))?;
        ownership::refuse_if_in_git(&object, &["expiresAt", "ttl"])?;
        let Some(expiry) = expiry(&object) else {
            return Err(Failure::Usage(format!(
                "{name} has no end to put off; `mirage destroy {name} --in {}` gives it one",
                self.span
            )));
        };
        let at = moment::later(expiry.max(moment::now()), self.span)?;
        let patch = json!({"spec": {"expiresAt": at.to_string(), "ttl": null}});
        patching::merge(&connection, name, &patch).await?;
        writeln!(out, "{name} is torn down at {at}")?;
        Ok(Exit::Success)
    }
}

/// When it ends: as declared, or as its ttl came to.
fn expiry(object: &DynamicObject) -> Option<Timestamp> {
    let of = |part: &str| object.data[part]["expiresAt"].as_str()?.parse().ok();
    of("spec").or_else(|| of("status"))
}
