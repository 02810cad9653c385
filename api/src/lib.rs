//! Mirage's API server: Kubernetes' wire protocol over a small versioned store.
//!
//! ```text
//!   kubectl, kube-rs, …              router      every route on one screen
//!          │                           │
//!          ▼                           ▼
//!   bearer token ── auth ──► access/           who may do what
//!                                      │
//!                                  kubernetes/       what is asked for, and the rules by which it is done
//!                                      │
//!                        kinds/ ◄──────┤       what there is to ask for
//!                                      │ ◄──── feed/   recent changes, once for all watches
//!                                      ▼
//!                                   store/     objects, one revision after the other
//! ```
//!
//! Kinds are descriptions ([`kinds::Kind`]) over plain JSON objects; there is one handler for all of them. Nothing here
//! needs a socket, a thread or a wall clock: [`Api::trusted_router`] serves a `kube::Client` in the same process, and a
//! simulated world brings its own clock and ids.

use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};

use axum::Router;
use zeroize::Zeroizing;

use crate::access::{MASTERS, Policies, builtin};
use crate::audit::{Audit, Network};
use crate::auth::{Authenticator, Identity};
use crate::collector::Collector;
use crate::dashboard::Dashboard;
use crate::feed::Feed;
use crate::in_flight::InFlight;
use crate::kinds::{Registry, established};
use crate::kubernetes::{event, namespace};
use crate::server::Server;
use crate::store::seal::{KeyRotation, VARIABLE_KEYS};
use crate::store::{Store, kept_key};
use crate::webhooks::Webhooks;

mod access;
pub mod audit;
pub mod auth;
mod catalog;
mod collector;
mod copy;
mod dashboard;
pub mod error;
mod feed;
mod finder;
mod ids;
mod in_flight;
mod json_text;
pub mod kinds;
pub mod kubernetes;
mod plan;
mod product;
mod router;
mod server;
pub mod store;
pub mod tls;
mod webhooks;

pub use access::Limits;
pub use catalog::{AccountName, Catalog, CatalogError};
pub use copy::{Copier, CopyError};
pub use dashboard::Files;
pub use finder::{Finder, Repository};
pub use ids::Ids;
pub use plan::{PlanError, PlannedChange, Planner, RunningService};
pub use server::Clock;
pub use webhooks::{WebhookCount, WebhookOutcome};

/// What an API server is made of.
pub struct ApiOptions {
    /// Where objects live. It seals secrets itself, if it reaches a disk.
    pub store: Arc<dyn Store>,
    /// Who the bearers of tokens are.
    pub authenticator: Arc<dyn Authenticator>,
    /// The time.
    pub clock: Clock,
    /// Uids and generated names.
    pub ids: Ids,
    /// Plans environments, for dry runs and for the plan endpoint.
    pub planner: Option<Arc<dyn Planner>>,
    /// Mirage's own version, as `/version` shows it.
    pub version: String,
}

/// An API server.
#[derive(Clone)]
pub struct Api {
    server: Arc<Server>,
    in_flight: Arc<InFlight>,
    dashboard: Arc<Dashboard>,
}

impl Api {
    /// Serves Mirage's kinds and those that clients expect around them.
    pub fn new(options: ApiOptions) -> Self {
        Self::with_kinds(options, Registry::mirage())
    }

    /// Serves these kinds.
    pub fn with_kinds(options: ApiOptions, registry: Registry) -> Self {
        let ApiOptions {
            store,
            authenticator,
            clock,
            ids,
            planner,
            version,
        } = options;
        let server = Server {
            policies: Policies::new(Arc::clone(&store)),
            audit: Audit::new(Arc::clone(&store)),
            feed: Feed::new(Arc::clone(&store)),
            store,
            authenticator,
            clock,
            ids,
            planner,
            catalog: None,
            finder: None,
            copier: std::sync::OnceLock::new(),
            version,
            registry,
            webhooks: Webhooks::new(),
            keys: OnceLock::new(),
        };
        Self {
            server: Arc::new(server),
            in_flight: Arc::default(),
            dashboard: Arc::default(),
        }
    }

    /// Looks at what Railway has, for those who browse and import.
    ///
    /// # Panics
    /// When the server is serving already.
    #[must_use]
    pub fn with_catalog(mut self, catalog: Arc<dyn Catalog>) -> Self {
        let server = Arc::get_mut(&mut self.server);
        server.expect("said before anything serves").catalog = Some(catalog);
        self
    }

    /// Looks into repositories, for those who begin an environment with one.
    ///
    /// # Panics
    /// When the server is serving already.
    #[must_use]
    pub fn with_finder(mut self, finder: Arc<dyn Finder>) -> Self {
        let server = Arc::get_mut(&mut self.server);
        server.expect("said before anything serves").finder = Some(finder);
        self
    }

    /// No user has more than this many requests under way at once, watches aside; the next one is answered with 429.
    /// Callers in the same process are not counted.
    #[must_use]
    pub fn with_max_in_flight(mut self, per_user: NonZeroUsize) -> Self {
        self.in_flight = Arc::new(InFlight::limited_to(per_user));
        self
    }

    /// Serves these files to browsers, on the paths that are not the API's.
    #[must_use]
    pub fn with_dashboard(mut self, files: Files) -> Self {
        self.dashboard = Arc::new(Dashboard::of(files));
        self
    }

    /// Believes what these say in `X-Forwarded-For` about where a request comes from; by default nobody is believed.
    #[must_use]
    pub fn with_trusted_proxies(self, proxies: Vec<Network>) -> Self {
        self.server.audit.trust(proxies);
        self
    }

    /// Lets administrators change the master key of the store's secrets.
    #[must_use]
    pub fn with_key_rotation(self, keys: Arc<dyn KeyRotation>) -> Self {
        // Once, before serving.
        let _ = self.server.keys.set(keys);
        self
    }

    /// From now on copies of environments are worked out by this one. The controllers bring it, and they are clients of
    /// this API. Only the first one counts.
    pub fn copies_with(&self, copier: Arc<dyn Copier>) {
        let _ = self.server.copier.set(copier);
    }

    /// The key of variables' fingerprints, the same for every server on this store. Where there is none yet, `first`
    /// becomes it, or a random one.
    ///
    /// # Errors
    /// When the store does not answer, or what it holds there is no key.
    pub async fn variables_key(
        &self,
        first: Option<Zeroizing<[u8; 32]>>,
    ) -> Result<Zeroizing<[u8; 32]>, error::Status> {
        let store = &*self.server.store;
        let key = kept_key::ensure_or(store, VARIABLE_KEYS, "fingerprints", first).await;
        key.map_err(|error| error::Status::internal(format!("the variables' key: {error}")))
    }

    /// Writes the audit records that are still in memory: call it when the last request has been answered.
    ///
    /// # Errors
    /// When the store does not answer. Refusals of the last minute may then be missing from the log, never a write.
    pub async fn flush_audit(&self) -> Result<(), error::Status> {
        let flushed = self.server.audit.flush().await;
        flushed.map_err(|error| error::Status::internal(format!("the audit log: {error}")))
    }

    /// Makes what must always be there (namespaces, definitions of our kinds, the built-in roles) and takes up interrupted
    /// deletions of namespaces. Safe to repeat; call it before serving.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn bootstrap(&self) -> Result<(), error::Status> {
        let server = &*self.server;
        let namespaces = server.core_kind("namespaces")?;
        for name in namespace::PERMANENT {
            if server.namespace(name).await?.is_none() {
                server
                    .ensure(namespaces, name, namespace::new(name))
                    .await?;
            }
        }
        if let Some(kind) =
            server
                .registry
                .find("apiextensions.k8s.io", "v1", "customresourcedefinitions")
        {
            for definition in server.registry.definitions() {
                let name = definition.metadata.name.clone().unwrap_or_default();
                let object = serde_json::to_value(established(definition))
                    .map_err(error::Status::internal)?;
                server.ensure(kind, &name, object).await?;
            }
        }
        for builtin in builtin::objects(&server.registry) {
            server.ensure_builtin(builtin).await?;
        }
        namespace::resume(server).await
    }

    /// Housekeeping, to be called every minute or so: lets old events go, notes which tokens were used, and forgets all
    /// but the newest `keep_changes` changes. A watch that is further behind than that gets 410 and lists anew.
    ///
    /// Returns how many events went.
    ///
    /// # Errors
    /// When the store does not answer; the next call does what this one left.
    pub async fn sweep(&self, keep_changes: u64) -> Result<usize, error::Status> {
        let removed = event::expire(&self.server).await?;
        let swept = self.server.authenticator.sweep().await;
        swept.map_err(|error| error::Status::internal(format!("tokens: {error}")))?;
        let newest = *self.server.store.revision().borrow();
        let compacted = self
            .server
            .store
            .compact(newest.saturating_sub(keep_changes))
            .await;
        compacted
            .map_err(|error| error::Status::internal(format!("compaction failed: {error}")))?;
        Ok(removed)
    }

    /// Deletes what has lost its owners, and lets go of owners whose dependents are gone or were told. Runs until it is
    /// dropped, which may be at any time. One per database is enough; without any, what is deleted in the foreground, or
    /// with its dependents orphaned, waits.
    pub async fn collect_garbage(&self) {
        let client = kube::Client::new(self.trusted_router("mirage-garbage-collector"), "default");
        Collector::new(Arc::clone(&self.server), client).run().await;
    }

    /// How many webhooks came and what became of them, and how many writes they led to.
    pub fn webhook_counts(&self) -> (Vec<WebhookCount>, u64) {
        let webhooks = &self.server.webhooks;
        (webhooks.counts(), webhooks.writes())
    }

    /// The routes for callers with bearer tokens or the session of a browser, and the dashboard. `/version`, the health
    /// checks and webhooks need no token.
    pub fn router(&self) -> Router {
        let callers = router::Callers::Bearers {
            in_flight: Arc::clone(&self.in_flight),
            dashboard: Arc::clone(&self.dashboard),
        };
        router::router(Arc::clone(&self.server), callers)
    }

    /// The routes for a caller in the same process, who may do everything and is known by this name.
    pub fn trusted_router(&self, username: &str) -> Router {
        let identity = Identity {
            username: username.to_owned(),
            groups: vec![MASTERS.to_owned()],
            ..Identity::default()
        };
        router::router(Arc::clone(&self.server), router::Callers::Trusted(identity))
    }
}
