//! `mirage db`: a server's database is looked over, backed up while it runs, and restored when it does not.

use std::fs;

use crate::support::{self, Server, postgres::Postgres, repository, stderr, stdout};

fn mirage(folder: &std::path::Path, arguments: &[&str]) -> std::process::Output {
    support::run(folder, arguments)
}

#[test]
fn a_backup_of_a_running_server_brings_a_lost_one_back() {
    let server = Server::start(&["--no-controllers"]);
    let example = repository().join("specs/examples/single-image.yaml");
    server.does(&["apply", "-f", example.to_str().unwrap()]);
    let before = server.does(&["get", "-o", "yaml"]);
    let checked = server.does(&["db", "check"]);
    assert!(checked.ends_with("sound\n"), "{checked}");
    let made = server.does(&["db", "backup", "it.backup"]);
    assert!(made.contains("at version"), "{made}");
    let report = server.does(&[
        "db",
        "check",
        "-o",
        "json",
        "--database",
        "sqlite:it.backup",
    ]);
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["sound"], true, "{report}");

    // The server is in the way, and says so.
    let refused = mirage(
        server.folder.path(),
        &["db", "restore", "it.backup", "--force"],
    );
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        stderr(&refused).contains("another Mirage is using"),
        "{}",
        stderr(&refused)
    );

    let folder = server.stop("KILL");
    for lost in ["mirage.db", "mirage.db-wal", "mirage.db-shm"] {
        let _ = fs::remove_file(folder.path().join(".mirage").join(lost));
    }
    let restored = mirage(folder.path(), &["db", "restore", "it.backup"]);
    assert!(restored.status.success(), "{}", stderr(&restored));
    let said = stdout(&restored);
    assert!(said.contains("the master key fits"), "{said}");
    let again = mirage(folder.path(), &["db", "restore", "it.backup"]);
    assert!(stderr(&again).contains("--force"), "{}", stderr(&again));

    let server = Server::start_in(folder, &["--no-controllers"], &[]);
    assert_eq!(server.does(&["get", "-o", "yaml"]), before);
}

#[test]
fn a_database_moves_from_a_file_to_a_server() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let url = postgres.url();
    let server = Server::start(&["--no-controllers"]);
    let example = repository().join("specs/examples/single-image.yaml");
    server.does(&["apply", "-f", example.to_str().unwrap()]);
    let before = server.does(&["get", "-o", "yaml"]);
    server.does(&["db", "backup", "it.backup"]);
    let folder = server.stop("TERM");
    let restored = mirage(
        folder.path(),
        &["db", "restore", "it.backup", "--database", &url],
    );
    assert!(restored.status.success(), "{}", stderr(&restored));
    let checked = mirage(folder.path(), &["db", "check", "--database", &url]);
    assert!(
        stdout(&checked).ends_with("sound\n"),
        "{}",
        stdout(&checked)
    );

    let server = Server::start_in(
        folder,
        &["--no-controllers"],
        &[("MIRAGE_DATABASE", url.as_str())],
    );
    assert_eq!(server.does(&["get", "-o", "yaml"]), before);
    let refused = mirage(
        server.folder.path(),
        &["db", "restore", "it.backup", "--force", "--database", &url],
    );
    assert!(
        stderr(&refused).contains("is in use"),
        "{}",
        stderr(&refused)
    );
}

#[test]
fn what_is_missing_or_wrong_is_said_with_the_next_step() {
    let folder = tempfile::tempdir().unwrap();
    let missing = mirage(folder.path(), &["db", "check"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(
        stderr(&missing).contains("--data-dir"),
        "{}",
        stderr(&missing)
    );
    assert!(
        !folder.path().join(".mirage").exists(),
        "looking makes nothing"
    );
    fs::write(folder.path().join("text"), "no database").unwrap();
    let other = mirage(folder.path(), &["db", "restore", "text"]);
    assert_eq!(other.status.code(), Some(1));
    assert!(stderr(&other).contains("help:"), "{}", stderr(&other));
}
