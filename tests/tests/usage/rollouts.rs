//! The verbs that act on what runs, against the real binary.

use anyhow::{Context as _, Result, ensure};
use mirage_railway_simulator::{DeploymentEnding, Fault, FaultKind};
use mirage_tests::process::{
    Mirage, Railway,
    binary::{Ended, run},
    railway::WritePath,
    specs::one_image,
    waiting::{Look, until},
};
use serde_json::{Value, json};

/// A server with one environment that runs.
async fn shop(railway: &Railway) -> Result<Mirage> {
    let mirage = Mirage::on(railway).await?;
    apply(&mirage, &one_image("shop")).await?.well()?;
    Ok(mirage)
}

async fn apply(mirage: &Mirage, manifest: &Value) -> Result<Ended> {
    mirage.write("applied.yaml", &serde_yaml::to_string(manifest)?)?;
    mirage.run(&["apply", "-f", "applied.yaml", "--wait"]).await
}

/// Runs a verb that writes the time, with the server's clock.
async fn at_pace(railway: &Railway, mirage: &Mirage, words: &[&str]) -> Result<Ended> {
    let mut command = mirage.command(words)?;
    command.envs(railway.settings());
    run(&mut command).await
}

async fn object(mirage: &Mirage, name: &str) -> Result<Value> {
    let text = mirage
        .does(&["get", "environment", name, "-o", "json"])
        .await?;
    Ok(serde_json::from_str(&text)?)
}

async fn until_status(
    mirage: &Mirage,
    name: &str,
    what: &str,
    holds: impl Fn(&Value) -> bool,
) -> Result<()> {
    until(what, async || {
        let seen = object(mirage, name).await?;
        Ok(Look::when(holds(&seen["status"]).then_some(()), || {
            seen["status"].to_string()
        }))
    })
    .await
}

fn deployments(railway: &Railway, name: &str) -> Result<Vec<String>> {
    let inventory = railway.simulator.inventory();
    let environment = inventory
        .environment(name, name)
        .context("no environment")?;
    let web = environment.service("web").context("no service")?;
    Ok(web
        .deployments
        .iter()
        .map(|one| one.status.clone())
        .collect())
}

#[tokio::test]
async fn redeploy_and_restart_do_it_once_and_only_where_asked() -> Result<()> {
    let railway = Railway::start(WritePath::ChangeSet).await?;
    let mirage = shop(&railway).await?;
    mirage
        .run(&["redeploy", "shop", "--service", "nobody"])
        .await?
        .refused("no service nobody")?;
    at_pace(&railway, &mirage, &["redeploy", "shop", "--service", "web"])
        .await?
        .well()?;
    until_status(&mirage, "shop", "the redeploy to be remembered", |status| {
        status["redeployed"].is_string()
    })
    .await?;
    mirage.does(&["wait", "shop"]).await?;
    ensure!(deployments(&railway, "shop")?.len() == 2, "one more");

    at_pace(&railway, &mirage, &["restart", "shop"])
        .await?
        .well()?;
    until_status(&mirage, "shop", "the restart to be remembered", |status| {
        status["restarted"].is_string()
    })
    .await?;
    ensure!(
        railway.simulator.requests().of("deploymentRestart") == 1,
        "restarted once"
    );
    ensure!(deployments(&railway, "shop")?.len() == 2, "no deployment");
    Ok(())
}

#[tokio::test]
async fn suspend_stops_with_a_reason_and_resume_starts() -> Result<()> {
    let railway = Railway::start(WritePath::ChangeSet).await?;
    let mirage = shop(&railway).await?;
    mirage
        .does(&["suspend", "shop", "--reason", "the database is moved"])
        .await?;
    until_status(&mirage, "shop", "it to be suspended", |status| {
        status["phase"] == "Suspended"
    })
    .await?;
    let story = mirage.does(&["describe", "shop"]).await?;
    ensure!(story.contains("the database is moved"), "{story}");
    mirage
        .run(&["restart", "shop"])
        .await?
        .refused("mirage resume shop")?;
    mirage.does(&["resume", "shop"]).await?;
    mirage.does(&["wait", "shop"]).await?;
    let annotations = object(&mirage, "shop").await?["metadata"]["annotations"].clone();
    ensure!(
        !annotations.to_string().contains("suspend"),
        "what was said of the pause goes with it: {annotations}"
    );
    Ok(())
}

#[tokio::test]
async fn destroy_and_extend_set_the_end() -> Result<()> {
    let railway = Railway::start(WritePath::ChangeSet).await?;
    let mirage = shop(&railway).await?;
    mirage
        .run(&["extend", "shop", "24h"])
        .await?
        .refused("mirage destroy shop --in")?;
    mirage.run(&["destroy", "shop"]).await?.with(1)?;
    mirage
        .run(&["destroy", "shop", "--at", "2020-01-01T00:00:00Z"])
        .await?
        .refused("mirage delete shop")?;
    // The server's hours pass in seconds.
    at_pace(&railway, &mirage, &["destroy", "shop", "--in", "9w"])
        .await?
        .well()?;
    let end = |object: &Value| -> Result<jiff::Timestamp> {
        let text = object["spec"]["expiresAt"].as_str().context("no end")?;
        Ok(text.parse()?)
    };
    let first = end(&object(&mirage, "shop").await?)?;
    at_pace(&railway, &mirage, &["extend", "shop", "24h"])
        .await?
        .well()?;
    let second = end(&object(&mirage, "shop").await?)?;
    ensure!(
        second.duration_since(first) == jiff::SignedDuration::from_hours(24),
        "{first} {second}"
    );
    at_pace(&railway, &mirage, &["destroy", "shop", "--in", "10m"])
        .await?
        .well()?;
    mirage.does(&["wait", "shop", "--for=deleted"]).await?;
    Ok(())
}

#[tokio::test]
async fn promote_takes_what_runs_healthily_and_refuses_the_rest() -> Result<()> {
    let railway = Railway::start(WritePath::ChangeSet).await?;
    let mirage = shop(&railway).await?;
    let mut prod = one_image("live");
    prod["spec"]["type"] = json!("prod");
    apply(&mirage, &prod).await?.well()?;
    let nothing = mirage.does(&["promote", "shop", "live"]).await?;
    ensure!(nothing.contains("declares already"), "{nothing}");

    let mut newer = one_image("shop");
    newer["spec"]["services"]["web"]["source"]["image"] = json!("nginx:1.30");
    apply(&mirage, &newer).await?.well()?;
    let before = object(&mirage, "live").await?;
    let shown = mirage
        .run(&["promote", "shop/web", "live/web", "--dry-run"])
        .await?
        .with(2)?;
    ensure!(
        shown
            .stdout
            .contains("set source.image from \"nginx:1.29\" to \"nginx:1.30\""),
        "{}",
        shown.stdout
    );
    mirage
        .run(&["promote", "shop/web", "live"])
        .await?
        .refused("on both sides")?;
    mirage
        .run(&["promote", "shop", "live"])
        .await?
        .refused("--yes")?;
    ensure!(
        object(&mirage, "live").await?["spec"] == before["spec"],
        "nothing was changed"
    );
    mirage.does(&["promote", "shop", "live", "--yes"]).await?;
    mirage.does(&["wait", "live"]).await?;
    let inventory = railway.simulator.inventory();
    let live = inventory.environment("live", "live").context("live")?;
    ensure!(
        live.service("web").context("web")?.image.as_deref() == Some("nginx:1.30"),
        "the image arrived"
    );

    // As a GitSync marks what it keeps.
    let mut kept = one_image("kept");
    kept["metadata"]["labels"] = json!({
        "mirage.dev/gitsync": "shop", "mirage.dev/gitsync-namespace": "default",
    });
    apply(&mirage, &kept).await?.well()?;
    let refused = mirage
        .run(&["promote", "shop", "kept"])
        .await?
        .refused("declared in Git")?;
    ensure!(
        refused
            .said()
            .contains("spec.services.web.source.image: nginx:1.30"),
        "{}",
        refused.said()
    );

    let ending = DeploymentEnding::HealthcheckFails;
    let _ = railway
        .simulator
        .inject(Fault::new(FaultKind::Deployment { ending }).times(1));
    newer["spec"]["services"]["web"]["source"]["image"] = json!("nginx:1.31");
    apply(&mirage, &newer).await?.with(3)?;
    mirage
        .run(&["promote", "shop", "live", "--yes"])
        .await?
        .refused("web is not healthy: its rollout is Halted")?;
    Ok(())
}

#[tokio::test]
async fn a_failed_rollout_goes_back_says_so_and_is_tried_again_on_request() -> Result<()> {
    let railway = Railway::start(WritePath::ChangeSet).await?;
    let mirage = shop(&railway).await?;
    let ending = DeploymentEnding::HealthcheckFails;
    let _ = railway
        .simulator
        .inject(Fault::new(FaultKind::Deployment { ending }).times(1));
    let mut newer = one_image("shop");
    newer["spec"]["rollout"] = json!({"onFailure": "rollback"});
    newer["spec"]["services"]["web"]["source"]["image"] = json!("nginx:1.30");
    let failed = apply(&mirage, &newer).await?.with(3)?;
    ensure!(failed.said().contains("mirage retry"), "{}", failed.said());
    until_status(&mirage, "shop", "it to be rolled back", |status| {
        status["rollout"]["state"] == "RolledBack"
    })
    .await?;
    let story = mirage.does(&["describe", "shop"]).await?;
    ensure!(
        story.contains("RolledBack") && story.contains("still serves"),
        "{story}"
    );
    mirage
        .run(&["redeploy", "shop"])
        .await?
        .refused("mirage retry shop")?;
    mirage.does(&["retry", "shop"]).await?;
    mirage.does(&["wait", "shop"]).await?;
    ensure!(
        deployments(&railway, "shop")?.last().map(String::as_str) == Some("SUCCESS"),
        "it runs"
    );
    Ok(())
}

#[tokio::test]
async fn approve_lets_exactly_the_plan_of_that_hash_run() -> Result<()> {
    let railway = Railway::start(WritePath::ChangeSet).await?;
    let mirage = Mirage::on(&railway).await?;
    let mut wanted = one_image("shop");
    wanted["spec"]["approval"] = json!("always");
    mirage.write("shop.yaml", &serde_yaml::to_string(&wanted)?)?;
    mirage.does(&["apply", "-f", "shop.yaml"]).await?;
    until_status(&mirage, "shop", "a plan to wait", |status| {
        status["plan"]["hash"].is_string()
    })
    .await?;
    let seen = object(&mirage, "shop").await?["status"]["plan"]["hash"].clone();
    let old = seen.as_str().context("hash")?.to_owned();

    // What is declared moves on: the plan is another one.
    wanted["spec"]["services"]["web"]["source"]["image"] = json!("nginx:1.30");
    mirage.write("shop.yaml", &serde_yaml::to_string(&wanted)?)?;
    mirage.does(&["apply", "-f", "shop.yaml"]).await?;
    until_status(&mirage, "shop", "another plan to wait", |status| {
        status["plan"]["hash"].is_string() && status["plan"]["hash"] != old.as_str()
    })
    .await?;
    mirage
        .run(&["approve", "shop", "--plan", &old])
        .await?
        .refused("the plan that waits is")?;
    ensure!(railway.simulator.requests().mutations == 0, "nothing ran");
    let shown = mirage.does(&["approve", "shop"]).await?;
    let hash = shown
        .split_once("--plan ")
        .and_then(|(_, rest)| rest.split_whitespace().next())
        .context("a hash is shown")?
        .to_owned();
    mirage.does(&["approve", "shop", "--plan", &hash]).await?;
    mirage.does(&["wait", "shop"]).await?;
    Ok(())
}
