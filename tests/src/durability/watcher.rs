//! Somebody who watches, and goes on from the last version seen whenever the connection breaks.

use anyhow::{Context as _, Result, bail};
use reqwest::Method;
use serde_json::Value;

use super::document::{self, COLLECTION, LABEL};
use super::journal::{Event, Kind, Watched};
use super::line::Line;

/// Watches from this version until it has seen this key; with `selects` only half of the keys.
///
/// # Errors
/// The server no longer knows the version, or sends what is no event.
pub async fn watch(
    name: String,
    selects: bool,
    mut from: u64,
    last_key: String,
    mut line: Line,
) -> Result<Watched> {
    let mut events = Vec::new();
    let selector = if selects {
        format!("&labelSelector={LABEL}%3Deven")
    } else {
        String::new()
    };
    loop {
        let path = format!(
            "{COLLECTION}?watch=true&allowWatchBookmarks=true&resourceVersion={from}{selector}"
        );
        let Ok(mut response) = line.request(Method::GET, &path).await?.send().await else {
            line.pause().await;
            continue;
        };
        let code = response.status().as_u16();
        if (400..500).contains(&code) {
            bail!(
                "{name} could not go on from {from}: {}",
                response.text().await?
            );
        }
        let mut rest = Vec::new();
        // What is cut off in the middle of a line was not said.
        while let Ok(Some(chunk)) = response.chunk().await {
            rest.extend_from_slice(&chunk);
            while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = rest.drain(..=end).collect();
                let said: Value = serde_json::from_slice(&line)?;
                match read(&said).with_context(|| format!("{name} at {from} was sent {said}"))? {
                    Said::Event(event) => {
                        from = event.revision;
                        let is_last = event.key == last_key;
                        events.push(event);
                        if is_last {
                            return Ok(Watched {
                                name,
                                selects,
                                events,
                            });
                        }
                    }
                    Said::Bookmark(revision) => from = revision,
                    // The database is away: another try, from the same place.
                    Said::Failure => {}
                }
            }
        }
        line.pause().await;
    }
}

enum Said {
    Event(Event),
    Bookmark(u64),
    Failure,
}

fn read(said: &Value) -> Result<Said> {
    let object = &said["object"];
    let kind = match said["type"].as_str() {
        Some("ADDED") => Kind::Added,
        Some("MODIFIED") => Kind::Modified,
        Some("DELETED") => Kind::Deleted,
        Some("BOOKMARK") => {
            let revision = document::version(object).context("a bookmark has a version")?;
            return Ok(Said::Bookmark(revision));
        }
        Some("ERROR") if object["code"].as_u64() >= Some(500) => return Ok(Said::Failure),
        _ => bail!("this is no event to go on from"),
    };
    Ok(Said::Event(Event {
        kind,
        key: object["metadata"]["name"]
            .as_str()
            .context("an object has a name")?
            .to_owned(),
        revision: document::version(object).context("an object has a version")?,
        document: document::read(object),
    }))
}
