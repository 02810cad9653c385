//! A PostgreSQL server for the tests that need one.

use std::{io::Write as _, process::Stdio};

use anyhow::{Context as _, Result, ensure};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

use super::binary::repository;

/// A real server for one test. It ends when its stdin is closed, and that is closed when this is dropped.
pub struct Postgres {
    folder: String,
    _child: Child,
}

impl Postgres {
    /// Starts one; `None`, said loudly, where there is none.
    ///
    /// # Errors
    /// There is one and it did not start.
    pub async fn start() -> Result<Option<Self>> {
        let mut child = Command::new(repository().join("deploy/test-postgres.sh"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut folder = String::new();
        let stdout = child.stdout.take().context("stdout is piped")?;
        BufReader::new(stdout).read_line(&mut folder).await?;
        if folder.is_empty() {
            let ended = child.wait_with_output().await?;
            let said = String::from_utf8_lossy(&ended.stderr).into_owned();
            ensure!(ended.status.code() == Some(3), "no server: {said}");
            // Not `eprintln!`, which the test harness keeps to itself when a test passes.
            let note = format!(
                "\n==================================================================\n\
                NOT TESTED: `mirage serve` on PostgreSQL: {}\n\
                ==================================================================\n",
                said.trim()
            );
            std::io::stderr().write_all(note.as_bytes())?;
            return Ok(None);
        }
        Ok(Some(Self {
            folder: folder.trim().to_owned(),
            _child: child,
        }))
    }

    /// The URL of a database in it.
    pub fn url(&self) -> String {
        format!("postgres:///postgres?host={}&user=mirage", self.folder)
    }
}
