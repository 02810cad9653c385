//! `mirage plan`

mod render;
mod template;

use std::{io::Write, path::PathBuf};

use clap::Args;
use mirage_specs::PlanView;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    cli::{
        connection::{Connection, ConnectionArgs},
        failure::Failure,
        kind::ENVIRONMENT,
        manifests,
        output::{self, Document},
        target,
    },
    exit::Exit,
};

pub(crate) use render::plan as render;

/// Show what applying would do on Railway, and do nothing
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage plan -f shop.yaml            before applying a file
  mirage plan shop                    what is still to be done for an environment as applied
  mirage plan -f shop.yaml -o json    for a pull request check
  mirage plan --template web -f web.yaml
                                      which environments a changed template would change, and how
  mirage plan --template web          the same for the template as applied: what is still to be done

Ends with 0 when there is nothing to do, with 2 when there is, and with 1 when that cannot be said.")]
pub(crate) struct Plan {
    /// NAME of an environment
    #[arg(value_name = "NAME", conflicts_with = "file")]
    targets: Vec<String>,
    /// A file or folder with environments; - is stdin
    #[arg(short, long, value_name = "FILE")]
    file: Vec<PathBuf>,
    /// An EnvironmentTemplate: plan every environment that follows it, with -f as it is written there
    #[arg(long, value_name = "NAME", conflicts_with = "targets")]
    template: Option<String>,
    /// For programs
    #[arg(short, long, env = "MIRAGE_OUTPUT", value_name = "FORMAT")]
    output: Option<Document>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// The server's answer.
#[derive(Debug, Deserialize)]
pub(crate) struct Planned {
    pub(crate) plan: PlanView,
    #[serde(default)]
    pub(crate) lines: Vec<String>,
}

/// One environment's plan, as programs read it.
#[derive(Debug, Serialize)]
struct Entry {
    environment: String,
    namespace: String,
    changes: bool,
    plan: PlanView,
    /// Remarks in words, beside the plan.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lines: Vec<String>,
}

impl Plan {
    pub(crate) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        if let Some(name) = &self.template {
            let connection = self.connection.open().await?;
            return template::run(out, &connection, name, &self.file, self.output).await;
        }
        let manifests = manifests::manifests(&self.file)?;
        let targets = target::parse(&self.targets)?;
        if manifests.is_empty() && targets.is_empty() {
            return Err(Failure::NothingGiven { verb: "plan" });
        }
        let connection = self.connection.open().await?;
        let mut asked: Vec<(String, String, Value)> = Vec::new();
        for manifest in manifests {
            // A folder may hold templates and secrets too; they have no plan of their own.
            if manifest.kind != &ENVIRONMENT {
                continue;
            }
            let written = manifest.object.metadata.namespace.as_deref();
            let namespace = connection.namespace_of(&manifest.file, written)?;
            let value = serde_json::to_value(&manifest.object).map_err(Failure::Answer)?;
            asked.push((namespace, manifest.name, value));
        }
        for target in targets {
            let (&ENVIRONMENT, Some(name)) = (target.kind, target.name) else {
                return Err(Failure::Usage(
                    "only environments have a plan: name them".to_owned(),
                ));
            };
            let api = connection.api(&ENVIRONMENT, &connection.namespace);
            let object = api
                .get(&name)
                .await
                .map_err(|error| connection.failed(error))?;
            let value = serde_json::to_value(&object).map_err(Failure::Answer)?;
            asked.push((connection.namespace.clone(), name, value));
        }
        let mut entries = Vec::new();
        for (namespace, name, value) in asked {
            let planned = request(&connection, &namespace, &value).await?;
            entries.push(Entry {
                changes: !planned.plan.actions.is_empty(),
                environment: name,
                namespace,
                plan: planned.plan,
                lines: planned.lines,
            });
        }
        match self.output {
            Some(format) => match entries.as_slice() {
                [one] => output::document(out, format, one)?,
                several => output::document(out, format, &several)?,
            },
            None => {
                for (position, entry) in entries.iter().enumerate() {
                    if position > 0 {
                        writeln!(out)?;
                    }
                    render(out, &entry.environment, &entry.plan)?;
                }
            }
        }
        Ok(if entries.iter().any(|entry| entry.changes) {
            Exit::Changes
        } else {
            Exit::Success
        })
    }
}

/// Asks the server what an environment as written would do.
pub(crate) async fn request(
    connection: &Connection,
    namespace: &str,
    environment: &Value,
) -> Result<Planned, Failure> {
    let namespace: String = url::form_urlencoded::byte_serialize(namespace.as_bytes()).collect();
    let request = http::Request::post(format!("/api/v1/plan?namespace={namespace}"))
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(serde_json::to_vec(environment).map_err(Failure::Answer)?)
        .map_err(|error| connection.failed(kube::Error::HttpError(error)))?;
    connection
        .client
        .request(request)
        .await
        .map_err(|error| connection.failed(error))
}
