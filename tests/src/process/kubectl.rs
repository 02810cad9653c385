//! The system's kubectl, over TLS, with the kubeconfig that the server wrote and a home of its own.

use anyhow::{Context as _, Result};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::{
    binary::{Ended, run},
    mirage::Mirage,
};

/// kubectl for one server.
pub struct Kubectl {
    kubeconfig: std::path::PathBuf,
    folder: std::path::PathBuf,
    /// Discovery is cached below the home: another server's must not be found there.
    home: TempDir,
}

impl Kubectl {
    /// For a server; nothing where there is no kubectl, which is said loudly because half the wire goes untested then.
    ///
    /// # Errors
    /// No folder could be made.
    pub async fn of(mirage: &Mirage) -> Result<Option<Self>> {
        let version = run(Command::new("kubectl").args(["version", "--client"])).await;
        if !version.is_ok_and(|version| version.code == Some(0)) {
            eprintln!(
                "\n!!! SKIPPED: there is no kubectl on this machine, so what kubectl needs is NOT tested !!!\n"
            );
            return Ok(None);
        }
        Ok(Some(Self {
            kubeconfig: mirage.data("kubeconfig"),
            folder: mirage.folder().to_owned(),
            home: tempfile::tempdir()?,
        }))
    }

    /// A command in the server's folder.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("kubectl");
        command
            .args(arguments)
            .current_dir(&self.folder)
            .env("KUBECONFIG", &self.kubeconfig)
            .env("HOME", self.home.path())
            .env_remove("KUBECTL_EXTERNAL_DIFF");
        command
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

    /// Starts what does not end by itself; its stdout goes to a file of the server's folder.
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
