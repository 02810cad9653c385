//! Servers that share a PostgreSQL database.

use crate::support::{self, Server, postgres::Postgres, repository, run, stderr, until};

#[test]
fn two_servers_on_one_database_show_the_same_and_one_of_them_acts() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let url = postgres.url();
    let key = "ab".repeat(32);
    let environment = [
        ("MIRAGE_DATABASE", url.as_str()),
        ("MIRAGE_MASTER_KEY", key.as_str()),
    ];
    let start = |arguments: &[&str]| {
        Server::start_in(tempfile::tempdir().unwrap(), arguments, &environment)
    };
    let acting = start(&["--simulate-railway", "--simulation-speed", "60"]);
    let other = start(&["--no-controllers"]);
    let example = repository().join("specs/examples/single-image.yaml");
    // Written through one, done by the controllers of the other, and waited for here.
    other.does(&["apply", "-f", example.to_str().unwrap(), "--wait"]);
    assert_eq!(
        other.does(&["get", "-o", "name"]),
        acting.does(&["get", "-o", "name"])
    );

    let folder = tempfile::tempdir().unwrap();
    let refused = support::mirage()
        .current_dir(folder.path())
        .args(["serve", "--no-controllers"])
        .args(["--listen", "127.0.0.1:0", "--listen-tls", "127.0.0.1:0"])
        .env("MIRAGE_DATABASE", &url)
        .env("MIRAGE_MASTER_KEY", "cd".repeat(32))
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(1), "{}", stderr(&refused));
    let stranger = stderr(&refused);
    assert!(stranger.contains("MIRAGE_MASTER_KEY"), "{stranger}");

    // A second one that could act stands by, and says so.
    let third = start(&["--simulate-railway"]);
    until("it to say so", || {
        third.log().contains("Standing by").then_some(())
    });
    drop(third);

    // The seat is free as soon as its holder is gone, however it went.
    let folder = acting.stop("KILL");
    let acting = Server::start_in(
        folder,
        &["--simulate-railway", "--simulation-speed", "60"],
        &environment,
    );
    until("it to act again", || {
        let plan = acting.mirage(&["plan", "-f", example.to_str().unwrap()]);
        (plan.status.code() != Some(1)).then_some(())
    });
}

#[test]
fn a_database_that_cannot_be_reached_is_said_with_the_next_step_and_without_the_password() {
    let folder = tempfile::tempdir().unwrap();
    let refused = run(
        folder.path(),
        &[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--listen-tls",
            "127.0.0.1:0",
            "--database",
            "postgres://mirage:hunter2@127.0.0.1:1/mirage",
        ],
    );
    assert_eq!(refused.status.code(), Some(1));
    let said = stderr(&refused);
    assert!(said.contains("mirage at 127.0.0.1:1"), "{said}");
    assert!(said.contains("psql"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}
