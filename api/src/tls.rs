//! TLS from the first start: kubectl sends a bearer token over nothing else (observed with kubectl 1.32).
//!
//! Mirage makes its own CA and a certificate signed by it (`own`), or takes the ones it is given, and serves the
//! router over them ([`serve_tls`]). Plain http is for loopback, and for behind a proxy that does TLS ([`serve_plain`]).
//!
//! # Renewal
//! [`Tls::refresh`] looks at the files again and exchanges the certificate under a running server: call it daily.

mod own;
mod serve;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

pub use serve::{Exposure, ServeError, serve_plain, serve_tls};

/// Why there is no certificate to serve with.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file could not be read or written.
    #[error("cannot use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A given file is not PEM, or not of the expected kind.
    #[error("{} holds no usable PEM", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: rustls::pki_types::pem::Error,
    },
    /// Certificate and key do not belong together, or are of a kind that cannot serve.
    #[error("the certificate cannot be served with its key")]
    Certificate(#[source] rustls::Error),
    /// Neither a DNS name nor an address; a certificate cannot be made out to it.
    #[error("{name:?} is neither a DNS name nor an IP address")]
    Name {
        /// What was given.
        name: String,
    },
    /// A certificate could not be made.
    #[error("cannot make a certificate")]
    Make(#[source] rcgen::Error),
    /// What was made would not be accepted by clients.
    #[error("the new certificate does not verify")]
    Verify(#[source] rustls::Error),
}

/// Where certificate and key come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsFiles {
    /// Made by us in this folder, for these names besides the local ones.
    Own {
        /// Holds `ca.crt`, `ca.key`, `server.crt`, `server.key` and `issued.json`.
        dir: PathBuf,
        /// DNS names and IP addresses.
        names: Vec<String>,
    },
    /// Given by the user, who also renews them.
    Given {
        /// The server's certificate and what leads to its CA, PEM.
        certificate: PathBuf,
        /// Its private key, PEM.
        key: PathBuf,
        /// The CA for the kubeconfig; none when clients know it already.
        ca: Option<PathBuf>,
    },
}

impl TlsFiles {
    /// Our own CA and certificate in `data_dir/tls`: made if missing, renewed when they no longer serve.
    ///
    /// The certificate always names localhost, 127.0.0.1 and ::1; `names` come on top.
    pub fn ensure(data_dir: &Path, names: &[String], now: Timestamp) -> Result<Tls, TlsError> {
        Tls::load(
            Self::Own {
                dir: data_dir.join("tls"),
                names: names.to_vec(),
            },
            now,
        )
    }

    /// The user's certificate and key; `ca` is what the kubeconfig shall trust, if clients do not know it already.
    pub fn given(certificate: &Path, key: &Path, ca: Option<&Path>) -> Result<Tls, TlsError> {
        let files = Self::Given {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            ca: ca.map(Path::to_owned),
        };
        // Whether given certificates are still good is for their owner to see to; the time is not looked at.
        Tls::load(files, Timestamp::UNIX_EPOCH)
    }

    fn read(&self, now: Timestamp) -> Result<Material, TlsError> {
        match self {
            Self::Own { dir, names } => own::ensure(dir, names, now),
            Self::Given {
                certificate,
                key,
                ca,
            } => Ok(Material {
                key: certified_key(certificate, key)?,
                ca_pem: ca
                    .as_ref()
                    .map(|path| read_certificates(path).and_then(|_| read_text(path)))
                    .transpose()?,
            }),
        }
    }
}

/// What the files hold at one time.
#[derive(Debug)]
struct Material {
    key: Arc<CertifiedKey>,
    ca_pem: Option<String>,
}

/// A TLS configuration whose certificate can be exchanged while it serves.
#[derive(Debug)]
pub struct Tls {
    /// For [`serve_tls`]: TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1.
    pub config: Arc<ServerConfig>,
    /// What clients must trust, for [`write_kubeconfig`](crate::auth::write_kubeconfig).
    pub ca_pem: Option<String>,
    files: TlsFiles,
    current: Arc<Current>,
}

impl Tls {
    fn load(files: TlsFiles, now: Timestamp) -> Result<Self, TlsError> {
        let material = files.read(now)?;
        let current = Arc::new(Current(RwLock::new(material.key)));
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Certificate)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![serve::HTTP_2.to_vec(), b"http/1.1".to_vec()];
        Ok(Self {
            config: Arc::new(config),
            ca_pem: material.ca_pem,
            files,
            current,
        })
    }

    /// Reads the files again, renewing our own when it is time, and serves new connections with what they hold. True
    /// when the certificate is another one.
    pub fn refresh(&self, now: Timestamp) -> Result<bool, TlsError> {
        let fresh = self.files.read(now)?.key;
        let mut current = self
            .current
            .0
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let is_other = current.cert != fresh.cert;
        *current = fresh;
        Ok(is_other)
    }
}

/// The certificate that new connections get.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let current = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&current))
    }
}

/// Asked for by name, because a process-wide default may be missing or another one.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn certified_key(certificate: &Path, key: &Path) -> Result<Arc<CertifiedKey>, TlsError> {
    let chain = read_certificates(certificate)?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| pem_error(key, error))?;
    CertifiedKey::from_der(chain, key, &provider())
        .map(Arc::new)
        .map_err(TlsError::Certificate)
}

/// At least one certificate.
fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let chain = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| pem_error(path, error))?;
    if chain.is_empty() {
        return Err(pem_error(path, rustls::pki_types::pem::Error::NoItemsFound));
    }
    Ok(chain)
}

fn read_text(path: &Path) -> Result<String, TlsError> {
    std::fs::read_to_string(path).map_err(|source| TlsError::File {
        path: path.to_owned(),
        source,
    })
}

fn pem_error(path: &Path, error: rustls::pki_types::pem::Error) -> TlsError {
    let path = path.to_owned();
    match error {
        rustls::pki_types::pem::Error::Io(source) => TlsError::File { path, source },
        source => TlsError::Pem { path, source },
    }
}

#[cfg(test)]
mod tests;
