//! Two servers on one PostgreSQL: one's controllers act, the other's stand by, and take over when the first is killed.

use anyhow::{Context as _, Result, ensure};
use kube::Client;
use mirage_railway_simulator::{DashboardEdit, Fault, FaultKind, When};
use mirage_tests::process::{
    Mirage, Railway, inventory, objects,
    postgres::Postgres,
    railway::WritePath,
    specs::{self, NAME},
    waiting::{Look, until},
};
use serde_json::Value;

const ACTS: &str = "mirage_controllers_acting 1";

/// Waits for a line among the metrics of a server.
async fn counts(mirage: &Mirage, wanted: &str) -> Result<()> {
    let metrics = mirage.address("metrics")?;
    until(wanted, async || {
        let text = reqwest::get(&metrics).await?.text().await?;
        let found = text.lines().any(|line| line == wanted).then_some(());
        Ok(Look::when(found, || mirage.log().unwrap_or_default()))
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

    // Who takes over knows what its predecessor applied: what somebody changes meanwhile is drift, not a change of spec.
    first.kill().await?;
    simulator.edit(DashboardEdit::SetVariable {
        environment: format!("{NAME}/{NAME}"),
        service: None,
        name: "LEVEL".to_owned(),
        value: "trace".to_owned(),
    })?;
    counts(&second, ACTS).await?;
    counts(&second, "mirage_drift_repaired_total 1").await?;
    arrives(&railway, &client, &specs::before()).await?;
    second.does(&["plan", "-f", "shop.json"]).await?;

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
    counts(&first, ACTS).await?;
    arrives(&railway, &client, &specs::after())
        .await
        .with_context(|| first.log().unwrap_or_default())
}
