//! Acknowledged, durable puts: each writer replaces its own object as fast as it is answered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use bytes::Bytes;
use futures::future::try_join_all;
use http::Method;
use mirage_api::store::{Document, Effect, Expect, Key, Store as _, Write, sqlite::SqliteStore};

use super::etcd::{self, Etcd};
use super::mirage::{Mirage, Own};
use super::{object, row};

/// What a number of writers came to.
pub(super) struct Speed {
    pub(super) per_second: f64,
    /// In milliseconds.
    pub(super) p99: f64,
}

/// Not measured: connections are made, caches filled.
const WARM_UP: Duration = Duration::from_millis(500);

pub(super) async fn to_mirage(mirage: &Mirage, writers: usize, lasts: Duration) -> Result<Speed> {
    let tasks = (0..writers).map(|writer| async move {
        let mut client = mirage.client().await?;
        let mut own = Own::create(&mut client, format!("env-{writer}"), 0).await?;
        tasked(tokio::spawn(async move {
            let mut clock = Clock::start(lasts);
            let mut mark = 0;
            while clock.is_running() {
                mark += 1;
                let start = Instant::now();
                own.replace(&mut client, mark).await?;
                clock.note(start);
            }
            Ok(clock)
        }))
        .await
    });
    Ok(Clock::speed(try_join_all(tasks).await?, lasts))
}

/// Requests over the same connections that ask for nothing and write nothing: as far as HTTP goes by itself.
pub(super) async fn to_nothing(mirage: &Mirage, writers: usize, lasts: Duration) -> Result<Speed> {
    let tasks = (0..writers).map(|_| async move {
        let mut client = mirage.client().await?;
        tasked(tokio::spawn(async move {
            let mut clock = Clock::start(lasts);
            while clock.is_running() {
                let start = Instant::now();
                client.ask(Method::GET, "/livez", Bytes::new()).await?;
                clock.note(start);
            }
            Ok(clock)
        }))
        .await
    });
    Ok(Clock::speed(try_join_all(tasks).await?, lasts))
}

/// Into the store as the API server has it, in this process: what etcd is to an API server of Kubernetes.
pub(super) async fn to_store(writers: usize, lasts: Duration) -> Result<Speed> {
    let folder = tempfile::tempdir()?;
    let store = Arc::new(SqliteStore::open(folder.path().join("bench.db")).await?);
    let tasks = (0..writers).map(|writer| {
        let store = Arc::clone(&store);
        async move {
            tasked(tokio::spawn(async move {
                let name = format!("env-{writer}");
                let key = Key::new("environments.mirage.dev", "default", &name);
                let mut clock = Clock::start(lasts);
                let (mut mark, mut expect) = (0, Expect::Absent);
                while clock.is_running() {
                    mark += 1;
                    let start = Instant::now();
                    let document = Document::parse(object::environment(&name, mark, None))?;
                    let effect = Effect::Put(document);
                    let key = key.clone();
                    let written = store
                        .write(Write {
                            key,
                            expect,
                            effect,
                        })
                        .await?;
                    expect = Expect::Revision(written);
                    clock.note(start);
                }
                Ok(clock)
            }))
            .await
        }
    });
    Ok(Clock::speed(try_join_all(tasks).await?, lasts))
}

pub(super) async fn to_etcd(etcd: &Etcd, writers: usize, lasts: Duration) -> Result<Speed> {
    let tasks = (0..writers).map(|writer| async move {
        let mut client = etcd.client().await?;
        let name = format!("env-{writer}");
        let key = format!("{}{name}", etcd::PREFIX);
        tasked(tokio::spawn(async move {
            let mut clock = Clock::start(lasts);
            let mut mark = 0;
            while clock.is_running() {
                mark += 1;
                let start = Instant::now();
                let text = object::environment(&name, mark, Some("1"));
                client.put(&key, text.into_bytes()).await?;
                clock.note(start);
            }
            Ok(clock)
        }))
        .await
    });
    Ok(Clock::speed(try_join_all(tasks).await?, lasts))
}

async fn tasked<T>(task: tokio::task::JoinHandle<Result<T>>) -> Result<T> {
    task.await?
}

/// One writer's time.
struct Clock {
    counts_from: Instant,
    until: Instant,
    /// Of each put that counts, in milliseconds.
    took: Vec<f64>,
}

impl Clock {
    fn start(lasts: Duration) -> Self {
        let counts_from = Instant::now() + WARM_UP;
        Self {
            counts_from,
            until: counts_from + lasts,
            took: Vec::new(),
        }
    }

    fn is_running(&self) -> bool {
        Instant::now() < self.until
    }

    fn note(&mut self, start: Instant) {
        let now = Instant::now();
        if start >= self.counts_from && now <= self.until {
            self.took.push((now - start).as_secs_f64() * 1000.0);
        }
    }

    fn speed(clocks: Vec<Self>, lasts: Duration) -> Speed {
        let mut took: Vec<f64> = clocks.into_iter().flat_map(|clock| clock.took).collect();
        took.sort_by(f64::total_cmp);
        Speed {
            per_second: row::count(took.len()) / lasts.as_secs_f64(),
            p99: row::percentile(&took, 99),
        }
    }
}
