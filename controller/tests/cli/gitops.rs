//! The tutorial "GitOps in ten minutes", as it is written.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test a failure is the message"
)]

use std::{fs, path::Path, process::Command};

use crate::support::{Server, repository, stderr, stdout};

/// The blocks of a page that are meant to be run.
fn commands(page: &str) -> String {
    let mut lines = Vec::new();
    let mut is_inside = false;
    for line in page.lines() {
        match line {
            "```sh" => is_inside = true,
            "```" => is_inside = false,
            line if is_inside => lines.push(line),
            _ => {}
        }
    }
    lines.join("\n")
}

fn has(tool: &str) -> bool {
    Command::new(tool).arg("--help").output().is_ok()
}

#[test]
fn the_tutorial_does_what_it_says() {
    if !has("git") {
        eprintln!("SKIPPED: git is not installed");
        return;
    }
    let page = fs::read_to_string(repository().join("docs/how-to/gitops.md")).unwrap();
    let mut script = commands(&page);
    assert!(
        script.contains("git init") && script.contains("mirage delete"),
        "{script}"
    );
    if !has("kubectl") {
        eprintln!("kubectl is not installed: its lines are left out");
        script = script
            .lines()
            .filter(|line| !line.starts_with("kubectl "))
            .collect::<Vec<_>>()
            .join("\n");
    }
    let server = Server::simulated();
    let bin = Path::new(env!("CARGO_BIN_EXE_mirage"))
        .parent()
        .unwrap()
        .to_owned();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let output = Command::new("bash")
        .args(["-euxo", "pipefail", "-c", &script])
        .current_dir(server.folder.path())
        .env("PATH", path)
        .env("HOME", server.folder.path())
        .env_remove("KUBECONFIG")
        .output()
        .unwrap();
    let (said, steps) = (stdout(&output), stderr(&output));
    assert!(
        output.status.success(),
        "{steps}\n{said}\n--- server:\n{}",
        server.log()
    );
    for line in [
        "gitsync.mirage.dev/shop Synced: all that main@",
        "environments/staging.yaml:7:3: spec.sevices: unknown field (did you mean \"services\"?)",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }
}
