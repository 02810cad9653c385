//! What the command line does without any server.

use std::fs;

use crate::support::{repository, run, stderr, stdout};

#[test]
fn help_shows_every_verb_and_how_to_begin() {
    let folder = tempfile::tempdir().unwrap();
    let help = run(folder.path(), &["--help"]);
    assert!(help.status.success());
    insta::assert_snapshot!(stdout(&help));
}

#[test]
fn every_verb_teaches_by_example() {
    let folder = tempfile::tempdir().unwrap();
    for verb in [
        "serve",
        "apply",
        "get",
        "describe",
        "delete",
        "wait",
        "plan",
        "validate",
        "crds",
        "schema",
        "railway-simulator",
        "completions",
    ] {
        let help = run(folder.path(), &[verb, "--help"]);
        let text = stdout(&help);
        assert!(
            help.status.success() && text.contains("Examples:"),
            "{verb}: {text}"
        );
        assert!(text.contains(&format!("mirage {verb}")), "{verb}: {text}");
    }
}

#[test]
fn a_mistake_in_the_arguments_ends_with_1_since_2_means_changes() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["plan", "--no-such-flag"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("--no-such-flag"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn completions_know_the_verbs_in_every_shell() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = run(folder.path(), &["completions", shell]);
        assert!(output.status.success());
        let script = stdout(&output);
        assert!(
            script.contains("apply") && script.contains("simulate-railway"),
            "{shell}"
        );
    }
}

#[test]
fn the_version_is_readable_for_programs() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["version", "-o", "json"]);
    let version: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(version["apiVersion"], "mirage.dev/v1alpha1");
}

#[test]
fn without_a_server_every_command_says_how_to_start_one() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        &["get"] as &[&str],
        &["describe", "shop"],
        &["get", "--server", "http://127.0.0.1:1"],
    ] {
        let output = run(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(
            stderr(&output).contains("mirage serve"),
            "{arguments:?}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn faults_are_listed_with_file_line_column_and_field() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("shop.yaml"),
        "apiVersion: mirage.dev/v1alpha1\n\
         kind: Environment\n\
         metadata:\n  name: shop\n\
         spec:\n  project:\n    name: shop\n  services:\n    web:\n      source: {image: \"nginx:1.29\"}\n      dependsOn: [db]\n      colour: red\n",
    )
    .unwrap();
    let output = run(folder.path(), &["validate", "-f", "shop.yaml"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let lines = stdout(&output);
    assert!(
        lines.contains("shop.yaml:11:19: spec.services.web.dependsOn[0]: "),
        "{lines}"
    );
    assert!(
        lines.contains("shop.yaml:12:7: spec.services.web.colour: "),
        "{lines}"
    );
}

#[test]
fn the_examples_have_no_faults() {
    let examples = repository().join("specs/examples");
    let output = run(
        &repository(),
        &["validate", "-f", examples.to_str().unwrap()],
    );
    assert!(
        output.status.success(),
        "{}{}",
        stdout(&output),
        stderr(&output)
    );
}

#[test]
fn broken_yaml_is_a_fault_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("broken.yaml"),
        "kind: Environment\nspec: [1, 2\nmore: 3\n",
    )
    .unwrap();
    let output = run(folder.path(), &["validate", "-f", "broken.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stdout(&output).starts_with("broken.yaml:"),
        "{}",
        stdout(&output)
    );
}

#[test]
fn kinds_come_out_as_definitions_and_as_schemas() {
    let folder = tempfile::tempdir().unwrap();
    let crds = stdout(&run(folder.path(), &["crds"]));
    for name in [
        "environments",
        "environmenttemplates",
        "gitsyncs",
        "railwayaccounts",
        "orphans",
        "previewpolicies",
    ] {
        assert!(crds.contains(&format!("name: {name}.mirage.dev")), "{name}");
    }
    let schema = run(folder.path(), &["schema", "environment"]);
    let schema: serde_json::Value = serde_json::from_slice(&schema.stdout).unwrap();
    assert!(schema["properties"]["spec"].is_object());
    let unknown = run(folder.path(), &["schema", "pod"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(
        stderr(&unknown).contains("environmenttemplate"),
        "{}",
        stderr(&unknown)
    );
}
