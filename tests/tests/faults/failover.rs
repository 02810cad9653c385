//! Two servers on one PostgreSQL: one's controllers act, the other's stand by, and take over when the first is killed.

use anyhow::{Context as _, Result, ensure};
use kube::Client;
use mirage_railway_simulator::{Fault, FaultKind, When};
use mirage_tests::process::{
    Mirage, Railway, inventory, objects,
    postgres::Postgres,
    railway::WritePath,
    specs::{self, NAME},
    waiting::{Look, until},
};
use serde_json::Value;

async fn takes_over(mirage: &Mirage) -> Result<()> {
    let metrics = mirage.address("metrics")?;
    until("the controllers to take over", async || {
        let text = reqwest::get(&metrics).await?.text().await?;
        let acts = text.contains("\nmirage_controllers_acting 1\n");
        Ok(Look::when(acts.then_some(()), || {
            mirage.log().unwrap_or_default()
        }))
    })
    .await
}

async fn arrives(railway: &Railway, client: &Client, manifest: &Value) -> Result<()> {
    until("Railway to be as declared", async || {
        let object = objects::settled(client, NAME).await?;
        let matched = inventory::matches(&railway.simulator.inventory(), manifest, &object);
        Ok(Look::when(matched.as_ref().ok().copied(), || {
            format!("{:?}", matched.err())
        }))
    })
    .await
}

#[tokio::test]
async fn the_server_that_stands_by_goes_on_where_the_killed_one_was() -> Result<()> {
    let Some(postgres) = Postgres::start()? else {
        return Ok(());
    };
    let railway = Railway::start(WritePath::ChangeSet).await?;
    let simulator = railway.simulator.clone();
    let mut settings = railway.settings();
    settings.extend([
        ("MIRAGE_DATABASE", postgres.url()),
        ("MIRAGE_MASTER_KEY", "ab".repeat(32)),
    ]);
    let mut first = Mirage::with(&[], &settings).await?;
    let mut second = Mirage::with(&[], &settings).await?;

    // Who stands by takes what is declared, and says what it leaves to the other.
    let client = second.client().await?;
    let secret = specs::secret("keys", "token", "a value of no weight");
    objects::apply_secret(&client, &secret).await?;
    objects::apply(&client, &specs::before()).await?;
    arrives(&railway, &client, &specs::before()).await?;
    second.write("shop.json", &specs::before().to_string())?;
    let refused = second.run(&["plan", "-f", "shop.json"]).await?;
    ensure!(
        refused.stderr.contains("stands by"),
        "{refused:?}\n{}",
        second.log()?
    );

    // Where nothing is left to be done, whoever takes over does nothing: no variable looks changed to it.
    let before = simulator.requests().mutations;
    first.kill().await?;
    takes_over(&second).await?;
    second.does(&["plan", "-f", "shop.json"]).await?;
    let since = simulator.requests().mutations - before;
    ensure!(since == 0, "{since} mutations for nothing");

    // The other way round, in the middle of a change: once, and once only.
    first.start_again().await?;
    let held = simulator.inject(
        Fault::new(FaultKind::Hold { when: When::After })
            .on("mutation")
            .nth(1),
    );
    let client = first.client().await?;
    objects::apply(&client, &specs::after()).await?;
    simulator.until_held(held).await;
    second.kill().await?;
    until("the dead server's connection to break", async || {
        let left = simulator.held(held);
        Ok(Look::when((left == 0).then_some(()), || {
            format!("{left} calls held")
        }))
    })
    .await?;
    simulator.clear_faults();
    takes_over(&first).await?;
    arrives(&railway, &client, &specs::after())
        .await
        .with_context(|| first.log().unwrap_or_default())
}
