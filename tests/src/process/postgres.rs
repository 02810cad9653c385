//! A PostgreSQL server of the test's own.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    process::{Child, ChildStdout, Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};

use super::binary::repository;

/// What the script says when this machine has no PostgreSQL.
const NONE_HERE: i32 = 3;

/// A real server. It ends when its stdin is closed, and that is closed when this is dropped.
pub struct Postgres {
    folder: String,
    child: Child,
    answers: BufReader<ChildStdout>,
}

impl Postgres {
    /// Starts one; none, said loudly, where there is none.
    ///
    /// # Errors
    /// It is there and does not start.
    pub fn start() -> Result<Option<Self>> {
        let mut child = Command::new(repository().join("deploy/test-postgres.sh"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut answers = BufReader::new(child.stdout.take().context("no stdout")?);
        let mut folder = String::new();
        answers.read_line(&mut folder)?;
        if folder.is_empty() {
            let mut said = String::new();
            let stderr = child.stderr.as_mut().context("no stderr")?;
            stderr.read_to_string(&mut said)?;
            ensure!(child.wait()?.code() == Some(NONE_HERE), "no server: {said}");
            // Not `eprintln!`, which the test harness keeps to itself when a test passes.
            let note = format!(
                "\n==================================================================\n\
                NOT TESTED: servers on PostgreSQL: {}\n\
                ==================================================================\n",
                said.trim()
            );
            std::io::stderr().write_all(note.as_bytes())?;
            return Ok(None);
        }
        Ok(Some(Self {
            folder: folder.trim().to_owned(),
            child,
            answers,
        }))
    }

    /// Makes it die without tidying anything, and waits until it is back.
    ///
    /// # Errors
    /// It does not come back.
    pub fn crash(&mut self) -> Result<()> {
        let orders = self.child.stdin.as_mut().context("no stdin")?;
        orders.write_all(b"crash\n")?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        ensure!(answer.trim() == "up", "PostgreSQL did not come back");
        Ok(())
    }

    /// The URL of a database in it.
    pub fn url(&self) -> String {
        format!("postgres:///postgres?host={}&user=mirage", self.folder)
    }
}
