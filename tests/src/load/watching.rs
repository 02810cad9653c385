//! The watches. Some of them hang up in between and go on from the last version that they saw, as clients do.

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http::Method;
use http_body_util::BodyExt as _;
use serde::Deserialize;
use serde_json::Value;
use tokio::task::JoinHandle;

use super::{PATH, journal::Event, selection::Selection, writing::LAST};
use crate::process::{Mirage, connection::Connection};

/// Every so many watches one hangs up now and then.
const RESTLESS: usize = 5;

/// After so many events.
const PATIENCE: usize = 150;

/// A version from which every watch can begin, whichever server gave it out.
pub(super) async fn newest(servers: &[&Mirage]) -> Result<String> {
    let server = servers.first().context("no server")?;
    let list = server
        .connect()
        .await?
        .ask(Method::GET, PATH, Bytes::new())
        .await?;
    let list: Value = serde_json::from_slice(&list)?;
    let version = list["metadata"]["resourceVersion"].as_str();
    Ok(version.context("a list without a version")?.to_owned())
}

/// One watch, on its way.
pub(super) struct Watch {
    selection: Selection,
    task: JoinHandle<Result<Vec<Event>>>,
}

impl Watch {
    /// Begins it; it is under way when this returns.
    pub(super) async fn start(
        server: &Mirage,
        selection: Selection,
        from: &str,
        index: usize,
    ) -> Result<Self> {
        let path = format!("{PATH}?watch=1&labelSelector={}", selection.query());
        let url = server.address("http")?;
        let host = url.trim_start_matches("http://").trim_end_matches('/');
        let (host, token) = (host.to_owned(), server.token()?);
        let first = open(&host, &token, &path, from).await?;
        let is_restless = index % RESTLESS == RESTLESS - 1;
        let task = tokio::spawn(async move {
            let mut seen: Vec<Event> = Vec::new();
            let mut stream = first;
            loop {
                let patience = if is_restless { PATIENCE } else { usize::MAX };
                if read(&mut stream, &mut seen, patience).await? {
                    return Ok(seen);
                }
                let last = seen.last().context("it hung up before the first event")?;
                stream = open(&host, &token, &path, &last.version.to_string()).await?;
            }
        });
        Ok(Self { selection, task })
    }

    /// What it was told, up to the end.
    pub(super) async fn seen(self) -> Result<(Selection, Vec<Event>)> {
        Ok((self.selection, self.task.await??))
    }
}

type Stream = (Connection, hyper::body::Incoming);

async fn open(host: &str, token: &str, path: &str, from: &str) -> Result<Stream> {
    let mut connection = Connection::connect(host, token).await?;
    let path = format!("{path}&resourceVersion={from}");
    let answer = connection.send(Method::GET, &path, Bytes::new()).await?;
    ensure!(answer.status().is_success(), "{path}: {}", answer.status());
    Ok((connection, answer.into_body()))
}

/// Reads until the object that ends it, which is true, or until patience is over, which is not.
async fn read((_, body): &mut Stream, seen: &mut Vec<Event>, patience: usize) -> Result<bool> {
    let (mut rest, mut events) = (Vec::new(), 0);
    loop {
        let frame = body.frame().await.context("a watch ended")??;
        rest.extend_from_slice(&frame.into_data().unwrap_or_default());
        let mut done = 0;
        while let Some(length) = rest[done..].iter().position(|byte| *byte == b'\n') {
            let event = event(&rest[done..done + length])?;
            done += length + 1;
            let is_last = event.name.starts_with(LAST);
            seen.push(event);
            events += 1;
            if is_last {
                return Ok(true);
            }
            if events >= patience {
                return Ok(false);
            }
        }
        rest.drain(..done);
    }
}

fn event(line: &[u8]) -> Result<Event> {
    /// As much of it as matters.
    #[derive(Deserialize)]
    struct Line {
        #[serde(rename = "type")]
        word: String,
        object: Object,
    }
    #[derive(Deserialize)]
    struct Object {
        metadata: Metadata,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Metadata {
        name: String,
        resource_version: String,
    }
    let line: Line = serde_json::from_slice(line)
        .with_context(|| format!("what is {}", String::from_utf8_lossy(line)))?;
    Ok(Event {
        word: line.word,
        name: line.object.metadata.name,
        version: line.object.metadata.resource_version.parse()?,
    })
}
