//! The watcher in every mode, and the reflector above it: the beginning, and every change after it.

use anyhow::{Context as _, Result, bail, ensure};
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use kube::{
    Api, ResourceExt,
    core::PartialObjectMeta,
    runtime::{
        WatchStreamExt as _, reflector,
        watcher::{self, Event, watcher},
    },
};
use mirage_specs::Environment;
use mirage_tests::process::{
    Mirage, objects,
    specs::one_image,
    waiting::{Look, PATIENCE, until},
};

/// The next event within reason, in words.
async fn next<K>(
    events: &mut (impl Stream<Item = Result<Event<K>, watcher::Error>> + Unpin),
) -> Result<String>
where
    K: ResourceExt,
{
    let event = tokio::time::timeout(PATIENCE, events.try_next())
        .await
        .context("no event")??;
    Ok(match event.context("the watch ended")? {
        Event::Init => "begins".to_owned(),
        Event::InitApply(object) => format!("there is {}", object.name_any()),
        Event::InitDone => "has begun".to_owned(),
        Event::Apply(object) => format!("{} changes", object.name_any()),
        Event::Delete(object) => format!("{} goes", object.name_any()),
    })
}

/// Two objects are there; a third comes, changes and goes. Each of it is told once, in this order.
async fn tells_all<K: ResourceExt>(
    client: &kube::Client,
    events: impl Stream<Item = Result<Event<K>, watcher::Error>>,
) -> Result<()> {
    let mut events = Box::pin(events);
    ensure!(next(&mut events).await? == "begins", "it begins with Init");
    let mut there = Vec::new();
    loop {
        match next(&mut events).await?.as_str() {
            "has begun" => break,
            event => there.push(event.to_owned()),
        }
    }
    there.sort();
    ensure!(there == ["there is first", "there is second"], "{there:?}");
    objects::apply(client, &one_image("third")).await?;
    let mut changed = one_image("third");
    changed["spec"]["suspend"] = true.into();
    objects::apply(client, &changed).await?;
    objects::delete(client, "third").await?;
    for expected in ["third changes", "third changes", "third goes"] {
        let event = next(&mut events).await?;
        ensure!(event == expected, "{event}, and not: {expected}");
    }
    Ok(())
}

async fn two() -> Result<(Mirage, kube::Client)> {
    let mirage = Mirage::api_only().await?;
    let client = mirage.client().await?;
    objects::apply(&client, &one_image("first")).await?;
    objects::apply(&client, &one_image("second")).await?;
    Ok((mirage, client))
}

#[tokio::test]
async fn wire_67_a_listing_watcher_sees_the_beginning_and_every_change() -> Result<()> {
    let (_mirage, client) = two().await?;
    for config in [
        watcher::Config::default(),
        watcher::Config::default().page_size(1),
        watcher::Config::default().any_semantic(),
    ] {
        let events = watcher(objects::environments(&client), config.clone());
        tells_all(&client, events)
            .await
            .with_context(|| format!("{config:?}"))?;
    }
    Ok(())
}

#[tokio::test]
async fn wire_67_a_streaming_watcher_sees_the_beginning_and_every_change() -> Result<()> {
    let (_mirage, client) = two().await?;
    let config = watcher::Config::default().streaming_lists();
    tells_all(&client, watcher(objects::environments(&client), config)).await
}

#[tokio::test]
async fn wire_67_a_metadata_watcher_sees_the_beginning_and_every_change() -> Result<()> {
    let (_mirage, client) = two().await?;
    for config in [
        watcher::Config::default(),
        watcher::Config::default().streaming_lists(),
    ] {
        let metadata: Api<PartialObjectMeta<Environment>> =
            Api::namespaced(client.clone(), "default");
        let events = watcher(metadata, config.clone());
        tells_all(&client, events)
            .await
            .with_context(|| format!("{config:?}"))?;
    }
    Ok(())
}

#[tokio::test]
async fn a_selective_watcher_sees_objects_come_and_go_with_their_labels() -> Result<()> {
    let (_mirage, client) = two().await?;
    let config = watcher::Config::default().labels("tier=front");
    let mut events = Box::pin(watcher(objects::environments(&client), config));
    for expected in ["begins", "has begun"] {
        ensure!(next(&mut events).await? == expected, "nothing is selected");
    }
    for tier in ["front", "back"] {
        let mut labelled = one_image("first");
        labelled["metadata"]["labels"] = serde_json::json!({"tier": tier});
        objects::apply(&client, &labelled).await?;
    }
    for expected in ["first changes", "first goes"] {
        let event = next(&mut events).await?;
        ensure!(event == expected, "{event}, and not: {expected}");
    }
    Ok(())
}

#[tokio::test]
async fn a_reflector_holds_what_the_server_has() -> Result<()> {
    let (_mirage, client) = two().await?;
    let (held, writer) = reflector::store();
    let events = watcher(objects::environments(&client), watcher::Config::default());
    let reflected = reflector::reflector(writer, events).default_backoff();
    let running = tokio::spawn(reflected.for_each(|_| std::future::ready(())));
    tokio::time::timeout(PATIENCE, held.wait_until_ready()).await??;
    objects::apply(&client, &one_image("third")).await?;
    objects::delete(&client, "first").await?;
    until("the reflector to follow", async || {
        let mut names: Vec<_> = held
            .state()
            .iter()
            .map(|object| object.name_any())
            .collect();
        names.sort();
        if names.len() > 3 {
            bail!("too many: {names:?}")
        }
        Ok(Look::when(
            (names == ["second", "third"]).then_some(()),
            || format!("{names:?}"),
        ))
    })
    .await?;
    running.abort();
    Ok(())
}
