//! The real binary, started the way a person starts it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test a failure is the message"
)]

pub(crate) mod postgres;

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

/// Longer than anything here takes on a busy machine; only a failing test waits for all of it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The binary, with none of the caller's settings.
pub(crate) fn mirage() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mirage"));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if ["MIRAGE_", "RAILWAY_", "OTEL_"]
            .iter()
            .any(|prefix| text.starts_with(prefix))
        {
            command.env_remove(&name);
        }
    }
    command.env_remove("KUBECONFIG").env("COLUMNS", "100");
    command
}

/// Runs it to its end in a folder.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Output {
    mirage()
        .current_dir(folder)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The repository's own folder.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .unwrap()
}

/// Waits until a condition holds, and says what for when it does not.
pub(crate) fn until<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// A running server; killed when the test ends however it ends.
pub(crate) struct Server {
    pub(crate) folder: TempDir,
    child: Child,
}

impl Server {
    /// Starts `mirage serve` on free ports in a folder of its own.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), arguments, &[])
    }

    /// The same with a simulated Railway, much faster than life.
    pub(crate) fn simulated() -> Self {
        Self::start(&["--simulate-railway", "--simulation-speed", "60"])
    }

    /// The same in a folder that is there, with environment variables.
    pub(crate) fn start_in(
        folder: TempDir,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(folder.path().join("serve.log"))
            .unwrap();
        let child = mirage()
            .current_dir(folder.path())
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--listen-tls",
                "127.0.0.1:0",
            ])
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut server = Self { folder, child };
        let file = server.data("addresses.json");
        until("the server to be up", || {
            if let Some(status) = server.child.try_wait().unwrap() {
                panic!("the server ended with {status}:\n{}", server.log());
            }
            // What a killed one left behind names another process.
            let text = fs::read_to_string(&file).ok()?;
            text.contains(&format!("\"pid\": {}\n", server.child.id()))
                .then_some(())
        });
        server
    }

    /// A file of the data folder.
    pub(crate) fn data(&self, name: &str) -> PathBuf {
        self.folder.path().join(".mirage").join(name)
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("serve.log")).unwrap()
    }

    pub(crate) fn addresses(&self) -> Value {
        serde_json::from_slice(&fs::read(self.data("addresses.json")).unwrap()).unwrap()
    }

    /// Runs a command against it.
    pub(crate) fn mirage(&self, arguments: &[&str]) -> Output {
        run(self.folder.path(), arguments)
    }

    /// The same, which must succeed; its stdout.
    pub(crate) fn does(&self, arguments: &[&str]) -> String {
        let output = self.mirage(arguments);
        assert!(
            output.status.success(),
            "mirage {} ended with {}:\n{}{}\n--- server:\n{}",
            arguments.join(" "),
            output.status,
            stdout(&output),
            stderr(&output),
            self.log(),
        );
        stdout(&output)
    }

    /// Sends a signal by name.
    pub(crate) fn signal(&self, signal: &str) {
        let sent = Command::new("kill")
            .args([&format!("-{signal}"), &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    /// Waits for its end.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let child = &mut self.child;
        until("the server to end", || child.try_wait().unwrap())
    }

    /// Ends it and gives its folder back for the next one.
    pub(crate) fn stop(mut self, signal: &str) -> TempDir {
        self.signal(signal);
        self.ended();
        std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A file's rights.
pub(crate) fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// An HTTP request without any client library in the way.
fn http(url: &str, head: &str, body: &str) -> String {
    use std::io::{Read as _, Write as _};
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(
        stream,
        "{head} /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// The whole answer, head and body.
pub(crate) fn get(url: &str) -> String {
    http(url, "GET", "")
}

/// The whole answer, head and body.
pub(crate) fn post(url: &str, body: &Value) -> String {
    http(url, "POST", &body.to_string())
}
