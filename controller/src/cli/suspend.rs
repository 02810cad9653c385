//! `mirage suspend`

use std::io::Write;

use clap::Args;
use jiff::Timestamp;
use mirage_specs::{
    duration::Span,
    wake::{SUSPEND_REASON, SUSPEND_UNTIL, SUSPENDED_BY},
};
use serde_json::json;

use crate::{
    cli::{
        confirm::ConfirmArgs, connection::ConnectionArgs, failure::Failure, moment, ownership,
        patching,
    },
    exit::Exit,
};

/// Stop what runs in environments, and leave everything else in place
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage suspend shop --reason \"the database is moved\"
  mirage suspend shop blog --for 12h          they start again by themselves
  mirage suspend shop --until 2026-11-23T07:00:00Z

Volumes, variables and domains stay. `mirage resume shop` starts it again.
With kubectl: kubectl patch environment shop --type merge -p '{\"spec\":{\"suspend\":true}}'")]
pub(crate) struct Suspend {
    /// NAME of an environment
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    /// Why, for those who wonder
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// For how long
    #[arg(long = "for", value_name = "TIME", conflicts_with = "until")]
    span: Option<Span>,
    /// Until when, for example 2026-11-23T07:00:00Z
    #[arg(long, value_name = "WHEN")]
    until: Option<Timestamp>,
    #[command(flatten)]
    confirm: ConfirmArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl Suspend {
    pub(crate) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let connection = self.connection.open().await?;
        let until = match self.span {
            Some(span) => Some(moment::later(moment::now(), span)?),
            None => self.until,
        };
        let by = std::env::var("USER").ok().filter(|user| !user.is_empty());
        for name in &self.names {
            let object = patching::read(&connection, name).await?;
            ownership::refuse_if_in_git(&object, &["suspend"])?;
            self.confirm.confirm(&object, "stop")?;
            // What an earlier pause said is not this one's.
            let patch = json!({
                "metadata": {"annotations": {
                    SUSPEND_REASON: self.reason,
                    SUSPEND_UNTIL: until.map(|until| until.to_string()),
                    SUSPENDED_BY: by,
                }},
                "spec": {"suspend": true},
            });
            patching::merge(&connection, name, &patch).await?;
            match until {
                Some(until) => writeln!(out, "{name} is suspended until {until}")?,
                None => writeln!(out, "{name} is suspended until `mirage resume {name}`")?,
            }
        }
        Ok(Exit::Success)
    }
}
