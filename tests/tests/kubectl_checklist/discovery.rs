//! 1 to 12: what there is, and what it looks like.

use anyhow::{Context as _, Result, ensure};
use mirage_tests::process::{http, kubectl::Kubectl, recorder::Recorder};
use reqwest::Method;

use crate::{
    checklist::checklist,
    scene::{Scene, row},
};

checklist![
    wire_01_version_is_a_release_that_clients_can_read,
    wire_02_api_versions_name_our_group_and_the_core,
    wire_03_api_resources_show_names_scope_verbs_and_categories,
    wire_04_two_requests_discover_everything,
    wire_05_what_was_discovered_is_not_sent_again,
    wire_06_explain_describes_a_kind,
    wire_07_explain_describes_fields,
    wire_08_explain_works_from_openapi_v2,
    wire_09_openapi_v3_has_an_index_with_hashes,
    wire_10_health_needs_no_token_and_discovery_does,
    wire_11_a_path_that_is_not_there_is_not_found,
    wire_12_a_kind_that_is_not_there_is_named,
];

async fn wire_01_version_is_a_release_that_clients_can_read(scene: &Scene<'_>) -> Result<()> {
    let version = scene.k("version").await?.with(0)?;
    ensure!(
        version.stdout.contains("Server Version: ") && version.stdout.contains("v1."),
        "{}",
        version.said()
    );
    // An old kubectl warns that it is old. That it could not read the version would be another thing.
    let is_a_warning = |line: &str| line.starts_with("WARNING: ");
    let complaint = version.stderr.lines().find(|line| !is_a_warning(line));
    ensure!(complaint.is_none(), "{complaint:?}");
    Ok(())
}

async fn wire_02_api_versions_name_our_group_and_the_core(scene: &Scene<'_>) -> Result<()> {
    let versions = scene.does("api-versions").await?;
    for wanted in ["mirage.dev/v1alpha1", "v1"] {
        ensure!(
            versions.lines().any(|line| line == wanted),
            "{wanted} is missing: {versions}"
        );
    }
    Ok(())
}

async fn wire_03_api_resources_show_names_scope_verbs_and_categories(
    scene: &Scene<'_>,
) -> Result<()> {
    let ours = scene
        .does("api-resources --api-group=mirage.dev -o wide")
        .await?;
    let all = "create,delete,deletecollection,get,list,patch,update,watch";
    for words in [
        ["environments", "env,envs", "true", all, "all,mirage"],
        ["environmenttemplates", "envt", "true", all, "mirage"],
        ["railwayaccounts", "rwa", "true", all, "mirage"],
        ["previewpolicies", "pp", "true", all, "mirage"],
    ] {
        ensure!(
            row(&ours, &words).is_some(),
            "{words:?} is no row of {ours}"
        );
    }
    let core = scene.does("api-resources --api-group= -o wide").await?;
    for words in [["namespaces", "ns", "false"], ["events", "ev", "true"]] {
        ensure!(
            row(&core, &words).is_some(),
            "{words:?} is no row of {core}"
        );
    }
    Ok(())
}

/// kubectl in front of a recorder, with nothing in its cache.
async fn recorded(scene: &Scene<'_>) -> Result<(Recorder, Kubectl)> {
    let recorder = Recorder::before(scene.mirage).await?;
    let kubectl = scene.kubectl.with_kubeconfig(&scene.path("kubeconfig"))?;
    Ok((recorder, kubectl))
}

async fn wire_04_two_requests_discover_everything(scene: &Scene<'_>) -> Result<()> {
    let (recorder, kubectl) = recorded(scene).await?;
    let server = format!("--server={}", recorder.address());
    kubectl.does(&["api-resources", &server]).await?;
    let mut asked: Vec<_> = recorder
        .take()
        .into_iter()
        .map(|asked| (asked.path, asked.status))
        .collect();
    asked.sort();
    ensure!(
        asked == [("/api".to_owned(), 200), ("/apis".to_owned(), 200)],
        "{asked:?}"
    );
    Ok(())
}

async fn wire_05_what_was_discovered_is_not_sent_again(scene: &Scene<'_>) -> Result<()> {
    let (recorder, kubectl) = recorded(scene).await?;
    let server = format!("--server={}", recorder.address());
    let first = kubectl.does(&["api-resources", &server]).await?;
    recorder.take();
    let second = kubectl.does(&["api-resources", &server]).await?;
    let asked = recorder.take();
    ensure!(
        asked.len() == 2 && asked.iter().all(|asked| asked.status == 304),
        "{asked:?}"
    );
    ensure!(first == second, "{first}\n{second}");
    Ok(())
}

async fn wire_06_explain_describes_a_kind(scene: &Scene<'_>) -> Result<()> {
    let explained = scene.does("explain environment").await?;
    ensure!(
        explained.contains("DESCRIPTION") && explained.contains("FIELDS"),
        "{explained}"
    );
    let spec = row(&explained, &["spec", "-required-"]);
    ensure!(spec.is_some(), "{explained}");
    ensure!(!explained.contains("<empty>"), "{explained}");
    Ok(())
}

async fn wire_07_explain_describes_fields(scene: &Scene<'_>) -> Result<()> {
    for (field, kind, fields) in [
        (
            "env.spec.services",
            "<map[string]Object>",
            ["source", "dependsOn"],
        ),
        (
            "env.status.conditions",
            "<[]Object>",
            ["lastTransitionTime", "reason"],
        ),
    ] {
        let explained = scene.does(&format!("explain {field}")).await?;
        ensure!(explained.contains(kind), "{field}: {explained}");
        for name in fields {
            ensure!(explained.contains(name), "{field}: {explained}");
        }
    }
    Ok(())
}

async fn wire_08_explain_works_from_openapi_v2(scene: &Scene<'_>) -> Result<()> {
    let explained = scene
        .does("explain env --output=plaintext-openapiv2")
        .await?;
    ensure!(
        explained.contains("mirage.dev/v1alpha1") && explained.contains("FIELDS"),
        "{explained}"
    );
    Ok(())
}

async fn wire_09_openapi_v3_has_an_index_with_hashes(scene: &Scene<'_>) -> Result<()> {
    let index: serde_json::Value =
        serde_json::from_str(&scene.does("get --raw /openapi/v3").await?)?;
    let url = |path: &str| index["paths"][path]["serverRelativeURL"].as_str();
    let ours = url("apis/mirage.dev/v1alpha1").context("our document")?;
    let core = url("api/v1").context("the core document")?;
    let hash = |url: &str| Some(url.split_once("hash=")?.1.to_owned());
    ensure!(
        hash(ours).is_some() && hash(ours) != hash(core),
        "the hash is one of the content: {ours}, {core}"
    );
    let document = scene.does(&format!("get --raw {ours}")).await?;
    ensure!(
        document.contains("\"dev.mirage.v1alpha1.Environment\""),
        "{ours}"
    );
    Ok(())
}

async fn wire_10_health_needs_no_token_and_discovery_does(scene: &Scene<'_>) -> Result<()> {
    let server = scene.mirage.address("http")?;
    let ready = http::get(&format!("{server}/readyz"), None).await?;
    ensure!(
        ready.starts_with("HTTP/1.1 200") && ready.ends_with("ok"),
        "{ready}"
    );
    let closed = http::get(&format!("{server}/apis"), None).await?;
    ensure!(
        closed.starts_with("HTTP/1.1 401")
            && closed.contains("\"kind\":\"Status\"")
            && closed.contains("\"reason\":\"Unauthorized\""),
        "{closed}"
    );
    Ok(())
}

async fn wire_11_a_path_that_is_not_there_is_not_found(scene: &Scene<'_>) -> Result<()> {
    let path = "/apis/mirage.dev/v1alpha1/nothing";
    scene
        .k(&format!("get --raw {path}"))
        .await?
        .refused("NotFound")?;
    let answer = scene.ask(Method::GET, path, &[], "").await?;
    ensure!(
        answer.status == 404 && answer.json()?["reason"] == "NotFound",
        "{}",
        answer.text
    );
    Ok(())
}

async fn wire_12_a_kind_that_is_not_there_is_named(scene: &Scene<'_>) -> Result<()> {
    scene
        .k("get widgets")
        .await?
        .refused("the server doesn't have a resource type \"widgets\"")?;
    Ok(())
}
