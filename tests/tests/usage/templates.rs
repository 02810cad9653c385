//! What "Share a template between environments" tells people to do, done as it stands there.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, ensure};
use mirage_tests::process::{
    Mirage, Railway,
    binary::repository,
    railway::WritePath,
    specs::{self, one_image},
    waiting::{Look, until},
};
use serde_json::{Value, json};

const EXAMPLE: &str = "template-in-waves.yaml";

/// The commands of a page: lines that begin with the program's name, in blocks without a language.
fn commands(page: &Path) -> Result<Vec<Vec<String>>> {
    let text = fs::read_to_string(page)?;
    let lines = text.lines().filter_map(|line| line.strip_prefix("mirage "));
    Ok(lines
        .map(|line| line.split_whitespace().map(str::to_owned).collect())
        .collect())
}

#[tokio::test]
async fn templates_are_shared_explained_planned_and_changed() -> Result<()> {
    let page = repository().join("docs/how-to/templates.md");
    let commands = commands(&page)?;
    let [apply, effective, variables, plan] = commands.as_slice() else {
        anyhow::bail!("the page has other commands than this test knows: {commands:#?}");
    };
    let words = |command: &'_ [String]| command.to_vec();
    let example = fs::read_to_string(repository().join("specs/examples").join(EXAMPLE))?;
    let railway = Railway::start(WritePath::ChangeSet).await?;
    let mirage = Mirage::on(&railway).await?;
    mirage.write(EXAMPLE, &example)?;
    let does = async |command: Vec<String>| {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        mirage.does(&words).await
    };
    does(words(apply)).await?;

    let whole = does(words(effective)).await?;
    for part in [
        "hello-prod, on template hello (generation 1), with replicas=2, version=1.29",
        "template types.prod",
        "by params.version",
        "default",
    ] {
        ensure!(whole.contains(part), "no {part:?} in:\n{whole}");
    }
    // The page shows what this prints.
    let told = does(words(variables)).await?;
    let text = fs::read_to_string(&page)?;
    ensure!(
        text.contains(told.trim()),
        "the page shows something else than:\n{told}"
    );

    let unchanged = mirage
        .run(&["plan", "--template", "hello"])
        .await?
        .with(0)?;
    ensure!(
        unchanged.stdout.contains("0 of 2 environments changes"),
        "{}",
        unchanged.stdout
    );
    mirage.write(
        EXAMPLE,
        &example.replace("default: \"1.29\"", "default: \"1.30\""),
    )?;
    let planning: Vec<&str> = plan.iter().map(String::as_str).collect();
    let planned = mirage.run(&planning).await?.with(2)?;
    let position = |text: &str| {
        let found = planned.stdout.find(text);
        found.with_context(|| format!("no {text:?} in:\n{}", planned.stdout))
    };
    ensure!(
        position("Wave 1")? < position("hello-dev:")?
            && position("hello-dev:")? < position("Wave 3")?
            && position("Wave 3")? < position("hello-prod:")?,
        "{}",
        planned.stdout
    );
    position("2 of 2 environments changes")?;
    let as_json = [&planning[..], &["-o", "json"]].concat();
    let planned = mirage.run(&as_json).await?.with(2)?;
    let answer: Value = serde_json::from_str(&planned.stdout)?;
    ensure!(
        answer["environments"][1]["plan"]["actions"][0].is_object(),
        "{answer}"
    );

    mirage.does(&["apply", "-f", EXAMPLE]).await?;
    until("production to follow the template", async || {
        let object = mirage
            .does(&["get", "environment", "hello-prod", "-o", "json"])
            .await?;
        let object: Value = serde_json::from_str(&object)?;
        let template = &object["status"]["template"];
        let has_followed = template["generation"] == 2 && template["standing"] == "Settled";
        Ok(Look::when(has_followed.then_some(()), || {
            template.to_string()
        }))
    })
    .await?;
    let inventory = railway.simulator.inventory();
    for name in ["hello-dev", "hello-prod"] {
        let environment = inventory.environment("hello-waves", name).context(name)?;
        let web = environment.service("web").context("web")?;
        ensure!(
            web.image.as_deref() == Some("nginx:1.30"),
            "{name}: {:?}",
            web.image
        );
    }
    let status: Value = serde_json::from_str(
        &mirage
            .does(&["get", "environment", "hello-prod", "-o", "json"])
            .await?,
    )?;
    ensure!(
        status["status"]["template"]["overridden"][0] == "spec.services.web.variables.GREETING",
        "{}",
        status["status"]["template"]
    );

    // Not applied, and with a value that nobody may see.
    let secret = "s3cr3t-canary";
    let object = specs::secret("db", "password", secret);
    mirage.write("secret.yaml", &serde_yaml::to_string(&object)?)?;
    mirage.does(&["apply", "-f", "secret.yaml"]).await?;
    let mut unapplied = one_image("unapplied");
    unapplied["spec"]["services"]["web"]["variables"] =
        json!({"PASSWORD": {"secretRef": {"name": "db", "key": "password"}}});
    mirage.write("unapplied.yaml", &serde_yaml::to_string(&unapplied)?)?;
    let table = mirage.does(&["effective", "-f", "unapplied.yaml"]).await?;
    ensure!(
        table.contains("unapplied, without a template")
            && table.contains("Secret db, key password (fingerprint "),
        "{table}"
    );
    let whole = mirage
        .does(&["effective", "-f", "unapplied.yaml", "-o", "yaml"])
        .await?;
    ensure!(
        !table.contains(secret) && !whole.contains(secret),
        "the value is shown"
    );
    mirage
        .run(&["get", "environment", "unapplied"])
        .await?
        .refused("unapplied")?;

    mirage.write(
        "other.yaml",
        &example.replace("name: hello\n", "name: other\n"),
    )?;
    mirage
        .run(&["plan", "--template", "hello", "-f", "other.yaml"])
        .await?
        .refused("hello")?;
    mirage
        .run(&["effective", "hello-prod", "--service", "wbe"])
        .await?
        .refused("web")?;
    mirage
        .run(&["effective", "nobody"])
        .await?
        .refused("nobody")?;
    Ok(())
}
