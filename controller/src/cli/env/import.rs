//! `mirage env import`

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read as _, Write},
    path::PathBuf,
};

use clap::Args;
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api, ResourceExt as _,
    api::{Patch, PatchParams, PostParams},
};
use mirage_specs::Environment;
use serde_json::{Value, json};

use super::{
    file,
    plan::{self, Import as Plan, Step, Undecided, Wishes},
};
use crate::{
    cli::{
        connection::{Connection, ConnectionArgs},
        failure::Failure,
    },
    exit::Exit,
};

/// The name under which fields set by this command are owned: another than `apply`'s, which would take away what its file
/// does not name.
const FIELD_MANAGER: &str = "mirage-env-import";

/// The controllers write the status of an environment that is under way every few seconds, each time as another version.
const ATTEMPTS: u32 = 5;

/// Bring the variables of a .env file into an environment
///
/// The rest of the environment stays as it is. Values that look secret go into a Secret, with references in their place;
/// without --as-secret they are refused rather than written where everybody reads them.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage env import .env --environment shop --dry-run          what would be done
  mirage env import .env --environment shop --service web      into one service
  mirage env import .env --environment shop --as-secret shop   what looks secret into the Secret shop
  mirage env import .env --environment shop --as-secret shop --all       every value there
  mirage env import .env --environment shop --plain PUBLIC_KEY           not secret, whatever it looks like

A dollar sign is a dollar sign: $HOME stays as written, and ${{postgres.DATABASE_URL}} is Railway's reference.
Variables that the file does not name are left alone.")]
pub(crate) struct Import {
    /// The file; - is stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Name of the environment
    #[arg(short, long, value_name = "NAME")]
    environment: String,
    /// Into this service instead of the shared variables
    #[arg(short, long, value_name = "NAME")]
    service: Option<String>,
    /// The Secret that takes what is secret; made when it is missing
    #[arg(long, value_name = "NAME")]
    as_secret: Option<String>,
    /// Every value is secret, references aside
    #[arg(long, requires = "as_secret")]
    all: bool,
    /// This one is secret too; may be repeated
    #[arg(long, value_name = "VARIABLE", requires = "as_secret")]
    secret: Vec<String>,
    /// This one is not secret; may be repeated
    #[arg(long, value_name = "VARIABLE")]
    plain: Vec<String>,
    /// Show what would be done, let the server check it, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl Import {
    pub(crate) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let found = self.read()?;
        let connection = self.connection.open().await?;
        let api: Api<Environment> =
            Api::namespaced(connection.client.clone(), &connection.namespace);
        let wishes = Wishes {
            secret: self.as_secret.clone(),
            all: self.all,
            secret_names: self.secret.iter().cloned().collect(),
            plain_names: self.plain.iter().cloned().collect(),
        };
        let params = PatchParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            dry_run: self.dry_run,
            ..PatchParams::default()
        };
        let mut attempt = 1;
        let plan = loop {
            let environment = api
                .get(&self.environment)
                .await
                .map_err(|error| connection.failed(error))?;
            let existing = self.existing(&environment)?;
            let plan = plan::import(&found, &existing, self.service.as_deref(), &wishes)
                .map_err(undecided)?;
            let patch = self.patch(&environment, &plan.variables);
            if attempt == 1 && !plan.secret.is_empty() {
                // What the server would refuse leaves no Secret behind.
                let tried = PatchParams {
                    dry_run: true,
                    ..params.clone()
                };
                api.patch(&self.environment, &tried, &Patch::Merge(&patch))
                    .await
                    .map_err(|error| connection.failed(error))?;
                self.write_secret(&connection, &plan).await?;
            }
            if plan.variables == json!({}) {
                break plan;
            }
            let patch = Patch::Merge(patch);
            match api.patch(&self.environment, &params, &patch).await {
                Ok(_) => break plan,
                Err(kube::Error::Api(status)) if status.is_conflict() && attempt < ATTEMPTS => {
                    attempt += 1;
                }
                Err(error) => return Err(connection.failed(error)),
            }
        };
        write!(out, "{}", self.report(&plan))?;
        Ok(Exit::Success)
    }

    fn read(&self) -> Result<BTreeMap<String, String>, Failure> {
        let unreadable = |source: io::Error| Failure::Unreadable {
            path: self.file.clone(),
            source,
        };
        let text = if self.file.as_os_str() == "-" {
            let mut text = String::new();
            io::stdin().read_to_string(&mut text).map(|_| text)
        } else {
            fs::read_to_string(&self.file)
        };
        file::parse(&text.map_err(unreadable)?)
            .map_err(|error| Failure::Usage(format!("{}: {error}", self.file.display())))
    }

    /// The variables that the environment declares in the place that is meant.
    fn existing(
        &self,
        environment: &Environment,
    ) -> Result<BTreeMap<String, Option<mirage_specs::Variable>>, Failure> {
        let spec = &environment.spec;
        let Some(name) = &self.service else {
            return Ok(spec.variables.clone());
        };
        match spec.services.get(name).and_then(Option::as_ref) {
            Some(service) => Ok(service.variables.clone()),
            // The template may have it.
            None if spec.template_ref.is_some() => Ok(BTreeMap::new()),
            None => {
                let services: Vec<&str> = spec.services.keys().map(String::as_str).collect();
                Err(Failure::Usage(format!(
                    "environment {} has no service {name:?}; it has: {}",
                    self.environment,
                    services.join(", ")
                )))
            }
        }
    }

    /// Refused by the server when somebody changed the environment since it was read.
    fn patch(&self, environment: &Environment, variables: &Value) -> Value {
        let spec = match &self.service {
            Some(service) => json!({"services": {service: {"variables": variables}}}),
            None => json!({"variables": variables}),
        };
        json!({"metadata": {"resourceVersion": environment.resource_version()}, "spec": spec})
    }

    async fn write_secret(&self, connection: &Connection, plan: &Plan) -> Result<(), Failure> {
        let name = self.as_secret.as_deref().unwrap_or_default();
        let api: Api<Secret> = Api::namespaced(connection.client.clone(), &connection.namespace);
        let mut secret = Secret {
            string_data: Some(plan.secret.clone()),
            ..Secret::default()
        };
        secret.metadata.name = Some(name.to_owned());
        let params = PostParams {
            dry_run: self.dry_run,
            field_manager: Some(FIELD_MANAGER.to_owned()),
        };
        match api.create(&params, &secret).await {
            Ok(_) => return Ok(()),
            Err(kube::Error::Api(status)) if status.is_already_exists() => {}
            Err(error) => return Err(connection.failed(error)),
        }
        // Its other keys stay.
        let params = PatchParams {
            dry_run: self.dry_run,
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let patch = json!({"stringData": plan.secret});
        api.patch(name, &params, &Patch::Merge(patch))
            .await
            .map(drop)
            .map_err(|error| connection.failed(error))
    }

    fn report(&self, plan: &Plan) -> String {
        let mut text = String::new();
        let secret = self.as_secret.as_deref().unwrap_or_default();
        for (name, step) in &plan.steps {
            let word = |is_new: &bool| if *is_new { "new" } else { "set" };
            text.push_str(&match step {
                Step::Same => format!("{name}: as it is\n"),
                Step::Plain { is_new } => format!("{name}: {}\n", word(is_new)),
                Step::Secret { key, is_new } => {
                    format!("{name}: {}, from secret/{secret} key {key}\n", word(is_new))
                }
            });
        }
        let place = match &self.service {
            Some(service) => format!("service {service} of environment/{}", self.environment),
            None => format!("environment/{}", self.environment),
        };
        let (done, count) = (
            if self.dry_run {
                "would be brought"
            } else {
                "brought"
            },
            plan.steps.len(),
        );
        text.push_str(&format!("{count} variables {done} into {place}\n"));
        text
    }
}

fn undecided(Undecided(names): Undecided) -> Failure {
    Failure::Usage(format!(
        "these look secret, and a spec is read by everybody who may see the environment: {}; say --as-secret NAME to put them into a Secret, or --plain VARIABLE for each that is not secret",
        names.join(", ")
    ))
}
