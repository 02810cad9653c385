//! An environment's whole life by kubectl, with controllers and a Railway behind it.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use mirage_tests::process::{
    Mirage, Railway,
    kubectl::Kubectl,
    railway::WritePath,
    waiting::{Look, until},
};

const SHOP: &str = "apiVersion: mirage.dev/v1alpha1
kind: Environment
metadata:
  name: shop
  labels: {app: shop}
spec:
  project: {name: shop}
  services:
    web:
      source: {image: \"nginx:1.29\"}
      variables:
        LOG_LEVEL: info
        API_KEY: {secretRef: {name: keys, key: api}}
      domains:
        - port: 80
";

#[tokio::test]
async fn a_secret_and_an_environment_come_up_change_and_go() -> Result<()> {
    let railway = Railway::start(WritePath::ChangeSet).await?;
    let mirage = Mirage::on(&railway).await?;
    let Some(kubectl) = Kubectl::of(&mirage)? else {
        return Ok(());
    };
    mirage.write("shop.yaml", SHOP)?;

    // secretRef: the Secret is made by kubectl and only named in the spec.
    kubectl
        .does(&[
            "create",
            "secret",
            "generic",
            "keys",
            "--from-literal=api=s3cr3t-of-the-test",
        ])
        .await?;
    let mut watching = kubectl.starts(&["get", "environments", "-w"], "watch.txt")?;
    let applied = kubectl.does(&["apply", "-f", "shop.yaml"]).await?;
    ensure!(
        applied.contains("environment.mirage.dev/shop created"),
        "{applied}"
    );

    // Wait, by condition and by JSON path.
    let met = kubectl
        .does(&[
            "wait",
            "--for=condition=Ready",
            "environment/shop",
            "--timeout=60s",
        ])
        .await?;
    ensure!(met.contains("condition met"), "{met}");
    kubectl
        .does(&[
            "wait",
            "--for=jsonpath={.status.phase}=Ready",
            "environment/shop",
            "--timeout=60s",
        ])
        .await?;
    let unmet = kubectl
        .run(&[
            "wait",
            "--for=condition=Drifted",
            "environment/shop",
            "--timeout=1s",
        ])
        .await?;
    unmet.refused("timed out")?;
    let inventory = railway.simulator.inventory_with_values();
    let web = inventory
        .environment("shop", "shop")
        .and_then(|shop| shop.service("web"))
        .context("web")?;
    ensure!(
        web.variables["API_KEY"].as_deref() == Some("s3cr3t-of-the-test"),
        "the Secret's value is on Railway"
    );

    // Tables.
    let table = kubectl.does(&["get", "environments"]).await?;
    ensure!(
        table.starts_with("NAME ") && table.contains("Ready") && table.contains("AGE"),
        "{table}"
    );
    let wide = kubectl.does(&["get", "env", "-o", "wide"]).await?;
    ensure!(
        wide.lines().next().map(str::len) > table.lines().next().map(str::len),
        "{wide}\nis not wider than\n{table}"
    );
    ensure!(
        kubectl
            .does(&["get", "environments", "-A", "--show-labels"])
            .await?
            .contains("app=shop"),
        "labels"
    );

    // Describe with events.
    let story = kubectl.does(&["describe", "environment", "shop"]).await?;
    let events = story.split("Events:").nth(1).context("an Events section")?;
    ensure!(
        !events.contains("<none>") && events.contains("ServicesHealthy"),
        "{story}"
    );
    let events = kubectl
        .does(&["events", "--for", "environment/shop"])
        .await?;
    ensure!(events.contains("ServicesHealthy"), "{events}");

    // A watch sees it happen.
    until("the watch to have shown it ready", async || {
        let seen = fs::read_to_string(mirage.folder().join("watch.txt"))?;
        Ok(Look::when(seen.contains("Ready").then_some(()), || seen))
    })
    .await?;
    watching.kill().await?;

    // Unchanged, diff, configured.
    ensure!(
        kubectl
            .does(&["apply", "-f", "shop.yaml"])
            .await?
            .contains("unchanged"),
        "applied twice"
    );
    mirage.write("debug.yaml", &SHOP.replace("info", "debug"))?;
    let diff = kubectl.run(&["diff", "-f", "debug.yaml"]).await?.with(1)?;
    ensure!(
        diff.stdout.contains("+        LOG_LEVEL: debug"),
        "{}",
        diff.stdout
    );
    kubectl.run(&["diff", "-f", "shop.yaml"]).await?.with(0)?;
    ensure!(
        kubectl
            .does(&["apply", "-f", "debug.yaml"])
            .await?
            .contains("configured"),
        "an edit"
    );
    kubectl
        .does(&[
            "wait",
            "--for=condition=Synced",
            "environment/shop",
            "--timeout=60s",
        ])
        .await?;
    until("the edit to be on Railway", async || {
        let inventory = railway.simulator.inventory_with_values();
        let web = inventory
            .environment("shop", "shop")
            .and_then(|shop| shop.service("web"))
            .context("web")?;
        let level = web.variables["LOG_LEVEL"].clone();
        Ok(Look::when(
            (level.as_deref() == Some("debug")).then_some(()),
            || format!("{level:?}"),
        ))
    })
    .await?;

    // A dry run says as warnings what it would do.
    mirage.write("more.yaml", &SHOP.replace("nginx:1.29", "nginx:1.30"))?;
    let dry = kubectl
        .run(&["apply", "-f", "more.yaml", "--dry-run=server"])
        .await?
        .with(0)?;
    ensure!(dry.stderr.contains("Warning:"), "{}", dry.said());

    // Delete returns after it is gone, on Railway too.
    let deleted = kubectl
        .does(&["delete", "environment", "shop", "--timeout=60s"])
        .await?;
    ensure!(deleted.contains("deleted"), "{deleted}");
    kubectl
        .run(&["get", "environment", "shop"])
        .await?
        .refused("NotFound")?;
    ensure!(
        railway
            .simulator
            .inventory()
            .environment("shop", "shop")
            .is_none_or(|left| left.deleting),
        "it is gone on Railway"
    );
    kubectl.does(&["delete", "secret", "keys"]).await?;
    Ok(())
}
