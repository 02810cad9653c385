//! A watch that outlives the server: killed without a chance to say goodbye, and started again on the same data.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures::StreamExt as _;
use kube::{
    ResourceExt as _,
    runtime::{
        WatchStreamExt as _,
        utils::Backoff,
        watcher::{self, Event, watcher},
    },
};
use mirage_tests::process::{Door, Mirage, objects, specs::one_image, waiting::PATIENCE};
use tokio::sync::mpsc;

/// How often the server dies.
const LIVES: usize = 3;

/// Tries again after a moment, for as long as it takes.
struct Patiently;

impl Iterator for Patiently {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        Some(Duration::from_millis(50))
    }
}

impl Backoff for Patiently {
    fn reset(&mut self) {}
}

#[tokio::test]
async fn a_watcher_misses_nothing_and_repeats_nothing_though_the_server_is_killed() -> Result<()> {
    let mut mirage = Mirage::api_only().await?;
    let door = Door::before(&mirage).await?;
    let environments = objects::environments(&door.client().await?);
    let (tell, mut told) = mpsc::unbounded_channel();
    let events = watcher(environments, watcher::Config::default()).backoff(Patiently);
    let watching = tokio::spawn(async move {
        let mut events = Box::pin(events);
        while let Some(event) = events.next().await {
            // Errors are what a dying server makes; the watcher goes on after them.
            let Ok(event) = event else { continue };
            let told = match event {
                Event::Init => "begins".to_owned(),
                Event::InitDone => "has begun".to_owned(),
                Event::InitApply(object) | Event::Apply(object) => object.name_any(),
                Event::Delete(object) => format!("{} goes", object.name_any()),
            };
            if tell.send(told).is_err() {
                return;
            }
        }
    });
    let mut next = async || {
        tokio::time::timeout(PATIENCE, told.recv())
            .await
            .context("nothing is told")?
            .context("the watcher ended")
    };
    for expected in ["begins", "has begun"] {
        let event = next().await?;
        ensure!(event == expected, "{event}, and not: {expected}");
    }

    let mut client = mirage.client().await?;
    let mut wanted = Vec::new();
    for life in 0..LIVES {
        for number in 0..5 {
            // The watcher hears of some of these before the server dies, and of the others from the next one.
            let name = format!("e{life}-{number}");
            objects::apply(&client, &one_image(&name)).await?;
            wanted.push(name);
        }
        mirage.kill().await?;
        mirage.start_again().await?;
        client = mirage.client().await?;
        let gone = format!("e{life}-0");
        objects::delete(&client, &gone).await?;
        wanted.push(format!("{gone} goes"));
        door.leads_to(&mirage)?;
    }
    for expected in wanted {
        let event = next().await?;
        ensure!(event == expected, "{event}, and not: {expected}");
    }
    watching.abort();
    Ok(())
}
