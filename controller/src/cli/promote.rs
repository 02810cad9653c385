//! `mirage promote`

mod change;

use std::{io::Write, str::FromStr};

use clap::Args;
use kube::api::{DynamicObject, PostParams};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    cli::{
        apply::FIELD_MANAGER,
        confirm::ConfirmArgs,
        connection::{Connection, ConnectionArgs},
        failure::Failure,
        kind::ENVIRONMENT,
        ownership, patching, plan,
    },
    exit::Exit,
};
use change::{Promotion, Running, decide};

/// Have an environment run what another one runs
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage promote dev staging                 every service that both have
  mirage promote dev/api staging/api         one service
  mirage promote staging prod --dry-run      show the plan, change nothing

What the source runs healthily counts, as Railway says: the image, or the commit of the repository. It is written
into the target's spec, which is rolled out as any other change of it. Variables and settings are not touched.
What is not healthy is not promoted, and where Git declares the target the change belongs into Git.")]
pub(crate) struct Promote {
    /// Where it runs: NAME or NAME/SERVICE
    source: Place,
    /// Where it shall run: NAME or NAME/SERVICE
    target: Place,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    confirm: ConfirmArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// An environment, or one service of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    environment: String,
    service: Option<String>,
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (environment, service) = match text.split_once('/') {
            None => (text, None),
            Some((environment, service)) => (environment, Some(service)),
        };
        if environment.is_empty()
            || service.is_some_and(|name| name.is_empty() || name.contains('/'))
        {
            return Err(format!("{text:?} is neither NAME nor NAME/SERVICE"));
        }
        Ok(Self {
            environment: environment.to_owned(),
            service: service.map(str::to_owned),
        })
    }
}

/// The server's answer to what runs.
#[derive(Debug, Deserialize)]
struct Answer {
    services: Vec<Running>,
}

impl Promote {
    pub(crate) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let pair = match (&self.source.service, &self.target.service) {
            (Some(from), Some(to)) => Some((from.as_str(), to.as_str())),
            (None, None) => None,
            _ => {
                return Err(Failure::Usage(
                    "name a service on both sides, or on none: `mirage promote dev/api staging/api`"
                        .to_owned(),
                ));
            }
        };
        let connection = self.connection.open().await?;
        let mut target = patching::read(&connection, &self.target.environment).await?;
        let source = running(&connection, &self.source.environment).await?;
        let there = running(&connection, &self.target.environment).await?;
        let decided = decide(&source, &there, &target.data["spec"], pair).map_err(|reasons| {
            Failure::Usage(format!(
                "nothing of {} is promoted: {}",
                self.source.environment,
                reasons.join("; ")
            ))
        })?;
        for note in &decided.notes {
            writeln!(out, "  {note}")?;
        }
        if decided.promotions.is_empty() {
            writeln!(
                out,
                "{} declares already what {} runs",
                self.target.environment, self.source.environment
            )?;
            return Ok(Exit::Success);
        }
        if let Some(sync) = ownership::git_sync(&target) {
            let changes: Vec<String> = decided.promotions.iter().map(Promotion::in_git).collect();
            return Err(Failure::Usage(format!(
                "{} is declared in Git ({}): commit it there: {}",
                self.target.environment,
                ownership::place(&sync),
                changes.join("; ")
            )));
        }
        for promotion in &decided.promotions {
            promotion.write(&mut target.data["spec"]);
            writeln!(out, "  {promotion}")?;
        }
        if self.dry_run {
            return show(out, &connection, &target).await;
        }
        self.confirm.confirm(&target, "change")?;
        let params = PostParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PostParams::default()
        };
        // Whole and with its version, so that a change made meanwhile is not overwritten.
        connection
            .api(&ENVIRONMENT, &connection.namespace)
            .replace(&self.target.environment, &params, &target)
            .await
            .map_err(|error| connection.failed(error))?;
        writeln!(
            out,
            "{} takes over what {} runs",
            self.target.environment, self.source.environment
        )?;
        Ok(Exit::Success)
    }
}

async fn running(connection: &Connection, name: &str) -> Result<Vec<Running>, Failure> {
    let encode =
        |text: &str| -> String { url::form_urlencoded::byte_serialize(text.as_bytes()).collect() };
    let path = format!(
        "/api/v1/environments/{}/{}/running",
        encode(&connection.namespace),
        encode(name)
    );
    let request = http::Request::get(path)
        .body(Vec::new())
        .map_err(|error| connection.failed(kube::Error::HttpError(error)))?;
    let answer: Answer = connection
        .client
        .request(request)
        .await
        .map_err(|error| connection.failed(error))?;
    Ok(answer.services)
}

/// The plan of the target as it would be.
async fn show(
    out: &mut dyn Write,
    connection: &Connection,
    target: &DynamicObject,
) -> Result<Exit, Failure> {
    let value: Value = serde_json::to_value(target).map_err(Failure::Answer)?;
    let planned = plan::request(connection, &connection.namespace, &value).await?;
    let name = target.metadata.name.as_deref().unwrap_or_default();
    plan::render(out, name, &planned.plan)?;
    for line in planned
        .lines
        .iter()
        .filter(|line| line.starts_with("waits"))
    {
        writeln!(out, "  {line}")?;
    }
    Ok(if planned.plan.actions.is_empty() {
        Exit::Success
    } else {
        Exit::Changes
    })
}
