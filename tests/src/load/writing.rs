//! The writers. Each has objects of its own, which it makes, changes and lets go, each time through another server.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use futures::future::try_join_all;
use http::Method;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};
use tokio::time::MissedTickBehavior;

use super::{
    Load, PATH,
    journal::{Journal, Written},
    selection::{Labels, SHARDS},
};
use crate::process::{Mirage, connection::Connection};

const WRITERS: u32 = 16;

/// Objects of each writer: few, so that every one has a long life.
const OBJECTS: usize = 4;

/// The name of an object that ends watches begins so.
pub(super) const LAST: &str = "last-";

type Acknowledged = Vec<(u64, Written)>;

/// Writes for as long as the load lasts, then the objects that end every watch. Also says how long the former took, in
/// seconds.
pub(super) async fn run(servers: &[&Mirage], load: Load) -> Result<(Journal, f64)> {
    let start = Instant::now();
    let writers = (0..WRITERS).map(|writer| write(servers, writer, load));
    let written = try_join_all(writers).await?;
    let took = start.elapsed().as_secs_f64();
    let mut journal = Journal::default();
    for (version, written) in written.into_iter().flatten().chain(end(servers).await?) {
        journal.add(version, written)?;
    }
    Ok((journal, took))
}

async fn connections(servers: &[&Mirage]) -> Result<Vec<Connection>> {
    try_join_all(servers.iter().map(|server| server.connect())).await
}

async fn write(servers: &[&Mirage], writer: u32, load: Load) -> Result<Acknowledged> {
    let mut servers = connections(servers).await?;
    let mut random = StdRng::seed_from_u64(writer.into());
    let mut objects: [Option<Labels>; OBJECTS] = [None; OBJECTS];
    let mut acknowledged = Vec::new();
    // Every writer its share of the rate.
    let mut ticks = tokio::time::interval(Duration::from_secs(1) * WRITERS / load.per_second);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let until = Instant::now() + load.lasts;
    while Instant::now() < until {
        ticks.tick().await;
        let index = random.random_range(0..OBJECTS);
        let server = random.random_range(0..servers.len());
        let before = objects[index];
        // One in eight goes.
        let after = (before.is_none() || random.random_range(0..8) > 0).then(|| Labels {
            shard: random.random_range(0..SHARDS),
            is_hot: random.random_range(0..2) == 0,
        });
        let server = &mut servers[server];
        let name = format!("object-{writer}-{index}");
        let step = Written {
            name,
            before,
            after,
            is_last: false,
        };
        if let Some(labels) = before.filter(|_| after.is_none()) {
            // An answer to a deletion names no version. So that it is known all the same, a finalizer holds the object,
            // and taking that away is what lets it go.
            let marked = Written {
                after: Some(labels),
                ..step.clone()
            };
            acknowledged.push((delete(server, &marked.name).await?, marked));
        }
        let version = put(server, &step, acknowledged.len()).await?;
        objects[index] = step.after;
        acknowledged.push((version, step));
    }
    Ok(acknowledged)
}

/// One object of every combination of labels: each selection has at least one of them.
async fn end(servers: &[&Mirage]) -> Result<Acknowledged> {
    let mut servers = connections(servers).await?;
    let first = servers.first_mut().context("no server")?;
    let mut acknowledged = Vec::new();
    for shard in 0..SHARDS {
        for is_hot in [false, true] {
            let written = Written {
                name: format!("{LAST}{shard}-{is_hot}"),
                before: None,
                after: Some(Labels { shard, is_hot }),
                is_last: true,
            };
            let version = put(first, &written, 0).await?;
            acknowledged.push((version, written));
        }
    }
    Ok(acknowledged)
}

/// Makes it, changes it or lets it go; answers with the version.
async fn put(server: &mut Connection, written: &Written, count: usize) -> Result<u64> {
    let own = format!("{PATH}/{}", written.name);
    let (method, path) = match written.before {
        None => (Method::POST, PATH),
        Some(_) => (Method::PUT, own.as_str()),
    };
    let labels = written
        .after
        .or(written.before)
        .context("neither before nor after")?;
    let mut object = object(&written.name, labels, count);
    if written.after.is_some() && !written.is_last {
        object["metadata"]["finalizers"] = json!(["example.com/held"]);
    }
    version(&server.ask(method, path, object.to_string().into()).await?)
}

/// Asks for its deletion, which waits for the finalizer.
async fn delete(server: &mut Connection, name: &str) -> Result<u64> {
    let own = format!("{PATH}/{name}");
    version(&server.ask(Method::DELETE, &own, Bytes::new()).await?)
}

fn version(answer: &[u8]) -> Result<u64> {
    let answer: Value = serde_json::from_slice(answer)?;
    answer["metadata"]["resourceVersion"]
        .as_str()
        .and_then(|version| version.parse().ok())
        .with_context(|| format!("no version in {answer}"))
}

/// Differs from the one before in any case: a write that changes nothing is none.
fn object(name: &str, labels: Labels, count: usize) -> Value {
    let mut object = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "labels": {"shard": labels.shard.to_string()}},
        "data": {"count": count.to_string()},
    });
    if labels.is_hot {
        object["metadata"]["labels"]["hot"] = json!("yes");
    }
    object
}
