//! A real kubectl, over TLS, with the kubeconfig that the server wrote and a home of its own.

mod installed;
mod line;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use tempfile::TempDir;
use tokio::process::{Child, Command};

pub use self::installed::{Installed, installed, newest};
use super::{
    binary::{Ended, run},
    mirage::Mirage,
};

/// kubectl for one server.
pub struct Kubectl {
    program: PathBuf,
    kubeconfig: PathBuf,
    folder: PathBuf,
    /// Discovery is cached below the home: another server's must not be found there.
    home: TempDir,
}

impl Kubectl {
    /// The newest one, in a server's folder; nothing where there is none, which is said loudly because half the wire goes
    /// untested then.
    ///
    /// # Errors
    /// No folder could be made.
    pub fn of(mirage: &Mirage) -> Result<Option<Self>> {
        newest()
            .map(|newest| Self::new(newest, &mirage.data("kubeconfig"), mirage.folder()))
            .transpose()
    }

    /// This one, with this kubeconfig, started in this folder.
    ///
    /// # Errors
    /// No folder could be made.
    pub fn new(installed: &Installed, kubeconfig: &Path, folder: &Path) -> Result<Self> {
        Ok(Self {
            program: installed.program.clone(),
            kubeconfig: kubeconfig.to_owned(),
            folder: folder.to_owned(),
            home: tempfile::tempdir()?,
        })
    }

    /// The same one for another user or place.
    ///
    /// # Errors
    /// No folder could be made.
    pub fn with_kubeconfig(&self, kubeconfig: &Path) -> Result<Self> {
        Ok(Self {
            program: self.program.clone(),
            kubeconfig: kubeconfig.to_owned(),
            folder: self.folder.clone(),
            home: tempfile::tempdir()?,
        })
    }

    /// A command in its folder.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .current_dir(&self.folder)
            .env("KUBECONFIG", &self.kubeconfig)
            .env("HOME", self.home.path())
            .env_remove("KUBECTL_EXTERNAL_DIFF");
        command
    }

    /// A command as people type it; single quotes keep words together.
    pub fn typed(&self, line: &str) -> Command {
        let words = line::words(line);
        self.command(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// It could not be run.
    pub async fn run(&self, arguments: &[&str]) -> Result<Ended> {
        run(&mut self.command(arguments)).await
    }

    /// Runs what must succeed; what it printed.
    ///
    /// # Errors
    /// It failed.
    pub async fn does(&self, arguments: &[&str]) -> Result<String> {
        self.run(arguments).await?.well()
    }

    /// Starts what does not end by itself; its stdout goes to a file of its folder.
    ///
    /// # Errors
    /// It could not be started.
    pub fn starts(&self, arguments: &[&str], stdout: &str) -> Result<Child> {
        let file = std::fs::File::create(self.folder.join(stdout))?;
        self.command(arguments)
            .stdout(file)
            .kill_on_drop(true)
            .spawn()
            .context("kubectl could not be started")
    }
}
