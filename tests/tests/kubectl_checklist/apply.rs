//! 41 to 48: server-side apply, and who owns what.

use anyhow::{Context as _, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    checklist::checklist,
    scene::{ENV, Scene, env2, version},
};

checklist![
    wire_41_the_first_apply_owns_its_fields_and_keyed_entries,
    wire_42_another_manager_conflicts_by_name_and_path,
    wire_43_force_takes_the_field_over,
    wire_44_what_is_given_up_goes_unless_shared,
    wire_45_client_side_apply_hands_over_without_a_conflict,
    wire_46_the_same_apply_again_writes_nothing,
    wire_47_an_apply_names_its_manager,
    wire_48_a_status_can_be_applied_alone,
];

const APPLY: (&str, &str) = ("content-type", "application/apply-patch+yaml");

/// The manifest as object `web`'s owner also writes it: with a set and with a list that has a key.
fn with_lists() -> String {
    ENV.replace(
        "  labels: {app: web}",
        "  labels: {app: web}
  finalizers: [test.dev/hold]
  ownerReferences:
    - {apiVersion: v1, kind: ConfigMap, name: nobody, uid: 6d1f7a4e-0000-4000-8000-000000000000}",
    )
}

/// The entries of an object's managed fields with these names.
fn entries<'o>(object: &'o Value, manager: &str) -> Vec<&'o Value> {
    let all = object["metadata"]["managedFields"].as_array();
    all.into_iter()
        .flatten()
        .filter(|entry| entry["manager"] == manager)
        .collect()
}

async fn wire_41_the_first_apply_owns_its_fields_and_keyed_entries(
    scene: &Scene<'_>,
) -> Result<()> {
    scene.write("lists.yaml", &with_lists())?;
    // Dry, because nobody would take the finalizer off.
    let applied = scene
        .does("apply --server-side -f lists.yaml --field-manager=a --dry-run=server -o json --show-managed-fields")
        .await?;
    let web: Value = serde_json::from_str(&applied)?;
    let all = web["metadata"]["managedFields"].as_array().map(Vec::len);
    ensure!(all == Some(1), "{web}");
    let entry = &web["metadata"]["managedFields"][0];
    ensure!(
        entry["manager"] == "a"
            && entry["operation"] == "Apply"
            && entry["apiVersion"] == "mirage.dev/v1alpha1"
            && entry["fieldsType"] == "FieldsV1",
        "{entry}"
    );
    let owned = &entry["fieldsV1"];
    let key = r#"k:{"uid":"6d1f7a4e-0000-4000-8000-000000000000"}"#;
    ensure!(
        owned["f:metadata"]["f:ownerReferences"][key].is_object()
            && owned["f:metadata"]["f:finalizers"] == json!({"v:\"test.dev/hold\"": {}})
            && owned["f:metadata"]["f:labels"] == json!({"f:app": {}})
            && owned["f:spec"]["f:variables"] == json!({"f:FIRST": {}, "f:LOG_LEVEL": {}})
            && owned["f:spec"]["f:services"]["f:site"]["f:source"]["f:image"] == json!({}),
        "{owned}"
    );
    Ok(())
}

async fn wire_42_another_manager_conflicts_by_name_and_path(scene: &Scene<'_>) -> Result<()> {
    scene
        .does("apply --server-side -f env.yaml --field-manager=a")
        .await?;
    let before = scene.web().await?;
    scene
        .k("apply --server-side -f env2.yaml --field-manager=b")
        .await?
        .refused("Apply failed with 1 conflict: conflict with \"a\": .spec.variables.LOG_LEVEL")?
        .refused("--force-conflicts")?;
    ensure!(scene.web().await? == before, "nothing is stored");
    Ok(())
}

async fn wire_43_force_takes_the_field_over(scene: &Scene<'_>) -> Result<()> {
    scene
        .does("apply --server-side -f env.yaml --field-manager=a")
        .await?;
    scene
        .does("apply --server-side -f env2.yaml --field-manager=b --force-conflicts")
        .await?;
    let web = scene.web().await?;
    ensure!(
        web["spec"]["variables"] == json!({"LOG_LEVEL": "debug", "FIRST": "kept", "SECOND": "new"}),
        "{web}"
    );
    let of = |manager| entries(&web, manager)[0]["fieldsV1"]["f:spec"]["f:variables"].clone();
    ensure!(
        of("a") == json!({"f:FIRST": {}}) && of("b") == json!({"f:LOG_LEVEL": {}, "f:SECOND": {}}),
        "{web}"
    );
    Ok(())
}

async fn wire_44_what_is_given_up_goes_unless_shared(scene: &Scene<'_>) -> Result<()> {
    scene
        .does("apply --server-side -f env.yaml --field-manager=a")
        .await?;
    // b has one of a's two variables too.
    scene.write("b.yaml", &ENV.replace("    FIRST: kept\n", ""))?;
    scene
        .does("apply --server-side -f b.yaml --field-manager=b")
        .await?;
    let without = ENV.replace("  variables:\n    LOG_LEVEL: info\n    FIRST: kept\n", "");
    scene.write("without.yaml", &without)?;
    scene
        .does("apply --server-side -f without.yaml --field-manager=a")
        .await?;
    let web = scene.web().await?;
    ensure!(
        web["spec"]["variables"] == json!({"LOG_LEVEL": "info"}),
        "{web}"
    );
    Ok(())
}

async fn wire_45_client_side_apply_hands_over_without_a_conflict(scene: &Scene<'_>) -> Result<()> {
    scene.does("apply -f env.yaml").await?;
    ensure!(
        entries(&scene.web().await?, "kubectl-client-side-apply").len() == 1,
        "the first owner"
    );
    scene.does("apply --server-side -f env.yaml").await?;
    let web = scene.web().await?;
    ensure!(
        entries(&web, "kubectl-client-side-apply").is_empty(),
        "{web}"
    );
    let mine = entries(&web, "kubectl");
    ensure!(
        mine.iter().any(|entry| entry["operation"] == "Apply"),
        "{web}"
    );
    // It owns all, so it may also change and drop.
    scene.write("env2.yaml", &env2())?;
    scene.does("apply --server-side -f env2.yaml").await?;
    let web = scene.web().await?;
    ensure!(
        web["spec"]["variables"] == json!({"LOG_LEVEL": "debug", "SECOND": "new"}),
        "{web}"
    );
    Ok(())
}

async fn wire_46_the_same_apply_again_writes_nothing(scene: &Scene<'_>) -> Result<()> {
    let line = "apply --server-side -f env.yaml";
    scene.does(line).await?;
    let before = scene.web().await?;
    let said = scene.does(line).await?;
    ensure!(said.contains("serverside-applied"), "{said}");
    ensure!(scene.web().await? == before, "{before}");
    Ok(())
}

async fn wire_47_an_apply_names_its_manager(scene: &Scene<'_>) -> Result<()> {
    let path = format!("{}/web", scene.environments());
    let answer = scene.ask(Method::PATCH, &path, &[APPLY], ENV).await?;
    let status = answer.json()?;
    ensure!(
        answer.status == 422
            && status["reason"] == "Invalid"
            && status["details"]["kind"] == "PatchOptions"
            && status["details"]["causes"][0]["field"] == "fieldManager"
            && status["details"]["causes"][0]["reason"] == "FieldValueRequired",
        "{status}"
    );
    Ok(())
}

async fn wire_48_a_status_can_be_applied_alone(scene: &Scene<'_>) -> Result<()> {
    scene.make("web").await?;
    let condition = json!({"type": "Ready", "status": "True", "reason": "Test", "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z"});
    let body = json!({"apiVersion": "mirage.dev/v1alpha1", "kind": "Environment",
        "status": {"phase": "Ready", "conditions": [condition]}});
    let path = format!("{}/web/status?fieldManager=c", scene.environments());
    let answer = scene
        .ask(Method::PATCH, &path, &[APPLY], body.to_string())
        .await?;
    ensure!(answer.status == 200, "{}", answer.text);
    let web = scene.web().await?;
    let mine = entries(&web, "c");
    let entry = mine.first().context("an entry of its own")?;
    ensure!(
        web["status"]["phase"] == "Ready"
            && entry["subresource"] == "status"
            && entry["fieldsV1"]["f:status"]["f:conditions"][r#"k:{"type":"Ready"}"#]["f:reason"]
                == json!({}),
        "{web}"
    );
    // Again: nothing moves.
    scene
        .ask(Method::PATCH, &path, &[APPLY], body.to_string())
        .await?;
    ensure!(version(&scene.web().await?) == version(&web), "{web}");
    Ok(())
}
