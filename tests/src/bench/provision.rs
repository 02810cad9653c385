//! Requests of a provision, and of a visit that finds nothing to do.

use std::time::Duration;

use mirage_railway_simulator::{DashboardEdit, Quirk, Simulator};
use serde_json::json;

use super::Row;
use crate::{
    invariants, manifest,
    world::{World, WorldOptions},
};

const PROJECT: &str = "shop";
const NAME: &str = "stage";

pub(super) async fn rows(rows: &mut Vec<Row>) -> anyhow::Result<()> {
    for services in [10_u32, 30] {
        let (requests, unchanged) = provision(services, true).await?;
        let what = format!(
            "requests to provision {services} services by change set, until deployments are triggered"
        );
        rows.push(Row::new(what, requests, 6.0, "requests"));
        rows.push(Row::new(
            format!("requests of a reconcile of {services} services without a difference"),
            unchanged,
            0.0,
            "requests",
        ));
        let (requests, _) = provision(services, false).await?;
        // One more per service that is new to the project.
        let bound = 6.0 + f64::from(services);
        let what = format!(
            "requests to provision {services} services by patch, until deployments are triggered"
        );
        rows.push(Row::new(what, requests, bound, "requests"));
    }
    Ok(())
}

/// Requests of the provision, and of a later visit.
async fn provision(services: u32, change_sets: bool) -> anyhow::Result<(f64, f64)> {
    let mut options = WorldOptions::lifelike(u64::from(services));
    if !change_sets {
        options.railway.quirks = options.railway.quirks.with(Quirk::ChangeSetsUnavailable);
    }
    let mut world = World::new(options).await?;
    world.simulator.edit(DashboardEdit::CreateProject {
        name: PROJECT.to_owned(),
    })?;
    // The project is long there, and the credential has been looked at.
    world.pass(Duration::from_secs(60)).await;
    world.start();
    world.pass(Duration::from_secs(60)).await;

    world.simulator.reset_requests();
    let count = usize::try_from(services)?;
    world
        .apply(&manifest::many_services(NAME, PROJECT, count))
        .await?;
    let limit = Duration::from_secs(600);
    let mut waited = Duration::ZERO;
    // Looked at often, or the watching that comes after would be counted too.
    const STEP: Duration = Duration::from_millis(50);
    while triggered(&world.simulator, PROJECT, NAME) < count {
        anyhow::ensure!(
            waited < limit,
            "{} of {count} deployments were triggered",
            triggered(&world.simulator, PROJECT, NAME)
        );
        world.pass(STEP).await;
        waited += STEP;
    }
    let requests = requests_until_the_last_mutation(&world.simulator);

    let rested = world
        .pass_until(limit, async |world| {
            Ok(invariants::unsettled(world).await?.is_empty())
        })
        .await?;
    anyhow::ensure!(
        rested,
        "no rest: {}",
        invariants::unsettled(&world).await?.join("; ")
    );
    world.pass(Duration::from_secs(120)).await;
    Ok((as_number(requests), unchanged(&mut world).await?))
}

/// The last mutation is what triggers; the looks after it wait for Railway and not the other way around.
pub(super) fn requests_until_the_last_mutation(simulator: &Simulator) -> u64 {
    let log = simulator.log();
    let after = log
        .iter()
        .rev()
        .take_while(|request| !request.mutation)
        .count();
    (log.len() - after) as u64
}

pub(super) fn triggered(simulator: &Simulator, project: &str, name: &str) -> usize {
    let inventory = simulator.inventory();
    let environment = inventory.environment(project, name);
    let services = environment
        .into_iter()
        .flat_map(|environment| &environment.services);
    services
        .filter(|service| !service.deployments.is_empty())
        .count()
}

/// Requests of a visit that somebody asks for. Watching goes on meanwhile, so the least of several is its own cost.
async fn unchanged(world: &mut World) -> anyhow::Result<f64> {
    let mut least = u64::MAX;
    for round in 0..5 {
        world.simulator.reset_requests();
        world
            .merge(
                NAME,
                &json!({"metadata": {"annotations": {"bench": round.to_string()}}}),
            )
            .await?;
        world.pass(Duration::from_secs(7)).await;
        least = least.min(world.simulator.requests().total);
    }
    Ok(as_number(least))
}

pub(super) fn as_number(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}
