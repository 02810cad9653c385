//! Every watch sees every event of its selection once and in order, with 200 writes a second and 100 watches at each
//! server. `MIRAGE_LOAD_SECONDS=60` makes it a minute; a machine that cannot keep up writes less.

use std::{io::Write as _, time::Duration};

use anyhow::{Context as _, Result, ensure};
use mirage_tests::{
    load::{self, Load},
    process::{Mirage, postgres::Postgres},
};

const SECONDS: &str = "MIRAGE_LOAD_SECONDS";

/// Long enough that watches hang up and come back, and that the feed turns over a few times.
const DEFAULT: u64 = 10;

async fn under_load(servers: &[&Mirage]) -> Result<()> {
    let seconds = match std::env::var(SECONDS) {
        Ok(text) => text
            .parse()
            .with_context(|| format!("{SECONDS}: {text:?} is no number"))?,
        Err(_) => DEFAULT,
    };
    let load = Load {
        lasts: Duration::from_secs(seconds),
        per_second: 200,
        watches: 100,
    };
    let done = load::run(servers, load).await?;
    writeln!(std::io::stderr(), "{} servers: {done}", servers.len())?;
    ensure!(done.writes > 100, "hardly a load: {done}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_on_one_postgres_tell_every_watch_everything_once_and_in_order() -> Result<()> {
    let Some(postgres) = Postgres::start()? else {
        return Ok(());
    };
    let shared = [
        ("MIRAGE_DATABASE", postgres.url()),
        ("MIRAGE_MASTER_KEY", "ab".repeat(32)),
    ];
    // The second one is there for the API only, as a second server has to be; the first without Railway likewise.
    let one = Mirage::with(&["--no-controllers"], &shared).await?;
    let other = Mirage::with(&["--no-controllers"], &shared).await?;
    under_load(&[&one, &other]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_on_sqlite_tells_every_watch_everything_once_and_in_order() -> Result<()> {
    let server = Mirage::api_only().await?;
    under_load(&[&server]).await
}
