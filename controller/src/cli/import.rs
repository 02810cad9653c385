//! `mirage import`

mod files;
mod progress;

use std::io::Write;

use clap::Args;
use mirage_specs::{
    EnvironmentType,
    duration::Span,
    import::{ImportOperation, ImportRequest, ImportState, ImportWish},
};

use crate::{
    cli::{
        connection::{Connection, ConnectionArgs},
        failure::Failure,
        output::{self, Document},
        product,
        railway::browse::place,
    },
    exit::Exit,
};

/// Take over environments that are on Railway already, or read Compose and railway.json files
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage import shop/production --dry-run            what it would say, and what stands in the way
  mirage import shop/production --dry-run -o yaml    the Environment, to keep in Git
  mirage import shop/production --name shop
  mirage import --all --project shop                 everything of a project that Mirage does not keep
  mirage import --compose docker-compose.yml --repo acme/shop > shop.yaml
  mirage import --railway-config railway.toml --service web --repo acme/shop

What is taken over is not changed: Railway gets one mark, and only when the spec describes exactly what is there. Plain
values of variables stay on Railway (`preserve: true`), since they may be secrets; --plain LEVEL,web.PORT takes those into
the spec. References such as ${{db.DATABASE_URL}} are always taken. Deleting an imported Environment leaves Railway as it is
(`deletion: retain`), and destructive plans wait for approval, unless the spec is changed.

Ends with 1 when something could not be imported, and with 3 when it was not taken over within --timeout.")]
pub(crate) struct Import {
    /// What to take over, each part by name or Railway's id
    #[arg(value_name = "PROJECT/ENVIRONMENT")]
    places: Vec<String>,
    /// Everything that Mirage does not keep
    #[arg(long, conflicts_with = "places")]
    all: bool,
    /// With --all: only this project
    #[arg(long, value_name = "PROJECT", requires = "all")]
    project: Option<String>,
    /// Name of the Environment [default: PROJECT-ENVIRONMENT]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// What it is for: dev, staging, prod or ephemeral
    #[arg(long = "type", value_name = "TYPE")]
    environment_type: Option<EnvironmentType>,
    /// Variables whose values are taken into the spec in the clear
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    plain: Vec<String>,
    /// RailwayAccount that looks and will act
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Only say what would come of it
    #[arg(long)]
    dry_run: bool,
    /// Do not wait until everything is taken over
    #[arg(long, conflicts_with = "dry_run")]
    no_wait: bool,
    /// How long to wait
    #[arg(
        long,
        env = "MIRAGE_TIMEOUT",
        value_name = "TIME",
        default_value = "15m"
    )]
    timeout: Span,
    /// Show how far an earlier import is
    #[arg(long, value_name = "ID", conflicts_with_all = ["places", "all"])]
    status: Option<String>,
    #[command(flatten)]
    files: files::FileArgs,
    /// For programs; with --dry-run, yaml is the Environments themselves
    #[arg(short, long, env = "MIRAGE_OUTPUT", value_name = "FORMAT")]
    output: Option<Document>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl Import {
    pub(crate) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        if self.files.are_given() {
            if !self.places.is_empty() || self.all || self.status.is_some() {
                let words = "either a file or what is on Railway: leave one of the two out";
                return Err(Failure::Usage(words.to_owned()));
            }
            return self.files.print(out, self.name.as_deref(), self.output);
        }
        if let Some(id) = &self.status {
            let connection = self.connection.open().await?;
            let path = product::path(&["import", id]);
            let operation: ImportOperation = product::get(&connection, &path).await?;
            return self.show(out, &operation);
        }
        let wishes: Vec<ImportWish> = self.wishes()?;
        if wishes.is_empty() && !self.all {
            return Err(Failure::NothingGiven { verb: "import" });
        }
        if self.name.is_some() && wishes.len() != 1 {
            let words = "--name is for one environment: import them one by one, or leave it out";
            return Err(Failure::Usage(words.to_owned()));
        }
        let connection = self.connection.open().await?;
        let request = ImportRequest {
            account: self.account.clone(),
            namespace: Some(connection.namespace.clone()),
            items: wishes,
            all: self.all,
            project: self.project.clone(),
        };
        if self.dry_run {
            let path = "/api/v1/import/validate";
            let operation: ImportOperation = product::post(&connection, path, &request).await?;
            return self.show(out, &operation);
        }
        let made: ImportOperation = product::post(&connection, "/api/v1/import", &request).await?;
        let operation = self.awaited(&connection, made).await?;
        self.show(out, &operation)
    }

    fn wishes(&self) -> Result<Vec<ImportWish>, Failure> {
        let wish = |text: &String| {
            let (project, environment) = place(text)?;
            Ok(ImportWish {
                project: project.to_owned(),
                environment: environment.to_owned(),
                name: self.name.clone(),
                namespace: None,
                environment_type: self.environment_type,
                plain: self.plain.clone(),
            })
        };
        self.places.iter().map(wish).collect()
    }

    async fn awaited(
        &self,
        connection: &Connection,
        made: ImportOperation,
    ) -> Result<ImportOperation, Failure> {
        if self.no_wait {
            return Ok(made);
        }
        progress::follow(connection, made, self.timeout.duration()).await
    }

    fn show(&self, out: &mut dyn Write, operation: &ImportOperation) -> Result<Exit, Failure> {
        match self.output {
            Some(Document::Yaml) if self.dry_run => progress::manifests(out, operation)?,
            Some(format) => output::document(out, format, operation)?,
            None => progress::table(out, operation)?,
        }
        let has_failed = operation
            .items
            .iter()
            .any(|item| matches!(item.state, ImportState::Refused | ImportState::Differs));
        let is_waiting = operation
            .items
            .iter()
            .any(|item| item.state == ImportState::Waiting);
        Ok(match (has_failed, is_waiting && !self.no_wait) {
            (true, _) => Exit::Failure,
            (false, true) => Exit::NotReached,
            (false, false) => Exit::Success,
        })
    }
}
