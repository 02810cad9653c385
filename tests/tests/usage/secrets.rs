//! Keys are rotated, .env files come and go, with the real binary.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api,
    api::{ListParams, WatchEvent, WatchParams},
};
use mirage_tests::process::{
    Mirage, Railway,
    objects::{self, apply_secret},
    railway::WritePath,
    specs::{one_image, secret},
    waiting::{Look, until},
};
use serde_json::{Value, json};

/// Enough that a rotation can be cut off in the middle.
const SECRETS: usize = 300;

fn value(index: usize) -> String {
    format!("value number {index} of many")
}

async fn all_are_readable(client: &kube::Client) -> Result<()> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), "default");
    let list = secrets.list(&ListParams::default()).await?;
    let values = list.items.into_iter().filter_map(|it| it.data);
    let mut values: Vec<String> = values
        .filter_map(|mut data| String::from_utf8(data.remove("k")?.0).ok())
        .collect();
    values.sort();
    let mut expected: Vec<String> = (0..SECRETS).map(value).collect();
    expected.sort();
    ensure!(values == expected, "{} of {SECRETS} values", values.len());
    Ok(())
}

fn has_version_2(mirage: &Mirage) -> bool {
    let text = fs::read_to_string(mirage.data("master.key")).unwrap_or_default();
    text.lines().any(|line| line.starts_with("2:"))
}

#[tokio::test]
async fn a_key_is_rotated_while_the_server_runs_however_often_it_is_killed() -> Result<()> {
    let railway = Railway::start(WritePath::ChangeSet).await?;
    // For its faster clock: a minute passes before an old key may go.
    let mut mirage = Mirage::with(&["--no-controllers"], &railway.settings()).await?;
    let mut client = mirage.client().await?;
    for index in 0..SECRETS {
        apply_secret(&client, &secret(&format!("s{index}"), "k", &value(index))).await?;
    }
    mirage.does(&["db", "backup", "before.backup"]).await?;

    // Cut off as soon as there is a new key, and then once more under way.
    let mut rotation = mirage.command(&["secrets", "rotate-key"])?;
    let mut rotation = rotation.kill_on_drop(true).spawn()?;
    until("a new key", async || {
        Ok(Look::when(has_version_2(&mirage).then_some(()), || {
            "none".to_owned()
        }))
    })
    .await?;
    mirage.kill().await?;
    rotation.wait().await?;
    mirage.start_again().await?;
    client = mirage.client().await?;
    all_are_readable(&client).await?;

    let secrets: Api<Secret> = Api::namespaced(client.clone(), "default");
    let newest = secrets.list(&ListParams::default()).await?;
    let newest = newest.metadata.resource_version.context("a version")?;
    let watch = secrets.watch(&WatchParams::default(), &newest).await?;
    let mut watch = std::pin::pin!(watch);

    let said = mirage.does(&["secrets", "rotate-key"]).await?;
    ensure!(said.contains("version 2"), "{said}");
    let keys = mirage.does(&["secrets", "keys", "-o", "json"]).await?;
    let keys: Value = serde_json::from_str(&keys)?;
    // A rotation that was cut off after its last text is whole, and the next one makes a further key.
    let version = keys["inUse"].as_u64().context("a version")?;
    ensure!(
        keys["values"].as_object().is_some_and(|it| it.len() == 1),
        "{keys}"
    );
    all_are_readable(&client).await?;

    // Who watches sees the next write, and nothing before it.
    apply_secret(&client, &secret("marker", "m", "a marker")).await?;
    match watch.next().await.context("an event")?? {
        WatchEvent::Added(it) => ensure!(it.metadata.name.as_deref() == Some("marker")),
        other => anyhow::bail!("{other:?}"),
    }

    until("the old key to be old enough", async || {
        let ended = mirage.run(&["secrets", "retire-key"]).await?;
        let said = ended.said();
        Ok(Look::when(
            said.contains("retired version").then_some(()),
            || said,
        ))
    })
    .await?;
    let key = fs::read_to_string(mirage.data("master.key"))?;
    ensure!(
        key.lines().count() == 1 && key.starts_with(&format!("{version}:")),
        "keys left"
    );
    let checked = mirage.does(&["db", "check"]).await?;
    ensure!(checked.ends_with("sound\n"), "{checked}");
    mirage.does(&["db", "backup", "after.backup"]).await?;
    mirage.kill().await?;
    mirage.start_again().await?;
    all_are_readable(&mirage.client().await?).await?;
    let check = |name: &str| format!("sqlite:{name}");
    let after = check("after.backup");
    let after = mirage.does(&["db", "check", "--database", &after]).await?;
    ensure!(after.ends_with("sound\n"), "{after}");
    // The old backup needs the old key.
    let before = check("before.backup");
    let before = mirage.run(&["db", "check", "--database", &before]).await?;
    ensure!(
        before.said().contains("version 1 of the master key"),
        "{}",
        before.said()
    );
    let audit = mirage.does(&["audit", "-A", "--verb", "retire"]).await?;
    ensure!(audit.contains("masterkeys"), "{audit}");
    Ok(())
}

#[tokio::test]
async fn only_who_may_do_everything_may_rotate() -> Result<()> {
    let mirage = Mirage::api_only().await?;
    let made = mirage
        .run(&["token", "create", "ed", "--role", "editor"])
        .await?
        .with(0)?;
    let token = made.stdout.trim();
    let server = mirage.address("http")?;
    for verb in ["keys", "rotate-key", "retire-key"] {
        let ended = mirage
            .run(&["secrets", verb, "--server", &server, "--token", token])
            .await?;
        ensure!(ended.said().contains("masterkeys"), "{}", ended.said());
    }
    ensure!(!has_version_2(&mirage));
    Ok(())
}

const FILE: &str = "\
# of the old platform
export LOG_LEVEL=debug
GREETING='hello # world'
DATABASE_URL=${{shared.DATABASE_URL}}
STRIPE_API_KEY=\"sk_live_planted_value\"
";

#[tokio::test]
async fn an_env_file_goes_in_with_its_secrets_apart_and_comes_out_without_them() -> Result<()> {
    let railway = Railway::start(WritePath::ChangeSet).await?;
    let mirage = Mirage::on(&railway).await?;
    let client = mirage.client().await?;
    let mut manifest = one_image("shop");
    manifest["spec"]["services"]["web"]["variables"]["KEEP"] = json!("me");
    objects::apply(&client, &manifest).await?;
    objects::settled(&client, "shop").await?;
    mirage.write("app.env", FILE)?;
    let import = ["env", "import", "app.env", "-e", "shop", "-s", "web"];

    let refused = mirage.run(&import).await?.with(1)?;
    ensure!(
        refused.stderr.contains("STRIPE_API_KEY"),
        "{}",
        refused.stderr
    );
    ensure!(!refused.said().contains("sk_live"), "the value is not told");
    let with = |more: &[&'static str]| [&import[..], &["--as-secret", "web"], more].concat();
    let planned = mirage.does(&with(&["--dry-run"])).await?;
    ensure!(planned.contains("would be brought"), "{planned}");
    let before = objects::environments(&client).get("shop").await?;
    ensure!(
        before.spec.services["web"]
            .as_ref()
            .is_some_and(|it| it.variables.len() == 2)
    );

    let done = mirage.does(&with(&[])).await?;
    ensure!(
        done.contains("STRIPE_API_KEY: new, from secret/web key web.STRIPE_API_KEY"),
        "{done}"
    );
    objects::settled(&client, "shop").await?;
    let inventory = railway.simulator.inventory_with_values();
    let web = inventory
        .environment("shop", "shop")
        .and_then(|shop| shop.service("web"))
        .context("web")?;
    let on_railway = |name: &str| web.variables.get(name).cloned().flatten();
    for (name, value) in [
        ("LOG_LEVEL", "debug"),
        ("GREETING", "hello # world"),
        ("STRIPE_API_KEY", "sk_live_planted_value"),
        ("KEEP", "me"),
    ] {
        ensure!(on_railway(name).as_deref() == Some(value), "{name}");
    }

    let exported = mirage.does(&["env", "export", "shop", "-s", "web"]).await?;
    ensure!(exported.contains("\nLOG_LEVEL=debug\n"), "{exported}");
    ensure!(
        exported.contains("# DATABASE_URL=${{shared.DATABASE_URL}}\n"),
        "{exported}"
    );
    ensure!(exported.contains("# STRIPE_API_KEY: secret/web key web.STRIPE_API_KEY, fingerprint "));
    ensure!(!exported.contains("sk_live"), "{exported}");
    mirage.write("again.env", &exported)?;
    let again = mirage
        .does(&["env", "import", "again.env", "-e", "shop", "-s", "web"])
        .await?;
    ensure!(again.contains("LOG_LEVEL: as it is"), "{again}");
    let audit = mirage
        .does(&["audit", "secret/web", "--verb", "use"])
        .await?;
    ensure!(
        audit.contains("sent for shop, key web.STRIPE_API_KEY"),
        "{audit}"
    );
    Ok(())
}
