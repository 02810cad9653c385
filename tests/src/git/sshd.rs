//! OpenSSH's own server, for one user and one key.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use tempfile::TempDir;

use super::program::{Workshop, find};

/// Which of Git's protocols the server speaks: it has to let the wish for the newer one through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoken {
    /// Version 0, as servers speak unless they are told otherwise.
    Old,
    /// Version 2.
    New,
}

/// A server with everything in a workshop's folder.
pub struct Sshd {
    address: SocketAddr,
    user: String,
    repository: String,
    folder: TempDir,
    child: Child,
}

impl Drop for Sshd {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Sshd {
    /// Serves a workshop.
    ///
    /// # Errors
    /// When `ssh-keygen` or `sshd` fails.
    pub async fn of(workshop: &Workshop, spoken: Spoken) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let at = |name: &str| folder.path().join(name).display().to_string();
        for name in ["host", "guest"] {
            run(
                "ssh-keygen",
                &["-q", "-t", "ed25519", "-N", "", "-f", &at(name)],
            )?;
        }
        let accepted = match spoken {
            Spoken::Old => "",
            Spoken::New => "AcceptEnv GIT_PROTOCOL\n",
        };
        let address = free_address()?;
        let settings = format!(
            "ListenAddress {address}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\nPermitRootLogin prohibit-password\n\
             LogLevel VERBOSE\n{accepted}",
            at("host"),
            at("guest.pub"),
        );
        fs::write(folder.path().join("config"), settings)?;
        let sshd = find("sshd").context("sshd is installed")?;
        // Run by root it insists on this folder, which only the system's own service makes. Others need it not.
        let _ = fs::create_dir_all("/run/sshd");
        let child = Command::new(sshd)
            .args(["-D", "-e", "-f", &at("config")])
            .stdin(Stdio::null())
            .stderr(fs::File::create(folder.path().join("log"))?)
            .spawn()?;
        let mut server = Self {
            address,
            user: run("id", &["-un"])?,
            repository: workshop.folder().join("shop.git").display().to_string(),
            folder,
            child,
        };
        server.wait().await?;
        Ok(server)
    }

    async fn wait(&mut self) -> anyhow::Result<()> {
        const PATIENCE: Duration = Duration::from_secs(20);
        let started = tokio::time::Instant::now();
        while tokio::net::TcpStream::connect(self.address).await.is_err() {
            if self.child.try_wait()?.is_some() || started.elapsed() > PATIENCE {
                bail!("sshd did not start:\n{}", self.log());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// What the server said of its visitors.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// The repository's address.
    pub fn url(&self) -> String {
        format!("ssh://{}@{}{}", self.user, self.address, self.repository)
    }

    /// The private key that is let in.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn identity(&self) -> anyhow::Result<String> {
        Ok(fs::read_to_string(self.folder.path().join("guest"))?)
    }

    /// What `ssh-keyscan` prints of the server, as the documentation tells people to ask for it.
    ///
    /// # Errors
    /// When it fails.
    pub fn known_hosts(&self) -> anyhow::Result<String> {
        let (host, port) = (
            self.address.ip().to_string(),
            self.address.port().to_string(),
        );
        run("ssh-keyscan", &["-t", "ed25519", "-p", &port, &host])
    }
}

/// The system gives a free one; the server cannot be asked which it took.
fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

fn run(program: &str, words: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(program).args(words).output()?;
    ensure!(
        output.status.success(),
        "{program} {words:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
