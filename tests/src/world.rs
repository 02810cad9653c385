//! The whole of Mirage and its Railway in one process, on tokio's paused clock and from one seed.
//!
//! ```text
//!   user ──► kube::Client ──► API ──► MemoryStore
//!                              ▲
//!                    door ─────┘          both count effects and can be cut:
//!   life: controllers ─┤                  what is cut never hears of the world again,
//!                    wire ──► Simulator   as if its process had been killed
//! ```
//!
//! A [`World`] outlives its controllers: they are killed between any two effects ([`Cut`]) and started again with
//! nothing but what the API server has.

mod clock;
mod copies;
mod door;
mod github_wire;
mod life;
mod power;
mod uses;
mod wire;

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use async_trait::async_trait;
use axum::body::Body;
use http::{Method, Request, StatusCode, header::CONTENT_TYPE};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use mirage_api::{
    Api, ApiOptions, Copier, Ids,
    auth::{Authenticator, Identity},
    store::{
        ListQuery, Store, StoreError, Stored,
        audit::{AuditOrder, AuditQuery},
        memory::MemoryStore,
    },
};
use mirage_github::transport::Transport as GitHubTransport;
use mirage_railway::{client::Clock, transport::Transport};
use mirage_railway_simulator::{Options as RailwayOptions, Simulator};
use mirage_reconcilers::{
    Intervals, PlannedChange,
    git_sync::fetch::{Git, Repositories},
};
use mirage_specs::{Environment, EnvironmentStatus, Orphan, RailwayAccount};
use mirage_vault::{HttpVault, Vault};
use serde_json::{Value, json};
use tokio::time::Instant;
use tower::ServiceExt as _;

use copies::Copies;
use life::Life;
pub use power::{Cut, Cutting};

/// A clock that shows `start` now and follows tokio's.
pub fn clock_of(start: Timestamp) -> Clock {
    clock::starting_at(start)
}

/// A way to Railway that nobody cuts.
pub fn unwatched_wire(simulator: &Simulator) -> Arc<dyn Transport> {
    Arc::new(wire::Wire::new(
        simulator.clone(),
        Arc::new(power::Power::on()),
    ))
}

/// Namespace of everything.
pub const NAMESPACE: &str = "default";

/// What a world is made from.
pub struct WorldOptions {
    /// Ids, jitter, delays and chances follow from it.
    pub seed: u64,
    /// The Railway in it.
    pub railway: RailwayOptions,
    /// How long Mirage waits.
    pub intervals: Intervals,
    /// The GitHub in it; none when absent.
    pub github: Option<Arc<dyn GitHubTransport>>,
    /// Where the files of GitSyncs come from.
    pub repositories: Arc<dyn Repositories>,
    /// The Vault in it; the network's own when absent, where there is none.
    pub vault: Option<Arc<dyn Vault>>,
}

impl WorldOptions {
    /// Railway as it is, with its delays, throttles and limits.
    pub fn lifelike(seed: u64) -> Self {
        Self {
            seed,
            railway: RailwayOptions {
                seed,
                ..RailwayOptions::default()
            },
            intervals: Intervals::default(),
            github: None,
            // Only repositories on the network leave anything there.
            repositories: Arc::new(Git::new(std::env::temp_dir().join("mirage-world-git"))),
            vault: None,
        }
    }
}

/// Mirage, its users and its Railway.
pub struct World {
    /// The Railway.
    pub simulator: Simulator,
    store: Arc<MemoryStore>,
    api: Api,
    user: kube::Client,
    copies: Arc<Copies>,
    clock: Clock,
    seed: u64,
    intervals: Intervals,
    github: Arc<dyn GitHubTransport>,
    repositories: Arc<dyn Repositories>,
    vault: Arc<dyn Vault>,
    life: Option<Life>,
    lives: u64,
    /// When the controllers come back after a crash.
    back_at: Instant,
    /// How long the controllers stay away after they were cut.
    pub downtime: Duration,
    /// Cuts so far.
    pub crashes: u64,
}

/// In this world nobody comes by network.
struct Nobody;

#[async_trait]
impl Authenticator for Nobody {
    async fn authenticate(&self, _: &str) -> Result<Option<Identity>, StoreError> {
        Ok(None)
    }
}

impl World {
    /// An API server with nothing in it but the credential, and a Railway. The controllers are not running yet.
    ///
    /// # Errors
    /// When one of them does not start.
    pub async fn new(options: WorldOptions) -> anyhow::Result<Self> {
        let clock = clock::starting_at(options.railway.start);
        let simulator = Simulator::new(options.railway)?;
        let store = Arc::new(MemoryStore::new());
        let api = Api::new(ApiOptions {
            store: Arc::clone(&store) as Arc<dyn Store>,
            authenticator: Arc::new(Nobody),
            clock: Arc::clone(&clock),
            ids: Ids::seeded(options.seed),
            planner: None,
            version: "0.0.0".to_owned(),
        });
        let copies = Arc::new(Copies::default());
        api.copies_with(Arc::clone(&copies) as Arc<dyn Copier>);
        api.bootstrap()
            .await
            .map_err(|status| anyhow::anyhow!("the API does not start: {status:?}"))?;
        let user = kube::Client::new(api.trusted_router("user"), NAMESPACE);
        let world = Self {
            simulator,
            store,
            api,
            user,
            copies,
            clock,
            seed: options.seed,
            intervals: options.intervals,
            github: options
                .github
                .unwrap_or_else(|| Arc::new(github_wire::Nowhere)),
            repositories: options.repositories,
            vault: options.vault.unwrap_or_else(|| Arc::new(HttpVault::new())),
            life: None,
            lives: 0,
            back_at: Instant::now(),
            downtime: Duration::from_secs(3),
            crashes: 0,
        };
        let account = RailwayAccount::new("default", mirage_specs::RailwayAccountSpec::default());
        world
            .objects::<RailwayAccount>()
            .create(&PostParams::default(), &account)
            .await?;
        Ok(world)
    }

    /// The time of the world.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Objects of a kind, as a user sees them.
    pub fn objects<K>(&self) -> kube::Api<K>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>,
    {
        kube::Api::namespaced(self.user.clone(), NAMESPACE)
    }

    /// Brings a request to the API by its public door, where bearer tokens and webhooks come in; the status of the answer.
    pub async fn knock(&self, request: Request<Body>) -> StatusCode {
        let Ok(response) = self.api.router().oneshot(request).await;
        response.status()
    }

    /// Asks the API as a user does, with JSON in and out; the status and the body of the answer.
    ///
    /// # Errors
    /// When the answer is no JSON.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<(StatusCode, Value)> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(CONTENT_TYPE, "application/json")
            .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())))?;
        let Ok(response) = self.api.trusted_router("user").oneshot(request).await;
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await?;
        Ok((status, serde_json::from_slice(&bytes)?))
    }

    /// Starts the controllers, as a new process would.
    pub fn start(&mut self) {
        if self.life.is_none() {
            self.lives += 1;
            // Another process has other random numbers, and the history stays one of this seed.
            let seed = self.seed.wrapping_mul(1_000_003).wrapping_add(self.lives);
            let life = Life::begin(
                &self.api,
                &self.simulator,
                &self.github,
                Arc::clone(&self.clock),
                seed,
                self.intervals,
                Arc::clone(&self.repositories),
                Arc::clone(&self.vault),
            );
            self.copies.now_by(Arc::clone(&life.copier));
            self.life = Some(life);
        }
    }

    /// Kills the controllers wherever they are.
    pub async fn crash(&mut self) {
        if let Some(life) = self.life.take() {
            self.crashes += 1;
            self.back_at = Instant::now() + self.downtime;
            life.end().await;
        }
    }

    /// Whether the controllers run.
    pub fn is_running(&self) -> bool {
        self.life.is_some()
    }

    /// Kills the controllers at an effect, counted from now.
    pub fn cut(&self, cut: Cut) {
        if let Some(life) = &self.life {
            life.power.arm(cut);
        }
    }

    /// Takes a cut back that has not happened.
    pub fn disarm(&self) {
        if let Some(life) = &self.life {
            life.power.disarm();
        }
    }

    /// Effects of the running controllers so far.
    pub fn effects(&self) -> u64 {
        self.life.as_ref().map_or(0, |life| life.power.effects())
    }

    /// What the running controllers did, in order: `POST /apis/…` and `railway environmentCreate`.
    pub fn effect_names(&self) -> Vec<String> {
        self.life
            .as_ref()
            .map(|life| life.power.names())
            .unwrap_or_default()
    }

    /// Lets time pass. Controllers that are cut meanwhile come back after [`World::downtime`].
    pub async fn pass(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until {
            let Some(life) = &self.life else {
                if self.lives == 0 {
                    tokio::time::sleep_until(until).await;
                    return;
                }
                tokio::time::sleep_until(self.back_at.min(until)).await;
                if self.back_at <= until {
                    self.start();
                }
                continue;
            };
            let was_cut = tokio::select! {
                biased;
                () = life.power.was_cut() => true,
                () = tokio::time::sleep_until(until) => false,
            };
            if was_cut {
                self.crash().await;
            }
        }
    }

    /// Lets time pass until a condition holds; `false` when it does not within `limit`.
    ///
    /// # Errors
    /// What the condition could not find out.
    pub async fn pass_until(
        &mut self,
        limit: Duration,
        mut holds: impl AsyncFnMut(&World) -> anyhow::Result<bool>,
    ) -> anyhow::Result<bool> {
        // Looked at this often: often enough to be exact, rarely enough to cost nothing.
        const STEP: Duration = Duration::from_secs(2);
        let until = Instant::now() + limit;
        loop {
            if holds(self).await? {
                return Ok(true);
            }
            if Instant::now() >= until {
                return Ok(false);
            }
            self.pass(STEP).await;
        }
    }

    /// Applies a manifest as `kubectl apply --server-side` does: what left it leaves the object.
    ///
    /// # Errors
    /// What the API server refuses.
    pub async fn apply(&self, manifest: &Value) -> anyhow::Result<Environment> {
        let name = manifest["metadata"]["name"]
            .as_str()
            .context("a manifest needs a name")?;
        let params = PatchParams::apply("user").force();
        Ok(self
            .objects::<Environment>()
            .patch(name, &params, &Patch::Apply(manifest))
            .await?)
    }

    /// Changes an object by a merge patch.
    ///
    /// # Errors
    /// What the API server refuses.
    pub async fn merge(&self, name: &str, patch: &Value) -> anyhow::Result<Environment> {
        let params = PatchParams::default();
        Ok(self
            .objects::<Environment>()
            .patch(name, &params, &Patch::Merge(patch))
            .await?)
    }

    /// Deletes an Environment, if it is there.
    ///
    /// # Errors
    /// What the API server refuses.
    pub async fn delete(&self, name: &str) -> anyhow::Result<()> {
        match self
            .objects::<Environment>()
            .delete(name, &DeleteParams::default())
            .await
        {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes a Secret with these keys.
    ///
    /// # Errors
    /// What the API server refuses.
    pub async fn secrets(&self, name: &str, data: Value) -> anyhow::Result<()> {
        let manifest = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data});
        let params = PatchParams::apply("user").force();
        self.objects::<Secret>()
            .patch(name, &params, &Patch::Apply(&manifest))
            .await?;
        Ok(())
    }

    /// One Environment.
    ///
    /// # Errors
    /// When the API server does not answer.
    pub async fn environment(&self, name: &str) -> anyhow::Result<Option<Environment>> {
        Ok(self.objects().get_opt(name).await?)
    }

    /// Its status; empty while there is none.
    ///
    /// # Errors
    /// When there is no such Environment.
    pub async fn status(&self, name: &str) -> anyhow::Result<EnvironmentStatus> {
        let environment = self
            .environment(name)
            .await?
            .with_context(|| format!("there is no Environment {name}"))?;
        Ok(environment.status.unwrap_or_default())
    }

    /// All Environments.
    ///
    /// # Errors
    /// When the API server does not answer.
    pub async fn environments(&self) -> anyhow::Result<Vec<Environment>> {
        Ok(self.objects().list(&ListParams::default()).await?.items)
    }

    /// All Orphans.
    ///
    /// # Errors
    /// When the API server does not answer.
    pub async fn orphans(&self) -> anyhow::Result<Vec<Orphan>> {
        Ok(self.objects().list(&ListParams::default()).await?.items)
    }

    /// What would be done for an Environment as it stands; `None` while the controllers are away.
    ///
    /// # Errors
    /// When it cannot be planned.
    pub async fn plan(&self, environment: &Environment) -> anyhow::Result<Option<PlannedChange>> {
        let Some(life) = &self.life else {
            return Ok(None);
        };
        let object = serde_json::to_value(environment)?;
        Ok(Some(life.planner.plan(object.clone(), Some(object)).await?))
    }

    /// Whoever looks at Railway; `None` while the controllers are away.
    pub fn catalog(&self) -> Option<&mirage_reconcilers::Catalog> {
        self.life.as_ref().map(|life| life.catalog.as_ref())
    }

    /// Everything of a resource that is stored, as it is stored.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn stored(&self, resource: &str) -> anyhow::Result<Vec<Stored>> {
        let query = ListQuery {
            resource: resource.to_owned(),
            namespace: None,
            after: None,
            limit: None,
        };
        Ok(self.store.list(&query).await?.items)
    }

    /// What the audit log holds of a verb, the oldest first.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn audited(&self, verb: &str) -> anyhow::Result<Vec<Value>> {
        let query = AuditQuery {
            verb: Some(verb.to_owned()),
            order: AuditOrder::OldestFirst,
            limit: usize::MAX,
            ..AuditQuery::default()
        };
        let found = self.store.audit(&query).await?;
        Ok(found.into_iter().map(|it| it.record).collect())
    }

    /// Everything that a resource's objects ever were.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn past(&self, resource: &str) -> anyhow::Result<Vec<Value>> {
        let (changes, _) = self.store.changes(resource, None, 0, usize::MAX).await?;
        Ok(changes
            .into_iter()
            .map(|change| change.object.into_value())
            .collect())
    }
}
