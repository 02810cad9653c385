//! From YAML to running services and back, on a simulated Railway, through the binary alone.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test a failure is the message"
)]

use std::fs;

use crate::support::{self, Server, repository, stdout, until};

fn example(name: &str) -> String {
    repository()
        .join("specs/examples")
        .join(name)
        .to_str()
        .unwrap()
        .to_owned()
}

#[test]
fn an_applied_example_becomes_ready_is_in_sync_and_can_be_deleted() {
    let server = Server::simulated();
    let file = example("single-image.yaml");

    let planned = server.mirage(&["plan", "-f", &file]);
    assert_eq!(
        planned.status.code(),
        Some(2),
        "{}",
        support::stderr(&planned)
    );
    assert!(stdout(&planned).contains("  + "), "{}", stdout(&planned));

    let lines = server.does(&["apply", "-f", &file, "--wait"]);
    assert!(lines.contains(" created\n"), "{lines}");
    assert!(lines.contains(": Ready after "), "{lines}");
    assert!(!lines.contains('\x1b'), "no colours in a pipe: {lines}");

    let name = server.does(&["get", "-o", "name"]);
    let name = name.trim().rsplit('/').next().unwrap().to_owned();
    let table = server.does(&["get"]);
    assert!(
        table.starts_with("NAME ") && table.contains("Ready"),
        "{table}"
    );

    let again = server.mirage(&["plan", "-f", &file]);
    assert_eq!(
        again.status.code(),
        Some(0),
        "{}{}",
        stdout(&again),
        support::stderr(&again)
    );
    assert!(
        server
            .does(&["apply", "-f", &file])
            .contains(" unchanged\n")
    );

    let story = server.does(&["describe", &name]);
    for part in [
        "Conditions:",
        "Services:",
        "Ledger",
        "Events:",
        "Railway id",
    ] {
        assert!(story.contains(part), "{part}: {story}");
    }

    server.does(&["delete", &name, "--wait"]);
    assert_eq!(server.does(&["get", "-o", "name"]), "");
}

#[test]
fn a_change_behind_mirages_back_is_repaired() {
    let server = Server::simulated();
    let manifest = server.folder.path().join("shop.yaml");
    fs::write(
        &manifest,
        "apiVersion: mirage.dev/v1alpha1\nkind: Environment\nmetadata: {name: shop}\nspec:\n  \
         project: {name: shop}\n  services:\n    web:\n      source: {image: \"nginx:1.29\"}\n      \
         variables: {LOG_LEVEL: info}\n",
    )
    .unwrap();
    server.does(&["apply", "-f", "shop.yaml", "--wait"]);
    let railway = server.addresses()["railway"]
        .as_str()
        .unwrap()
        .replace("/graphql/v2", "");
    let edit = serde_json::json!({"edit": "set-variable",
        "environment": "shop/shop", "service": "web", "name": "LOG_LEVEL", "value": "debug"});
    let answer = support::post(&format!("{railway}/_simulator/edit"), &edit);
    assert!(answer.starts_with("HTTP/1.1 2"), "{answer}");
    let metrics = server.addresses()["metrics"].as_str().unwrap().to_owned();
    until("the drift to be repaired", || {
        support::get(&metrics)
            .contains("mirage_drift_repaired_total 1")
            .then_some(())
    });
    server.does(&["wait", "shop"]);
    let inventory = support::get(&format!("{railway}/_simulator/inventory?values=1"));
    assert!(inventory.contains("\"LOG_LEVEL\":\"info\""), "{inventory}");
    // Counted when it was done, told right after.
    until("the news of it", || {
        server
            .does(&["describe", "shop"])
            .contains("DriftFound")
            .then_some(())
    });
}

#[test]
fn metrics_and_logs_tell_of_the_work_and_never_of_values() {
    let server = Server::simulated();
    const CANARY: &str = "canary-4f1c9e7b";
    fs::write(
        server.folder.path().join("shop.yaml"),
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: keys}}\nstringData: {{api: {CANARY}}}\n---\n\
             apiVersion: mirage.dev/v1alpha1\nkind: Environment\nmetadata: {{name: shop}}\nspec:\n  \
             project: {{name: shop}}\n  services:\n    web:\n      source: {{image: \"nginx:1.29\"}}\n      variables:\n        \
             API_KEY: {{secretRef: {{name: keys, key: api}}}}\n"
        ),
    )
    .unwrap();
    server.does(&["apply", "-f", "shop.yaml", "--wait"]);
    let metrics = support::get(server.addresses()["metrics"].as_str().unwrap());
    assert!(metrics.contains("mirage_"), "{metrics}");
    let story = server.does(&["describe", "shop"]) + &server.does(&["get", "shop", "-o", "yaml"]);
    assert!(!story.contains(CANARY));
    assert!(!metrics.contains(CANARY));
    assert!(!server.log().contains(CANARY));
    for entry in fs::read_dir(server.data("")).unwrap() {
        let path = entry.unwrap().path();
        // Railway itself knows its variables, the simulated one too.
        if !path.is_file()
            || path
                .file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with("railway-simulator")
        {
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        let found = bytes
            .windows(CANARY.len())
            .any(|window| window == CANARY.as_bytes());
        assert!(!found, "{}", path.display());
    }
}

#[test]
fn a_server_killed_in_the_middle_goes_on_without_making_anything_twice() {
    let arguments = ["--simulate-railway", "--simulation-speed", "60"];
    let server = Server::start(&arguments);
    fs::copy(
        example("monorepo.yaml"),
        server.folder.path().join("shop.yaml"),
    )
    .unwrap();
    server.does(&["apply", "-f", "shop.yaml"]);
    // Far enough that something was made, and not everything. Not before the environment is known: one whose creation
    // was never answered is waited for, in real minutes, before it is made again.
    until("the environment to be made", || {
        server
            .does(&["get", "shop", "-o", "yaml"])
            .contains("environmentId")
            .then_some(())
    });
    let server = Server::start_in(server.stop("KILL"), &arguments, &[]);
    server.does(&["wait", "shop"]);
    let railway = server.addresses()["railway"]
        .as_str()
        .unwrap()
        .replace("/graphql/v2", "");
    let answer = support::get(&format!("{railway}/_simulator/inventory"));
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    let inventory: serde_json::Value = serde_json::from_str(body).unwrap();
    let projects = inventory["projects"].as_array().unwrap();
    assert_eq!(projects.len(), 1, "{body}");
    let names = |what: &str| -> Vec<String> {
        let mut names: Vec<String> = projects[0][what]
            .as_array()
            .unwrap_or_else(|| panic!("{what} in {body}"))
            .iter()
            .map(|entry| entry["name"].as_str().unwrap_or_default().to_owned())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names("services"), ["api", "postgres", "web", "worker"]);
    assert_eq!(names("environments"), ["production", "shop"]);
}

#[test]
fn a_destructive_plan_waits_until_exactly_it_is_approved() {
    let server = Server::simulated();
    let manifest = server.folder.path().join("shop.yaml");
    let shop = |services: &str| {
        format!(
            "apiVersion: mirage.dev/v1alpha1\nkind: Environment\nmetadata: {{name: shop}}\nspec:\n  \
             project: {{name: shop}}\n  approval: destructive\n  services:\n    \
             web: {{source: {{image: \"nginx:1.29\"}}}}\n{services}"
        )
    };
    fs::write(&manifest, shop("    old: {source: {image: \"redis:8\"}}\n")).unwrap();
    server.does(&["apply", "-f", "shop.yaml", "--wait"]);
    fs::write(&manifest, shop("")).unwrap();
    server.does(&["apply", "-f", "shop.yaml"]);
    server.does(&["wait", "shop", "--for=condition=Synced=False"]);
    let shown = server.does(&["approve", "shop"]);
    assert!(
        shown.contains("delete service old") && shown.contains("DESTROYS"),
        "{shown}"
    );
    let wrong = server.mirage(&["approve", "shop", "--plan", "0000"]);
    assert_eq!(wrong.status.code(), Some(1));
    let hash = shown.trim_end().rsplit(' ').next().unwrap();
    server.does(&["approve", "shop", "--plan", hash]);
    server.does(&["wait", "shop"]);
    // `plan` succeeds only when nothing is left to do.
    server.does(&["plan", "-f", "shop.yaml"]);
}

#[test]
fn the_doctor_says_what_a_token_can_do_and_what_is_wrong_with_another() {
    let server = Server::simulated();
    let railway = server.addresses()["railway"].as_str().unwrap().to_owned();
    let doctor = |token: &str| {
        support::mirage()
            .args(["railway", "doctor", "--railway-url", &railway])
            .env("RAILWAY_API_TOKEN", token)
            .output()
            .unwrap()
    };
    let well = doctor("simulated-account-token");
    assert!(well.status.success(), "{}", stdout(&well));
    let ill = doctor("not-a-token-4f1c");
    assert_eq!(ill.status.code(), Some(1), "{}", stdout(&ill));
    assert!(!(stdout(&ill) + &support::stderr(&ill)).contains("not-a-token-4f1c"));
}
