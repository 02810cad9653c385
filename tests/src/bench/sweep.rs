//! Requests of one observation sweep.

use std::{sync::Arc, time::Duration};

use mirage_railway::{
    budget::Priority,
    client::{Client, ClientOptions, Token},
    id::ProjectId,
    observer::{Observer, ObserverOptions},
    secret::{FingerprintKey, SecretValue},
    snapshot::Presence,
};
use mirage_railway_simulator::{ACCOUNT_TOKEN, DashboardEdit, Options, Simulator};

use super::{Row, provision::as_number};
use crate::world::{clock_of, unwatched_wire};

const PROJECTS: usize = 10;
const ENVIRONMENTS: usize = 10;
const SERVICES: usize = 10;

pub(super) async fn rows(rows: &mut Vec<Row>) -> anyhow::Result<()> {
    let options = Options::default();
    let clock = clock_of(options.start);
    let simulator = Simulator::new(options)?;
    build(&simulator)?;
    // Everything is listed, everything is deployed.
    tokio::time::sleep(Duration::from_secs(900)).await;
    let client = Client::new(ClientOptions {
        transport: unwatched_wire(&simulator),
        endpoint: "http://railway.invalid/graphql/v2".parse()?,
        token: Token::Account(SecretValue::new(ACCOUNT_TOKEN)),
        plan: None,
        seed: 1,
        clock,
    });
    let options = ObserverOptions::new(FingerprintKey::new([7; 32]));
    let interval = options.idle_interval;
    let observer = Observer::new(client, options);
    let ids: Vec<ProjectId> = simulator
        .inventory()
        .projects
        .iter()
        .map(|project| ProjectId::new(project.id.clone()))
        .collect();
    for id in &ids {
        let seen = observer.project(id, Priority::User).await?;
        anyhow::ensure!(
            matches!(seen, Presence::Present(_)),
            "a project cannot be seen"
        );
    }

    let unchanged = sweep(&simulator, &observer, interval).await?;
    rows.push(Row::new(
        what("nothing changed"),
        unchanged,
        2.0,
        "requests",
    ));
    simulator.edit(DashboardEdit::SetVariable {
        environment: "project-3/env-7".to_owned(),
        service: Some("service-3-5".to_owned()),
        name: "LEVEL".to_owned(),
        value: "debug".to_owned(),
    })?;
    let changed = sweep(&simulator, &observer, interval).await?;
    rows.push(Row::new(what("one changed"), changed, 3.0, "requests"));
    Ok(())
}

fn what(happened: &str) -> String {
    let environments = PROJECTS * ENVIRONMENTS;
    format!(
        "requests of a sweep over {environments} environments × {SERVICES} services in {PROJECTS} projects, {happened}"
    )
}

async fn sweep(
    simulator: &Simulator,
    observer: &Arc<Observer>,
    interval: Duration,
) -> anyhow::Result<f64> {
    tokio::time::sleep(interval).await;
    simulator.reset_requests();
    observer.sweep().await?;
    Ok(as_number(simulator.requests().total))
}

fn build(simulator: &Simulator) -> anyhow::Result<()> {
    for project in 0..PROJECTS {
        let name = format!("project-{project}");
        simulator.edit(DashboardEdit::CreateProject { name: name.clone() })?;
        let first = format!("{name}/env-0");
        simulator.edit(DashboardEdit::CreateEnvironment {
            project: name.clone(),
            name: "env-0".to_owned(),
        })?;
        for service in 0..SERVICES {
            simulator.edit(DashboardEdit::CreateService {
                environment: first.clone(),
                name: format!("service-{project}-{service}"),
                image: "nginx:1.29".to_owned(),
            })?;
        }
        for environment in 1..ENVIRONMENTS {
            simulator.edit(DashboardEdit::DuplicateEnvironment {
                environment: first.clone(),
                name: format!("env-{environment}"),
            })?;
        }
    }
    Ok(())
}
