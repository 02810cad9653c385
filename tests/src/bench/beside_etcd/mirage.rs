//! Mirage as a process that keeps objects and controls nothing, as etcd does.

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::Method;

use super::object::{self, quoted};
use super::process;
use crate::process::connection::Connection;

/// Where the objects are.
pub(super) const PATH: &str = "/apis/mirage.dev/v1alpha1/namespaces/default/environments";

/// A server with a data folder of its own. Killed when this value goes.
pub(super) struct Mirage {
    server: crate::process::Mirage,
}

impl Mirage {
    pub(super) async fn start() -> Result<Self> {
        Ok(Self {
            server: crate::process::Mirage::api_only().await?,
        })
    }

    /// A connection of the caller's own.
    pub(super) async fn client(&self) -> Result<Connection> {
        self.server.connect().await
    }

    /// In MiB.
    pub(super) fn peak_memory(&self) -> Result<f64> {
        process::peak_memory(self.server.pid().context("the server has ended")?)
    }
}

/// One object and the version that it has.
pub(super) struct Own {
    name: String,
    version: String,
}

impl Own {
    /// Makes it.
    pub(super) async fn create(client: &mut Connection, name: String, mark: u64) -> Result<Self> {
        let text = object::environment(&name, mark, None);
        let answer = client.ask(Method::POST, PATH, Bytes::from(text)).await?;
        Ok(Self {
            version: version(&answer)?,
            name,
        })
    }

    /// Replaces it by one that carries this mark.
    pub(super) async fn replace(&mut self, client: &mut Connection, mark: u64) -> Result<()> {
        let text = object::environment(&self.name, mark, Some(&self.version));
        let path = format!("{PATH}/{}", self.name);
        let answer = client.ask(Method::PUT, &path, Bytes::from(text)).await?;
        self.version = version(&answer)?;
        Ok(())
    }
}

fn version(answer: &[u8]) -> Result<String> {
    Ok(quoted(answer, "\"resourceVersion\":\"")?.to_owned())
}
