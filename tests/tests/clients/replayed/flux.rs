//! Flux's kustomize-controller with Mirage as its target: a forced dry run of an apply tells whether anything differs, and
//! only then is it applied.

use anyhow::{Context as _, Result, ensure};
use mirage_tests::process::{Mirage, specs::one_image};
use serde_json::{Value, json};

use super::{Answer, ENVIRONMENTS, Wire};

const MANAGER: &str = "kustomize-controller";

async fn apply(wire: &Wire, object: &Value, more: &str) -> Result<Answer> {
    let path = format!("{ENVIRONMENTS}/shop?{more}fieldManager={MANAGER}&force=true");
    wire.patch(&path, "application/apply-patch+yaml", object)
        .await
}

async fn dry_run(wire: &Wire, object: &Value) -> Result<Value> {
    apply(wire, object, "dryRun=All&fieldValidation=Strict&")
        .await?
        .good()
}

async fn live(wire: &Wire) -> Result<Value> {
    wire.json(&format!("{ENVIRONMENTS}/shop")).await
}

/// Flux's own notion of drift: a new object has no version yet; otherwise labels, annotations and everything but metadata and
/// status decide.
fn has_drifted(live: &Value, dry: &Value) -> bool {
    let body = |object: &Value| {
        let mut body = object.clone();
        body["metadata"] = json!({"labels": object["metadata"]["labels"], "annotations": object["metadata"]["annotations"]});
        body["status"] = Value::Null;
        body
    };
    dry["metadata"]["resourceVersion"].is_null() || body(live) != body(dry)
}

/// Everything that does not change from one asking to the next.
fn timeless(object: &Value) -> Value {
    let mut object = object.clone();
    let metadata = &mut object["metadata"];
    for field in ["resourceVersion", "uid", "creationTimestamp"] {
        metadata[field] = Value::Null;
    }
    for entry in metadata["managedFields"]
        .as_array_mut()
        .into_iter()
        .flatten()
    {
        entry["time"] = Value::Null;
    }
    object
}

#[tokio::test]
async fn a_forced_dry_run_is_what_the_apply_then_does_and_drift_ends_there() -> Result<()> {
    let mirage = Mirage::api_only().await?;
    let wire = Wire::to(&mirage).await?;
    let mut wanted = one_image("shop");
    wanted["metadata"]["namespace"] = json!("default");
    wanted["metadata"]["labels"] = json!({
        "kustomize.toolkit.fluxcd.io/name": "shop", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"});

    for step in ["created", "changed"] {
        if step == "changed" {
            wanted["spec"]["variables"] = json!({"LOG_LEVEL": "debug"});
            wanted["spec"]["suspend"] = json!(true);
        }
        let dry = dry_run(&wire, &wanted).await?;
        let is_new = dry["metadata"]["resourceVersion"].is_null();
        ensure!(is_new == (step == "created"), "{step}: {dry}");
        let before = if is_new {
            Value::Null
        } else {
            live(&wire).await?
        };
        ensure!(has_drifted(&before, &dry), "{step}: nothing differs");
        let applied = apply(&wire, &wanted, "").await?;
        let expected = if is_new { 201 } else { 200 };
        ensure!(applied.status == expected, "{step}: {}", applied.status);
        let applied = applied.good()?;
        ensure!(
            timeless(&applied) == timeless(&dry),
            "{step}: applied\n{applied:#}\nbut the dry run was\n{dry:#}"
        );
        let settled = dry_run(&wire, &wanted).await?;
        ensure!(
            !has_drifted(&live(&wire).await?, &settled),
            "{step}: it drifts on"
        );
        ensure!(
            settled["metadata"]["resourceVersion"] == applied["metadata"]["resourceVersion"],
            "a dry run moved the version"
        );
    }

    // Somebody edits what Flux owns: it sees that, and takes it back.
    let edit = json!({"spec": {"suspend": false}});
    let path = format!("{ENVIRONMENTS}/shop?fieldManager=kubectl-edit");
    wire.patch(&path, "application/merge-patch+json", &edit)
        .await?
        .good()?;
    ensure!(
        has_drifted(&live(&wire).await?, &dry_run(&wire, &wanted).await?),
        "unseen"
    );
    let taken_back = apply(&wire, &wanted, "").await?.good()?;
    ensure!(taken_back["spec"]["suspend"] == true, "{taken_back}");
    Ok(())
}

#[tokio::test]
async fn an_object_of_kubectls_is_taken_over_by_a_patch_of_its_managed_fields() -> Result<()> {
    let mirage = Mirage::api_only().await?;
    let wire = Wire::to(&mirage).await?;
    let mut before = one_image("shop");
    before["spec"]["suspend"] = json!(true);
    before["metadata"]["annotations"] =
        json!({"kubectl.kubernetes.io/last-applied-configuration": "{}"});
    let path =
        format!("{ENVIRONMENTS}?fieldManager=kubectl-client-side-apply&fieldValidation=Strict");
    let made = wire.post(&path, &before).await?.good()?;

    // The entries of kubectl become Flux's own, so that what Flux leaves out goes.
    let mut entries = made["metadata"]["managedFields"].clone();
    for entry in entries.as_array_mut().context("entries")? {
        ensure!(entry["manager"] == "kubectl-client-side-apply", "{entry}");
        entry["manager"] = json!(MANAGER);
        entry["operation"] = json!("Apply");
    }
    let patch = json!([
        {"op": "remove", "path": "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration"},
        {"op": "replace", "path": "/metadata/managedFields", "value": entries},
    ]);
    let path = format!("{ENVIRONMENTS}/shop?fieldManager={MANAGER}");
    let taken = wire
        .patch(&path, "application/json-patch+json", &patch)
        .await?
        .good()?;
    let managers: Vec<_> = taken["metadata"]["managedFields"]
        .as_array()
        .context("entries")?
        .iter()
        .map(|entry| (&entry["manager"], &entry["operation"]))
        .collect();
    ensure!(
        managers.contains(&(&json!(MANAGER), &json!("Apply"))),
        "{managers:?}"
    );
    ensure!(
        managers.iter().all(|(manager, _)| *manager == MANAGER),
        "{managers:?}"
    );

    let applied = apply(&wire, &one_image("shop"), "").await?.good()?;
    ensure!(
        applied["spec"].get("suspend").is_none(),
        "Flux left it out and owns it alone: {applied}"
    );
    Ok(())
}

#[tokio::test]
async fn managed_fields_are_forgotten_when_an_empty_entry_replaces_them() -> Result<()> {
    let mirage = Mirage::api_only().await?;
    let wire = Wire::to(&mirage).await?;
    apply(&wire, &one_image("shop"), "").await?.good()?;
    let patch = json!([{"op": "replace", "path": "/metadata/managedFields", "value": [{}]}]);
    let path = format!("{ENVIRONMENTS}/shop?fieldManager={MANAGER}");
    let reset = wire
        .patch(&path, "application/json-patch+json", &patch)
        .await?
        .good()?;
    ensure!(
        reset["metadata"]
            .get("managedFields")
            .is_none_or(|left| *left == json!([])),
        "{reset}"
    );
    let applied = apply(&wire, &one_image("shop"), "").await?.good()?;
    let managers: Vec<_> = applied["metadata"]["managedFields"]
        .as_array()
        .context("entries")?
        .iter()
        .filter_map(|entry| entry["manager"].as_str())
        .collect();
    ensure!(managers.contains(&"before-first-apply"), "{managers:?}");
    Ok(())
}
