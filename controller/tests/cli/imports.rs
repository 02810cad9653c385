//! Browsing Railway, taking over what is there, and writing it down elsewhere, through the binary alone.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test a failure is the message"
)]

use std::fs;

use crate::support::{self, Server, run, stderr, stdout};
use serde_json::{Value, json};

/// What somebody does in Railway's dashboard.
fn by_hand(server: &Server, edit: &Value) {
    let railway = server.addresses()["railway"]
        .as_str()
        .unwrap()
        .replace("/graphql/v2", "");
    let answer = support::post(&format!("{railway}/_simulator/edit"), edit);
    assert!(answer.starts_with("HTTP/1.1 2"), "{answer}");
}

fn shop_by_hand() -> Server {
    let server = Server::simulated();
    for edit in [
        json!({"edit": "create-project", "name": "shop"}),
        json!({"edit": "create-service", "environment": "shop/production", "name": "web", "image": "nginx:1.29"}),
        json!({"edit": "set-variable", "environment": "shop/production", "service": "web", "name": "KEY", "value": "canary-77aa"}),
        json!({"edit": "set-variable", "environment": "shop/production", "service": "web", "name": "LEVEL", "value": "info"}),
        json!({"edit": "create-environment", "project": "shop", "name": "staging"}),
    ] {
        by_hand(&server, &edit);
    }
    // A simulated second is sixty; the first deployment is over by then.
    support::until("the shop to run", || {
        let output = server.mirage(&["railway", "services", "shop/production"]);
        stdout(&output).contains("Ready").then_some(())
    });
    server
}

#[test]
fn what_is_on_railway_is_listed_taken_over_and_written_down() {
    let server = shop_by_hand();
    let projects = server.does(&["railway", "projects"]);
    assert!(
        projects.starts_with("NAME ") && projects.contains("shop"),
        "{projects}"
    );
    let environments = server.does(&["railway", "environments", "shop"]);
    assert_eq!(
        environments.matches("external").count(),
        2,
        "{environments}"
    );
    let services = server.does(&["railway", "services", "shop/production"]);
    assert!(services.contains("nginx:1.29"), "{services}");
    let deployments = server.does(&[
        "railway",
        "deployments",
        "shop/production",
        "web",
        "-o",
        "json",
    ]);
    let deployments: Value = serde_json::from_str(&deployments).unwrap();
    assert_eq!(deployments["items"][0]["active"], true, "{deployments}");

    let dry = server.does(&["import", "shop/production", "--dry-run", "-o", "yaml"]);
    assert!(
        dry.contains("mirage.dev/import:") && dry.contains("preserve: true"),
        "{dry}"
    );
    assert!(!dry.contains("canary-77aa"), "{dry}");
    assert_eq!(server.does(&["get", "-o", "name"]), "");

    let lines = server.does(&[
        "import",
        "shop/production",
        "--name",
        "shop",
        "--plain",
        "LEVEL",
    ]);
    assert!(lines.contains("adopted"), "{lines}");
    assert_eq!(server.mirage(&["plan", "shop"]).status.code(), Some(0));
    let environments = server.does(&["railway", "environments", "shop"]);
    assert!(environments.contains("default/shop"), "{environments}");
    let again = server.does(&["import", "--all", "--project", "shop"]);
    assert!(
        again.contains("shop-staging") && !again.contains("production"),
        "{again}"
    );
    let refused = server.mirage(&["import", "shop/nowhere"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        stdout(&refused).contains("NotFound"),
        "{}",
        stdout(&refused)
    );

    let spec = server.does(&["export", "shop"]);
    assert!(
        spec.contains("LEVEL: info") && !spec.contains("mirage.dev/import"),
        "{spec}"
    );
    fs::write(server.folder.path().join("shop.yaml"), &spec).unwrap();
    let planned = server.mirage(&["plan", "-f", "shop.yaml"]);
    assert_eq!(
        planned.status.code(),
        Some(0),
        "{}{}",
        stdout(&planned),
        stderr(&planned)
    );
    let compose = server.does(&["export", "shop", "--format", "compose"]);
    assert!(compose.contains("image: nginx:1.29"), "{compose}");
    let typescript = server.does(&["export", "shop", "--format", "railway.ts"]);
    assert!(typescript.contains("image(\"nginx:1.29\")"), "{typescript}");
    let template = server.does(&["export", "shop", "--save-as-template", "standard"]);
    assert!(template.contains("kind: EnvironmentTemplate"), "{template}");
    server.does(&[
        "export",
        "shop",
        "--save-as-template",
        "standard",
        "--apply",
    ]);
    assert!(server.does(&["get", "template"]).contains("standard"));
    for text in [spec, compose, typescript, template, server.log()] {
        assert!(!text.contains("canary-77aa"), "{text}");
    }
}

#[test]
fn files_of_other_tools_become_manifests_without_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let compose = folder.path().join("docker-compose.yml");
    fs::write(
        &compose,
        "services:\n  web:\n    image: nginx:1.29\n    ports: [\"8080:80\"]\n    privileged: true\n",
    )
    .unwrap();
    let output = run(
        folder.path(),
        &[
            "import",
            "--compose",
            "docker-compose.yml",
            "--name",
            "shop",
        ],
    );
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("docker-compose.yml: line 5: services.web.privileged"),
        "{}",
        stderr(&output)
    );
    fs::write(folder.path().join("shop.yaml"), stdout(&output)).unwrap();
    let valid = run(folder.path(), &["validate", "-f", "shop.yaml"]);
    assert!(
        valid.status.success(),
        "{}{}",
        stdout(&valid),
        stderr(&valid)
    );

    fs::write(
        folder.path().join("railway.toml"),
        "[deploy]\nstartCommand = \"serve\"\n",
    )
    .unwrap();
    let words = [
        "import",
        "--railway-config",
        "railway.toml",
        "--repo",
        "acme/shop",
        "--name",
        "shop",
        "--service",
        "api",
    ];
    let output = run(folder.path(), &words);
    assert!(
        stdout(&output).contains("startCommand: serve"),
        "{}",
        stdout(&output)
    );
    fs::write(folder.path().join("railway.toml"), "[deploy\n").unwrap();
    let output = run(folder.path(), &words);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("railway.toml: line 1"),
        "{}",
        stderr(&output)
    );
}
