//! A PostgreSQL server for the tests that need one.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    process::{Child, Command, Stdio},
};

use super::repository;

/// A real server for one test. It ends when its stdin is closed, and that is closed when this is dropped.
pub(crate) struct Postgres {
    folder: String,
    _child: Child,
}

impl Postgres {
    /// Starts one; `None`, said loudly, where there is none.
    pub(crate) fn start() -> Option<Self> {
        let mut child = Command::new(repository().join("deploy/test-postgres.sh"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut folder = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut folder)
            .unwrap();
        if folder.is_empty() {
            let mut said = String::new();
            child
                .stderr
                .as_mut()
                .unwrap()
                .read_to_string(&mut said)
                .unwrap();
            assert_eq!(child.wait().unwrap().code(), Some(3), "no server: {said}");
            // Not `eprintln!`, which the test harness keeps to itself when a test passes.
            let note = format!(
                "\n==================================================================\n\
                NOT TESTED: `mirage serve` on PostgreSQL: {}\n\
                ==================================================================\n",
                said.trim()
            );
            std::io::stderr().write_all(note.as_bytes()).unwrap();
            return None;
        }
        Some(Self {
            folder: folder.trim().to_owned(),
            _child: child,
        })
    }

    /// The URL of a database in it.
    pub(crate) fn url(&self) -> String {
        format!("postgres:///postgres?host={}&user=mirage", self.folder)
    }
}
