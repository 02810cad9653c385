//! SIGKILL under load, again and again: what was acknowledged is there, what was not is there whole or not at all, and
//! watchers that go on from their last version miss nothing and see nothing twice.
//!
//! `MIRAGE_KILLS` says how often the server is killed on SQLite, and a tenth of it on PostgreSQL; `MIRAGE_SEED` when.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use mirage_tests::durability::{
    journal::Journal,
    judge::{Broken, judge},
    siege::{Siege, besiege},
};
use mirage_tests::process::{Mirage, Postgres};
use rand::{RngExt as _, rngs::StdRng};

fn siege() -> Result<Siege> {
    let number = |name: &str, usual: u64| match std::env::var(name) {
        Ok(text) => text.parse().with_context(|| format!("{name} is a number")),
        Err(_) => Ok(usual),
    };
    Ok(Siege {
        strikes: u32::try_from(number("MIRAGE_KILLS", 200)?)?,
        writers: 8,
        watchers: 3,
        seed: number("MIRAGE_SEED", 1)?,
    })
}

/// Kills the server, and now and then also the next one before it is up.
async fn kill(mirage: &mut Mirage, random: &mut StdRng) -> Result<()> {
    mirage.kill().await?;
    if random.random_bool(0.1) {
        mirage.begin_again()?;
        tokio::time::sleep(Duration::from_millis(random.random_range(0..150))).await;
        mirage.kill().await?;
    }
    mirage.start_again().await
}

/// Every sealed value must open, so that the servers of one test share a key.
const KEY: &str = "7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_the_server_is_killed_on_sqlite() -> Result<()> {
    let mut mirage = Mirage::api_only().await?;
    let journal = besiege(&siege()?, &mut mirage, kill).await?;
    let broken = judge(&journal);
    ensure!(broken.is_empty(), "{}", report(&broken, &journal));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_server_or_database_are_killed_on_postgres() -> Result<()>
{
    let Some(mut postgres) = Postgres::start()? else {
        return Ok(());
    };
    let mut mirage = Mirage::with(
        &["--no-controllers"],
        &[
            ("MIRAGE_DATABASE", postgres.url()),
            ("MIRAGE_MASTER_KEY", KEY.to_owned()),
        ],
    )
    .await?;
    let usual = siege()?;
    let siege = Siege {
        strikes: (usual.strikes / 10).max(5),
        ..usual
    };
    let mut nth = 0;
    let journal = besiege(&siege, &mut mirage, async |mirage, random| {
        nth += 1;
        // Every fifth time it is the database, and the server has to live with that.
        if nth % 5 == 0 {
            postgres.crash()
        } else {
            kill(mirage, random).await
        }
    })
    .await?;
    let broken = judge(&journal);
    ensure!(broken.is_empty(), "{}", report(&broken, &journal));
    Ok(())
}

/// The first promises that were broken, and what the journal has about the writes that they name.
fn report(broken: &BTreeSet<Broken>, journal: &Journal) -> String {
    let lines = broken.iter().take(20).map(|broken| {
        let attempts = journal.attempts.iter();
        let about: Vec<String> = attempts
            .filter(|attempt| broken.to_string().starts_with(&attempt.mark))
            .map(|attempt| format!("\n    {attempt:?}"))
            .collect();
        format!("{broken}{}", about.concat())
    });
    format!(
        "{} promises broken, the first of them:\n{}",
        broken.len(),
        lines.collect::<Vec<_>>().join("\n")
    )
}
