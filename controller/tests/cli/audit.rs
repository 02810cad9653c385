//! Who did what, as the command line tells it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test a failure is the message"
)]

use crate::support::{self, Server, repository, until};
use serde_json::Value;

#[test]
fn the_log_tells_what_was_done_and_what_was_refused_also_after_a_restart() {
    let server = Server::start(&["--no-controllers"]);
    let example = repository().join("specs/examples/single-image.yaml");
    server.does(&["apply", "-f", example.to_str().unwrap()]);
    let table = server.does(&["audit"]);
    assert!(table.starts_with("TIME "), "{table}");
    for part in ["admin", "environment/", "created", "127.0.0.1"] {
        assert!(table.contains(part), "{part}: {table}");
    }
    assert!(
        server.does(&["audit", "--diff"]).contains("    + "),
        "what was created"
    );

    let http = server.addresses()["http"].as_str().unwrap().to_owned();
    for _ in 0..3 {
        let refused = server.mirage(&["get", "--server", &http, "--token", "mir_wrong"]);
        assert!(!refused.status.success());
    }
    until("the refusal to be written", || {
        let table = server.does(&["audit", "-A", "--refused", "--since", "1h"]);
        (table.contains("<nobody>") && table.contains("401 Unauthorized")).then_some(())
    });

    // What is still being counted is written when the server stops.
    let folder = server.stop("TERM");
    let server = Server::start_in(folder, &["--no-controllers"], &[]);
    let page: Value =
        serde_json::from_str(&server.does(&["audit", "-A", "--refused", "-o", "json"])).unwrap();
    let counts: Vec<&Value> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["count"])
        .collect();
    assert_eq!(counts, [&Value::from(2), &Value::Null], "{page}");
    let wrong = server.mirage(&["audit", "--since", "yesterday"]);
    assert!(
        support::stderr(&wrong).contains("24h"),
        "{}",
        support::stderr(&wrong)
    );
}
