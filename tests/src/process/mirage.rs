//! `mirage serve` as a process, and the commands that talk to it.

use std::{
    fs::{self, OpenOptions},
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context as _, Result, bail, ensure};
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::{
    binary::{self, Ended, run},
    connection::Connection,
    railway::Railway,
    waiting::{Look, until},
};

/// A server in a folder of its own. Killed when this value goes, however the test ends.
pub struct Mirage {
    folder: TempDir,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    child: Child,
}

impl Mirage {
    /// A server for this Railway.
    ///
    /// # Errors
    /// It did not come up.
    pub async fn on(railway: &Railway) -> Result<Self> {
        Self::with(&[], &railway.settings()).await
    }

    /// A server that only keeps objects.
    ///
    /// # Errors
    /// It did not come up.
    pub async fn api_only() -> Result<Self> {
        Self::with(&["--no-controllers"], &[]).await
    }

    /// A server with these flags and environment variables.
    ///
    /// # Errors
    /// It did not come up.
    pub async fn with(arguments: &[&str], environment: &[(&str, String)]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let arguments: Vec<String> = arguments.iter().map(|&word| word.to_owned()).collect();
        let environment: Vec<_> = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        let child = spawn(folder.path(), &arguments, &environment)?;
        let mut mirage = Self {
            folder,
            arguments,
            environment,
            child,
        };
        mirage.up().await?;
        Ok(mirage)
    }

    async fn up(&mut self) -> Result<()> {
        let file = self.data("addresses.json");
        let pid = self
            .child
            .id()
            .context("the server ended before it began")?;
        until("the server to be up", async || {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended with {status}:\n{}", self.log()?);
            }
            // What a killed one left behind names another process.
            let text = fs::read(&file).unwrap_or_default();
            let addresses: Value = serde_json::from_slice(&text).unwrap_or_default();
            Ok(Look::when((addresses["pid"] == pid).then_some(()), || {
                addresses.to_string()
            }))
        })
        .await
    }

    /// SIGKILL: nothing gets a chance to be tidied.
    ///
    /// # Errors
    /// It could not be killed.
    pub async fn kill(&mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Begins to start again what was killed, and does not wait until it is up.
    ///
    /// # Errors
    /// There is no binary.
    pub fn begin_again(&mut self) -> Result<()> {
        self.child = spawn(self.folder.path(), &self.arguments, &self.environment)?;
        Ok(())
    }

    /// Starts again what was killed, in the same folder.
    ///
    /// # Errors
    /// It did not come up.
    pub async fn start_again(&mut self) -> Result<()> {
        self.begin_again()?;
        self.up().await
    }

    /// Its process; none once it has ended.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// The folder in which its commands run; its data is in `.mirage`.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A file of its data folder.
    pub fn data(&self, name: &str) -> PathBuf {
        self.folder.path().join(".mirage").join(name)
    }

    /// All that it has logged, over all its lives.
    ///
    /// # Errors
    /// There is no log.
    pub fn log(&self) -> Result<String> {
        Ok(fs::read_to_string(self.folder.path().join("serve.log"))?)
    }

    /// Where it listens: `http`, `https`, `metrics`.
    ///
    /// # Errors
    /// It is not up.
    pub fn address(&self, of: &str) -> Result<String> {
        let addresses: Value = serde_json::from_slice(&fs::read(self.data("addresses.json"))?)?;
        Ok(addresses[of]
            .as_str()
            .with_context(|| format!("addresses.json has no {of}"))?
            .to_owned())
    }

    /// A kept connection by plain HTTP, as administrator.
    ///
    /// # Errors
    /// It is not up.
    pub async fn connect(&self) -> Result<Connection> {
        let url = self.address("http")?;
        let host = url.trim_start_matches("http://").trim_end_matches('/');
        Connection::connect(host, &self.token()?).await
    }

    /// The administrator's token.
    ///
    /// # Errors
    /// There is none yet.
    pub fn token(&self) -> Result<String> {
        Ok(fs::read_to_string(self.data("admin.token"))?
            .trim()
            .to_owned())
    }

    /// Writes a file that commands can name.
    ///
    /// # Errors
    /// The disk.
    pub fn write(&self, name: &str, text: &str) -> Result<()> {
        Ok(fs::write(self.folder.path().join(name), text)?)
    }

    /// A command of the same binary in the same folder.
    ///
    /// # Errors
    /// There is no binary.
    pub fn command(&self, arguments: &[&str]) -> Result<Command> {
        let mut command = binary::mirage()?;
        command.current_dir(self.folder.path()).args(arguments);
        Ok(command)
    }

    /// Runs a command to its end.
    ///
    /// # Errors
    /// It could not be run.
    pub async fn run(&self, arguments: &[&str]) -> Result<Ended> {
        run(&mut self.command(arguments)?).await
    }

    /// Runs a command that must succeed; what it printed.
    ///
    /// # Errors
    /// It failed.
    pub async fn does(&self, arguments: &[&str]) -> Result<String> {
        self.run(arguments).await?.well()
    }

    /// A kube-rs client over TLS with the kubeconfig that the server wrote.
    ///
    /// # Errors
    /// The kubeconfig does not serve.
    pub async fn client(&self) -> Result<kube::Client> {
        // A process may do this once; every later time it is done already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let kubeconfig = Kubeconfig::read_from(self.data("kubeconfig"))?;
        let config =
            kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
        ensure!(
            config.cluster_url.scheme_str() == Some("https"),
            "{} is not TLS",
            config.cluster_url
        );
        Ok(kube::Client::try_from(config)?)
    }
}

fn spawn(folder: &Path, arguments: &[String], environment: &[(String, String)]) -> Result<Child> {
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join("serve.log"))?;
    let mut command = binary::mirage()?;
    command
        .current_dir(folder)
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--listen-tls",
            "127.0.0.1:0",
        ])
        .args(arguments)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .kill_on_drop(true);
    command.spawn().context("the server could not be started")
}
