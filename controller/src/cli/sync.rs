//! `mirage sync`

use std::{io::Write, time::Duration};

use clap::Args;
use jiff::Timestamp;
use kube::{
    Api,
    api::{DynamicObject, Patch, PatchParams},
};
use mirage_specs::{GitSyncStatus, duration::Span, git_sync::SYNC_AT};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::{
    cli::{
        apply::FIELD_MANAGER,
        connection::{Connection, ConnectionArgs},
        failure::Failure,
        kind::GIT_SYNC,
    },
    exit::Exit,
};

/// Ask a GitSync's repository now instead of at its next interval
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage sync shop           look for a new commit now
  mirage sync shop --wait    and say what came of it

With --wait it ends with 0 when all that the commit declares is applied, with 1 when not, and with
3 when the repository was not looked at within --timeout.")]
pub(crate) struct Sync {
    /// NAME of a GitSync
    name: String,
    /// Wait until the repository was looked at, and say what came of it
    #[arg(long, env = "MIRAGE_WAIT")]
    wait: bool,
    /// How long to wait
    #[arg(
        long,
        env = "MIRAGE_TIMEOUT",
        value_name = "TIME",
        default_value = "3m"
    )]
    timeout: Span,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl Sync {
    pub(crate) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let connection = self.connection.open().await?;
        let api = connection.api(&GIT_SYNC, &connection.namespace);
        let wish = Timestamp::now().to_string();
        let annotation = json!({"metadata": {"annotations": {SYNC_AT: wish}}});
        let params = PatchParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        api.patch(&self.name, &params, &Patch::Merge(&annotation))
            .await
            .map_err(|error| connection.failed(error))?;
        if !self.wait {
            writeln!(out, "{} is looked at now", GIT_SYNC.name_of(&self.name))?;
            return Ok(Exit::Success);
        }
        let until = Instant::now() + self.timeout.duration();
        match heeded(&connection, &api, &self.name, &wish, until).await? {
            Some(status) => tell(out, &self.name, &status),
            None => {
                writeln!(
                    out,
                    "{} was not looked at yet",
                    GIT_SYNC.name_of(&self.name)
                )?;
                Ok(Exit::NotReached)
            }
        }
    }
}

/// The status once the wish was heeded; `None` when it is not in time.
async fn heeded(
    connection: &Connection,
    api: &Api<DynamicObject>,
    name: &str,
    wish: &str,
    until: Instant,
) -> Result<Option<GitSyncStatus>, Failure> {
    /// A look takes a second or so.
    const AGAIN: Duration = Duration::from_millis(250);
    loop {
        let object = api
            .get(name)
            .await
            .map_err(|error| connection.failed(error))?;
        let status = &object.data["status"];
        if status["handledSyncAt"] == wish {
            return serde_json::from_value(status.clone())
                .map(Some)
                .map_err(Failure::Answer);
        }
        if Instant::now() >= until {
            return Ok(None);
        }
        sleep(AGAIN).await;
    }
}

/// What came of it: one line, and one for each fault.
fn tell(out: &mut dyn Write, name: &str, status: &GitSyncStatus) -> Result<Exit, Failure> {
    let ready = status
        .conditions
        .iter()
        .find(|condition| condition.type_ == "Ready");
    let phase = status.phase.as_deref().unwrap_or("Pending");
    let message = ready.map_or("", |condition| condition.message.as_str());
    writeln!(out, "{} {phase}: {message}", GIT_SYNC.name_of(name))?;
    for fault in &status.faults {
        let place = match (fault.line, fault.column) {
            (Some(line), Some(column)) => format!("{}:{line}:{column}", fault.file),
            _ => fault.file.clone(),
        };
        writeln!(out, "  {place}: {}", fault.message)?;
    }
    Ok(match ready {
        Some(condition) if condition.status == "True" => Exit::Success,
        _ => Exit::Failure,
    })
}
