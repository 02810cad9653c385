//! Programs in other languages, with clients that nobody here wrote. `deploy/test-tools.sh` installs the clients below
//! the target folder; where they are missing the tests skip themselves, loudly.
//!
//! A program may ask for what only the test can do: it prints `please WORD`, and reads on when a line came back.

use std::{path::Path, process::Stdio, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    process::Command,
};

use super::binary::{repository, target};

/// Longer than any of them takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// A language with a client of its own.
#[derive(Clone, Copy, Debug)]
pub enum Language {
    /// `kubernetes` from PyPI.
    Python,
    /// `@kubernetes/client-node` from npm.
    JavaScript,
}

/// A program of `tests/clients`, and where it runs.
pub struct Script {
    command: Command,
    name: String,
    /// Clients cache what they discovered by host and port: another server's must not be found there.
    _home: TempDir,
}

impl Script {
    /// The program of this name for the server of this kubeconfig; nothing where its client is not installed.
    ///
    /// # Errors
    /// No folder could be made.
    pub fn of(language: Language, name: &str, kubeconfig: &Path) -> Result<Option<Self>> {
        let home = tempfile::tempdir()?;
        let installed = target()?.join("tmp/clients");
        let written = repository().join("tests/clients");
        let (mut command, folder) = match language {
            Language::Python => {
                // Written last, so half an installation is none.
                if !installed.join("python/requirements.txt").exists() {
                    return Ok(skipped("the Python client"));
                }
                let mut command = Command::new(installed.join("python/bin/python"));
                command.env("PYTHONDONTWRITEBYTECODE", "1");
                (command, written.join("python"))
            }
            Language::JavaScript => {
                let packages = installed.join("node/node_modules");
                if !installed.join("node/installed-lock.json").exists() {
                    return Ok(skipped("the JavaScript client"));
                }
                // Node looks for packages beside the program and nowhere else, so both come together here.
                std::os::unix::fs::symlink(packages, home.path().join("node_modules"))?;
                for program in std::fs::read_dir(written.join("node"))? {
                    let program = program?.path();
                    if program.extension().is_some_and(|kind| kind == "mjs") {
                        let copy = home.path().join(program.file_name().context("a name")?);
                        std::fs::copy(&program, copy)?;
                    }
                }
                (Command::new("node"), home.path().to_owned())
            }
        };
        command
            .arg(name)
            .current_dir(folder)
            .env("KUBECONFIG", kubeconfig)
            .env("HOME", home.path())
            .env("TMPDIR", home.path());
        Ok(Some(Self {
            command,
            name: name.to_owned(),
            _home: home,
        }))
    }

    /// Runs it to its end, which must be a good one.
    ///
    /// # Errors
    /// It failed; says what it said.
    pub async fn passes(self) -> Result<()> {
        self.passes_with(async |wish| bail!("nobody here can {wish}"))
            .await
    }

    /// Runs it to its end and does what it asks for on the way.
    ///
    /// # Errors
    /// It failed, or what it asked for did.
    pub async fn passes_with(mut self, grant: impl AsyncFnMut(&str) -> Result<()>) -> Result<()> {
        let run = tokio::time::timeout(PATIENCE, run(&mut self.command, grant)).await;
        run.with_context(|| format!("{} does not end", self.name))?
            .with_context(|| self.name.clone())
    }
}

async fn run(command: &mut Command, mut grant: impl AsyncFnMut(&str) -> Result<()>) -> Result<()> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("it could not be started")?;
    let mut answers = child.stdin.take().context("its input")?;
    let mut lines = BufReader::new(child.stdout.take().context("its output")?).lines();
    let mut errors = child.stderr.take().context("its errors")?;
    let complaints = tokio::spawn(async move {
        let mut text = String::new();
        // What cannot be read is not there to be shown.
        let _ = errors.read_to_string(&mut text).await;
        text
    });
    let mut said = String::new();
    while let Some(line) = lines.next_line().await? {
        if let Some(wish) = line.strip_prefix("please ") {
            grant(wish).await.with_context(|| wish.to_owned())?;
            answers.write_all(b"done\n").await?;
        }
        said.push_str(&line);
        said.push('\n');
    }
    let status = child.wait().await?;
    let complaints = complaints.await?;
    ensure!(
        status.success(),
        "it ended with {status}:\n{said}{complaints}"
    );
    Ok(())
}

fn skipped(what: &str) -> Option<Script> {
    eprintln!(
        "\n!!! SKIPPED: {what} is not installed (deploy/test-tools.sh does it), so what it needs is NOT tested !!!\n"
    );
    None
}
