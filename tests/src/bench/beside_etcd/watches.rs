//! How long a put takes to reach those who watch, counted from when it is sent.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use futures::future::try_join_all;
use http::Method;
use http_body_util::BodyExt as _;
use prost::Message as _;
use tokio::task::JoinHandle;

use super::etcd::{self, Etcd, messages::WatchResponse};
use super::mirage::{Mirage, Own, PATH};
use super::{object, row};

/// Between two puts: 20 a second, each of which goes to every watch.
const PAUSE: Duration = Duration::from_millis(50);

/// The mark of the object before anybody watches.
const UNWATCHED: u64 = 999_999_999_999;

/// When each put was sent, by its mark.
type Sent = Arc<Mutex<Vec<Instant>>>;

/// p50 and p99, in milliseconds.
pub(super) async fn of_mirage(mirage: &Mirage, watches: usize, events: u32) -> Result<[f64; 2]> {
    let mut client = mirage.client().await?;
    let mut own = Own::create(&mut client, "watched".to_owned(), UNWATCHED).await?;
    let list = client.ask(Method::GET, PATH, Bytes::new()).await?;
    let version = object::quoted(&list, "\"resourceVersion\":\"")?.to_owned();
    let sent = Sent::default();
    let path = format!("{PATH}?watch=1&resourceVersion={version}");
    let tasks = (0..watches).map(|_| async {
        let mut client = mirage.client().await?;
        let answer = client.send(Method::GET, &path, Bytes::new()).await?;
        ensure!(answer.status().is_success(), "a watch was refused");
        let (mut body, sent) = (answer.into_body(), Arc::clone(&sent));
        anyhow::Ok(tokio::spawn(async move {
            let mut took = Took::new(sent, events);
            let mut rest = Vec::new();
            while took.is_waiting() {
                let frame = body.frame().await.context("the watch ended")??;
                rest.extend_from_slice(&frame.into_data().unwrap_or_default());
                while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                    took.note(&rest[..end])?;
                    rest.drain(..=end);
                }
            }
            drop(client);
            Ok(took.milliseconds)
        }))
    });
    let watching = try_join_all(tasks).await?;
    let mut mark = 0;
    let puts = async {
        for _ in 0..events {
            note(&sent);
            own.replace(&mut client, mark).await?;
            mark += 1;
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    };
    gather(puts, watching).await
}

/// p50 and p99, in milliseconds.
pub(super) async fn of_etcd(etcd: &Etcd, watches: usize, events: u32) -> Result<[f64; 2]> {
    let sent = Sent::default();
    let tasks = (0..watches).map(|_| async {
        let mut client = etcd.client().await?;
        let mut answers = client.watch().await?;
        let sent = Arc::clone(&sent);
        anyhow::Ok(tokio::spawn(async move {
            let mut took = Took::new(sent, events);
            while took.is_waiting() {
                let message = answers.next().await?.context("the watch ended")?;
                for event in WatchResponse::decode(message)?.events {
                    took.note(&event.kv.context("an event of nothing")?.value)?;
                }
            }
            drop(client);
            Ok(took.milliseconds)
        }))
    });
    let watching = try_join_all(tasks).await?;
    let mut client = etcd.client().await?;
    let key = format!("{}watched", etcd::PREFIX);
    let puts = async {
        for mark in 0..events {
            note(&sent);
            let text = object::environment("watched", mark.into(), Some("1"));
            client.put(&key, text.into_bytes()).await?;
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    };
    gather(puts, watching).await
}

fn note(sent: &Sent) {
    let mut sent = sent.lock().unwrap_or_else(PoisonError::into_inner);
    sent.push(Instant::now());
}

async fn gather(
    puts: impl Future<Output = Result<()>>,
    watching: Vec<JoinHandle<Result<Vec<f64>>>>,
) -> Result<[f64; 2]> {
    puts.await?;
    let mut took = Vec::new();
    for watch in watching {
        took.extend(watch.await??);
    }
    took.sort_by(f64::total_cmp);
    Ok([row::percentile(&took, 50), row::percentile(&took, 99)])
}

/// What one watch has seen. Every put must come, once and in order.
struct Took {
    sent: Sent,
    events: u32,
    milliseconds: Vec<f64>,
}

impl Took {
    fn new(sent: Sent, events: u32) -> Self {
        Self {
            sent,
            events,
            milliseconds: Vec::new(),
        }
    }

    fn is_waiting(&self) -> bool {
        self.milliseconds.len() < self.events as usize
    }

    fn note(&mut self, event: &[u8]) -> Result<()> {
        let now = Instant::now();
        let mark = object::mark(event).context("an event without a mark")?;
        let expected = self.milliseconds.len() as u64;
        ensure!(
            mark == expected,
            "event {mark} came when {expected} was due"
        );
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = *sent
            .get(self.milliseconds.len())
            .context("an event before its put")?;
        self.milliseconds.push((now - sent).as_secs_f64() * 1000.0);
        Ok(())
    }
}
