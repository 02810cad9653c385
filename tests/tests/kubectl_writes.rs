//! What kubectl writes: apply in both ways, create, replace, patch, edit, label, status and delete.

use std::os::unix::fs::PermissionsExt as _;

use anyhow::{Context as _, Result, ensure};
use mirage_tests::process::web::{begin, manifest, object};

#[tokio::test]
async fn apply_create_replace_and_patch_write_or_say_why_not() -> Result<()> {
    let Some((mirage, kubectl)) = begin().await? else {
        return Ok(());
    };
    ensure!(
        kubectl
            .does(&["apply", "-f", "env.yaml"])
            .await?
            .contains("created"),
        "apply twice"
    );
    ensure!(
        kubectl
            .does(&["apply", "-f", "env.yaml"])
            .await?
            .contains("unchanged"),
        "apply twice"
    );
    ensure!(
        kubectl
            .does(&["apply", "-f", "env2.yaml"])
            .await?
            .contains("configured"),
        "apply an edit"
    );
    let changed = object(&kubectl).await?;
    ensure!(
        changed["spec"]["variables"]["FIRST"].is_null() && changed["metadata"]["generation"] == 2,
        "apply an edit: {changed}"
    );
    let diff = kubectl.run(&["diff", "-f", "env.yaml"]).await?.with(1)?;
    ensure!(
        diff.stdout.contains("+    LOG_LEVEL: info"),
        "diff: {}",
        diff.stdout
    );
    ensure!(
        object(&kubectl).await?["metadata"]["resourceVersion"]
            == changed["metadata"]["resourceVersion"],
        "diff: nothing stored"
    );
    kubectl
        .run(&["create", "-f", "env.yaml"])
        .await?
        .refused("AlreadyExists")
        .context("create what is there")?;
    mirage.write(
        "fresh.yaml",
        &manifest("info", "FIRST").replace("name: web\n", "name: fresh\n"),
    )?;
    ensure!(
        kubectl
            .does(&["create", "-f", "fresh.yaml", "--dry-run=server"])
            .await?
            .contains("created (server dry run)"),
        "server dry run"
    );
    kubectl
        .run(&["get", "environment", "fresh"])
        .await?
        .refused("NotFound")
        .context("server dry run")?;
    mirage.write(
        "unknown.yaml",
        &manifest("info", "FIRST").replace("  project:", "  colour: blue\n  project:"),
    )?;
    kubectl
        .run(&["apply", "-f", "unknown.yaml"])
        .await?
        .refused("unknown field \"spec.colour\"")
        .context("an unknown field")?;
    let warned = kubectl
        .run(&["apply", "-f", "unknown.yaml", "--validate=warn"])
        .await?
        .with(0)?;
    ensure!(
        warned.stderr.contains("Warning: unknown field"),
        "an unknown field as a warning: {}",
        warned.said()
    );
    ensure!(
        object(&kubectl).await?["spec"]["colour"].is_null(),
        "an unknown field as a warning: not stored"
    );
    mirage.write(
        "faults.yaml",
        &manifest("info", "FIRST")
            .replace("name: web\n", "name: faulty\n")
            .replace(
                "source: {image: \"nginx:1.29\"}",
                "source: {image: \"not an image\"}\n      dependsOn: [nobody]",
            ),
    )?;
    let faults = kubectl
        .run(&["apply", "-f", "faults.yaml"])
        .await?
        .refused("is invalid")
        .context("two faults at once")?;
    for path in [
        "spec.services.site.source.image",
        "spec.services.site.dependsOn[0]",
    ] {
        ensure!(
            faults.stderr.contains(path),
            "two faults at once: {path} is missing: {}",
            faults.stderr
        );
    }
    mirage.write(
        "type.yaml",
        &manifest("info", "FIRST").replace("  services:", "  suspend: often\n  services:"),
    )?;
    kubectl
        .run(&["apply", "-f", "type.yaml", "--validate=false"])
        .await?
        .refused("nvalid")
        .context("a wrong type")?;
    kubectl
        .run(&["create", "-f", "fresh.yaml", "-n", "nowhere"])
        .await?
        .refused("namespace")
        .context("a namespace that is not there")?;
    let old = serde_json::to_string(&changed)?;
    kubectl
        .does(&["annotate", "environment", "web", "note=moved-on"])
        .await?;
    mirage.write("old.json", &old)?;
    kubectl
        .run(&["replace", "-f", "old.json"])
        .await?
        .refused("has been modified")
        .context("replace by an old version")?;
    ensure!(
        kubectl
            .does(&["replace", "-f", "env.yaml"])
            .await?
            .contains("replaced"),
        "replace without a version"
    );
    let before = object(&kubectl).await?["metadata"]["generation"]
        .as_i64()
        .context("generation")?;
    kubectl
        .does(&[
            "patch",
            "environment",
            "web",
            "--type=merge",
            "-p",
            r#"{"spec":{"suspend":true}}"#,
        ])
        .await
        .context("merge patch")?;
    ensure!(
        object(&kubectl).await?["metadata"]["generation"] == before + 1,
        "merge patch"
    );
    let test = r#"[{"op":"test","path":"/spec/suspend","value":false}]"#;
    kubectl
        .run(&["patch", "environment", "web", "--type=json", "-p", test])
        .await?
        .refused("invalid")
        .context("JSON patch with a failing test")?;
    Ok(())
}

#[tokio::test]
async fn edit_label_and_status_go_through_their_own_doors() -> Result<()> {
    let Some((mirage, kubectl)) = begin().await? else {
        return Ok(());
    };
    kubectl.does(&["apply", "-f", "env.yaml"]).await?;
    let strategic = kubectl
        .run(&[
            "patch",
            "environment",
            "web",
            "-p",
            r#"{"spec":{"suspend":true}}"#,
        ])
        .await?;
    strategic
        .refused("strategic-merge-patch+json is not supported")
        .context("strategic merge patch")?;
    mirage.write(
        "editor.sh",
        "#!/bin/sh\nsed -i 's/LOG_LEVEL: info/LOG_LEVEL: trace/' \"$1\"\n",
    )?;
    let editor = mirage.folder().join("editor.sh");
    std::fs::set_permissions(&editor, std::fs::Permissions::from_mode(0o755))?;
    let mut edit = kubectl.command(&["edit", "environment", "web"]);
    let edited = mirage_tests::process::binary::run(edit.env("EDITOR", &editor))
        .await?
        .with(0)?;
    ensure!(edited.stdout.contains("edited"), "edit: {}", edited.said());
    let generation = object(&kubectl).await?["metadata"]["generation"].clone();
    kubectl
        .does(&["label", "environment", "web", "tier=front"])
        .await
        .context("labels and annotations")?;
    kubectl
        .does(&["annotate", "environment", "web", "note=here"])
        .await
        .context("labels and annotations")?;
    kubectl
        .does(&["label", "environment", "web", "tier-"])
        .await
        .context("labels and annotations")?;
    ensure!(
        object(&kubectl).await?["metadata"]["generation"] == generation,
        "labels and annotations: metadata moves no generation"
    );
    let phase = r#"{"status":{"phase":"Ready"}}"#;
    kubectl
        .does(&[
            "patch",
            "environment",
            "web",
            "--subresource=status",
            "--type=merge",
            "-p",
            phase,
        ])
        .await
        .context("status subresource")?;
    let patched = object(&kubectl).await?;
    ensure!(
        patched["status"]["phase"] == "Ready" && patched["metadata"]["generation"] == generation,
        "status subresource"
    );
    let other = r#"{"status":{"phase":"Failed"}}"#;
    kubectl
        .does(&["patch", "environment", "web", "--type=merge", "-p", other])
        .await
        .context("status through the main door")?;
    ensure!(
        object(&kubectl).await?["status"]["phase"] == "Ready",
        "status through the main door: the status is another door"
    );
    kubectl
        .run(&["scale", "environment", "web", "--replicas=2"])
        .await?
        .refused("")
        .context("scale")?;
    Ok(())
}

#[tokio::test]
async fn server_side_apply_knows_who_owns_what() -> Result<()> {
    let Some((_mirage, kubectl)) = begin().await? else {
        return Ok(());
    };
    let apply = |file: &'static str, manager: &'static str| {
        [
            "apply",
            "--server-side",
            "-f",
            file,
            "--field-manager",
            manager,
        ]
    };
    kubectl.does(&apply("env.yaml", "a")).await?;
    let managers = object(&kubectl).await?["metadata"]["managedFields"].clone();
    ensure!(
        managers[0]["manager"] == "a"
            && managers[0]["operation"] == "Apply"
            && managers[1].is_null(),
        "the first owner: {managers}"
    );
    let conflict = kubectl
        .run(&apply("env2.yaml", "b"))
        .await?
        .refused("conflict")
        .context("a conflict")?;
    ensure!(
        conflict.stderr.contains("\"a\"") && conflict.stderr.contains(".spec.variables.LOG_LEVEL"),
        "a conflict: {}",
        conflict.stderr
    );
    let forced = [&apply("env2.yaml", "b")[..], &["--force-conflicts"]].concat();
    kubectl.does(&forced).await.context("forced")?;
    let taken = object(&kubectl).await?;
    ensure!(
        taken["spec"]["variables"]["LOG_LEVEL"] == "debug"
            && taken["spec"]["variables"]["FIRST"] == "kept",
        "forced: {taken}"
    );
    // the same again is no write.
    kubectl
        .does(&forced)
        .await
        .context("the same again is no write")?;
    ensure!(
        object(&kubectl).await?["metadata"]["resourceVersion"]
            == taken["metadata"]["resourceVersion"],
        "the same again is no write"
    );
    kubectl.does(&["delete", "environment", "web"]).await?;
    // from client-side to server-side without a conflict.
    kubectl.does(&["apply", "-f", "env.yaml"]).await?;
    kubectl
        .does(&["apply", "--server-side", "-f", "env.yaml"])
        .await
        .context("from client-side to server-side")?;
    Ok(())
}

#[tokio::test]
async fn delete_waits_for_finalizers_and_empties_namespaces() -> Result<()> {
    let Some((mirage, kubectl)) = begin().await? else {
        return Ok(());
    };
    kubectl.does(&["apply", "-f", "env.yaml"]).await?;
    let finalizer = r#"{"metadata":{"finalizers":["test.dev/hold"]}}"#;
    kubectl
        .does(&[
            "patch",
            "environment",
            "web",
            "--type=merge",
            "-p",
            finalizer,
        ])
        .await?;
    kubectl
        .does(&["delete", "environment", "web", "--wait=false"])
        .await
        .context("a finalizer holds")?;
    ensure!(
        object(&kubectl).await?["metadata"]["deletionTimestamp"].is_string(),
        "a finalizer holds: still there"
    );
    let release = r#"{"metadata":{"finalizers":null}}"#;
    kubectl
        .does(&["patch", "environment", "web", "--type=merge", "-p", release])
        .await
        .context("a finalizer holds")?;
    kubectl
        .run(&["get", "environment", "web"])
        .await?
        .refused("NotFound")
        .context("a finalizer holds")?;
    kubectl.does(&["apply", "-f", "env.yaml"]).await?;
    ensure!(
        kubectl
            .does(&["delete", "environment", "web", "--cascade=foreground"])
            .await?
            .contains("deleted"),
        "delete waits"
    );
    kubectl.does(&["apply", "-f", "env.yaml"]).await?;
    ensure!(
        kubectl
            .does(&["delete", "environments", "-l", "app=web"])
            .await?
            .contains("deleted"),
        "delete by label"
    );
    kubectl.does(&["create", "namespace", "team-a"]).await?;
    mirage.write(
        "team.yaml",
        &manifest("info", "FIRST").replace("namespace: default", "namespace: team-a"),
    )?;
    kubectl.does(&["apply", "-f", "team.yaml"]).await?;
    kubectl
        .does(&["delete", "namespace", "team-a", "--timeout=60s"])
        .await
        .context("delete a namespace")?;
    kubectl
        .run(&["get", "environments", "-n", "team-a", "-o", "name"])
        .await?;
    kubectl
        .run(&["get", "namespace", "team-a"])
        .await?
        .refused("NotFound")
        .context("delete a namespace")?;
    Ok(())
}
