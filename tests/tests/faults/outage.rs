//! Railway does not answer, refuses the token, or has had enough of us: Mirage says so in words, goes on answering, and
//! recovers by itself.

use anyhow::{Context as _, Result, ensure};
use mirage_railway_simulator::{Fault, FaultKind};
use mirage_tests::process::{
    Mirage, Railway, objects,
    railway::WritePath,
    specs::one_image,
    waiting::{Look, until},
};
use serde_json::json;

/// What a person sees: the object, the table, the story. None of it needs Railway.
async fn story(mirage: &Mirage) -> Result<String> {
    let table = mirage.does(&["get", "environments"]).await?;
    ensure!(table.contains("shop"), "{table}");
    mirage
        .does(&["get", "environment", "shop", "-o", "yaml"])
        .await?;
    mirage.does(&["describe", "shop"]).await
}

/// Waits until the story has all of these words.
async fn tells(mirage: &Mirage, words: &[&str]) -> Result<String> {
    until(&format!("describe to say {words:?}"), async || {
        let story = story(mirage).await?;
        let found = words
            .iter()
            .all(|words| story.contains(words))
            .then(|| story.clone());
        Ok(Look::when(found, || story))
    })
    .await
}

/// The next step stands in the message of a condition that is not met.
fn next_step(environment: &mirage_specs::Environment, words: &[&str]) -> Result<()> {
    let messages: Vec<&str> = objects::conditions(environment)
        .map(|(.., message)| message)
        .collect();
    let all = messages.join("\n");
    ensure!(
        words.iter().any(|words| all.contains(words)),
        "no next step ({words:?}) in:\n{all}"
    );
    Ok(())
}

#[tokio::test]
async fn railway_down_is_said_reads_go_on_and_it_recovers_by_itself() -> Result<()> {
    let mut railway = Railway::start(WritePath::ChangeSet).await?;
    let mirage = Mirage::on(&railway).await?;
    let client = mirage.client().await?;
    objects::apply(&client, &one_image("shop")).await?;
    objects::settled(&client, "shop").await?;

    railway.goes_down().await;
    let mut changed = one_image("shop");
    changed["spec"]["services"]["web"]["variables"]["LOG_LEVEL"] = json!("debug");
    objects::apply(&client, &changed).await?;
    let unreachable = objects::condition(
        &client,
        "shop",
        "Synced",
        "False",
        &["RailwayUnreachable", "Unobserved"],
    )
    .await?;
    next_step(
        &unreachable,
        &[
            "by itself",
            "try again",
            "tries again",
            "status.railway.com",
            "again",
        ],
    )?;
    tells(
        &mirage,
        &["RailwayUnreachable", "Mirage tries again by itself"],
    )
    .await?;

    railway.comes_back().await?;
    objects::settled(&client, "shop").await?;
    let inventory = railway.simulator.inventory_with_values();
    let web = inventory
        .environment("shop", "shop")
        .and_then(|shop| shop.service("web"))
        .context("web is there")?;
    ensure!(
        web.variables["LOG_LEVEL"].as_deref() == Some("debug"),
        "{web:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_start_without_railway_serves_and_catches_up() -> Result<()> {
    let mut railway = Railway::start(WritePath::ChangeSet).await?;
    railway.goes_down().await;
    let mirage = Mirage::on(&railway).await?;
    let client = mirage.client().await?;
    objects::apply(&client, &one_image("shop")).await?;
    let waiting = objects::condition(&client, "shop", "Ready", "False", &[]).await?;
    ensure!(!objects::is_settled(&waiting), "nothing can be settled");
    story(&mirage).await?;
    railway.comes_back().await?;
    objects::settled(&client, "shop").await?;
    Ok(())
}

#[tokio::test]
async fn a_wrong_token_is_said_with_the_next_step_and_a_right_one_is_taken_up() -> Result<()> {
    let railway = Railway::start(WritePath::ChangeSet).await?;
    let refused = railway
        .simulator
        .inject(Fault::new(FaultKind::NotAuthorized));
    let mirage = Mirage::on(&railway).await?;
    let client = mirage.client().await?;
    objects::apply(&client, &one_image("shop")).await?;
    let told = objects::condition(
        &client,
        "shop",
        "Synced",
        "False",
        &["AccountNotReady", "Unauthorized"],
    )
    .await?;
    next_step(&told, &["mirage railway doctor"])?;
    tells(&mirage, &["token"]).await?;
    let accounts = mirage
        .does(&["describe", "railwayaccount", "default"])
        .await?;
    ensure!(accounts.contains("token"), "{accounts}");

    railway.simulator.remove_fault(refused);
    objects::settled(&client, "shop").await?;
    Ok(())
}

#[tokio::test]
async fn a_token_revoked_at_work_is_said_and_its_return_is_noticed() -> Result<()> {
    let railway = Railway::start(WritePath::ChangeSet).await?;
    let mirage = Mirage::on(&railway).await?;
    let client = mirage.client().await?;
    objects::apply(&client, &one_image("shop")).await?;
    objects::settled(&client, "shop").await?;
    let refused = railway
        .simulator
        .inject(Fault::new(FaultKind::NotAuthorized));
    let mut changed = one_image("shop");
    changed["spec"]["services"]["web"]["source"]["image"] = json!("nginx:1.30");
    objects::apply(&client, &changed).await?;
    let told = objects::condition(
        &client,
        "shop",
        "Synced",
        "False",
        &["AccountNotReady", "Unauthorized", "Unobserved"],
    )
    .await?;
    next_step(&told, &["token"])?;
    railway.simulator.remove_fault(refused);
    objects::settled(&client, "shop").await?;
    Ok(())
}

#[tokio::test]
async fn a_rate_limit_used_up_is_said_with_its_end_and_work_goes_on_after_it() -> Result<()> {
    let railway = Railway::start(WritePath::ChangeSet).await?;
    let mirage = Mirage::on(&railway).await?;
    let client = mirage.client().await?;
    objects::apply(&client, &one_image("shop")).await?;
    objects::settled(&client, "shop").await?;
    let limit = railway.simulator.inject(Fault::new(FaultKind::RateLimited {
        retry_after_seconds: 15,
    }));
    let mut changed = one_image("shop");
    changed["spec"]["services"]["web"]["source"]["image"] = json!("nginx:1.30");
    objects::apply(&client, &changed).await?;
    let told = objects::condition(
        &client,
        "shop",
        "Synced",
        "False",
        &["RateLimitedUntil", "Unobserved"],
    )
    .await?;
    next_step(&told, &["rate limit", "until", "budget"])?;
    tells(
        &mirage,
        &["rate limit", "Mirage goes on when Railway allows it"],
    )
    .await?;
    railway.simulator.remove_fault(limit);
    objects::settled(&client, "shop").await?;
    Ok(())
}
