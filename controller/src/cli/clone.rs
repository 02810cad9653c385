//! `mirage clone`

mod render;

use std::io::Write;

use clap::Args;
use mirage_specs::{
    CopyOptions, EnvironmentType, PlanView,
    copy::{CopyFailure, Difference, InvalidShortForm, Obstacle},
    duration::Span,
    environment::ProjectRef,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    cli::{
        connection::{Connection, ConnectionArgs},
        failure::Failure,
        kind::ENVIRONMENT,
        output::{self, Document},
        watching::{self, Awaited, Goal},
    },
    exit::Exit,
};

/// Make another environment like one that is there
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage clone prod stage --type staging --ttl 3d --wait
  mirage clone prod stage --dry-run                 what it would make, and what differs
  mirage clone prod api-test --include api,db --set api.LOG_LEVEL=debug --replicas api=1
  mirage clone prod twin --project other --suffix -2
  mirage clone prod stage --unset web.SENTRY_DSN --on-failure keep

Services are named as in SOURCE, also where --prefix or --suffix gives them other names; references follow.
Passwords that were generated are generated anew, and volumes begin empty. Values that only Railway has are copied there.
--dry-run ends with 1 when the copy would be refused.
--wait ends with 0 when the copy is ready, and with 3 when it failed or took longer than --timeout.")]
pub(crate) struct Clone {
    /// NAME of the environment to copy
    source: String,
    /// NAME of the copy
    name: String,
    /// Railway project of the copy, made when there is none of that name [default: that of SOURCE]
    #[arg(long, value_name = "NAME", conflicts_with = "project_id")]
    project: Option<String>,
    /// The same by Railway's id
    #[arg(long, value_name = "ID")]
    project_id: Option<String>,
    /// Namespace of the copy [default: that of SOURCE]
    #[arg(long, value_name = "NAME")]
    to_namespace: Option<String>,
    /// dev, staging, prod or ephemeral [default: as SOURCE]
    #[arg(long = "type", value_name = "TYPE")]
    environment_type: Option<EnvironmentType>,
    /// How long the copy lives, for example 3d [default: as SOURCE]
    #[arg(long, value_name = "TIME")]
    ttl: Option<Span>,
    /// Only these services
    #[arg(long, value_name = "SERVICE,…", value_delimiter = ',')]
    include: Vec<String>,
    /// Not these services
    #[arg(long, value_name = "SERVICE,…", value_delimiter = ',')]
    exclude: Vec<String>,
    /// NAME=VALUE of a shared variable, or SERVICE.NAME=VALUE
    #[arg(long, value_name = "VARIABLE=VALUE")]
    set: Vec<String>,
    /// A variable to leave out: NAME or SERVICE.NAME
    #[arg(long, value_name = "VARIABLE")]
    unset: Vec<String>,
    /// Replicas of a service, for example web=1
    #[arg(long, value_name = "SERVICE=COUNT")]
    replicas: Vec<String>,
    /// Most vCPUs of a replica, for example web=0.5
    #[arg(long, value_name = "SERVICE=VCPUS")]
    cpu: Vec<String>,
    /// Most memory of a replica, for example web=512Mi
    #[arg(long, value_name = "SERVICE=SIZE")]
    memory: Vec<String>,
    /// Put before the name of every service
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    prefix: Option<String>,
    /// Put behind the name of every service
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    suffix: Option<String>,
    /// What becomes of a copy that fails or is not ready within --timeout: rollback or keep
    #[arg(long, value_name = "WHAT", default_value_t)]
    on_failure: CopyFailure,
    /// How long the copy may take to become ready, and how long --wait waits
    #[arg(
        long,
        env = "MIRAGE_TIMEOUT",
        value_name = "TIME",
        default_value = "30m"
    )]
    timeout: Span,
    /// Copy SOURCE though it is not healthy
    #[arg(long)]
    force: bool,
    /// Show what would be made, and make nothing
    #[arg(long, conflicts_with = "wait")]
    dry_run: bool,
    /// Wait until the copy is ready, showing each service on the way
    #[arg(long, env = "MIRAGE_WAIT")]
    wait: bool,
    /// The server's answer for programs
    #[arg(
        short,
        long,
        env = "MIRAGE_OUTPUT",
        value_name = "FORMAT",
        conflicts_with = "wait"
    )]
    output: Option<Document>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// The server's answer to a preview.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Preview {
    source: Value,
    object: Value,
    difference: Vec<Difference>,
    notes: Vec<String>,
    refusals: Vec<Obstacle>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    plan: Option<PlanView>,
    #[serde(default)]
    lines: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    requests: Option<u32>,
}

impl Clone {
    pub(crate) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let options = self.options()?;
        let connection = self.connection.open().await?;
        let id = id(&connection, &self.source).await?;
        if self.dry_run {
            return self.preview(&connection, &id, &options, out).await;
        }
        let answer: Value = ask(
            &connection,
            &format!("/api/v1/environments/{id}/clone"),
            &options,
        )
        .await?;
        if let Some(format) = self.output {
            output::document(out, format, &answer)?;
            return Ok(Exit::Success);
        }
        writeln!(
            out,
            "{} created from {}",
            ENVIRONMENT.name_of(&self.name),
            self.source
        )?;
        let notes: Vec<String> =
            serde_json::from_value(answer["notes"].clone()).unwrap_or_default();
        render::notes(out, &notes)?;
        if !self.wait {
            return Ok(Exit::Success);
        }
        let object = serde_json::from_value(answer["object"].clone()).map_err(Failure::Answer)?;
        let awaited = Awaited::of(&ENVIRONMENT, &object, &connection.namespace);
        let timeout = self.timeout.duration();
        let exit = watching::watch(&connection, vec![awaited], &Goal::Ready, timeout, out).await?;
        if !matches!(exit, Exit::Success) {
            let what = match self.on_failure {
                CopyFailure::Rollback => "what was made of the copy is torn down",
                CopyFailure::Keep => "the copy is kept and tried again",
            };
            eprintln!("  note: {what} (--on-failure {})", self.on_failure);
        }
        Ok(exit)
    }

    async fn preview(
        &self,
        connection: &Connection,
        id: &str,
        options: &CopyOptions,
        out: &mut dyn Write,
    ) -> Result<Exit, Failure> {
        let path = format!("/api/v1/environments/{id}/clone-preview");
        let preview: Preview = ask(connection, &path, options).await?;
        match self.output {
            Some(format) => output::document(out, format, &preview)?,
            None => render::preview(out, &self.source, &self.name, &preview)?,
        }
        Ok(if preview.refusals.is_empty() {
            Exit::Success
        } else {
            Exit::Failure
        })
    }

    fn options(&self) -> Result<CopyOptions, Failure> {
        let mut options = CopyOptions {
            name: self.name.clone(),
            namespace: self.to_namespace.clone(),
            project: match (&self.project, &self.project_id) {
                (None, None) => None,
                (name, id) => Some(ProjectRef {
                    name: name.clone(),
                    id: id.clone(),
                }),
            },
            environment_type: self.environment_type,
            ttl: self.ttl,
            include: self.include.clone(),
            exclude: self.exclude.clone(),
            prefix: self.prefix.clone(),
            suffix: self.suffix.clone(),
            on_failure: self.on_failure,
            timeout: Some(self.timeout),
            force: self.force,
            ..CopyOptions::default()
        };
        let wrong = |flag: &'static str| {
            move |error: InvalidShortForm| Failure::Usage(format!("{flag}: {error}"))
        };
        for given in &self.set {
            options.set(given).map_err(wrong("--set"))?;
        }
        for given in &self.unset {
            options.unset(given);
        }
        for given in &self.replicas {
            options.replicas(given).map_err(wrong("--replicas"))?;
        }
        for given in &self.cpu {
            options.cpu(given).map_err(wrong("--cpu"))?;
        }
        for given in &self.memory {
            options.memory(given).map_err(wrong("--memory"))?;
        }
        Ok(options)
    }
}

/// Mirage's id of an environment by its name.
pub(super) async fn id(connection: &Connection, name: &str) -> Result<String, Failure> {
    let api = connection.api(&ENVIRONMENT, &connection.namespace);
    let object = api
        .get(name)
        .await
        .map_err(|error| connection.failed(error))?;
    Ok(object.metadata.uid.unwrap_or_default())
}

async fn ask<T: serde::de::DeserializeOwned>(
    connection: &Connection,
    path: &str,
    options: &CopyOptions,
) -> Result<T, Failure> {
    let request = http::Request::post(path)
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(serde_json::to_vec(options).map_err(Failure::Answer)?)
        .map_err(|error| connection.failed(kube::Error::HttpError(error)))?;
    connection
        .client
        .request(request)
        .await
        .map_err(|error| connection.failed(error))
}
