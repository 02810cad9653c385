//! A server under load that is struck down again and again.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use reqwest::Method;
use serde_json::Value;
use tokio::{sync::watch, task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;

use super::document::{self, COLLECTION};
use super::journal::{Answer, Journal, Look};
use super::line::{Line, Place, Reply};
use super::{watcher, writer::Writer};
use crate::process::{Mirage, waiting::PATIENCE};

/// Seen last by every watcher; one half of the keys, so that the one who selects sees it too.
const LAST_KEY: &str = "last-0";

/// Between two strikes at most so many writes are acknowledged.
const BETWEEN: u64 = 40;

/// What is done to the server, and by how many.
#[derive(Clone, Copy, Debug)]
pub struct Siege {
    /// How often it is struck.
    pub strikes: u32,
    /// Who write.
    pub writers: u64,
    /// Who watch everything; one more selects.
    pub watchers: u64,
    /// Decides what is written, and when the strikes come.
    pub seed: u64,
}

/// Strikes the server while clients write and watch; returns what they recorded. `strike` leaves a server that is up.
///
/// # Errors
/// The server does not come back, or a client meets what no client should.
pub async fn besiege(
    siege: &Siege,
    mirage: &mut Mirage,
    mut strike: impl AsyncFnMut(&mut Mirage, &mut StdRng) -> Result<()>,
) -> Result<Journal> {
    let (place, places) = watch::channel(Some(find(mirage)?));
    let line = Line::new(places)?;
    let mut journal = Journal::default();
    journal.looks.push(look(&mut line.clone()).await?);
    let from = journal.looks[0].revision;

    let mut watchers = JoinSet::new();
    for nth in 0..=siege.watchers {
        let selects = nth == siege.watchers;
        let name = format!("watcher {nth}");
        watchers.spawn(watcher::watch(
            name,
            selects,
            from,
            LAST_KEY.to_owned(),
            line.clone(),
        ));
    }
    let (done, mut progress) = watch::channel(0);
    let stop = CancellationToken::new();
    let mut writers = JoinSet::new();
    for nth in 0..siege.writers {
        let writer = Writer::new(&format!("w{nth}"), siege.seed ^ (nth << 32), line.clone());
        writers.spawn(writer.work(done.clone(), stop.clone()));
    }

    let mut random = StdRng::seed_from_u64(siege.seed);
    for nth in 0..siege.strikes {
        // Counted in writes and not in time, so that a slow machine strikes into as many of them.
        let until = *progress.borrow() + random.random_range(1..=BETWEEN);
        let wait = timeout(PATIENCE, progress.wait_for(|done| *done >= until));
        if wait.await.is_err() {
            // Whoever gave up says why.
            stop.cancel();
            while let Some(attempts) = writers.try_join_next() {
                attempts??;
            }
            anyhow::bail!("nothing is acknowledged any more, before strike {nth}");
        }
        tokio::time::sleep(Duration::from_micros(random.random_range(0..5000))).await;
        strike(mirage, &mut random)
            .await
            .with_context(|| format!("strike {nth}\n{}", mirage.log().unwrap_or_default()))?;
        place.send_replace(Some(find(mirage)?));
        journal.looks.push(look(&mut line.clone()).await?);
    }

    stop.cancel();
    while let Some(attempts) = writers.join_next().await {
        journal.attempts.extend(attempts??);
    }
    let last = Writer::new("last", siege.seed, line.clone()).finish(LAST_KEY);
    journal.attempts.extend(last.await?);
    while let Some(watched) = timeout(PATIENCE, watchers.join_next())
        .await
        .context("a watcher waits in vain for the last write")?
    {
        journal.watched.push(watched??);
    }
    journal.looks.push(look(&mut line.clone()).await?);
    is_worth_judging(siege, &journal)?;
    Ok(journal)
}

/// A siege in which nothing was under way when it was struck proves nothing.
fn is_worth_judging(siege: &Siege, journal: &Journal) -> Result<()> {
    let count = |wanted: fn(Answer) -> bool| {
        let attempts = journal.attempts.iter();
        attempts.filter(|attempt| wanted(attempt.answer)).count()
    };
    let done = count(|answer| matches!(answer, Answer::Done(_)));
    let unanswered = count(|answer| answer == Answer::Nothing);
    let strikes = siege.strikes as usize;
    ensure!(
        done > 3 * strikes && unanswered > strikes / 4,
        "{strikes} strikes, {done} writes acknowledged, {unanswered} without an answer"
    );
    Ok(())
}

fn find(mirage: &Mirage) -> Result<Place> {
    Ok(Place {
        url: mirage.address("http")?,
        token: mirage.token()?,
    })
}

async fn look(line: &mut Line) -> Result<Look> {
    loop {
        let request = line.request(Method::GET, COLLECTION).await?;
        let begun = line.now();
        let reply = line.ask(request).await;
        let ended = line.now();
        let list = match reply {
            Reply::Answer(200, list) => list,
            // The database is not back yet.
            Reply::Answer(500.., _) => {
                line.pause().await;
                continue;
            }
            other => {
                anyhow::bail!("the server that is up could not be asked for a list: {other:?}")
            }
        };
        return read(&list, begun, ended);
    }
}

fn read(list: &Value, begun: u64, ended: u64) -> Result<Look> {
    let items = list["items"].as_array().context("a list has items")?;
    let object = |item: &Value| {
        let key = item["metadata"]["name"].as_str()?.to_owned();
        Some((key, (document::version(item)?, document::read(item))))
    };
    Ok(Look {
        begun,
        ended,
        revision: document::version(list).context("a list has a version")?,
        objects: items
            .iter()
            .map(object)
            .collect::<Option<_>>()
            .context("objects have names and versions")?,
    })
}
