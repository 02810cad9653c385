//! `mirage clone` and `mirage lineage`, as a person uses them, with the page that teaches them.

use anyhow::{Context as _, Result, ensure};
use mirage_railway_simulator::{DashboardEdit, DeploymentEnding, Fault, FaultKind};
use mirage_tests::process::{
    Mirage, Railway,
    railway::WritePath,
    waiting::{Look, until},
};
use serde_json::{Value, json};

fn shop() -> Value {
    json!({
        "apiVersion": "mirage.dev/v1alpha1",
        "kind": "Environment",
        "metadata": {"name": "prod"},
        "spec": {"type": "prod", "project": {"name": "shop"}, "services": {
            "api": {"source": {"image": "nginx:1.29"}, "variables": {"LOG_LEVEL": "info", "TOKEN": {"preserve": true}}},
            "web": {"source": {"image": "nginx:1.29"}, "variables": {"API": "${{api.RAILWAY_PRIVATE_DOMAIN}}"}, "dependsOn": ["api"]},
        }},
    })
}

#[tokio::test]
async fn clone_preview_lineage_and_what_becomes_of_a_clone_that_fails() -> Result<()> {
    let railway = Railway::start(WritePath::ChangeSet).await?;
    let mirage = Mirage::on(&railway).await?;
    mirage.write("shop.yaml", &serde_yaml::to_string(&shop())?)?;
    mirage.does(&["apply", "-f", "shop.yaml", "--wait"]).await?;
    railway.simulator.edit(DashboardEdit::SetVariable {
        environment: "shop/prod".to_owned(),
        service: Some("api".to_owned()),
        name: "TOKEN".to_owned(),
        value: "canary-cli-clone".to_owned(),
    })?;
    until("the variable to be seen", async || {
        let said = mirage
            .does(&["clone", "prod", "x", "--dry-run", "--force"])
            .await?;
        let seen = said.contains("copied from api.TOKEN of prod");
        Ok(Look::when(seen.then_some(()), || said.clone()))
    })
    .await?;
    mirage.does(&["wait", "prod"]).await?;

    let before = railway.simulator.requests().mutations;
    let options = [
        "clone",
        "prod",
        "stage",
        "--type",
        "staging",
        "--ttl",
        "3d",
        "--prefix",
        "s-",
        "--set",
        "api.LOG_LEVEL=debug",
    ];
    let preview = mirage
        .does(&[&options[..], &["--dry-run"]].concat())
        .await?;
    for words in [
        "~ type: prod → staging",
        "~ services.s-web, there services.web",
        "a text with ${{s-api.RAILWAY_PRIVATE_DOMAIN}}",
        "~ services.s-api.variables.LOG_LEVEL",
        "= services.s-api.variables.TOKEN",
        "create service s-web",
    ] {
        ensure!(preview.contains(words), "no {words} in:\n{preview}");
    }
    ensure!(
        railway.simulator.requests().mutations == before,
        "a dry run"
    );

    // The clock runs a hundred times as fast as Railway's creation throttle.
    let patiently = ["--wait", "--timeout", "3h"];
    let told = mirage.does(&[&options[..], &patiently].concat()).await?;
    for words in [
        "created from prod",
        "stage/s-web: Ready",
        "stage: Ready after",
    ] {
        ensure!(told.contains(words), "no {words} in:\n{told}");
    }
    let inventory = railway.simulator.inventory_with_values();
    let api = inventory
        .environment("shop", "stage")
        .and_then(|stage| stage.service("s-api"))
        .context("the copy's api")?;
    ensure!(api.variables["LOG_LEVEL"].as_deref() == Some("debug"));
    ensure!(api.variables["TOKEN"].as_deref() == Some("canary-cli-clone"));

    let family = mirage.does(&["lineage", "stage"]).await?;
    ensure!(
        family == "default/prod  Ready\n  default/stage  ←\n",
        "{family:?}"
    );
    let ids: Value = serde_json::from_str(&mirage.does(&["lineage", "prod", "-o", "json"]).await?)?;
    ensure!(
        ids["descendants"][0]["railwayEnvironmentId"].is_string(),
        "{ids}"
    );

    mirage
        .run(&["clone", "prod", "bare", "--exclude", "api"])
        .await?
        .refused("spec.services.web.variables.API")?;
    mirage
        .run(&["clone", "prod", "bare", "--replicas", "web"])
        .await?
        .refused("--replicas")?;
    mirage
        .run(&["clone", "nobody", "bare"])
        .await?
        .refused("nobody")?;

    let _ = railway.simulator.inject(
        Fault::new(FaultKind::Deployment {
            ending: DeploymentEnding::BuildFails,
        })
        .object("web"),
    );
    let broken = [&["clone", "prod", "broken"][..], &patiently].concat();
    let failed = mirage.run(&broken).await?.with(3)?;
    ensure!(failed.said().contains("torn down"), "{}", failed.said());
    mirage
        .does(&["wait", "broken", "--for=deleted", "--timeout=120s"])
        .await?;
    let inventory = railway.simulator.inventory();
    let left = inventory.environment("shop", "broken");
    ensure!(left.is_none_or(|left| left.deleting), "{left:#?}");
    ensure!(
        !mirage.log()?.contains("canary-cli-clone"),
        "a copied value is in the log"
    );
    Ok(())
}
