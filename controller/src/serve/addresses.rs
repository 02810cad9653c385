//! `addresses.json`: where a running server listens, for whoever asked for any free port.

use std::{fs, io, path::PathBuf};

use mirage_api::store::data_dir;
use serde::Serialize;

use crate::serve::data_dir::DataDir;

const FILE: &str = "addresses.json";

/// What the file says.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Addresses {
    pub(crate) http: String,
    pub(crate) https: String,
    /// Metrics for Prometheus.
    pub(crate) metrics: String,
    /// Only with a simulated Railway: its GraphQL endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) railway: Option<String>,
    /// For clients of the API.
    pub(crate) kubeconfig: PathBuf,
    /// The server's process.
    pub(crate) pid: u32,
}

/// Exists while the server answers; gone when it stops.
#[derive(Debug)]
pub(crate) struct Published {
    file: PathBuf,
}

impl Addresses {
    /// Writes the file whole. From then on the server answers at these addresses.
    pub(crate) fn publish(&self, folder: &DataDir) -> io::Result<Published> {
        let file = folder.join(FILE);
        let text = serde_json::to_vec_pretty(self).map_err(io::Error::other)?;
        data_dir::write_private(&file, &text)?;
        Ok(Published { file })
    }
}

/// Takes away what a killed server left, so that nobody waits for its ports.
pub(crate) fn forget_old(folder: &DataDir) -> io::Result<()> {
    match fs::remove_file(folder.join(FILE)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

impl Drop for Published {
    fn drop(&mut self) {
        // Left behind, it is removed by the next start.
        let _ = fs::remove_file(&self.file);
    }
}
