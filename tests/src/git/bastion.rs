//! A server for Git over SSH on loopback.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use russh::{
    Channel, ChannelId,
    keys::{Algorithm, PrivateKey, PublicKey, ssh_key::LineEnding},
    server::{self, Auth, ChannelOpenHandle, Msg, Session, VerifiedPublicKey},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::{Depot, upload};

/// A server with one repository at `/shop.git`, for one user with one key.
pub struct Bastion {
    address: SocketAddr,
    host_key: PublicKey,
    identity: String,
    commands: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Bastion {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Bastion {
    /// Serves a repository.
    ///
    /// # Errors
    /// When no port is to be had.
    pub async fn of(depot: &Depot) -> anyhow::Result<Self> {
        let host = key(1);
        let guest = key(2);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let commands = Arc::new(Mutex::new(Vec::new()));
        let config = Arc::new(server::Config {
            keys: vec![host.clone()],
            auth_rejection_time: std::time::Duration::ZERO,
            ..server::Config::default()
        });
        let door = Door {
            repository: depot.path(),
            guest: guest.public_key().clone(),
            commands: Arc::clone(&commands),
            channel: None,
        };
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (config, door) = (Arc::clone(&config), door.clone());
                tokio::spawn(async move {
                    if let Ok(session) = server::run_stream(config, socket, door).await {
                        // How a visitor leaves is no concern of the test.
                        let _ = session.await;
                    }
                });
            }
        });
        Ok(Self {
            address,
            host_key: host.public_key().clone(),
            identity: guest.to_openssh(LineEnding::LF)?.to_string(),
            commands,
            task,
        })
    }

    /// The repository's address.
    pub fn url(&self) -> String {
        format!("ssh://git@{}/shop.git", self.address)
    }

    /// The private key that is let in.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// What `known_hosts` says of this server.
    ///
    /// # Errors
    /// When the key cannot be written.
    pub fn known_hosts(&self) -> anyhow::Result<String> {
        line(self.address, &self.host_key)
    }

    /// What `known_hosts` would say of another server in its place.
    ///
    /// # Errors
    /// When the key cannot be written.
    pub fn strangers_known_hosts(&self) -> anyhow::Result<String> {
        line(self.address, key(3).public_key())
    }

    /// A private key that nobody let in.
    ///
    /// # Errors
    /// When the key cannot be written.
    pub fn strangers_identity() -> anyhow::Result<String> {
        Ok(key(3).to_openssh(LineEnding::LF)?.to_string())
    }

    /// What was asked to be run.
    pub fn commands(&self) -> Vec<String> {
        self.commands
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn line(address: SocketAddr, key: &PublicKey) -> anyhow::Result<String> {
    Ok(format!(
        "[{}]:{} {}\n",
        address.ip(),
        address.port(),
        key.to_openssh()?
    ))
}

fn key(seed: u8) -> PrivateKey {
    let pair = russh::keys::ssh_key::private::Ed25519Keypair::from_seed(&[seed; 32]);
    let key = PrivateKey::from(pair);
    debug_assert_eq!(key.algorithm(), Algorithm::Ed25519);
    key
}

#[derive(Clone)]
struct Door {
    repository: PathBuf,
    guest: PublicKey,
    commands: Arc<Mutex<Vec<String>>>,
    channel: Option<Arc<Mutex<Option<Channel<Msg>>>>>,
}

impl server::Handler for Door {
    type Error = anyhow::Error;

    async fn auth_publickey(
        &mut self,
        user: &str,
        key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, anyhow::Error> {
        let is_guest = user == "git" && key.public_key.key_data() == self.guest.key_data();
        Ok(if is_guest {
            Auth::Accept
        } else {
            Auth::reject()
        })
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), anyhow::Error> {
        self.channel = Some(Arc::new(Mutex::new(Some(channel))));
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(
        &mut self,
        id: ChannelId,
        command: &[u8],
        session: &mut Session,
    ) -> Result<(), anyhow::Error> {
        let command = String::from_utf8_lossy(command).into_owned();
        let mut commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        commands.push(command.clone());
        drop(commands);
        let channel = self.channel.as_ref().and_then(|channel| {
            channel
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take()
        });
        let Some(channel) = channel.filter(|_| command == "git-upload-pack '/shop.git'") else {
            session.channel_failure(id)?;
            session.close(id)?;
            return Ok(());
        };
        session.channel_success(id)?;
        let repository = self.repository.clone();
        tokio::spawn(async move {
            // A visitor who hangs up is served no further.
            let _ = talk(channel, &repository).await;
        });
        Ok(())
    }
}

/// The conversation: what the server can do, then an answer to each request.
async fn talk(channel: Channel<Msg>, repository: &std::path::Path) -> anyhow::Result<()> {
    let mut stream = channel.into_stream();
    stream.write_all(&upload::advertisement()).await?;
    let mut buffer = Vec::new();
    loop {
        while let Some(length) = upload::request_length(&buffer) {
            let request: Vec<u8> = buffer.drain(..length).collect();
            if length == 4 {
                return Ok(stream.shutdown().await?);
            }
            let answer = upload::answer(repository, &request)?;
            stream.write_all(&answer).await?;
        }
        if stream.read_buf(&mut buffer).await? == 0 {
            return Ok(());
        }
    }
}
