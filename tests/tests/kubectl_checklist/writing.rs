//! 19 to 40: what is written, what is refused, and what is said about it.

use anyhow::{Context as _, Result, ensure};
use mirage_tests::process::binary;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    checklist::checklist,
    scene::{ENV, Scene, generation, version},
};

checklist![
    wire_19_apply_twice_says_created_then_unchanged,
    wire_20_apply_of_an_edit_changes_drops_and_adds,
    wire_21_diff_shows_the_edit_and_stores_nothing,
    wire_22_create_of_what_is_there_is_refused,
    wire_23_a_server_dry_run_stores_nothing,
    wire_24_a_generated_name_ends_in_five_characters,
    wire_25_an_unknown_field_is_refused,
    wire_26_an_unknown_field_can_be_a_warning_and_is_dropped,
    wire_27_every_fault_is_listed_with_its_field,
    wire_28_a_wrong_type_is_refused_without_the_clients_help,
    wire_29_a_namespace_that_is_not_there_is_named,
    wire_30_replace_of_an_old_version_is_a_conflict,
    wire_31_replace_without_a_version_replaces,
    wire_32_a_merge_patch_of_the_spec_raises_the_generation,
    wire_33_a_json_patch_whose_test_fails_is_invalid,
    wire_34_a_strategic_patch_is_refused_by_name,
    wire_35_a_json_patch_may_test_that_finalizers_are_absent,
    wire_36_edit_writes_what_the_editor_left,
    wire_37_labels_and_annotations_raise_no_generation,
    wire_38_the_status_is_patched_through_its_own_door,
    wire_39_the_main_door_leaves_the_status_alone,
    wire_40_scale_is_not_found,
];

async fn wire_19_apply_twice_says_created_then_unchanged(scene: &Scene<'_>) -> Result<()> {
    for expected in ["created", "unchanged"] {
        let said = scene.does("apply -f env.yaml").await?;
        ensure!(
            said.trim() == format!("environment.mirage.dev/web {expected}"),
            "{said}"
        );
    }
    Ok(())
}

async fn wire_20_apply_of_an_edit_changes_drops_and_adds(scene: &Scene<'_>) -> Result<()> {
    scene.does("apply -f env.yaml").await?;
    let said = scene.does("apply -f env2.yaml").await?;
    ensure!(
        said.contains("environment.mirage.dev/web configured"),
        "{said}"
    );
    let web = scene.web().await?;
    ensure!(
        web["spec"]["variables"] == json!({"LOG_LEVEL": "debug", "SECOND": "new"})
            && generation(&web) == Some(2),
        "{web}"
    );
    Ok(())
}

async fn wire_21_diff_shows_the_edit_and_stores_nothing(scene: &Scene<'_>) -> Result<()> {
    scene.does("apply -f env2.yaml").await?;
    let before = scene.web().await?;
    let diff = scene.k("diff -f env.yaml").await?.with(1)?;
    for line in ["-    LOG_LEVEL: debug", "+    LOG_LEVEL: info"] {
        ensure!(
            diff.stdout.lines().any(|own| own == line),
            "{}",
            diff.stdout
        );
    }
    ensure!(scene.web().await? == before, "nothing is stored");
    scene.k("diff -f env2.yaml").await?.with(0)?;
    Ok(())
}

async fn wire_22_create_of_what_is_there_is_refused(scene: &Scene<'_>) -> Result<()> {
    scene.does("create -f env.yaml").await?;
    scene
        .k("create -f env.yaml")
        .await?
        .refused("AlreadyExists")?
        .refused("environments.mirage.dev \"web\" already exists")?;
    Ok(())
}

async fn wire_23_a_server_dry_run_stores_nothing(scene: &Scene<'_>) -> Result<()> {
    let said = scene
        .does("create -f env.yaml --dry-run=server -o yaml")
        .await?;
    ensure!(
        said.contains("uid:") && said.contains("LOG_LEVEL: info"),
        "{said}"
    );
    scene.k("get env web").await?.refused("NotFound")?;
    Ok(())
}

async fn wire_24_a_generated_name_ends_in_five_characters(scene: &Scene<'_>) -> Result<()> {
    scene.write(
        "many.yaml",
        &ENV.replacen("name: web", "generateName: web-", 1),
    )?;
    let mut names = Vec::new();
    for _ in 0..2 {
        let said = scene.does("create -f many.yaml -o name").await?;
        let name = said
            .trim()
            .strip_prefix("environment.mirage.dev/web-")
            .with_context(|| said.clone())?;
        ensure!(
            name.len() == 5 && name.chars().all(|letter| letter.is_ascii_alphanumeric()),
            "{said}"
        );
        names.push(name.to_owned());
    }
    ensure!(names[0] != names[1], "{names:?}");
    Ok(())
}

fn with_an_unknown_field() -> String {
    ENV.replace("  project:", "  colour: blue\n  project:")
}

async fn wire_25_an_unknown_field_is_refused(scene: &Scene<'_>) -> Result<()> {
    scene.write("unknown.yaml", &with_an_unknown_field())?;
    for verb in ["apply", "create"] {
        scene
            .k(&format!("{verb} -f unknown.yaml"))
            .await?
            .refused("strict decoding error: unknown field \"spec.colour\"")?;
    }
    Ok(())
}

async fn wire_26_an_unknown_field_can_be_a_warning_and_is_dropped(scene: &Scene<'_>) -> Result<()> {
    scene.write("unknown.yaml", &with_an_unknown_field())?;
    let said = scene
        .k("apply -f unknown.yaml --validate=warn")
        .await?
        .with(0)?;
    ensure!(
        said.stderr
            .contains("Warning: unknown field \"spec.colour\""),
        "{}",
        said.said()
    );
    let web = scene.web().await?;
    ensure!(web["spec"]["colour"].is_null(), "{web}");
    Ok(())
}

async fn wire_27_every_fault_is_listed_with_its_field(scene: &Scene<'_>) -> Result<()> {
    let faulty = ENV.replace(
        "source: {image: \"nginx:1.29\"}",
        "source: {image: \"not an image\"}\n      dependsOn: [nobody]",
    );
    scene.write("faulty.yaml", &faulty)?;
    let said = scene
        .k("apply -f faulty.yaml")
        .await?
        .refused("The Environment \"web\" is invalid")?;
    for path in [
        "* spec.services.site.source.image: ",
        "* spec.services.site.dependsOn[0]: ",
    ] {
        ensure!(
            said.stderr.contains(path),
            "{path} is missing: {}",
            said.stderr
        );
    }
    Ok(())
}

async fn wire_28_a_wrong_type_is_refused_without_the_clients_help(scene: &Scene<'_>) -> Result<()> {
    scene.write(
        "type.yaml",
        &ENV.replace("  services:", "  suspend: often\n  services:"),
    )?;
    scene
        .k("apply -f type.yaml --validate=false")
        .await?
        .refused("invalid")?
        .refused("spec.suspend")?;
    Ok(())
}

async fn wire_29_a_namespace_that_is_not_there_is_named(scene: &Scene<'_>) -> Result<()> {
    scene
        .k("create -f env.yaml -n nowhere")
        .await?
        .refused("namespaces \"nowhere\" not found")?;
    Ok(())
}

async fn wire_30_replace_of_an_old_version_is_a_conflict(scene: &Scene<'_>) -> Result<()> {
    let old = scene.make("web").await?;
    scene.write("old.json", &old.to_string())?;
    scene.change(&json!({"spec": {"suspend": true}})).await?;
    scene
        .k("replace -f old.json")
        .await?
        .refused("Conflict")?
        .refused("the object has been modified")?;
    Ok(())
}

async fn wire_31_replace_without_a_version_replaces(scene: &Scene<'_>) -> Result<()> {
    scene.make("web").await?;
    scene.change(&json!({"spec": {"suspend": true}})).await?;
    let said = scene.does("replace -f env.yaml").await?;
    ensure!(
        said.contains("environment.mirage.dev/web replaced"),
        "{said}"
    );
    let web = scene.web().await?;
    ensure!(web["spec"]["suspend"].is_null(), "{web}");
    Ok(())
}

async fn wire_32_a_merge_patch_of_the_spec_raises_the_generation(scene: &Scene<'_>) -> Result<()> {
    scene.make("web").await?;
    for (suspend, expected) in [(true, 2), (true, 2), (false, 3)] {
        scene
            .does(&format!(
                r#"patch env web --type=merge -p '{{"spec":{{"suspend":{suspend}}}}}'"#
            ))
            .await?;
        let web = scene.web().await?;
        ensure!(
            web["spec"]["suspend"] == suspend && generation(&web) == Some(expected),
            "{web}"
        );
    }
    Ok(())
}

async fn wire_33_a_json_patch_whose_test_fails_is_invalid(scene: &Scene<'_>) -> Result<()> {
    let before = scene.make("web").await?;
    let patch = r#"[{"op":"test","path":"/spec/project/name","value":"other"},{"op":"add","path":"/spec/suspend","value":true}]"#;
    scene
        .k(&format!("patch env web --type=json -p '{patch}'"))
        .await?
        .refused("The request is invalid")?;
    ensure!(
        version(&scene.web().await?) == version(&before),
        "not written"
    );
    Ok(())
}

async fn wire_34_a_strategic_patch_is_refused_by_name(scene: &Scene<'_>) -> Result<()> {
    scene.make("web").await?;
    scene
        .k(r#"patch env web -p '{"spec":{"suspend":true}}'"#)
        .await?
        .refused("application/strategic-merge-patch+json is not supported")?;
    Ok(())
}

async fn wire_35_a_json_patch_may_test_that_finalizers_are_absent(scene: &Scene<'_>) -> Result<()> {
    scene.make("web").await?;
    let patch = json!([
        {"op": "test", "path": "/metadata/finalizers", "value": null},
        {"op": "add", "path": "/metadata/finalizers", "value": ["test.dev/hold"]},
    ]);
    let path = format!("{}/web", scene.environments());
    let json_patch = [("content-type", "application/json-patch+json")];
    let ask = || scene.ask(Method::PATCH, &path, &json_patch, patch.to_string());
    let first = ask().await?;
    ensure!(
        first.status == 200 && first.json()?["metadata"]["finalizers"] == json!(["test.dev/hold"]),
        "{}",
        first.text
    );
    let second = ask().await?;
    ensure!(second.status == 422, "they are there now: {}", second.text);
    // Nobody will take it off.
    scene
        .change(&json!({"metadata": {"finalizers": null}}))
        .await?;
    Ok(())
}

async fn wire_36_edit_writes_what_the_editor_left(scene: &Scene<'_>) -> Result<()> {
    scene.make("web").await?;
    let editor = scene.editor("sed -i 's/LOG_LEVEL: info/LOG_LEVEL: trace/' \"$1\"")?;
    let mut edit = scene.kubectl.typed("edit env web");
    let said = binary::run(edit.env("EDITOR", &editor)).await?.well()?;
    ensure!(said.contains("environment.mirage.dev/web edited"), "{said}");
    let web = scene.web().await?;
    ensure!(web["spec"]["variables"]["LOG_LEVEL"] == "trace", "{web}");
    Ok(())
}

async fn wire_37_labels_and_annotations_raise_no_generation(scene: &Scene<'_>) -> Result<()> {
    scene.make("web").await?;
    for (line, tier, note) in [
        ("label env web tier=front", json!("front"), Value::Null),
        ("annotate env web note=here", json!("front"), json!("here")),
        ("label env web tier-", Value::Null, json!("here")),
        ("annotate env web note-", Value::Null, Value::Null),
    ] {
        scene.does(line).await?;
        let web = scene.web().await?;
        let metadata = &web["metadata"];
        ensure!(
            metadata["labels"]["tier"] == tier
                && metadata["annotations"]["note"] == note
                && generation(&web) == Some(1),
            "{line}: {web}"
        );
    }
    Ok(())
}

fn phase_patch(subresource: &str, phase: &str) -> String {
    format!(r#"patch env web {subresource} --type=merge -p '{{"status":{{"phase":"{phase}"}}}}'"#)
}

async fn wire_38_the_status_is_patched_through_its_own_door(scene: &Scene<'_>) -> Result<()> {
    scene.make("web").await?;
    scene
        .does(&phase_patch("--subresource=status", "Ready"))
        .await?;
    let web = scene.web().await?;
    ensure!(
        web["status"]["phase"] == "Ready" && generation(&web) == Some(1),
        "{web}"
    );
    let status = scene
        .does("get env web --subresource=status -o json")
        .await?;
    let status: Value = serde_json::from_str(&status)?;
    ensure!(status["status"]["phase"] == "Ready", "{status}");
    Ok(())
}

async fn wire_39_the_main_door_leaves_the_status_alone(scene: &Scene<'_>) -> Result<()> {
    scene.make("web").await?;
    let before = scene.report(&json!({"phase": "Ready"})).await?;
    scene.does(&phase_patch("", "Failed")).await?;
    let web = scene.web().await?;
    ensure!(
        web["status"]["phase"] == "Ready" && version(&web) == version(&before),
        "{web}"
    );
    Ok(())
}

async fn wire_40_scale_is_not_found(scene: &Scene<'_>) -> Result<()> {
    scene.make("web").await?;
    scene
        .k("scale env web --replicas=2")
        .await?
        .refused("NotFound")?;
    Ok(())
}
