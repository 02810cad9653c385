//! Mirage's own commands through an environment's whole life, as a script would use them.

use anyhow::{Context as _, Result, ensure};
use mirage_tests::process::{Mirage, Railway, railway::WritePath, specs::one_image};
use serde_json::{Value, json};

fn yaml(manifest: &Value) -> Result<String> {
    Ok(serde_yaml::to_string(manifest)?)
}

#[tokio::test]
async fn validate_plan_apply_get_describe_wait_and_delete() -> Result<()> {
    let railway = Railway::start(WritePath::ChangeSet).await?;
    let mirage = Mirage::on(&railway).await?;
    mirage.write("shop.yaml", &yaml(&one_image("shop"))?)?;

    mirage.does(&["validate", "-f", "shop.yaml"]).await?;
    let before = railway.simulator.requests().mutations;
    let planned = mirage.run(&["plan", "-f", "shop.yaml"]).await?.with(2)?;
    ensure!(
        planned.stdout.contains("  + ") && planned.stdout.contains("request"),
        "{}",
        planned.stdout
    );
    ensure!(
        railway.simulator.requests().mutations == before,
        "a plan changes nothing"
    );

    // Piped, `--wait` says a line per change and draws nothing.
    let told = mirage.does(&["apply", "-f", "shop.yaml", "--wait"]).await?;
    ensure!(
        told.contains("created") && told.contains("Ready after"),
        "{told}"
    );
    ensure!(
        !told.contains('\u{1b}') && !told.contains('\r'),
        "control characters in a pipe: {told:?}"
    );
    let lines: Vec<&str> = told.lines().collect();
    let repeated = lines.windows(2).find(|pair| pair[0] == pair[1]);
    ensure!(
        repeated.is_none(),
        "a line that says nothing new: {repeated:?}"
    );

    mirage.run(&["plan", "-f", "shop.yaml"]).await?.with(0)?;
    mirage.run(&["plan", "shop"]).await?.with(0)?;
    ensure!(
        mirage
            .does(&["apply", "-f", "shop.yaml"])
            .await?
            .contains("unchanged"),
        "applied twice"
    );

    ensure!(mirage.does(&["get"]).await?.starts_with("NAME "), "a table");
    ensure!(
        mirage
            .does(&["get", "shop", "-o", "name"])
            .await?
            .contains("shop"),
        "names"
    );
    let object: Value = serde_json::from_str(
        &mirage
            .does(&["get", "environment", "shop", "-o", "json"])
            .await?,
    )?;
    ensure!(object["status"]["phase"] == "Ready", "{object}");
    let again: Value = serde_yaml::from_str(
        &mirage
            .does(&["get", "environment", "shop", "-o", "yaml"])
            .await?,
    )?;
    ensure!(
        again["metadata"]["uid"] == object["metadata"]["uid"],
        "the same object in YAML"
    );
    let story = mirage.does(&["describe", "shop"]).await?;
    for part in [
        "Conditions:",
        "Services:",
        "Ledger",
        "Events:",
        "Railway id",
    ] {
        ensure!(story.contains(part), "{part} is missing: {story}");
    }

    let mut changed = one_image("shop");
    changed["spec"]["services"]["web"]["variables"] = json!({"LOG_LEVEL": "debug"});
    changed["spec"]["services"]["worker"] = json!({"source": {"image": "busybox:1.37"}});
    mirage.write("shop.yaml", &yaml(&changed)?)?;
    let planned = mirage
        .run(&["plan", "-f", "shop.yaml", "-o", "json"])
        .await?
        .with(2)?;
    let plan: Value = serde_json::from_str(&planned.stdout)?;
    ensure!(
        plan["changes"] == true && plan["plan"]["requests"].as_u64() > Some(0),
        "{plan}"
    );
    ensure!(
        !planned.stdout.contains("\"debug\""),
        "a plan shows no values: {}",
        planned.stdout
    );
    ensure!(
        mirage
            .does(&["apply", "-f", "shop.yaml", "--wait"])
            .await?
            .contains("configured"),
        "an edit"
    );
    mirage
        .does(&["wait", "shop", "--for=condition=Synced", "--timeout=60s"])
        .await?;
    mirage
        .run(&["wait", "shop", "--for=condition=Drifted", "--timeout=1s"])
        .await?
        .with(3)?;
    let inventory = railway.simulator.inventory();
    inventory
        .environment("shop", "shop")
        .and_then(|shop| shop.service("worker"))
        .context("the new service")?;

    let destructive = {
        let mut fewer = changed.clone();
        fewer["spec"]["services"]
            .as_object_mut()
            .context("services")?
            .remove("worker");
        fewer
    };
    mirage.write("fewer.yaml", &yaml(&destructive)?)?;
    let planned = mirage
        .run(&["plan", "-f", "fewer.yaml", "-o", "json"])
        .await?
        .with(2)?;
    ensure!(
        planned.stdout.contains("\"destroys\": true"),
        "what is destroyed is marked: {}",
        planned.stdout
    );

    mirage.does(&["delete", "shop", "--wait"]).await?;
    ensure!(
        mirage.does(&["get", "-o", "name"]).await?.is_empty(),
        "nothing is left"
    );
    mirage
        .does(&["wait", "shop", "--for=deleted", "--timeout=5s"])
        .await?;
    Ok(())
}

#[tokio::test]
async fn mistakes_are_told_with_their_place_and_the_next_step() -> Result<()> {
    let mirage = Mirage::api_only().await?;
    let mut faulty = one_image("shop");
    faulty["spec"]["services"]["web"]["dependsOn"] = json!(["nobody"]);
    faulty["spec"]["colour"] = json!("blue");
    mirage.write("faulty.yaml", &yaml(&faulty)?)?;
    let offline = mirage
        .run(&["validate", "-f", "faulty.yaml"])
        .await?
        .refused("spec.services.web.dependsOn[0]")?;
    ensure!(
        offline.said().contains("faulty.yaml:") && offline.said().contains("spec.colour"),
        "{}",
        offline.said()
    );
    mirage
        .run(&["apply", "-f", "faulty.yaml"])
        .await?
        .refused("colour")?;
    mirage
        .run(&["get", "environment", "nobody"])
        .await?
        .refused("nobody")?;
    mirage.run(&["plan", "nobody"]).await?.with(1)?;
    mirage
        .run(&["wait", "nobody", "--for=deleted", "--timeout=5s"])
        .await?
        .with(0)?;
    let http = mirage.address("http")?;
    mirage
        .run(&["get", "--server", &http, "--token", "mir_wrong"])
        .await?
        .refused("token")?;
    mirage
        .run(&[
            "get",
            "--server",
            "http://127.0.0.1:1",
            "--token",
            "mir_any",
        ])
        .await?
        .refused("mirage serve")?;
    Ok(())
}
