//! How clients get in: certificate, administrator's token, kubeconfig.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::Timestamp;
use mirage_api::{
    Clock,
    auth::{
        self, AdminTokenError, Authenticator, KubeconfigError, OtherAdmins, TokenAuthenticator,
    },
    store::Store,
    tls::{Tls, TlsError, TlsFiles},
};

use crate::serve::data_dir::DataDir;

/// Where the certificate for HTTPS comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Certificate {
    /// From Mirage's own CA, for these names besides the local ones.
    Own {
        /// DNS names and addresses.
        names: Vec<String>,
    },
    /// From the user.
    Given {
        /// The chain, PEM.
        chain: PathBuf,
        /// The key, PEM.
        key: PathBuf,
    },
}

/// Why nobody could get in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AccessError {
    /// No certificate.
    #[error("there is no certificate for HTTPS")]
    Tls(#[from] TlsError),
    /// No token.
    #[error("there is no administrator's token")]
    Token(#[from] AdminTokenError),
    /// The token's file went away in between.
    #[error("cannot read {}", path.display())]
    TokenFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// No kubeconfig.
    #[error("there is no kubeconfig")]
    Kubeconfig(#[from] KubeconfigError),
}

/// Ready to let clients in.
#[derive(Debug)]
pub(super) struct Access {
    pub(super) tls: Arc<Tls>,
    pub(super) kubeconfig: PathBuf,
}

impl Access {
    /// Makes what is missing, renews what is old, and writes the kubeconfig anew: the address may be another one.
    pub(super) async fn prepare(
        certificate: &Certificate,
        store: &dyn Store,
        others: OtherAdmins,
        folder: &DataDir,
        https: &str,
        now: Timestamp,
    ) -> Result<Self, AccessError> {
        let tls = match certificate {
            Certificate::Own { names } => TlsFiles::ensure(folder.path(), names, now)?,
            Certificate::Given { chain, key } => TlsFiles::given(chain, key, None)?,
        };
        let token_file = auth::ensure_admin_token(store, folder.path(), others, now).await?;
        let token = read_token(&token_file)?;
        let kubeconfig =
            auth::write_kubeconfig(folder.path(), https, tls.ca_pem.as_deref(), token.trim())?;
        Ok(Self {
            tls: Arc::new(tls),
            kubeconfig,
        })
    }

    /// Checks bearer tokens against the store.
    pub(super) fn authenticator(
        &self,
        store: Arc<dyn Store>,
        clock: Clock,
    ) -> Arc<dyn Authenticator> {
        Arc::new(TokenAuthenticator::new(store, clock))
    }
}

fn read_token(path: &Path) -> Result<String, AccessError> {
    fs::read_to_string(path).map_err(|source| AccessError::TokenFile {
        path: path.to_owned(),
        source,
    })
}
