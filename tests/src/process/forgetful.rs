//! An API server in the test's own process, whose change log the test can make it forget.

use std::{path::PathBuf, sync::Arc};

use anyhow::Result;
use async_trait::async_trait;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::api::PostParams;
use mirage_api::{
    Api, ApiOptions, Ids,
    auth::{Authenticator, Identity},
    store::{Store as _, StoreError, memory::MemoryStore},
    tls::{Exposure, serve_plain},
};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};

/// Bytes of changes that a server keeps in memory.
const KEPT: usize = 16 << 20;

/// A namespace that no test looks into.
const UNWATCHED: &str = "unwatched";

/// As large as an object can be, nearly.
const LARGE: usize = 900_000;

const TOKEN: &str = "known-to-the-test";

struct Doorkeeper;

#[async_trait]
impl Authenticator for Doorkeeper {
    async fn authenticate(&self, token: &str) -> Result<Option<Identity>, StoreError> {
        Ok((token == TOKEN).then(|| Identity {
            username: "tester".to_owned(),
            groups: vec!["system:masters".to_owned()],
            ..Identity::default()
        }))
    }
}

/// The server, on plain http. It ends with this value.
pub struct Forgetful {
    api: Api,
    store: Arc<MemoryStore>,
    folder: TempDir,
    serving: JoinHandle<()>,
}

impl Forgetful {
    /// An empty one, served.
    ///
    /// # Errors
    /// No socket or no folder.
    pub async fn start() -> Result<Self> {
        let store = Arc::new(MemoryStore::new());
        let api = Api::new(ApiOptions {
            store: Arc::<MemoryStore>::clone(&store),
            authenticator: Arc::new(Doorkeeper),
            clock: Arc::new(Timestamp::now),
            ids: Ids::random(),
            planner: None,
            version: "0.0.0".to_owned(),
        });
        api.bootstrap().await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let folder = tempfile::tempdir()?;
        std::fs::write(
            folder.path().join("kubeconfig"),
            kubeconfig(&address.to_string()),
        )?;
        let router = api.router();
        let serving = tokio::spawn(async move {
            // It is cut off when the test is over; a socket that breaks before shows in the test that needs it.
            let _ = serve_plain(listener, router, Exposure::Loopback, std::future::pending()).await;
        });
        Ok(Self {
            api,
            store,
            folder,
            serving,
        })
    }

    /// A kubeconfig for it.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// A kube-rs client that needs no socket.
    pub fn client(&self) -> kube::Client {
        kube::Client::new(self.api.trusted_router("tester"), "default")
    }

    /// Forgets every change so far: whoever asks for what came after an older version is told that it is gone.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn forgets(&self) -> Result<()> {
        // What it has read last it keeps in memory: let that be changes that nobody looks at.
        let mut unwatched = Namespace::default();
        unwatched.metadata.name = Some(UNWATCHED.to_owned());
        match kube::Api::all(self.client())
            .create(&PostParams::default(), &unwatched)
            .await
        {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.is_already_exists() => {}
            Err(error) => return Err(error.into()),
        }
        let maps: kube::Api<ConfigMap> = kube::Api::namespaced(self.client(), UNWATCHED);
        let mut map = ConfigMap::default();
        map.metadata.generate_name = Some("large-".to_owned());
        map.data = Some([("text".to_owned(), "x".repeat(LARGE))].into());
        for _ in 0..=KEPT / LARGE {
            maps.create(&PostParams::default(), &map).await?;
        }
        let newest = *self.store.revision().borrow();
        Ok(self.store.compact(newest).await?)
    }
}

impl Drop for Forgetful {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn kubeconfig(address: &str) -> String {
    format!(
        "apiVersion: v1
kind: Config
current-context: test
clusters: [{{name: test, cluster: {{server: \"http://{address}\", insecure-skip-tls-verify: true}}}}]
users: [{{name: test, user: {{token: {TOKEN}}}}}]
contexts: [{{name: test, context: {{cluster: test, user: test, namespace: default}}}}]
"
    )
}
