//! An address that stays the same while the server behind it dies and comes back on another port.

use std::{net::SocketAddr, path::PathBuf};

use anyhow::{Context as _, Result};
use kube::config::{KubeConfigOptions, Kubeconfig};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

use super::mirage::Mirage;

/// Carries every connection to where the server listens at the time. TLS passes through untouched; the server's
/// certificate is for the host, whatever the port.
pub struct Door {
    address: SocketAddr,
    behind: watch::Sender<String>,
    kubeconfig: PathBuf,
    carrying: JoinHandle<()>,
}

impl Door {
    /// A door before this server, with a kubeconfig that leads to it.
    ///
    /// # Errors
    /// No socket, or the server is not up.
    pub async fn before(mirage: &Mirage) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (behind, here) = watch::channel(host_and_port(mirage)?);
        let carrying = tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let here = here.clone();
                tokio::spawn(async move {
                    let address = here.borrow().clone();
                    // Where nobody listens the client's connection is dropped, as a dead server's would be.
                    if let Ok(mut server) = TcpStream::connect(address).await {
                        let _ = copy_bidirectional(&mut client, &mut server).await;
                    }
                });
            }
        });
        let kubeconfig = mirage.folder().join("door.kubeconfig");
        let written = std::fs::read_to_string(mirage.data("kubeconfig"))?;
        let through = written.replace(&host_and_port(mirage)?, &address.to_string());
        std::fs::write(&kubeconfig, through)?;
        Ok(Self {
            address,
            behind,
            kubeconfig,
            carrying,
        })
    }

    /// Leads to where the server has come back.
    ///
    /// # Errors
    /// It is not up.
    pub fn leads_to(&self, mirage: &Mirage) -> Result<()> {
        self.behind.send_replace(host_and_port(mirage)?);
        Ok(())
    }

    /// A kubeconfig for the server through the door.
    pub fn kubeconfig(&self) -> PathBuf {
        self.kubeconfig.clone()
    }

    /// A kube-rs client through the door.
    ///
    /// # Errors
    /// The kubeconfig does not serve.
    pub async fn client(&self) -> Result<kube::Client> {
        // A process may do this once; every later time it is done already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let kubeconfig = Kubeconfig::read_from(&self.kubeconfig)
            .with_context(|| format!("the kubeconfig for {}", self.address))?;
        let config =
            kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
        Ok(kube::Client::try_from(config)?)
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.carrying.abort();
    }
}

fn host_and_port(mirage: &Mirage) -> Result<String> {
    let url = mirage.address("https")?;
    let place = url.strip_prefix("https://").context("https")?;
    Ok(place.trim_end_matches('/').to_owned())
}
