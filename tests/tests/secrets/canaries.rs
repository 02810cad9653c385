//! Planted values are looked for everywhere that Mirage writes or answers, in every encoding, after a whole life:
//! provision, refusals by Railway that repeat the value, update, drift, repair, a kill, and teardown.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use mirage_railway_simulator::{DashboardEdit, Fault, FaultKind};
use mirage_tests::{
    process::{
        Mirage, Railway, http,
        needle::Needle,
        objects,
        railway::WritePath,
        specs::{one_image, secret},
        waiting::{Look, until},
    },
    vault::Vault,
};
use serde_json::{Value, json};

/// Letters that every encoding changes.
const FIRST: &str = "canary/7f3a+\"first\"=&% é";
const SECOND: &str = "canary/b81d+'second'=?# ü";
const DASHBOARD: &str = "canary/c4e2+dashboard=&%";

fn manifest(key: &str) -> Value {
    let mut manifest = one_image("shop");
    manifest["spec"]["services"]["web"]["variables"] = json!({
        "API_KEY": {"secretRef": {"name": "keys", "key": key}},
        "SESSION_KEY": {"generate": {"length": 40}},
        "LOG_LEVEL": "info",
    });
    manifest["spec"]["variables"] =
        json!({"SHARED_KEY": {"secretRef": {"name": "keys", "key": "first"}}});
    manifest
}

/// Every answer of the API but the Secret's own, each in the forms in which clients ask for it.
async fn answers(mirage: &Mirage) -> Result<Vec<(String, String)>> {
    let (http, token) = (mirage.address("http")?, mirage.token()?);
    let group = "/apis/mirage.dev/v1alpha1";
    let mut places = vec![
        "/api/v1/events".to_owned(),
        "/apis/events.k8s.io/v1/events".to_owned(),
        "/openapi/v2".to_owned(),
        "/api/v1/audit?limit=1000".to_owned(),
    ];
    for kind in [
        "environments",
        "environmenttemplates",
        "gitsyncs",
        "railwayaccounts",
        "orphans",
        "previewpolicies",
        "secretstores",
    ] {
        places.push(format!("{group}/{kind}"));
        places.push(format!(
            "{group}/{kind}?watch=1&timeoutSeconds=1&resourceVersion=0"
        ));
    }
    let mut answers = Vec::new();
    for place in places {
        let answer = http::get(&format!("{http}{place}"), Some(&token)).await?;
        ensure!(answer.starts_with("HTTP/1.1 200"), "{place}: {answer}");
        answers.push((place, answer));
    }
    for command in [
        &["describe", "shop"][..],
        &["get", "environment", "shop", "-o", "json"],
        &["get", "environments", "-o", "wide"],
        &["describe", "railwayaccount", "default"],
        &["audit", "-A", "--all", "--diff", "--limit", "1000"],
        &["plan", "shop", "-o", "json"],
        &["plan", "-f", "next.yaml"],
    ] {
        let ended = mirage.run(command).await?;
        answers.push((format!("mirage {}", command.join(" ")), ended.said()));
    }
    Ok(answers)
}

async fn nothing_came_out(mirage: &Mirage, needles: &[Needle], moment: &str) -> Result<()> {
    let metrics = http::get(&mirage.address("metrics")?, None).await?;
    ensure!(metrics.contains("mirage_"), "{metrics}");
    let mut places = answers(mirage).await?;
    places.push(("/metrics".to_owned(), metrics));
    for needle in needles {
        for (place, text) in &places {
            needle.absent(&format!("{place} ({moment})"), text.as_bytes())?;
        }
        for entry in fs::read_dir(mirage.data(""))?.chain(fs::read_dir(mirage.folder())?) {
            let path = entry?.path();
            // What the test itself wrote declares no value; the rest is Mirage's: database, its log, certificates, logs.
            if path.is_file() {
                needle.absent(&format!("{} ({moment})", path.display()), &fs::read(&path)?)?;
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn no_planted_value_comes_out_anywhere_in_a_whole_life() -> Result<()> {
    let railway = Railway::start(WritePath::ChangeSet).await?;
    let mut settings = railway.settings();
    settings.push(("MIRAGE_LOG", "trace,h2=off".to_owned()));
    let mut mirage = Mirage::with(&["--log-format", "json"], &settings).await?;
    let mut client = mirage.client().await?;
    let simulator = &railway.simulator;
    mirage.write("next.yaml", &serde_json::to_string(&manifest("second"))?)?;

    let mut keys = secret("keys", "first", FIRST);
    keys["stringData"]["second"] = json!(SECOND);
    objects::apply_secret(&client, &keys).await?;
    // Railway's errors repeat what they do not like.
    let message = format!("Variable value \"{FIRST}\" is not to Railway's taste");
    for operation in ["environmentApplyChangeSet", "variableCollectionUpsert"] {
        let kind = FaultKind::Refused {
            message: message.clone(),
            code: None,
        };
        let _refused = simulator.inject(Fault::new(kind).on(operation).times(1));
    }
    objects::apply(&client, &manifest("first")).await?;
    objects::settled(&client, "shop").await?;

    let inventory = simulator.inventory_with_values();
    let web = inventory
        .environment("shop", "shop")
        .and_then(|shop| shop.service("web"))
        .context("web")?;
    ensure!(
        web.variables["API_KEY"].as_deref() == Some(FIRST),
        "the value arrived whole"
    );
    let generated = web.variables["SESSION_KEY"]
        .clone()
        .context("a generated value")?;
    let needles = [
        Needle::new("a Secret's first value", FIRST)?,
        Needle::new("a Secret's second value", SECOND)?,
        Needle::new("a generated value", &generated)?,
        Needle::new("a value set in the dashboard", DASHBOARD)?,
        Needle::new("Railway's token", mirage_railway_simulator::ACCOUNT_TOKEN)?,
    ];
    nothing_came_out(&mirage, &needles, "provisioned").await?;

    objects::apply(&client, &manifest("second")).await?;
    objects::settled(&client, "shop").await?;
    nothing_came_out(&mirage, &needles, "updated").await?;

    let drift = |name: &str| DashboardEdit::SetVariable {
        environment: "shop/shop".to_owned(),
        service: Some("web".to_owned()),
        name: name.to_owned(),
        value: DASHBOARD.to_owned(),
    };
    simulator.edit(drift("API_KEY"))?;
    simulator.edit(drift("LOG_LEVEL"))?;
    until("the drift to be repaired", async || {
        let inventory = simulator.inventory_with_values();
        let web = inventory
            .environment("shop", "shop")
            .and_then(|shop| shop.service("web"))
            .context("web")?;
        let repaired = web.variables["API_KEY"].as_deref() == Some(SECOND);
        Ok(Look::when(repaired.then_some(()), || {
            "the dashboard's value".to_owned()
        }))
    })
    .await?;
    nothing_came_out(&mirage, &needles, "repaired").await?;

    mirage.kill().await?;
    mirage.start_again().await?;
    client = mirage.client().await?;
    objects::settled(&client, "shop").await?;
    nothing_came_out(&mirage, &needles, "killed and started again").await?;

    objects::delete(&client, "shop").await?;
    objects::gone(&client, "shop").await?;
    nothing_came_out(&mirage, &needles, "deleted").await?;
    let admin = [Needle::new("the administrator's token", &mirage.token()?)?];
    for needle in admin {
        needle.absent("the log", mirage.log()?.as_bytes())?;
        needle.absent("the database", &fs::read(mirage.data("mirage.db"))?)?;
    }
    ensure!(
        mirage.log()?.contains("reconcile"),
        "the log was kept at its most talkative"
    );
    Ok(())
}

/// Letters that every encoding changes.
const STORED: &str = "canary/e51b+\"stored\"=&% ß";
const NEWER: &str = "canary/06cd+'newer'=?# ø";

/// The value of a service's variable on Railway.
fn on_railway(railway: &Railway, environment: &str, name: &str) -> Option<String> {
    let inventory = railway.simulator.inventory_with_values();
    let web = inventory.environment("shop", environment)?.service("web")?;
    web.variables.get(name).cloned().flatten()
}

#[tokio::test]
async fn a_value_from_a_vault_and_its_copy_come_out_on_railway_and_nowhere_else() -> Result<()> {
    let Some(vault) = Vault::start().await? else {
        return Ok(());
    };
    vault.put("shop/keys", json!({"api_key": STORED})).await?;
    let (role_id, secret_id) = vault.role("shop", "1h").await?;
    let railway = Railway::start(WritePath::ChangeSet).await?;
    let mut settings = railway.settings();
    settings.push(("MIRAGE_LOG", "trace,h2=off".to_owned()));
    let mirage = Mirage::with(&["--log-format", "json"], &settings).await?;
    let client = mirage.client().await?;
    mirage.write("next.yaml", &serde_json::to_string(&one_image("next"))?)?;

    objects::apply_secret(&client, &secret("vault", "secret-id", &secret_id)).await?;
    let store = json!({
        "apiVersion": "mirage.dev/v1alpha1", "kind": "SecretStore", "metadata": {"name": "vault"},
        "spec": {"vault": {
            "address": vault.address(), "caBundle": vault.ca()?,
            "auth": {"appRole": {
                "roleId": role_id,
                "secretIdSecretRef": {"name": "vault", "key": "secret-id"},
            }},
        }},
    });
    mirage.write("store.yaml", &serde_json::to_string(&store)?)?;
    mirage.does(&["apply", "-f", "store.yaml"]).await?;
    let mut shop = one_image("shop");
    shop["spec"]["services"]["web"]["variables"]["API_KEY"] =
        json!({"secretRef": {"store": "vault", "name": "shop/keys", "key": "api_key"}});
    objects::apply(&client, &shop).await?;
    objects::settled(&client, "shop").await?;
    ensure!(
        on_railway(&railway, "shop", "API_KEY").as_deref() == Some(STORED),
        "the value arrived whole"
    );
    let mut copy = one_image("copy");
    copy["spec"]["project"]["name"] = json!("shop");
    copy["spec"]["services"]["web"]["variables"]["API_KEY"] =
        json!({"copyFrom": {"environment": "shop", "service": "web", "name": "API_KEY"}});
    objects::apply(&client, &copy).await?;
    objects::settled(&client, "copy").await?;
    ensure!(
        on_railway(&railway, "copy", "API_KEY").as_deref() == Some(STORED),
        "the copy arrived whole"
    );
    let needles = [
        Needle::new("a value in Vault", STORED)?,
        Needle::new("a newer value in Vault", NEWER)?,
        Needle::new("the secret id of an AppRole", &secret_id)?,
    ];
    nothing_came_out(&mirage, &needles, "provisioned from Vault").await?;

    vault.put("shop/keys", json!({"api_key": NEWER})).await?;
    until("the newer value to arrive", async || {
        let found = on_railway(&railway, "shop", "API_KEY");
        let arrived = (found.as_deref() == Some(NEWER)).then_some(());
        Ok(Look::when(arrived, || "the older value".to_owned()))
    })
    .await?;
    vault.admin("PUT", "sys/seal", json!({})).await?;
    objects::condition(
        &client,
        "shop",
        "Synced",
        "False",
        &["SecretStoreUnavailable"],
    )
    .await?;
    ensure!(
        on_railway(&railway, "shop", "API_KEY").as_deref() == Some(NEWER),
        "what cannot be read is not taken away"
    );
    nothing_came_out(&mirage, &needles, "with Vault sealed").await?;
    let audit = mirage
        .does(&["audit", "secretstore/vault", "--verb", "use"])
        .await?;
    ensure!(
        audit.contains("sent for shop, shop/keys key api_key"),
        "{audit}"
    );
    Ok(())
}

#[tokio::test]
async fn a_secret_is_given_to_those_who_ask_for_it_and_sealed_on_disk() -> Result<()> {
    let mirage = Mirage::api_only().await?;
    let client = mirage.client().await?;
    objects::apply_secret(&client, &secret("keys", "first", FIRST)).await?;
    let own: kube::Api<k8s_openapi::api::core::v1::Secret> =
        kube::Api::namespaced(client, "default");
    let data = own.get("keys").await?.data.context("data")?;
    ensure!(
        data["first"].0 == FIRST.as_bytes(),
        "the owner gets it whole"
    );
    let needle = Needle::new("a Secret's value", FIRST)?;
    for file in ["mirage.db", "mirage.db-wal"] {
        if let Ok(bytes) = fs::read(mirage.data(file)) {
            needle.absent(file, &bytes)?;
        }
    }
    Ok(())
}
