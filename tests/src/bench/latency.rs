//! From an apply to the first mutation, in real time.

use std::time::{Duration, Instant};

use mirage_railway_simulator::Timing;
use mirage_reconcilers::Intervals;
use serde_json::json;

use super::Row;
use crate::{
    invariants, manifest,
    world::{World, WorldOptions},
};

/// The most that half of them, and nearly all of them, may take on a machine that has other things to do.
const BOUNDS_MS: [f64; 2] = [50.0, 250.0];

pub(super) async fn rows(samples: usize) -> anyhow::Result<Vec<Row>> {
    let mut options = WorldOptions::lifelike(3);
    options.railway.timing = Timing::instant();
    let short = Duration::from_millis(50);
    options.intervals = Intervals {
        active: short,
        soon: short,
        grace: short,
        ..Intervals::default()
    };
    let mut world = World::new(options).await?;
    world.start();
    world
        .apply(&manifest::many_services("stage", "shop", 1))
        .await?;
    rest(&mut world).await?;
    let mut times = Vec::with_capacity(samples);
    for index in 0..samples {
        let before = world.simulator.requests().mutations;
        let patch = json!({"spec": {"services": {"service-00": {"variables": {"LEVEL": index.to_string()}}}}});
        let start = Instant::now();
        world.merge("stage", &patch).await?;
        while world.simulator.requests().mutations == before {
            anyhow::ensure!(
                start.elapsed() < Duration::from_secs(10),
                "an edit led to no mutation"
            );
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        times.push(start.elapsed().as_secs_f64() * 1000.0);
        rest(&mut world).await?;
    }
    times.sort_by(f64::total_cmp);
    let at = |percent: usize| {
        times
            .get((times.len() * percent / 100).min(times.len() - 1))
            .copied()
            .unwrap_or(f64::NAN)
    };
    let what =
        |part: &str| format!("apply to first mutation on an idle system, {part} of {samples}");
    Ok(vec![
        Row::new(what("p50"), at(50), BOUNDS_MS[0], "ms"),
        Row::new(what("p99"), at(99), BOUNDS_MS[1], "ms"),
    ])
}

async fn rest(world: &mut World) -> anyhow::Result<()> {
    let start = Instant::now();
    while !invariants::unsettled(world).await?.is_empty() {
        anyhow::ensure!(
            start.elapsed() < Duration::from_secs(30),
            "no rest: {:?}",
            invariants::unsettled(world).await?
        );
        world.pass(Duration::from_millis(20)).await;
    }
    Ok(())
}
