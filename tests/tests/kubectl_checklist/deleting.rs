//! 61 to 65: what goes, when, and what waits for it.

use anyhow::{Result, ensure};
use mirage_tests::process::waiting::{Look, until};
use reqwest::Method;
use serde_json::json;

use crate::{
    checklist::checklist,
    scene::{Scene, row},
};

checklist![
    wire_61_a_finalizer_holds_until_it_is_taken_off,
    wire_62_delete_returns_when_the_object_is_gone,
    wire_63_a_selection_is_deleted,
    wire_64_a_namespace_goes_after_its_contents,
    wire_65_a_wrong_uid_keeps_the_object,
];

async fn wire_61_a_finalizer_holds_until_it_is_taken_off(scene: &Scene<'_>) -> Result<()> {
    scene.make("web").await?;
    scene
        .change(&json!({"metadata": {"finalizers": ["test.dev/hold"]}}))
        .await?;
    let mut watching = scene.starts("get env -w --output-watch-events", "watch.txt")?;
    scene.does("delete env web --wait=false").await?;
    let web = scene.web().await?;
    ensure!(web["metadata"]["deletionTimestamp"].is_string(), "{web}");
    let table = scene.does("get env").await?;
    ensure!(row(&table, &["web"]).is_some(), "still listed: {table}");
    scene
        .does(r#"patch env web --type=merge -p '{"metadata":{"finalizers":null}}'"#)
        .await?;
    scene.k("get env web").await?.refused("NotFound")?;
    until("the watch to say DELETED", async || {
        let seen = scene.read("watch.txt")?;
        Ok(Look::when(
            row(&seen, &["DELETED", "web"]).map(drop),
            || seen.clone(),
        ))
    })
    .await?;
    watching.kill().await?;
    Ok(())
}

async fn wire_62_delete_returns_when_the_object_is_gone(scene: &Scene<'_>) -> Result<()> {
    for cascade in ["background", "foreground", "orphan"] {
        scene.make("web").await?;
        let said = scene
            .does(&format!("delete env web --cascade={cascade} --timeout=60s"))
            .await?;
        ensure!(said.contains("\"web\" deleted"), "{cascade}: {said}");
        let left = scene.get(&format!("{}/web", scene.environments())).await?;
        ensure!(left.status == 404, "{cascade}: {}", left.text);
    }
    // Held for a while: it waits.
    scene.make("web").await?;
    scene
        .change(&json!({"metadata": {"finalizers": ["test.dev/hold"]}}))
        .await?;
    let mut deleting = scene.starts("delete env web --timeout=60s", "delete.txt")?;
    until("the deletion to be asked for", async || {
        let web = scene.web().await?;
        Ok(Look::when(
            web["metadata"]["deletionTimestamp"]
                .is_string()
                .then_some(()),
            || web.to_string(),
        ))
    })
    .await?;
    ensure!(deleting.try_wait()?.is_none(), "it returned too early");
    scene
        .change(&json!({"metadata": {"finalizers": null}}))
        .await?;
    ensure!(
        deleting.wait().await?.success(),
        "{}",
        scene.read("delete.txt")?
    );
    Ok(())
}

async fn wire_63_a_selection_is_deleted(scene: &Scene<'_>) -> Result<()> {
    for name in ["a", "b"] {
        scene.make(name).await?;
    }
    scene.write(
        "other.yaml",
        &crate::scene::named("other").replace("app: web", "app: other"),
    )?;
    scene.does("create -f other.yaml").await?;
    let said = scene.does("delete env -l app=web").await?;
    ensure!(said.matches("deleted").count() == 2, "{said}");
    let left = scene.does("get env -o name").await?;
    ensure!(left.trim() == "environment.mirage.dev/other", "{left}");

    scene.make("c").await?;
    let path = format!("{}?labelSelector=app%3Dweb", scene.environments());
    let answer = scene.ask(Method::DELETE, &path, &[], "").await?;
    let deleted = answer.json()?;
    ensure!(
        answer.status == 200
            && deleted["kind"] == "EnvironmentList"
            && deleted["items"].as_array().map(Vec::len) == Some(1),
        "{deleted}"
    );
    let left = scene.does("get env -o name").await?;
    ensure!(left.trim() == "environment.mirage.dev/other", "{left}");
    Ok(())
}

async fn wire_64_a_namespace_goes_after_its_contents(scene: &Scene<'_>) -> Result<()> {
    let team = format!("{}-team", scene.namespace);
    scene.does(&format!("create namespace {team}")).await?;
    scene.does(&format!("apply -f env.yaml -n {team}")).await?;
    let hold = r#"{"metadata":{"finalizers":["test.dev/hold"]}}"#;
    scene
        .does(&format!("patch env web -n {team} --type=merge -p '{hold}'"))
        .await?;
    let mut deleting = scene.starts(&format!("delete ns {team} --timeout=60s"), "delete.txt")?;
    let namespace = format!("/api/v1/namespaces/{team}");
    until("the namespace to be terminating", async || {
        let answer = scene.get(&namespace).await?;
        let is_terminating = answer.json()?["status"]["phase"] == "Terminating";
        Ok(Look::when(is_terminating.then_some(()), || answer.text))
    })
    .await?;
    scene
        .k(&format!(
            "create configmap late -n {team} --from-literal=a=b"
        ))
        .await?
        .refused("being terminated")?;
    ensure!(
        deleting.try_wait()?.is_none(),
        "its contents are still there"
    );
    let release = r#"{"metadata":{"finalizers":null}}"#;
    scene
        .does(&format!(
            "patch env web -n {team} --type=merge -p '{release}'"
        ))
        .await?;
    ensure!(
        deleting.wait().await?.success(),
        "{}",
        scene.read("delete.txt")?
    );
    ensure!(scene.get(&namespace).await?.status == 404, "{team} is gone");
    Ok(())
}

async fn wire_65_a_wrong_uid_keeps_the_object(scene: &Scene<'_>) -> Result<()> {
    scene.make("web").await?;
    let body = json!({"preconditions": {"uid": "00000000-0000-4000-8000-000000000000"}});
    let path = format!("{}/web", scene.environments());
    let answer = scene
        .ask(Method::DELETE, &path, &[], body.to_string())
        .await?;
    ensure!(
        answer.status == 409 && answer.json()?["reason"] == "Conflict",
        "{}",
        answer.text
    );
    scene.web().await?;
    Ok(())
}
