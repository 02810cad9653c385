//! Where the binary is. Cargo tells its path only to tests of its own crate, so it is looked for beside this test.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::OnceLock,
    time::SystemTime,
};

use anyhow::{Context as _, Result, anyhow, ensure};
use tokio::process::Command;

/// Names a binary to test instead of this work tree's: one from a package, or one that was built apart.
const GIVEN: &str = "MIRAGE_BINARY";

/// How a command ended and what it said.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The command, for messages.
    pub command: String,
    /// Its exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it complained about.
    pub stderr: String,
}

impl Ended {
    /// Both outputs.
    pub fn said(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Stdout of a success.
    ///
    /// # Errors
    /// It failed.
    pub fn well(self) -> Result<String> {
        self.with(0).map(|ended| ended.stdout)
    }

    /// Itself, having ended with this code.
    ///
    /// # Errors
    /// It ended otherwise.
    pub fn with(self, code: i32) -> Result<Self> {
        ensure!(self.code == Some(code), "{}", self.report());
        Ok(self)
    }

    /// Itself, having failed with these words.
    ///
    /// # Errors
    /// It did not fail, or said something else.
    pub fn refused(self, words: &str) -> Result<Self> {
        ensure!(
            self.code != Some(0),
            "it should have failed: {}",
            self.report()
        );
        ensure!(
            self.said().contains(words),
            "{words:?} is missing: {}",
            self.report()
        );
        Ok(self)
    }

    fn report(&self) -> String {
        format!(
            "`{}` ended with {:?}\n--- stdout\n{}--- stderr\n{}",
            self.command, self.code, self.stdout, self.stderr
        )
    }
}

/// Runs a command to its end.
///
/// # Errors
/// It could not be started.
pub async fn run(command: &mut Command) -> Result<Ended> {
    let words: Vec<String> = std::iter::once(command.as_std().get_program())
        .chain(command.as_std().get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let output = command
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| format!("cannot run {}", words.join(" ")))?;
    Ok(Ended {
        command: words.join(" "),
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// The binary with none of the caller's settings.
///
/// # Errors
/// There is none and it cannot be built.
pub fn mirage() -> Result<Command> {
    let mut command = Command::new(path()?);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if ["MIRAGE_", "RAILWAY_", "OTEL_", "KUBECONFIG"]
            .iter()
            .any(|prefix| text.starts_with(prefix))
        {
            command.env_remove(&name);
        }
    }
    command.env("COLUMNS", "100");
    Ok(command)
}

fn path() -> Result<&'static Path> {
    static PATH: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    PATH.get_or_init(|| find().map_err(|error| format!("{error:#}")))
        .as_deref()
        .map_err(|error| anyhow!("there is no binary to test: {error}"))
}

fn find() -> Result<PathBuf> {
    if let Some(given) = std::env::var_os(GIVEN) {
        return Ok(given.into());
    }
    let folder = profile()?;
    let binary = folder.join("mirage");
    if !is_fresh(&binary)? {
        build(&folder)?;
    }
    ensure!(binary.is_file(), "{} was not built", binary.display());
    Ok(binary)
}

/// `cargo test --workspace` builds the binary for its own crate's tests, and `cargo test -p mirage-tests` does not: then
/// it may be missing, or older than the code.
fn is_fresh(binary: &Path) -> Result<bool> {
    let Ok(built) = fs::metadata(binary).and_then(|metadata| metadata.modified()) else {
        return Ok(false);
    };
    for room in [
        "specs",
        "railway",
        "github",
        "reconcilers",
        "api",
        "controller",
        "migrations",
    ] {
        if changed_since(&repository().join(room), built)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn changed_since(folder: &Path, built: SystemTime) -> Result<bool> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let name = entry.file_name();
        let changed = if entry.file_type()?.is_dir() {
            name != "tests" && name != "target" && changed_since(&path, built)?
        } else {
            let is_source = ["rs", "sql", "graphql", "yaml", "toml"]
                .iter()
                .any(|kind| path.extension().is_some_and(|own| own == *kind));
            is_source && entry.metadata()?.modified()? > built
        };
        if changed {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Several test programs may come here at once: Cargo lets one build and the others find it done.
fn build(folder: &Path) -> Result<()> {
    let profile = folder
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or("debug");
    let target = folder.parent().context("target/<profile>")?;
    let mut command =
        std::process::Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args([
            "build",
            "--locked",
            "-p",
            "mirage",
            "--bin",
            "mirage",
            "--target-dir",
        ])
        .arg(target)
        .current_dir(repository());
    if profile == "release" {
        command.arg("--release");
    }
    // Cargo tells a test which package it belongs to. Build scripts that look at these (ring's does) would take this
    // build for another one, and everything above them would be compiled anew, each way round.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if [
            "CARGO_PKG_",
            "CARGO_MANIFEST_",
            "CARGO_CRATE_",
            "CARGO_BIN_",
        ]
        .iter()
        .any(|prefix| text.starts_with(prefix))
        {
            command.env_remove(&name);
        }
    }
    let output = command.output().context("cargo could not be run")?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// `target/<profile>`, from where this test runs.
fn profile() -> Result<PathBuf> {
    let this = std::env::current_exe()?;
    // target/<profile>/deps/<this>
    let folder = this.parent().and_then(Path::parent);
    Ok(folder
        .context("a test runs from target/<profile>/deps")?
        .to_owned())
}

/// Cargo's target folder.
///
/// # Errors
/// This does not run as a test.
pub fn target() -> Result<PathBuf> {
    let profile = profile()?;
    Ok(profile.parent().context("target/<profile>")?.to_owned())
}

/// The repository's own folder.
pub fn repository() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}
