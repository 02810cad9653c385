//! A kubeconfig that is ready to use: `kubectl --kubeconfig .mirage/kubeconfig get environments`.

use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use zeroize::Zeroizing;

use crate::store::data_dir;

/// The kubeconfig's name in the data folder.
pub const KUBECONFIG_FILE: &str = "kubeconfig";

/// What cluster, user and context are called, so that merged into another kubeconfig they are recognised.
const NAME: &str = "mirage";

/// Why the kubeconfig was not written.
#[derive(Debug, thiserror::Error)]
pub enum KubeconfigError {
    /// It could not be put as YAML.
    #[error("the kubeconfig could not be written as YAML")]
    Yaml(#[source] serde_yaml::Error),
    /// The file could not be written.
    #[error("cannot write {}", path.display())]
    File {
        /// The kubeconfig.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

/// A kubeconfig for one server and one token, as YAML.
///
/// `ca_pem` is the CA that signed the server's certificate; `None` when clients know it already.
///
/// # Errors
/// When it cannot be put as YAML.
pub fn kubeconfig(
    server_url: &str,
    ca_pem: Option<&str>,
    token: &str,
    namespace: &str,
) -> Result<Zeroizing<String>, KubeconfigError> {
    let mut cluster = json!({ "server": server_url });
    if let Some(pem) = ca_pem {
        cluster["certificate-authority-data"] = STANDARD.encode(pem).into();
    }
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": NAME,
        "clusters": [{"name": NAME, "cluster": cluster}],
        "users": [{"name": NAME, "user": {"token": token}}],
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME, "namespace": namespace}}],
    });
    let yaml = serde_yaml::to_string(&config).map_err(KubeconfigError::Yaml)?;
    Ok(Zeroizing::new(yaml))
}

/// Certificates in DER, as PEM.
pub fn pem_of(certificates: &[Vec<u8>]) -> String {
    let mut pem = String::new();
    for certificate in certificates {
        pem.push_str("-----BEGIN CERTIFICATE-----\n");
        let text = STANDARD.encode(certificate);
        for line in text.as_bytes().chunks(64) {
            pem.extend(line.iter().copied().map(char::from));
            pem.push('\n');
        }
        pem.push_str("-----END CERTIFICATE-----\n");
    }
    pem
}

/// Writes the kubeconfig into the data folder, mode 0600, and says where it is.
///
/// # Errors
/// When the file cannot be written.
pub fn write_kubeconfig(
    data_dir: &Path,
    server_url: &str,
    ca_pem: Option<&str>,
    token: &str,
) -> Result<PathBuf, KubeconfigError> {
    let yaml = kubeconfig(server_url, ca_pem, token, "default")?;
    let path = data_dir.join(KUBECONFIG_FILE);
    data_dir::ensure(data_dir)
        .and_then(|()| data_dir::write_private(&path, yaml.as_bytes()))
        .map_err(|source| KubeconfigError::File {
            path: path.clone(),
            source,
        })?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_kubeconfig_is_private_and_kube_can_read_it() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("data");
        let path =
            write_kubeconfig(&dir, "https://127.0.0.1:7443", Some("PEM\n"), "mir_x").unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let config = kube::config::Kubeconfig::read_from(&path).unwrap();
        assert_eq!(config.current_context.as_deref(), Some("mirage"));
        let cluster = config.clusters[0].cluster.as_ref().unwrap();
        assert_eq!(cluster.server.as_deref(), Some("https://127.0.0.1:7443"));
        assert_eq!(
            cluster.certificate_authority_data,
            Some(STANDARD.encode("PEM\n"))
        );
        assert!(
            config.auth_infos[0]
                .auth_info
                .as_ref()
                .unwrap()
                .token
                .is_some()
        );
    }
}
