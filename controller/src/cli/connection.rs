//! Which server a command talks to, and as whom.

use std::path::{Path, PathBuf};

use clap::Args;
use kube::{
    Api, Client, Config,
    api::DynamicObject,
    config::{KubeConfigOptions, Kubeconfig},
};

use crate::cli::{failure::Failure, kind::Kind};

/// Where `mirage serve` keeps its data unless told otherwise.
pub(crate) const DATA_DIR: &str = ".mirage";

/// Flags by which every command that talks to a server about objects finds it and them.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Server")]
pub(crate) struct ConnectionArgs {
    /// Namespace of the objects [default: the kubeconfig's, else "default"]
    #[arg(short, long, env = "MIRAGE_NAMESPACE", value_name = "NAME")]
    namespace: Option<String>,
    #[command(flatten)]
    server: ServerArgs,
}

/// Flags by which a command finds the server.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Server")]
pub(crate) struct ServerArgs {
    /// Kubeconfig file [default: kubeconfig in the data folder, else $KUBECONFIG]
    #[arg(long, env = "MIRAGE_KUBECONFIG", value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Address of the server instead of a kubeconfig, for example http://127.0.0.1:7171
    #[arg(long, env = "MIRAGE_SERVER", value_name = "URL")]
    server: Option<String>,
    /// Bearer token for --server; better in MIRAGE_TOKEN, where other users do not see it
    #[arg(
        long,
        env = "MIRAGE_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    token: Option<String>,
    /// CA certificate for an https --server [default: tls/ca.crt in the data folder]
    #[arg(long, env = "MIRAGE_CERTIFICATE_AUTHORITY", value_name = "FILE")]
    certificate_authority: Option<PathBuf>,
    /// Data folder of the server on this machine, searched for a kubeconfig
    #[arg(long, env = "MIRAGE_DATA_DIR", value_name = "DIR", default_value = DATA_DIR)]
    data_dir: PathBuf,
}

/// A way to a server.
#[derive(Clone)]
pub(crate) struct Connection {
    pub(crate) client: Client,
    /// For error messages.
    pub(crate) server: String,
    /// Where objects are that do not say.
    pub(crate) namespace: String,
    /// Whether that was asked for by flag, so that a manifest which says otherwise is a contradiction.
    pub(crate) namespace_is_given: bool,
    /// The CA by which the server is known, PEM; none when the system's are enough.
    pub(crate) ca_pem: Option<String>,
}

impl ConnectionArgs {
    /// Finds the server. Nothing is sent yet.
    pub(crate) async fn open(&self) -> Result<Connection, Failure> {
        self.server.open(self.namespace.as_deref()).await
    }
}

impl ServerArgs {
    /// Finds the server. Nothing is sent yet.
    pub(crate) async fn open(&self, namespace: Option<&str>) -> Result<Connection, Failure> {
        let mut config = match &self.server {
            Some(server) => self.of_server(server)?,
            None => self.of_kubeconfig().await?,
        };
        // By default kube repeats a 503 fifteen times, in silence, for minutes. What the server says is told at once, and
        // whoever waits for something (`--wait`) goes on by itself.
        config.default_retry = false;
        let server = config.cluster_url.to_string();
        let ca_pem = ca_pem(&config)?;
        let default_namespace = config.default_namespace.clone();
        Ok(Connection {
            client: Client::try_from(config).map_err(|source| Failure::request(&server, source))?,
            server,
            namespace: namespace.unwrap_or(&default_namespace).to_owned(),
            namespace_is_given: namespace.is_some(),
            ca_pem,
        })
    }

    fn of_server(&self, server: &str) -> Result<Config, Failure> {
        let url: http::Uri = server.parse().map_err(|_| Failure::BadServer {
            server: server.to_owned(),
        })?;
        if url.scheme().is_none() || url.host().is_none() {
            return Err(Failure::BadServer {
                server: server.to_owned(),
            });
        }
        let mut config = Config::new(url);
        config.auth_info.token = self.token.clone().map(Into::into);
        let own_ca = self.data_dir.join("tls/ca.crt");
        config.root_cert_file = match &self.certificate_authority {
            Some(path) => Some(path.clone()),
            None => own_ca.exists().then_some(own_ca),
        };
        Ok(config)
    }

    async fn of_kubeconfig(&self) -> Result<Config, Failure> {
        let path = self.kubeconfig_path()?;
        let unusable = |source: kube::config::KubeconfigError| Failure::BadKubeconfig {
            path: path.clone(),
            source: Box::new(source),
        };
        let kubeconfig = Kubeconfig::read_from(&path).map_err(unusable)?;
        Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
            .await
            .map_err(unusable)
    }

    fn kubeconfig_path(&self) -> Result<PathBuf, Failure> {
        if let Some(path) = &self.kubeconfig {
            return Ok(path.clone());
        }
        let own = self.data_dir.join("kubeconfig");
        if own.exists() {
            return Ok(own);
        }
        std::env::var_os("KUBECONFIG")
            .and_then(|paths| std::env::split_paths(&paths).find(|path| path.exists()))
            .ok_or(Failure::NoServer { looked_for: own })
    }
}

fn ca_pem(config: &Config) -> Result<Option<String>, Failure> {
    match (&config.root_cert_file, &config.root_cert) {
        (Some(path), _) => {
            let pem = std::fs::read_to_string(path);
            pem.map(Some).map_err(|source| Failure::Unreadable {
                path: path.clone(),
                source,
            })
        }
        (None, Some(certificates)) => Ok(Some(mirage_api::auth::pem_of(certificates))),
        (None, None) => Ok(None),
    }
}

impl Connection {
    /// The objects of a kind in a namespace, or of the whole cluster where the kind has none.
    pub(crate) fn api(&self, kind: &Kind, namespace: &str) -> Api<DynamicObject> {
        let resource = kind.resource();
        if kind.namespaced {
            Api::namespaced_with(self.client.clone(), namespace, &resource)
        } else {
            Api::all_with(self.client.clone(), &resource)
        }
    }

    /// Says a failed request in words for people.
    pub(crate) fn failed(&self, source: kube::Error) -> Failure {
        Failure::request(&self.server, source)
    }

    /// The namespace of a manifest; a flag that says another one is refused, as kubectl does.
    pub(crate) fn namespace_of(
        &self,
        file: &Path,
        written: Option<&str>,
    ) -> Result<String, Failure> {
        match written {
            Some(written) if self.namespace_is_given && written != self.namespace => {
                Err(Failure::NamespaceContradiction {
                    file: file.to_owned(),
                    written: written.to_owned(),
                    given: self.namespace.clone(),
                })
            }
            Some(written) => Ok(written.to_owned()),
            None => Ok(self.namespace.clone()),
        }
    }
}
