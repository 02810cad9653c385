//! Requests of a clone.

use std::time::Duration;

use anyhow::Context as _;
use http::{Method, StatusCode};
use mirage_railway_simulator::DashboardEdit;
use serde_json::json;

use super::{
    Row,
    provision::{as_number, requests_until_the_last_mutation, triggered},
};
use crate::{
    invariants, manifest,
    world::{World, WorldOptions},
};

const PROJECT: &str = "shop";
const SOURCE: &str = "prod";
const NAME: &str = "twin";
const SERVICES: u32 = 20;

pub(super) async fn rows(rows: &mut Vec<Row>) -> anyhow::Result<()> {
    for (place, project) in [("the same", PROJECT), ("a new", "other")] {
        let what = format!(
            "requests to clone {SERVICES} services, 3 values copied on Railway, into {place} project"
        );
        rows.push(Row::new(what, clone_into(project).await?, 8.0, "requests"));
    }
    Ok(())
}

async fn clone_into(project: &str) -> anyhow::Result<f64> {
    let limit = Duration::from_secs(1_800);
    let count = usize::try_from(SERVICES)?;
    let mut world = World::new(WorldOptions::lifelike(u64::from(SERVICES))).await?;
    world.start();
    world.pass(Duration::from_secs(60)).await;
    world
        .apply(&manifest::many_services(SOURCE, PROJECT, count))
        .await?;
    rest(&mut world, limit).await?;
    for service in [None, Some("service-00"), Some("service-07")] {
        world.simulator.edit(DashboardEdit::SetVariable {
            environment: format!("{PROJECT}/{SOURCE}"),
            service: service.map(str::to_owned),
            name: "BY_HAND".to_owned(),
            value: "value".to_owned(),
        })?;
    }
    // What came before is long done, and watched at its usual pace.
    world.pass(Duration::from_secs(600)).await;
    rest(&mut world, limit).await?;
    let source = world.environment(SOURCE).await?;
    let id = source.and_then(|source| source.metadata.uid);
    let path = format!("/api/v1/environments/{}/clone", id.context("the source")?);

    world.simulator.reset_requests();
    let options = json!({"name": NAME, "project": {"name": project}});
    let (status, answer) = world.ask(Method::POST, &path, Some(&options)).await?;
    anyhow::ensure!(status == StatusCode::CREATED, "{answer}");
    let mut waited = Duration::ZERO;
    // Looked at often, or the watching that comes after would be counted too.
    const STEP: Duration = Duration::from_millis(50);
    while triggered(&world.simulator, project, NAME) < count {
        anyhow::ensure!(waited < limit, "no deployments were triggered");
        world.pass(STEP).await;
        waited += STEP;
    }
    let requests = requests_until_the_last_mutation(&world.simulator);
    rest(&mut world, limit).await?;
    let inventory = world.simulator.inventory_with_values();
    let copied = inventory
        .environment(project, NAME)
        .and_then(|twin| twin.service("service-07"))
        .and_then(|service| service.variables.get("BY_HAND")?.as_deref());
    anyhow::ensure!(copied == Some("value"), "the value was not copied");
    Ok(as_number(requests))
}

async fn rest(world: &mut World, limit: Duration) -> anyhow::Result<()> {
    let rested = world
        .pass_until(limit, async |world| {
            Ok(invariants::unsettled(world).await?.is_empty())
        })
        .await?;
    anyhow::ensure!(
        rested,
        "no rest: {}",
        invariants::unsettled(world).await?.join("; ")
    );
    Ok(())
}
