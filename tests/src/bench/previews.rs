//! Requests to GitHub while nothing happens, and the time from a closed pull request to the first step of its teardown.

use std::time::Duration;

use tokio::time::Instant;

use super::Row;
use crate::{
    github::Opening,
    previews::{SHOP, Scene, unfulfilled},
};

const HOUR: Duration = Duration::from_secs(3_600);

fn as_number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}

/// Open pull requests meanwhile. The cost does not grow with them up to a hundred, which is a page of GitHub's list.
const OPEN: usize = 5;

pub(super) async fn rows(rows: &mut Vec<Row>) -> anyhow::Result<()> {
    let mut scene = Scene::new(11, "60s").await?;
    scene.world.start();
    for index in 0..OPEN {
        let opening = Opening::of(&format!("change-{index}"));
        scene.github.open(SHOP, opening);
    }
    scene.deliver().await;
    let github = scene.github.clone();
    let is_there =
        async |world: &crate::world::World| {
            Ok(!world.environments().await?.is_empty()
                && unfulfilled(world, &github).await?.is_empty())
        };
    if !scene.world.pass_until(HOUR, is_there).await? {
        let missing = unfulfilled(&scene.world, &scene.github).await?;
        anyhow::bail!(
            "the environments did not come to be: {}",
            missing.join("; ")
        );
    }
    scene.world.pass(HOUR).await;

    let before = scene.github.asked().len();
    scene.world.pass(HOUR).await;
    let quiet = scene.github.asked().split_off(before);
    let unconditional = quiet.iter().filter(|asked| !asked.conditional).count();
    let counted = quiet
        .iter()
        .filter(|asked| asked.status != Some(304))
        .count();
    let what = |part: &str| {
        format!("{part} per policy and hour, {OPEN} open pull requests, nothing happens")
    };
    for (part, number, bound) in [
        ("requests to GitHub", quiet.len(), 60.0),
        ("those that are not conditional", unconditional, 0.0),
        ("those that count against GitHub's limit", counted, 0.0),
    ] {
        rows.push(Row::new(what(part), as_number(number), bound, "requests"));
    }

    let (mutations, asked) = (
        scene.world.simulator.requests().mutations,
        scene.github.asked().len(),
    );
    scene.github.close(SHOP, 1);
    let start = Instant::now();
    scene.deliver().await;
    while scene.world.simulator.requests().mutations == mutations {
        anyhow::ensure!(
            start.elapsed() < HOUR,
            "nothing was torn down for a closed pull request"
        );
        scene.world.pass(Duration::from_millis(20)).await;
    }
    rows.push(Row::new(
        "webhook of a closed pull request to the first mutation of its teardown",
        start.elapsed().as_secs_f64(),
        CLOSED_WITHIN_SECONDS,
        "s",
    ));
    rows.push(Row::new(
        "requests to GitHub meanwhile",
        as_number(scene.github.asked().len() - asked),
        CLOSED_REQUESTS,
        "requests",
    ));
    let violations = scene.github.violations();
    anyhow::ensure!(violations.is_empty(), "{}", violations.join("; "));
    Ok(())
}

/// The list and the pull request itself, at 160 ms each; the rest is ours and Railway's answers.
const CLOSED_WITHIN_SECONDS: f64 = 5.0;

/// The list that lacks it, and the pull request itself, which says that it is closed; then what is said about it.
const CLOSED_REQUESTS: f64 = 8.0;
