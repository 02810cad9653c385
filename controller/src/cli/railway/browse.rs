//! `mirage railway projects`, `environments`, `services`, `deployments`

use std::io::Write;

use clap::Args;
use jiff::Timestamp;
use mirage_specs::catalog::{
    Keeper, KeptBy, Listed, RailwayDeployment, RailwayEnvironment, RailwayProject, RailwayService,
};
use serde::Serialize;

use crate::{
    cli::{
        connection::{Connection, ConnectionArgs},
        describe::since::since,
        failure::Failure,
        output::{self, Document},
        product, table,
    },
    exit::Exit,
};

/// Flags that every look at Railway has.
#[derive(Debug, Args)]
struct LookArgs {
    /// RailwayAccount that looks
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// For programs
    #[arg(short, long, env = "MIRAGE_OUTPUT", value_name = "FORMAT")]
    output: Option<Document>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// List the projects that an account sees on Railway
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage railway projects
  mirage railway projects --account staging -o json

MANAGED counts the environments that Mirage keeps, EXTERNAL the others: `mirage import` takes those over.")]
pub(crate) struct Projects {
    #[command(flatten)]
    look: LookArgs,
}

/// List the environments of a project on Railway, managed or not
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage railway environments shop
  mirage railway environments 0f2c…-…                a project by its id")]
pub(crate) struct Environments {
    /// Project, by name or Railway's id
    project: String,
    #[command(flatten)]
    look: LookArgs,
}

/// List the services of an environment on Railway, managed or not
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage railway services shop/production")]
pub(crate) struct Services {
    /// Environment, each part by name or Railway's id
    #[arg(value_name = "PROJECT/ENVIRONMENT")]
    place: String,
    #[command(flatten)]
    look: LookArgs,
}

/// List the newest deployments of a service on Railway
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirage railway deployments shop/production web
  mirage railway deployments shop/production web --limit 5")]
pub(crate) struct Deployments {
    /// Environment, each part by name or Railway's id
    #[arg(value_name = "PROJECT/ENVIRONMENT")]
    place: String,
    /// Service, by name or Railway's id
    service: String,
    /// How many at most
    #[arg(long, default_value_t = 20)]
    limit: u32,
    #[command(flatten)]
    look: LookArgs,
}

impl Projects {
    pub(super) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let found: Listed<RailwayProject> = self.look.ask(&["railway", "projects"], None).await?;
        self.look.show(out, &found.items, &found, |projects| {
            rows(
                &[
                    "NAME",
                    "ENVIRONMENTS",
                    "MANAGED",
                    "EXTERNAL",
                    "SERVICES",
                    "AGE",
                    "RAILWAY ID",
                ],
                projects.iter().map(|project| {
                    vec![
                        project.name.clone(),
                        count(project.environments),
                        count(project.managed),
                        count(project.external),
                        count(project.services),
                        since(project.created_at, Timestamp::now()),
                        project.railway_project_id.clone(),
                    ]
                }),
            )
        })
    }
}

impl Environments {
    pub(super) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let path = ["railway", "projects", &self.project, "environments"];
        let found: Listed<RailwayEnvironment> = self.look.ask(&path, None).await?;
        self.look.show(out, &found.items, &found, |environments| {
            rows(
                &[
                    "NAME",
                    "STATE",
                    "SERVICES",
                    "KEPT BY",
                    "LAST DEPLOYED",
                    "URL",
                    "RAILWAY ID",
                ],
                environments.iter().map(|environment| {
                    vec![
                        environment.name.clone(),
                        environment.state.to_string(),
                        environment.services_ready.clone(),
                        keeper(environment.keeper, environment.kept_by.as_ref()),
                        environment
                            .last_deployed_at
                            .map_or_else(none, |at| since(at, Timestamp::now())),
                        environment.urls.first().cloned().unwrap_or_else(none),
                        environment.railway_environment_id.clone(),
                    ]
                }),
            )
        })
    }
}

impl Services {
    pub(super) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let (project, environment) = place(&self.place)?;
        let path = ["railway", "projects", project, "environments", environment];
        let found: RailwayEnvironment = self.look.ask(&path, None).await?;
        self.look.show(out, &found.services, &found, |services| {
            rows(
                &[
                    "NAME", "STATE", "SOURCE", "COMMIT", "REPLICAS", "REGION", "DEPLOYED", "URL",
                ],
                services.iter().map(service),
            )
        })
    }
}

impl Deployments {
    pub(super) async fn run(self, out: &mut dyn Write) -> Result<Exit, Failure> {
        let (project, environment) = place(&self.place)?;
        let path = [
            "railway",
            "projects",
            project,
            "environments",
            environment,
            "services",
            &self.service,
            "deployments",
        ];
        let found: Listed<RailwayDeployment> = self.look.ask(&path, Some(self.limit)).await?;
        self.look.show(out, &found.items, &found, |deployments| {
            rows(
                &[
                    "STATUS",
                    "ACTIVE",
                    "AGE",
                    "SOURCE",
                    "COMMIT",
                    "MESSAGE",
                    "RAILWAY ID",
                ],
                deployments.iter().map(|deployment| {
                    let message = deployment.commit_message.as_deref().unwrap_or_default();
                    vec![
                        deployment.status.clone(),
                        if deployment.active { "yes" } else { "no" }.to_owned(),
                        since(deployment.created_at, Timestamp::now()),
                        source(deployment.image.as_ref(), deployment.repo.as_ref()),
                        commit(Some(deployment)),
                        message
                            .lines()
                            .next()
                            .map_or_else(none, |line| line.chars().take(40).collect()),
                        deployment.railway_deployment_id.clone(),
                    ]
                }),
            )
        })
    }
}

impl LookArgs {
    async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        path: &[&str],
        limit: Option<u32>,
    ) -> Result<T, Failure> {
        let connection: Connection = self.connection.open().await?;
        let limit = limit.map(|limit| limit.to_string());
        let query = product::query(&[
            ("namespace", Some(&connection.namespace)),
            ("account", self.account.as_deref()),
            ("limit", limit.as_deref()),
        ]);
        product::get(&connection, &(product::path(path) + &query)).await
    }

    fn show<T>(
        &self,
        out: &mut dyn Write,
        items: &[T],
        whole: &impl Serialize,
        lines: impl FnOnce(&[T]) -> Vec<Vec<String>>,
    ) -> Result<Exit, Failure> {
        match self.output {
            Some(format) => output::document(out, format, whole)?,
            None => table::align(out, &lines(items))?,
        }
        Ok(Exit::Success)
    }
}

/// `PROJECT/ENVIRONMENT`; Railway's names may hold blanks, and a slash only in the environment's.
pub(in crate::cli) fn place(text: &str) -> Result<(&str, &str), Failure> {
    match text.split_once('/') {
        Some((project, environment)) if !project.is_empty() && !environment.is_empty() => {
            Ok((project, environment))
        }
        _ => Err(Failure::Usage(format!(
            "{text:?} is not PROJECT/ENVIRONMENT; `mirage railway projects` and `mirage railway environments` list both"
        ))),
    }
}

fn rows(head: &[&str], lines: impl Iterator<Item = Vec<String>>) -> Vec<Vec<String>> {
    let head = head.iter().map(ToString::to_string).collect();
    std::iter::once(head).chain(lines).collect()
}

fn service(service: &RailwayService) -> Vec<String> {
    let latest = service.last_deployment.as_ref();
    vec![
        service.name.clone(),
        service.state.to_string(),
        source(service.image.as_ref(), service.repo.as_ref()),
        commit(latest),
        count(service.replicas),
        service.region.clone().unwrap_or_else(none),
        latest.map_or_else(none, |latest| since(latest.created_at, Timestamp::now())),
        service.urls.first().cloned().unwrap_or_else(none),
    ]
}

fn source(image: Option<&String>, repo: Option<&String>) -> String {
    repo.or(image).cloned().unwrap_or_else(none)
}

fn commit(deployment: Option<&RailwayDeployment>) -> String {
    let commit = deployment.and_then(|deployment| deployment.commit.as_deref());
    commit.map_or_else(none, |commit| commit.chars().take(7).collect())
}

fn keeper(keeper: Keeper, kept_by: Option<&KeptBy>) -> String {
    match (keeper, kept_by) {
        (Keeper::External, _) => "external".to_owned(),
        (Keeper::Managed, Some(kept_by)) => format!("{}/{}", kept_by.namespace, kept_by.name),
        (Keeper::Managed, None) => "managed".to_owned(),
    }
}

fn count(number: Option<u32>) -> String {
    number.map_or_else(|| "?".to_owned(), |number| number.to_string())
}

fn none() -> String {
    "<none>".to_owned()
}
