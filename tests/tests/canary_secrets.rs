//! Planted values are looked for everywhere that Mirage writes or answers, in every encoding, after a whole life:
//! provision, refusals by Railway that repeat the value, update, drift, repair, a kill, and teardown.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use mirage_railway_simulator::{DashboardEdit, Fault, FaultKind};
use mirage_tests::process::{
    Mirage, Railway, http,
    needle::Needle,
    objects,
    railway::WritePath,
    specs::{one_image, secret},
    waiting::{Look, until},
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
