//! Spans reach an OTLP collector, and hold no values.

#![allow(clippy::unwrap_used, reason = "in a test a failure is the message")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use crate::support::{Server, until};

/// Takes whatever is posted and says yes.
struct Collector {
    url: String,
    bodies: Arc<Mutex<Vec<u8>>>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let bodies = Arc::new(Mutex::new(Vec::new()));
        let taken = Arc::clone(&bodies);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let taken = Arc::clone(&taken);
                thread::spawn(move || converse(stream.unwrap(), &taken));
            }
        });
        Self { url, bodies }
    }

    fn has(&self, text: &str) -> bool {
        let bodies = self.bodies.lock().unwrap();
        bodies
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    }
}

/// Every request of one connection; all that the exporter sends says how long it is.
fn converse(stream: TcpStream, taken: &Mutex<Vec<u8>>) {
    let mut answers = stream.try_clone().unwrap();
    let mut requests = BufReader::new(stream);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if requests.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let line = line.trim().to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        requests.read_exact(&mut body).unwrap();
        taken.lock().unwrap().extend(body);
        if answers
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            .is_err()
        {
            return;
        }
    }
}

#[test]
fn reconciles_and_railway_operations_reach_the_collector_without_values() {
    const CANARY: &str = "canary-77ab02";
    let collector = Collector::start();
    let server = Server::start_in(
        tempfile::tempdir().unwrap(),
        &[
            "--simulate-railway",
            "--simulation-speed",
            "60",
            "--log-format",
            "json",
        ],
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url),
            ("OTEL_BSP_SCHEDULE_DELAY", "200"),
        ],
    );
    fs::write(
        server.folder.path().join("shop.yaml"),
        format!(
            "apiVersion: mirage.dev/v1alpha1\nkind: Environment\nmetadata: {{name: shop}}\nspec:\n  \
             project: {{name: shop}}\n  services:\n    web:\n      source: {{image: \"nginx:1.29\"}}\n      \
             variables: {{API_KEY: {CANARY}}}\n"
        ),
    )
    .unwrap();
    server.does(&["apply", "-f", "shop.yaml", "--wait"]);
    for span in ["reconcile", "railway"] {
        until(&format!("a span {span}"), || {
            collector.has(span).then_some(())
        });
    }
    let log = server.log();
    drop(server.stop("TERM"));
    assert!(!collector.has(CANARY));
    assert!(!log.contains(CANARY));
    let lines = log.lines().filter(|line| line.starts_with('{')).count();
    assert!(lines > 0, "JSON lines: {log}");
    for line in log.lines().filter(|line| line.starts_with('{')) {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
}

#[test]
fn a_collector_that_is_not_there_stops_nobody() {
    let gone = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let mut server = Server::start_in(
        tempfile::tempdir().unwrap(),
        &["--no-controllers"],
        &[("OTEL_EXPORTER_OTLP_ENDPOINT", &format!("http://{gone}"))],
    );
    server.does(&["get", "namespaces"]);
    server.signal("INT");
    assert!(server.ended().success(), "{}", server.log());
}
