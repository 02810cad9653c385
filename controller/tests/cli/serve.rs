//! The real server as a process: what it leaves in its folder, how it starts, stops and refuses.

use std::time::{Duration, Instant};

use crate::support::{self, Server, mode, run, stderr};

#[test]
fn the_first_start_leaves_private_files_and_a_kubeconfig_that_works() {
    let server = Server::start(&[]);
    for file in ["admin.token", "kubeconfig", "addresses.json", "mirage.db"] {
        assert_eq!(mode(&server.data(file)), 0o600, "{file}");
    }
    assert_eq!(mode(&server.data("")), 0o700);
    // The kubeconfig points to HTTPS with our CA.
    assert!(server.does(&["get", "namespaces"]).contains("default"));
    let log = server.log();
    assert!(log.contains("export KUBECONFIG="), "{log}");
    let token = std::fs::read_to_string(server.data("admin.token")).unwrap();
    assert!(!log.contains(token.trim()));
}

#[test]
fn a_server_stops_within_ten_seconds_although_somebody_watches() {
    let mut server = Server::simulated();
    let mut watcher = support::mirage()
        .current_dir(server.folder.path())
        .args(["wait", "namespace/default", "--for=deleted"])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    // Another whole request and answer: by then the watcher has had its turn.
    server.does(&["get", "namespaces"]);
    let begun = Instant::now();
    server.signal("TERM");
    assert!(server.ended().success(), "{}", server.log());
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert!(!server.data("addresses.json").exists());
    watcher.kill().unwrap();
    watcher.wait().unwrap();
}

#[test]
fn two_servers_on_one_data_folder_are_one_too_many() {
    let server = Server::start(&[]);
    let second = run(
        server.folder.path(),
        &[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--listen-tls",
            "127.0.0.1:0",
        ],
    );
    assert_eq!(second.status.code(), Some(1));
    let said = stderr(&second);
    assert!(
        said.contains("another Mirage is using") && said.contains("--data-dir"),
        "{said}"
    );
}

#[test]
fn a_taken_port_and_an_unsupported_database_are_said_at_once() {
    let server = Server::start(&[]);
    let http = server.addresses()["http"]
        .as_str()
        .unwrap()
        .replace("http://", "");
    let folder = tempfile::tempdir().unwrap();
    let taken = run(folder.path(), &["serve", "--listen", &http]);
    assert_eq!(taken.status.code(), Some(1));
    assert!(
        stderr(&taken).contains("cannot listen on"),
        "{}",
        stderr(&taken)
    );
    let unsupported = run(folder.path(), &["serve", "--database", "mysql://db/mirage"]);
    assert_ne!(unsupported.status.code(), Some(0));
    assert!(
        stderr(&unsupported).contains("postgres://"),
        "{}",
        stderr(&unsupported)
    );
}

#[test]
fn a_wrong_token_is_refused_with_the_next_step() {
    let server = Server::start(&[]);
    let http = server.addresses()["http"].as_str().unwrap().to_owned();
    let refused = server.mirage(&["get", "--server", &http, "--token", "mir_wrong"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        stderr(&refused).contains("admin.token"),
        "{}",
        stderr(&refused)
    );
}

#[test]
fn objects_outlive_a_kill_and_its_leftovers() {
    let server = Server::start(&["--no-controllers"]);
    let example = support::repository().join("specs/examples/single-image.yaml");
    server.does(&["apply", "-f", example.to_str().unwrap()]);
    let before = server.does(&["get", "-o", "name"]);
    let folder = server.stop("KILL");
    std::fs::write(folder.path().join(".mirage/kubeconfig.new"), "half").unwrap();
    let server = Server::start_in(folder, &["--no-controllers"], &[]);
    assert_eq!(server.does(&["get", "-o", "name"]), before);
    assert!(!server.data("kubeconfig.new").exists());
}

#[test]
fn two_servers_on_one_database_are_one_too_many_wherever_their_folders_are() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("shared.db").display());
    let first = Server::start(&["--no-controllers", "--database", &url]);
    let second = run(
        folder.path(),
        &[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--listen-tls",
            "127.0.0.1:0",
            "--database",
            &url,
        ],
    );
    assert_eq!(second.status.code(), Some(1));
    assert!(
        stderr(&second).contains("another Mirage is using the database"),
        "{}",
        stderr(&second)
    );
    drop(first);
}
