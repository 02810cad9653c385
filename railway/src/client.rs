//! Railway's API in our own types. A [`Client`] belongs to one credential and is cheap to clone; the clones share its
//! budget.
//!
//! A query that fails in passing is asked again; a mutation never is, unless it is certain that it did not leave.

mod browse;
mod by_environment;
mod call;
mod capabilities;
mod clock;
mod config;
mod configs;
mod deployments;
mod domains;
mod environments;
mod facts;
mod identity;
mod logs;
mod progress;
mod projects;
mod reading;
mod recent;
pub(crate) mod services;
mod token;
mod values;
mod variables;

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;
use url::Url;

pub use browse::{Deployed, InstanceDetail, ShownDeployment};
pub use clock::{Clock, system_clock};
pub use configs::{ConfigReading, Disclosed, DisclosedConfig, MayShow};
pub use deployments::DeploymentDetail;
pub use domains::{CustomDomain, DnsRecord, TcpProxy};
pub use environments::NewEnvironment;
pub use identity::{Identity, PlatformStatus, RateLimit, WorkspaceFacts};
pub use logs::{LogKind, LogLine};
pub use progress::Progress;
pub(crate) use progress::change_set_state;
pub use projects::{NewProject, ProjectSummary};
pub use reading::ProjectReading;
pub use token::Token;
pub use values::EnvironmentValues;

use crate::{
    budget::{Budget, Plan, Priority, Wait},
    error::{Error, Failure},
    id::EnvironmentId,
    transport::Transport,
};
pub(crate) use recent::Recent;
use recent::RecentProjects;
use token::Credential;

/// What a client is made of.
pub struct ClientOptions {
    /// The way to Railway.
    pub transport: Arc<dyn Transport>,
    /// Where the API is; [`crate::transport::RAILWAY_ENDPOINT`] for the real one.
    pub endpoint: Url,
    /// The credential.
    pub token: Token,
    /// Its plan, when it is known.
    pub plan: Option<Plan>,
    /// Seed of the jitter between attempts.
    pub seed: u64,
    /// What time it is.
    pub clock: Clock,
}

/// Railway's API, for one credential.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
    priority: Priority,
}

pub(crate) struct Inner {
    transport: Arc<dyn Transport>,
    endpoint: String,
    credential: Credential,
    budget: Budget,
    seed: u64,
    calls: AtomicU64,
    clock: Clock,
    /// Set once Railway has said that it has no change sets.
    pub(crate) lacks_change_sets: AtomicBool,
    /// Moves before and after each creation of a project: what was listed before may lack it.
    project_creations: AtomicU64,
    recent_projects: RecentProjects,
    /// Environments whose deletion we asked for, so that their disappearance alarms nobody.
    deleting: Mutex<BTreeSet<EnvironmentId>>,
}

impl Client {
    /// A client that asks on behalf of reconciles; see [`Client::with_priority`].
    pub fn new(options: ClientOptions) -> Self {
        let mut endpoint = options.endpoint;
        // Says openly who calls; without any query string the gateway is reported to limit more strictly.
        endpoint.query_pairs_mut().append_pair("source", "mirage");
        Self {
            inner: Arc::new(Inner {
                transport: options.transport,
                endpoint: endpoint.into(),
                credential: Credential::new(options.token),
                budget: Budget::new(options.plan),
                seed: options.seed,
                calls: AtomicU64::new(0),
                clock: options.clock,
                lacks_change_sets: AtomicBool::new(false),
                project_creations: AtomicU64::new(0),
                recent_projects: RecentProjects::default(),
                deleting: Mutex::new(BTreeSet::new()),
            }),
            priority: Priority::Convergence,
        }
    }

    /// The same client, asking with another priority.
    #[must_use]
    pub fn with_priority(&self, priority: Priority) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            priority,
        }
    }

    /// The credential's budget.
    pub fn budget(&self) -> &Budget {
        &self.inner.budget
    }

    /// What time it is.
    pub fn now(&self) -> jiff::Timestamp {
        (self.inner.clock)()
    }

    pub(crate) fn is_project_token(&self) -> bool {
        self.inner.credential.is_project
    }

    pub(crate) fn project_creations(&self) -> u64 {
        self.inner.project_creations.load(Ordering::SeqCst)
    }

    pub(crate) fn recent_project(&self, name: &str) -> Option<Recent> {
        self.inner.recent_projects.get(name)
    }

    pub(crate) fn is_deleting(&self, environment: &EnvironmentId) -> bool {
        self.deleting().contains(environment)
    }

    fn deleting(&self) -> std::sync::MutexGuard<'_, BTreeSet<EnvironmentId>> {
        // A set is whole after each of its operations.
        self.inner
            .deleting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn rate_limited(&self, operation: &'static str, message: &str, wait: Wait) -> Error {
        let wait = wait.until.saturating_duration_since(Instant::now());
        self.rate_limited_for(Failure::new(operation, message), wait)
    }

    fn rate_limited_for(&self, failure: Failure, wait: Duration) -> Error {
        let now = self.now();
        Error::RateLimited {
            failure,
            until: now.checked_add(wait).unwrap_or(now),
            wait,
        }
    }
}

#[cfg(test)]
mod tests;
