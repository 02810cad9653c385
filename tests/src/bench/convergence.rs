//! Many specs at once: the rate limits should be all that takes time.

use std::time::Duration;

use mirage_railway_simulator::{DashboardEdit, Timing};
use tokio::time::Instant;

use super::Row;
use crate::{
    manifest,
    world::{World, WorldOptions},
};

pub(super) async fn ratio(specs: u32) -> anyhow::Result<Row> {
    let mut world = World::new(WorldOptions::lifelike(7)).await?;
    world.simulator.edit(DashboardEdit::CreateProject {
        name: "shop".to_owned(),
    })?;
    world.pass(Duration::from_secs(60)).await;
    world.start();
    world.pass(Duration::from_secs(60)).await;

    let start = Instant::now();
    for index in 0..specs {
        world
            .apply(&manifest::many_services(
                &format!("env-{index:03}"),
                "shop",
                1,
            ))
            .await?;
    }
    let ideal = Timing::default().creation_throttle * specs;
    let wanted = usize::try_from(specs)?;
    let done = world
        .pass_until(ideal * 2, async |world| {
            let inventory = world.simulator.inventory();
            let environments = inventory
                .project("shop")
                .into_iter()
                .flat_map(|project| &project.environments);
            let deployed = environments.filter(|environment| {
                environment
                    .services
                    .iter()
                    .any(|service| service.status() == Some("SUCCESS"))
            });
            Ok(deployed.count() >= wanted)
        })
        .await?;
    anyhow::ensure!(
        done,
        "they did not all come to be within twice the time that the throttle takes"
    );
    let ratio = start.elapsed().as_secs_f64() / ideal.as_secs_f64();
    let what = format!(
        "{specs} specs at once: time until deployed / what the creation throttle alone takes"
    );
    Ok(Row::new(what, ratio, 1.1, "times"))
}
