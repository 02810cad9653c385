//! 52 to 57: what changes, as it happens.

use anyhow::{Context as _, Result, ensure};
use mirage_api::store::{Store as _, sqlite::SqliteStore};
use mirage_tests::process::{
    Mirage, kubectl,
    waiting::{Look, until},
};
use serde_json::{Value, json};

use crate::{
    checklist::checklist,
    scene::{Scene, row, version},
};

checklist![
    wire_52_get_watch_prints_a_row_as_it_happens,
    wire_53_a_watch_tells_exactly_what_came_after_a_version,
    wire_55_what_leaves_a_selection_is_deleted_from_it,
    wire_56_initial_events_end_with_a_bookmark,
];

/// The events of a watch that ends by itself.
async fn watched(scene: &Scene<'_>, query: &str) -> Result<Vec<Value>> {
    let path = format!("{}?watch=1&{query}", scene.environments());
    let answer = scene.get(&path).await?;
    ensure!(answer.status == 200, "{}", answer.text);
    let lines = answer.text.lines();
    lines
        .map(|line| serde_json::from_str(line).with_context(|| line.to_owned()))
        .collect()
}

/// Type and name of each event.
fn told(events: &[Value]) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    events
        .iter()
        .map(|event| {
            (
                text(&event["type"]),
                text(&event["object"]["metadata"]["name"]),
            )
        })
        .collect()
}

async fn wire_52_get_watch_prints_a_row_as_it_happens(scene: &Scene<'_>) -> Result<()> {
    scene.make("web").await?;
    let mut watching = scene.starts("get env -w", "watch.txt")?;
    let shows = async |words: &[&str]| {
        until(&format!("a row with {words:?}"), async || {
            let seen = scene.read("watch.txt")?;
            Ok(Look::when(row(&seen, words).map(drop), || seen.clone()))
        })
        .await
    };
    shows(&["web", "dev"]).await?;
    scene.report(&json!({"phase": "Provisioning"})).await?;
    shows(&["web", "Provisioning"]).await?;
    scene.make("api").await?;
    shows(&["api", "dev"]).await?;
    watching.kill().await?;
    Ok(())
}

async fn wire_53_a_watch_tells_exactly_what_came_after_a_version(scene: &Scene<'_>) -> Result<()> {
    scene.make("before").await?;
    let list = scene.get(&scene.environments()).await?.json()?;
    let old = version(&list).to_owned();
    scene.make("web").await?;
    scene.change(&json!({"spec": {"suspend": true}})).await?;
    scene.does("delete env web").await?;
    let events = watched(scene, &format!("resourceVersion={old}&timeoutSeconds=1")).await?;
    let expected = ["ADDED", "MODIFIED", "DELETED"].map(|kind| (kind.to_owned(), "web".to_owned()));
    ensure!(told(&events) == expected, "{events:?}");
    let mut last: u64 = old.parse()?;
    for event in &events {
        let next: u64 = version(&event["object"]).parse()?;
        ensure!(next > last, "{next} after {last}");
        last = next;
    }
    Ok(())
}

/// Not in the list of those that share a server: this one is stopped, and its changes are forgotten.
#[tokio::test]
async fn wire_54_a_version_that_is_no_longer_known_is_expired() -> Result<()> {
    let Some(newest) = kubectl::newest() else {
        return Ok(());
    };
    let mut mirage = Mirage::api_only().await?;
    let scene = Scene::on(&mirage, newest, "checklist").await?;
    let old = scene.make("web").await?;
    // The newest change is always kept, so there are two after the version that is asked for.
    for suspend in [true, false] {
        scene.change(&json!({"spec": {"suspend": suspend}})).await?;
    }
    let path = format!(
        "{}?watch=1&resourceVersion={}&timeoutSeconds=1",
        scene.environments(),
        version(&old)
    );
    drop(scene);
    mirage.kill().await?;
    let store = SqliteStore::open(&mirage.data("mirage.db")).await?;
    let newest_version = *store.revision().borrow();
    store.compact(newest_version).await?;
    drop(store);
    mirage.start_again().await?;

    let scene = Scene::on(&mirage, newest, "afterwards").await?;
    let answer = scene.get(&path).await?;
    // As the answer's status, or as the first event of a watch: clients understand both.
    let status = match answer.status {
        200 => answer.json()?["object"].clone(),
        _ => answer.json()?,
    };
    ensure!(
        status["kind"] == "Status" && status["code"] == 410 && status["reason"] == "Expired",
        "{}",
        answer.text
    );
    Ok(())
}

async fn wire_55_what_leaves_a_selection_is_deleted_from_it(scene: &Scene<'_>) -> Result<()> {
    let made = scene.make("web").await?;
    for app in ["other", "web", "other"] {
        scene
            .change(&json!({"metadata": {"labels": {"app": app}}}))
            .await?;
    }
    let query = format!(
        "labelSelector=app%3Dweb&resourceVersion={}&timeoutSeconds=1",
        version(&made)
    );
    let events = watched(scene, &query).await?;
    let expected = ["DELETED", "ADDED", "DELETED"].map(|kind| (kind.to_owned(), "web".to_owned()));
    ensure!(told(&events) == expected, "{events:?}");
    Ok(())
}

async fn wire_56_initial_events_end_with_a_bookmark(scene: &Scene<'_>) -> Result<()> {
    scene.make("a").await?;
    scene.make("b").await?;
    let query = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1";
    let events = watched(scene, query).await?;
    let kinds: Vec<_> = events
        .iter()
        .map(|event| event["type"].as_str().unwrap_or_default())
        .collect();
    ensure!(
        kinds.starts_with(&["ADDED", "ADDED", "BOOKMARK"]),
        "{kinds:?}"
    );
    let bookmark = &events[2]["object"]["metadata"];
    ensure!(
        bookmark["annotations"]["k8s.io/initial-events-end"] == "true",
        "{bookmark}"
    );
    let later = scene.get("/api/v1/namespaces?limit=1").await?.json()?;
    ensure!(
        version(&later).parse::<u64>()? >= version(&events[2]["object"]).parse()?,
        "the version of the whole store"
    );
    Ok(())
}

/// Writers at the same time, of one object each.
const WRITERS: usize = 200;

/// Every write comes by a watch once, in the order of the versions that the writers were told.
async fn writers_and_a_watcher(mirage: &Mirage) -> Result<()> {
    let Some(newest) = kubectl::newest() else {
        return Ok(());
    };
    let scene = Scene::on(mirage, newest, "checklist").await?;
    let list = scene.get(&scene.environments()).await?.json()?;
    let path = format!(
        "{}?watch=1&resourceVersion={}&timeoutSeconds=60",
        scene.environments(),
        version(&list)
    );
    let mut watching = scene.open(&path).await?;
    let names: Vec<String> = (0..WRITERS).map(|writer| format!("web-{writer}")).collect();
    let writing = futures::future::try_join_all(names.iter().map(|name| scene.make(name)));
    let reading = async {
        let mut seen = Vec::new();
        let mut text = Vec::new();
        while seen.len() < WRITERS {
            let piece = watching.chunk().await?.context("the watch ended early")?;
            text.extend_from_slice(&piece);
            while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = text.drain(..=end).collect();
                let event: Value = serde_json::from_slice(&line)?;
                ensure!(event["type"] == "ADDED", "{event}");
                seen.push(version(&event["object"]).parse::<u64>()?);
            }
        }
        anyhow::Ok(seen)
    };
    let (written, seen) = futures::future::try_join(writing, reading).await?;
    let mut acknowledged = Vec::new();
    for object in &written {
        acknowledged.push(version(object).parse::<u64>()?);
    }
    acknowledged.sort_unstable();
    ensure!(
        seen.windows(2).all(|pair| pair[0] < pair[1]),
        "versions rise: {seen:?}"
    );
    ensure!(seen == acknowledged, "{seen:?} is not {acknowledged:?}");
    Ok(())
}

#[tokio::test]
async fn wire_57_many_writers_are_seen_once_and_in_order_on_sqlite() -> Result<()> {
    writers_and_a_watcher(&Mirage::api_only().await?).await
}

#[tokio::test]
async fn wire_57_many_writers_are_seen_once_and_in_order_on_postgresql() -> Result<()> {
    let Some(postgres) = mirage_tests::process::postgres::Postgres::start()? else {
        return Ok(());
    };
    let arguments = ["--no-controllers", "--database", &postgres.url()];
    writers_and_a_watcher(&Mirage::with(&arguments, &[]).await?).await
}
