//! The credentials of this process: one client, one budget and one observer each.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use mirage_railway::{
    client::{Client, ClientOptions, Clock, Identity, Token},
    id::{ProjectId, WorkspaceId},
    observer::{Observer, ObserverOptions},
    secret::{FingerprintKey, SecretValue},
    transport::Transport,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::{
    sync::{broadcast, watch},
    task::AbortHandle,
    time::timeout,
};
use url::Url;

use crate::context::Intervals;

/// A credential at work.
pub struct Account {
    /// Calls to Railway.
    pub client: Client,
    /// What Railway shows.
    pub observer: Arc<Observer>,
    workspace: Mutex<Option<WorkspaceId>>,
    /// Environments in transition, by project: these are looked at more often.
    active: Mutex<BTreeMap<ProjectId, BTreeSet<String>>>,
    /// Names of projects being made, with who makes them.
    claims: Mutex<BTreeMap<String, String>>,
    random: Mutex<StdRng>,
    tasks: [AbortHandle; 2],
}

impl Drop for Account {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Account {
    /// The workspace new projects go to.
    pub fn workspace(&self) -> Option<WorkspaceId> {
        lock(&self.workspace).clone()
    }

    /// Settles on a workspace of those the token sees: projects are looked for and made there and nowhere else.
    pub fn act_in(&self, workspace: Option<&(WorkspaceId, String)>, identity: &Identity) {
        self.observer.set_identity(Identity {
            workspaces: workspace.into_iter().cloned().collect(),
            ..identity.clone()
        });
        *lock(&self.workspace) = workspace.map(|(id, _)| id.clone());
    }

    /// Notes whether an environment is in transition, and so how often its project is looked at.
    pub fn follow(&self, project: &ProjectId, environment: &str, in_transition: bool) {
        let mut active = lock(&self.active);
        let environments = active.entry(project.clone()).or_default();
        if in_transition {
            environments.insert(environment.to_owned());
        } else {
            environments.remove(environment);
        }
        self.observer.follow(project, !environments.is_empty());
    }

    /// Lets one environment at a time make a project of a name: Railway allows several of one name.
    pub fn claim_project(&self, name: &str, environment: &str) -> bool {
        let mut claims = lock(&self.claims);
        claims
            .entry(name.to_owned())
            .or_insert_with(|| environment.to_owned())
            == environment
    }

    /// Gives the claim back.
    pub fn release_project(&self, name: &str, environment: &str) {
        let mut claims = lock(&self.claims);
        if claims.get(name).is_some_and(|owner| owner == environment) {
            claims.remove(name);
        }
    }

    /// Letters and digits made up on the spot.
    pub fn random_text(&self, length: u16) -> SecretValue {
        const ALPHABET: &[u8; 62] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let mut random = lock(&self.random);
        SecretValue::new(
            (0..length)
                .map(|_| char::from(ALPHABET[random.random_range(0..ALPHABET.len())]))
                .collect::<String>(),
        )
    }
}

/// What new credentials are made with.
#[derive(Clone)]
pub struct AccountOptions {
    /// The way to Railway.
    pub transport: Arc<dyn Transport>,
    /// Railway's address.
    pub endpoint: Url,
    /// Key of fingerprints.
    pub key: FingerprintKey,
    /// The time.
    pub clock: Clock,
    /// How often to look.
    pub intervals: Intervals,
    /// Seed of jitter and of generated values; `None` for the system's randomness.
    pub seed: Option<u64>,
}

/// Where a credential stands.
#[derive(Clone)]
pub enum Standing {
    /// It works, or did when last tried.
    Ready(Arc<Account>),
    /// It cannot be used; why, with the next step.
    Refused(String),
    /// Nothing is known of it yet, or it is not there at all.
    Untried,
}

/// What is said of a credential that is not there.
pub fn missing(namespace: &str, name: &str) -> String {
    format!(
        "there is no RailwayAccount {name:?} in namespace {namespace:?}: create one with a secretRef, \
         or start `mirage serve` with RAILWAY_API_TOKEN"
    )
}

/// All credentials, by namespace and name.
pub struct Accounts {
    options: AccountOptions,
    known: Mutex<BTreeMap<(String, String), Standing>>,
    changes: broadcast::Sender<ProjectId>,
    /// Told when it is known where a credential stands.
    judged: watch::Sender<()>,
}

/// How long somebody who asks waits for a credential of which nothing is known: the server, or the RailwayAccount, may
/// be just as new as the question.
const FIRST_LOOK: Duration = Duration::from_secs(5);

/// Namespace and name of the credential that the process itself brings.
pub const DEFAULT: (&str, &str) = ("default", "default");

impl Accounts {
    /// None yet.
    pub fn new(options: AccountOptions) -> Self {
        Self {
            options,
            known: Mutex::default(),
            changes: broadcast::channel(1024).0,
            judged: watch::Sender::default(),
        }
    }

    /// The credential of a name, as seen from a namespace. `default` is there for every namespace that has no own one.
    pub fn get(&self, namespace: &str, name: &str) -> Standing {
        let known = lock(&self.known);
        let own = known.get(&(namespace.to_owned(), name.to_owned()));
        let shared = || {
            known
                .get(&(DEFAULT.0.to_owned(), DEFAULT.1.to_owned()))
                .filter(|_| name == DEFAULT.1)
        };
        own.or_else(shared).cloned().unwrap_or(Standing::Untried)
    }

    /// The credential of a name, for whoever asks but once.
    ///
    /// # Errors
    /// Why it cannot be used, with the next step.
    pub async fn ready(&self, namespace: &str, name: &str) -> Result<Arc<Account>, String> {
        let mut judged = self.judged.subscribe();
        let known = async {
            loop {
                match self.get(namespace, name) {
                    Standing::Ready(account) => return Ok(account),
                    Standing::Refused(why) => return Err(why),
                    Standing::Untried => judged.changed().await.map_err(|gone| gone.to_string())?,
                }
            }
        };
        timeout(FIRST_LOOK, known)
            .await
            .unwrap_or_else(|_| Err(missing(namespace, name)))
    }

    /// Makes a client and an observer for a token, and sets them to work.
    pub fn open(&self, token: Token) -> Arc<Account> {
        let options = &self.options;
        let client = Client::new(ClientOptions {
            transport: Arc::clone(&options.transport),
            endpoint: options.endpoint.clone(),
            token,
            plan: None,
            seed: options.seed.unwrap_or_else(rand::random),
            clock: Arc::clone(&options.clock),
        });
        let observer = Observer::new(
            client.clone(),
            ObserverOptions {
                idle_interval: options.intervals.idle,
                active_interval: options.intervals.active,
                grace: options.intervals.grace,
                ..ObserverOptions::new(options.key.clone())
            },
        );
        let watching = tokio::spawn(Arc::clone(&observer).run()).abort_handle();
        let forwarding =
            tokio::spawn(forward(Arc::clone(&observer), self.changes.clone())).abort_handle();
        Arc::new(Account {
            client,
            observer,
            workspace: Mutex::default(),
            active: Mutex::default(),
            claims: Mutex::default(),
            random: Mutex::new(
                options
                    .seed
                    .map_or_else(rand::make_rng, StdRng::seed_from_u64),
            ),
            tasks: [watching, forwarding],
        })
    }

    /// Notes where a credential stands.
    pub fn set(&self, namespace: &str, name: &str, standing: Standing) {
        lock(&self.known).insert((namespace.to_owned(), name.to_owned()), standing);
        self.judged.send_replace(());
    }

    /// Forgets a credential.
    pub fn remove(&self, namespace: &str, name: &str) {
        lock(&self.known).remove(&(namespace.to_owned(), name.to_owned()));
    }

    /// Projects in which something changed, of all credentials.
    pub fn changes(&self) -> broadcast::Receiver<ProjectId> {
        self.changes.subscribe()
    }

    /// Every credential that can be used, by name, for metrics.
    pub fn all_ready(&self) -> Vec<(String, Arc<Account>)> {
        lock(&self.known)
            .iter()
            .filter_map(|((namespace, name), standing)| match standing {
                Standing::Ready(account) => {
                    Some((format!("{namespace}/{name}"), Arc::clone(account)))
                }
                Standing::Refused(_) | Standing::Untried => None,
            })
            .collect()
    }
}

async fn forward(observer: Arc<Observer>, to: broadcast::Sender<ProjectId>) {
    let mut from = observer.changes();
    loop {
        match from.recv().await {
            // Nobody listening is no reason to stop: a controller may be on its way.
            Ok(project) => drop(to.send(project)),
            Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => return,
        }
        for alarm in observer.take_alarms() {
            tracing::warn!(project = %alarm.project, confirmed = alarm.is_confirmed, "much vanished at once: {}", alarm.message);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // What is kept in here is whole after every statement, so a panic elsewhere does not spoil it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long a credential is left alone after it was refused, before it is tried again.
pub(crate) const REFUSED_AGAIN: Duration = Duration::from_secs(60);
