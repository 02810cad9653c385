//! What kubectl asks: documents, identity, lists, pages, selectors, watches and waits.

use std::os::unix::fs::PermissionsExt as _;

use anyhow::{Context as _, Result, ensure};
use mirage_tests::process::{
    http,
    waiting::{Look, until},
    web::{begin, manifest},
};

#[tokio::test]
async fn discovery_explain_and_versions_are_served() -> Result<()> {
    let Some((mirage, kubectl)) = begin().await? else {
        return Ok(());
    };
    let version = kubectl.run(&["version"]).await?.with(0)?;
    ensure!(
        version.stdout.contains("Server Version: v1."),
        "version: {}",
        version.said()
    );
    let versions = kubectl.does(&["api-versions"]).await?;
    ensure!(
        versions.lines().any(|line| line == "mirage.dev/v1alpha1")
            && versions.lines().any(|line| line == "v1"),
        "api-versions: {versions}"
    );
    let resources = kubectl
        .does(&["api-resources", "--api-group=mirage.dev", "-o", "wide"])
        .await?;
    for words in [
        "environments",
        "environmenttemplates",
        "railwayaccounts",
        "orphans",
        "true",
        "deletecollection",
        "watch",
    ] {
        ensure!(
            resources.contains(words),
            "api-resources: {words} is missing: {resources}"
        );
    }
    let explained = kubectl.does(&["explain", "environment"]).await?;
    ensure!(
        explained.contains("DESCRIPTION")
            && explained.contains("FIELDS")
            && explained.contains("spec"),
        "explain a kind: {explained}"
    );
    let explained = kubectl
        .does(&["explain", "environment.spec.services"])
        .await?;
    ensure!(
        explained.contains("source") && explained.contains("dependsOn"),
        "explain a field: {explained}"
    );
    kubectl
        .does(&["explain", "environment", "--output=plaintext-openapiv2"])
        .await
        .context("explain from OpenAPI v2")?;
    let paths = kubectl.does(&["get", "--raw", "/openapi/v3"]).await?;
    ensure!(
        paths.contains("serverRelativeURL") && paths.contains("hash="),
        "OpenAPI v3 index: {paths}"
    );
    let http = mirage.address("http")?;
    let ready = http::get(&format!("{http}/readyz"), None).await?;
    ensure!(
        ready.starts_with("HTTP/1.1 200") && ready.ends_with("ok"),
        "access without a token: {ready}"
    );
    let closed = http::get(&format!("{http}/apis"), None).await?;
    ensure!(
        closed.starts_with("HTTP/1.1 401") && closed.contains("\"kind\":\"Status\""),
        "access without a token: {closed}"
    );
    kubectl
        .run(&["get", "--raw", "/apis/mirage.dev/v1alpha1/nothing"])
        .await?
        .refused("NotFound")
        .context("a path that is not there")?;
    kubectl
        .run(&["get", "widgets"])
        .await?
        .refused("the server doesn't have a resource type \"widgets\"")
        .context("a kind that is not there")?;
    Ok(())
}

#[tokio::test]
async fn kubectl_knows_who_it_is_and_what_it_may() -> Result<()> {
    let Some((mirage, kubectl)) = begin().await? else {
        return Ok(());
    };
    let me = kubectl.does(&["auth", "whoami"]).await?;
    ensure!(
        me.contains("Username") && me.contains("Groups"),
        "whoami: {me}"
    );
    ensure!(
        kubectl
            .does(&["auth", "can-i", "delete", "environments"])
            .await?
            .trim()
            == "yes",
        "can-i"
    );
    ensure!(
        kubectl
            .does(&["auth", "can-i", "--list"])
            .await?
            .contains("Resources"),
        "can-i --list"
    );
    // The kubeconfig's own token goes before --token, so the wrong one is put into a copy.
    let right = std::fs::read_to_string(mirage.data("kubeconfig"))?;
    mirage.write(
        "wrong-kubeconfig",
        &right.replace(&mirage.token()?, "mir_wrong"),
    )?;
    let refused = kubectl
        .run(&["--kubeconfig", "wrong-kubeconfig", "get", "environments"])
        .await?;
    refused.refused("logged in").context("a wrong token")?;
    let mode = std::fs::metadata(mirage.data("kubeconfig"))?
        .permissions()
        .mode()
        & 0o777;
    ensure!(
        mode == 0o600,
        "the kubeconfig is readable by others: {mode:o}"
    );
    Ok(())
}

#[tokio::test]
async fn get_pages_selectors_watch_and_wait_show_what_is_there() -> Result<()> {
    let Some((mirage, kubectl)) = begin().await? else {
        return Ok(());
    };
    for name in ["a", "b", "c", "d", "e"] {
        mirage.write(
            "one.yaml",
            &manifest("info", "FIRST").replace("name: web\n", &format!("name: {name}\n")),
        )?;
        kubectl.does(&["create", "-f", "one.yaml"]).await?;
    }
    let sorted = kubectl
        .does(&[
            "get",
            "environments",
            "--sort-by=.metadata.creationTimestamp",
            "--no-headers",
        ])
        .await?;
    ensure!(sorted.lines().count() == 5, "get: {sorted}");
    ensure!(
        kubectl
            .does(&["get", "environments,namespaces"])
            .await?
            .contains("namespace/default"),
        "get"
    );
    let pages = kubectl
        .run(&[
            "get",
            "environments",
            "--chunk-size=2",
            "--no-headers",
            "-v=6",
        ])
        .await?
        .with(0)?;
    ensure!(pages.stdout.lines().count() == 5, "pages: {}", pages.stdout);
    ensure!(
        pages.stderr.matches("limit=2").count() >= 3,
        "pages: three requests: {}",
        pages.stderr
    );
    let selected = kubectl
        .does(&[
            "get",
            "environments",
            "-l",
            "app in (web),tier!=x",
            "-o",
            "name",
        ])
        .await?;
    ensure!(selected.lines().count() == 5, "selectors: {selected}");
    let one = kubectl
        .does(&[
            "get",
            "environments",
            "--field-selector",
            "metadata.name=a",
            "-o",
            "name",
        ])
        .await?;
    ensure!(one.trim() == "environment.mirage.dev/a", "selectors: {one}");
    kubectl
        .run(&[
            "get",
            "environments",
            "--field-selector",
            "spec.colour=blue",
        ])
        .await?
        .refused("")
        .context("selectors")?;

    let mut watching = kubectl.starts(
        &["get", "environments", "-w", "--output-watch-events"],
        "watch.txt",
    )?;
    let seen = async |words: &str| {
        until(&format!("the watch to say {words}"), async || {
            let text = std::fs::read_to_string(mirage.folder().join("watch.txt"))?;
            let found = text
                .lines()
                .any(|line| words.split(' ').all(|word| line.contains(word)));
            Ok(Look::when(found.then_some(()), || text))
        })
        .await
    };
    seen("ADDED a").await.context("get -w")?;
    kubectl
        .does(&["label", "environment", "b", "tier=front"])
        .await?;
    seen("MODIFIED b").await.context("get -w")?;
    kubectl.does(&["delete", "environment", "c"]).await?;
    seen("DELETED c").await.context("get -w")?;
    watching.kill().await?;

    kubectl
        .run(&[
            "wait",
            "--for=condition=Ready",
            "environment/a",
            "--timeout=1s",
        ])
        .await?
        .refused("timed out")
        .context("wait")?;
    kubectl
        .does(&[
            "wait",
            "--for=jsonpath={.spec.project.name}=web",
            "environment/a",
            "--timeout=5s",
        ])
        .await
        .context("wait")?;
    kubectl
        .does(&["wait", "--for=create", "environment/a", "--timeout=5s"])
        .await
        .context("wait")?;
    let mut waiting = kubectl.starts(
        &["wait", "--for=delete", "environment/d", "--timeout=60s"],
        "wait.txt",
    )?;
    kubectl.does(&["delete", "environment", "d"]).await?;
    ensure!(waiting.wait().await?.success(), "wait: delete");
    Ok(())
}
