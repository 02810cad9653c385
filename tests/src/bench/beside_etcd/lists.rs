//! A long list: whole, and in pages of 500 as kubectl asks for it.

use std::time::Instant;

use anyhow::{Result, ensure};
use bytes::Bytes;
use futures::future::try_join_all;
use http::Method;
use prost::Message as _;

use super::etcd::{self, Etcd};
use super::mirage::{Mirage, Own, PATH};
use super::object::{self, quoted};
use super::{Row, row};

/// Writers that fill the store.
const FILLERS: u32 = 16;

/// How often each list is asked for; the middle one counts.
const ROUNDS: usize = 7;

const PAGE: u32 = 500;

/// What a list costs.
pub(super) struct Cost {
    whole_milliseconds: f64,
    paged_milliseconds: f64,
    mebibytes: f64,
    /// The most that the server ever had resident, before any list and after them all, in MiB.
    memory: [f64; 2],
}

pub(super) async fn of_mirage(mirage: &Mirage, objects: u32) -> Result<Cost> {
    try_join_all((0..FILLERS).map(|filler| async move {
        let mut client = mirage.client().await?;
        for index in (filler..objects).step_by(FILLERS as usize) {
            Own::create(&mut client, format!("env-{index:05}"), 0).await?;
        }
        anyhow::Ok(())
    }))
    .await?;
    let before = mirage.peak_memory()?;
    let mut client = mirage.client().await?;
    let (mut whole, mut paged, mut bytes) = (Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let list = client.ask(Method::GET, PATH, Bytes::new()).await?;
        whole.push(start.elapsed().as_secs_f64() * 1000.0);
        ensure!(items(&list) == objects as usize, "the list is not whole");
        bytes = list.len();
    }
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let (mut count, mut next) = (0, String::new());
        loop {
            let path = format!("{PATH}?limit={PAGE}{next}");
            let list = client.ask(Method::GET, &path, Bytes::new()).await?;
            count += items(&list);
            match quoted(&list, "\"continue\":\"") {
                Ok(token) => next = format!("&continue={token}"),
                Err(_) => break,
            }
        }
        paged.push(start.elapsed().as_secs_f64() * 1000.0);
        ensure!(count == objects as usize, "the pages are not all");
    }
    Ok(Cost::of(
        whole,
        paged,
        bytes,
        [before, mirage.peak_memory()?],
    ))
}

pub(super) async fn of_etcd(etcd: &Etcd, objects: u32) -> Result<Cost> {
    try_join_all((0..FILLERS).map(|filler| async move {
        let mut client = etcd.client().await?;
        for index in (filler..objects).step_by(FILLERS as usize) {
            let name = format!("env-{index:05}");
            let text = object::environment(&name, 0, Some("1"));
            let key = format!("{}{name}", etcd::PREFIX);
            client.put(&key, text.into_bytes()).await?;
        }
        anyhow::Ok(())
    }))
    .await?;
    let before = etcd.peak_memory()?;
    let mut client = etcd.client().await?;
    let (mut whole, mut paged, mut bytes) = (Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let range = client.range(etcd::PREFIX.as_bytes(), 0).await?;
        whole.push(start.elapsed().as_secs_f64() * 1000.0);
        ensure!(
            range.kvs.len() == objects as usize,
            "the range is not whole"
        );
        bytes = range.encoded_len();
    }
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let (mut count, mut from) = (0, etcd::PREFIX.as_bytes().to_vec());
        loop {
            let range = client.range(&from, PAGE.into()).await?;
            count += range.kvs.len();
            match range.kvs.last() {
                // The next key in the order of bytes.
                Some(last) if range.more => from = [&last.key[..], b"\0"].concat(),
                _ => break,
            }
        }
        paged.push(start.elapsed().as_secs_f64() * 1000.0);
        ensure!(count == objects as usize, "the pages are not all");
    }
    Ok(Cost::of(whole, paged, bytes, [before, etcd.peak_memory()?]))
}

/// Counted by a text that every object has once.
fn items(list: &[u8]) -> usize {
    list.windows(object::MARK.len())
        .filter(|window| *window == object::MARK.as_bytes())
        .count()
}

impl Cost {
    fn of(mut whole: Vec<f64>, mut paged: Vec<f64>, bytes: usize, memory: [f64; 2]) -> Self {
        whole.sort_by(f64::total_cmp);
        paged.sort_by(f64::total_cmp);
        Self {
            whole_milliseconds: row::percentile(&whole, 50),
            paged_milliseconds: row::percentile(&paged, 50),
            mebibytes: row::count(bytes) / 1_048_576.0,
            memory,
        }
    }
}

/// The costs, side by side.
pub(super) fn rows(objects: u32, mirage: &Cost, etcd: Option<&Cost>) -> Vec<Row> {
    let row = |what: String, unit, of: &dyn Fn(&Cost) -> f64| {
        Row::new(what, unit, of(mirage), etcd.map(of))
    };
    vec![
        row(format!("list of {objects}, whole"), "ms", &|it| {
            it.whole_milliseconds
        }),
        row(format!("list of {objects}, pages of {PAGE}"), "ms", &|it| {
            it.paged_milliseconds
        }),
        row(format!("list of {objects}, size"), "MiB", &|it| {
            it.mebibytes
        }),
        row(
            "peak memory of the server before the lists".into(),
            "MiB",
            &|it| it.memory[0],
        ),
        row(
            "peak memory of the server after the lists".into(),
            "MiB",
            &|it| it.memory[1],
        ),
    ]
}
