//! The controllers of one process: ordinary kube-rs ones, whose cluster is Railway.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
    time::Duration,
};

use futures::{FutureExt, Stream, StreamExt, stream};
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api, Client, Resource,
    core::PartialObjectMeta,
    runtime::{
        Controller, PredicateConfig, WatchStreamExt,
        controller::Config,
        reflector::{self, ObjectRef, Store},
        watcher,
    },
};
use mirage_github::GitHub;
use mirage_railway::{
    client::{Clock, Token},
    id::ProjectId,
    secret::FingerprintKey,
    transport::Transport,
};
use mirage_specs::{
    Environment, EnvironmentTemplate, Orphan, PreviewPolicy, RailwayAccount, SecretStore,
    preview_policy::POLICY_LABEL,
};
use mirage_vault::Vault;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{
    accounts::{AccountOptions, Accounts},
    catalog::Catalog,
    context::{self, Context, Intervals},
    copy::copier::Copier,
    environment::{
        self,
        planner::Planner,
        references::References,
        uses::{UseRecorder, Uses},
    },
    finder::Finder,
    git_sync::{self, fetch::Repositories, syncer::Syncer},
    metrics::Metrics,
    orphan, preview_policy,
    railway_account::{self, Keyring},
};

/// What the controllers run with.
pub struct Options {
    /// The API server: in process, remote, or a Kubernetes cluster with Mirage's CRDs.
    pub client: Client,
    /// The way to Railway.
    pub transport: Arc<dyn Transport>,
    /// Railway's address.
    pub endpoint: Url,
    /// The token this process was started with.
    pub default_token: Option<Token>,
    /// The way to GitHub.
    pub github: Arc<dyn GitHub>,
    /// Where people reach this Mirage, for links that others follow.
    pub public_url: Option<Url>,
    /// The time.
    pub clock: Clock,
    /// Key of fingerprints.
    pub fingerprint_key: FingerprintKey,
    /// Seed of jitter and generated values; `None` for the system's randomness.
    pub seed: Option<u64>,
    /// Name of this process, for Events.
    pub instance: String,
    /// Counters.
    pub metrics: Metrics,
    /// How long things wait.
    pub intervals: Intervals,
    /// Where the files of GitSyncs come from.
    pub repositories: Arc<dyn Repositories>,
    /// The way to secrets outside of Mirage.
    pub vault: Arc<dyn Vault>,
    /// Where it is written down who was given a secret value.
    pub uses: Arc<dyn UseRecorder>,
}

/// Environments worked on at the same time. A visit mostly waits for Railway, and the budget paces it.
const CONCURRENCY: u16 = 64;

/// The controllers, ready to run.
pub struct Controllers {
    options: Options,
    accounts: Arc<Accounts>,
}

impl Controllers {
    /// Puts everything together. Nothing runs yet.
    pub fn new(options: Options) -> Self {
        let accounts = Arc::new(Accounts::new(AccountOptions {
            transport: Arc::clone(&options.transport),
            endpoint: options.endpoint.clone(),
            key: options.fingerprint_key.clone(),
            clock: Arc::clone(&options.clock),
            intervals: options.intervals,
            seed: options.seed,
        }));
        Self { options, accounts }
    }

    /// Plans without carrying out, over the same credentials and snapshots.
    pub fn planner(&self) -> Arc<Planner> {
        Arc::new(Planner {
            client: self.options.client.clone(),
            accounts: Arc::clone(&self.accounts),
            key: self.options.fingerprint_key.clone(),
            clock: Arc::clone(&self.options.clock),
            patience: self.options.intervals.patience,
            vault: Arc::clone(&self.options.vault),
        })
    }

    /// Looks at what Railway has, over the same credentials and snapshots.
    pub fn catalog(&self) -> Arc<Catalog> {
        Arc::new(Catalog {
            accounts: Arc::clone(&self.accounts),
            key: self.options.fingerprint_key.clone(),
            clock: Arc::clone(&self.options.clock),
            patience: self.options.intervals.patience,
        })
    }

    /// Looks into repositories on the GitHub whose API is at `api_url`.
    pub fn finder(&self, api_url: Url) -> Arc<Finder> {
        Arc::new(Finder {
            client: self.options.client.clone(),
            github: Arc::clone(&self.options.github),
            api_url,
        })
    }

    /// Works copies of environments out, over the same credentials and snapshots.
    pub fn copier(&self) -> Arc<Copier> {
        Arc::new(Copier {
            client: self.options.client.clone(),
            accounts: Arc::clone(&self.accounts),
            clock: Arc::clone(&self.options.clock),
            vault: Arc::clone(&self.options.vault),
        })
    }

    /// The credentials, for what else wants to know about them.
    pub fn accounts(&self) -> Arc<Accounts> {
        Arc::clone(&self.accounts)
    }

    /// Runs until told to stop; visits under way are finished first.
    pub async fn run(self, shutdown: CancellationToken) {
        let Options {
            client,
            clock,
            fingerprint_key,
            instance,
            metrics,
            intervals,
            default_token,
            github,
            public_url,
            repositories,
            vault,
            uses,
            ..
        } = self.options;
        let environments: Api<Environment> = Api::all(client.clone());
        let (reader, writer) = reflector::store();
        let watched =
            reflector::reflector(writer, watcher(environments, watcher::Config::default()))
                .default_backoff()
                .touched_objects()
                .predicate_filter(what_others_change, PredicateConfig::default());
        let references = Arc::new(References::default());
        let context = Arc::new(Context {
            recorder: context::recorder(client.clone(), &instance),
            client: client.clone(),
            accounts: Arc::clone(&self.accounts),
            key: fingerprint_key,
            clock,
            intervals,
            metrics,
            environments: reader.clone(),
            vault,
            references: Arc::clone(&references),
            uses: Uses::new(uses),
        });
        let templates = Api::<EnvironmentTemplate>::all(client.clone());
        let users = reader.clone();
        // Their metadata only: no value is in the memory of who waits for a change.
        let secrets = watcher(
            Api::<PartialObjectMeta<Secret>>::all(client.clone()),
            watcher::Config::default(),
        )
        .default_backoff()
        .touched_objects();
        let stores = Api::<SecretStore>::all(client.clone());
        let (of_secret, of_store) = (Arc::clone(&references), references);
        let environments = Controller::for_stream(watched, reader.clone())
            .with_config(Config::default().concurrency(CONCURRENCY))
            .watches(templates, watcher::Config::default(), move |template| {
                users_of(&users, &template)
            })
            .watches_stream(secrets, move |secret| {
                let metadata = secret.meta();
                let name = metadata.name.as_deref().unwrap_or_default();
                of_secret.of_secret(metadata.namespace.as_deref(), name)
            })
            .watches(stores, watcher::Config::default(), move |store| {
                of_store.of_store(&store)
            })
            .reconcile_on(wake_ups(self.accounts.changes(), reader))
            .graceful_shutdown_on(shutdown.clone().cancelled_owned())
            .run(
                environment::reconcile,
                environment::on_error,
                Arc::clone(&context),
            )
            .for_each(|_| std::future::ready(()));
        let keyring = Arc::new(Keyring::new(Arc::clone(&context), default_token));
        let accounts = Controller::new(
            Api::<RailwayAccount>::all(client.clone()),
            watcher::Config::default(),
        )
        .graceful_shutdown_on(shutdown.clone().cancelled_owned())
        .run(
            railway_account::reconcile,
            railway_account::on_error,
            keyring,
        )
        .for_each(|_| std::future::ready(()));
        let orphans = Controller::new(
            Api::<Orphan>::all(client.clone()),
            watcher::Config::default(),
        )
        .graceful_shutdown_on(shutdown.clone().cancelled_owned())
        .run(orphan::reconcile, orphan::on_error, Arc::clone(&context))
        .for_each(|_| std::future::ready(()));
        let syncer = Arc::new(Syncer::new(
            Arc::clone(&context),
            repositories,
            Arc::clone(&github),
        ));
        let git_syncs = git_sync::wake::run(syncer, shutdown.clone());
        let previews = previews(context, github, public_url, &client, shutdown);
        futures::join!(
            environments.boxed(),
            accounts.boxed(),
            orphans.boxed(),
            previews.boxed(),
            git_syncs
        );
    }
}

/// Preview policies, woken by what they are made from and by what became of their Environments.
async fn previews(
    context: Arc<Context>,
    github: Arc<dyn GitHub>,
    public_url: Option<Url>,
    client: &Client,
    shutdown: CancellationToken,
) {
    let (reader, writer) = reflector::store();
    let policies = Api::<PreviewPolicy>::all(client.clone());
    let watched = reflector::reflector(writer, watcher(policies, watcher::Config::default()))
        .default_backoff()
        .touched_objects()
        .predicate_filter(what_others_change, PredicateConfig::default());
    let (of_template, of_environment) = (reader.clone(), reader.clone());
    let previews = preview_policy::Previews::new(context, github, public_url);
    Controller::for_stream(watched, reader)
        .with_config(Config::default().concurrency(CONCURRENCY))
        .owns(
            Api::<Environment>::all(client.clone()),
            watcher::Config::default().labels(POLICY_LABEL),
        )
        .watches(
            Api::<EnvironmentTemplate>::all(client.clone()),
            watcher::Config::default(),
            move |template| {
                made_from(&of_template, &template, |policy, name| {
                    policy
                        .spec
                        .from
                        .template
                        .as_ref()
                        .is_some_and(|from| from.name == name)
                })
            },
        )
        .watches(
            Api::<Environment>::all(client.clone()),
            watcher::Config::default().labels(&format!("!{POLICY_LABEL}")),
            move |environment| {
                made_from(&of_environment, &environment, |policy, name| {
                    policy
                        .spec
                        .from
                        .environment
                        .as_ref()
                        .is_some_and(|from| from.name == name)
                })
            },
        )
        .graceful_shutdown_on(shutdown.cancelled_owned())
        .run(
            preview_policy::reconcile,
            preview_policy::on_error,
            Arc::new(previews),
        )
        .for_each(|_| std::future::ready(()))
        .await;
}

/// Policies of an object's namespace that make their Environments from it.
fn made_from<K: Resource>(
    policies: &Store<PreviewPolicy>,
    object: &K,
    is_from: impl Fn(&PreviewPolicy, &str) -> bool,
) -> Vec<ObjectRef<PreviewPolicy>> {
    let name = object.meta().name.as_deref().unwrap_or_default();
    policies
        .state()
        .iter()
        .filter(|policy| {
            policy.metadata.namespace == object.meta().namespace && is_from(policy, name)
        })
        .map(|policy| ObjectRef::from_obj(policy.as_ref()))
        .collect()
}

/// What of an object wakes its reconcile: everything but the status, which only the reconcile itself writes.
fn what_others_change<K: Resource>(object: &K) -> Option<u64> {
    let metadata = object.meta();
    let mut hasher = DefaultHasher::new();
    (&metadata.uid, metadata.generation, &metadata.annotations).hash(&mut hasher);
    (&metadata.finalizers, metadata.deletion_timestamp.is_some()).hash(&mut hasher);
    Some(hasher.finish())
}

/// Environments of the template's namespace that inherit from it.
fn users_of(
    environments: &Store<Environment>,
    template: &EnvironmentTemplate,
) -> Vec<ObjectRef<Environment>> {
    environments
        .state()
        .iter()
        .filter(|environment| {
            environment.metadata.namespace == template.metadata.namespace
                && environment
                    .spec
                    .template_ref
                    .as_ref()
                    .map(|reference| &reference.name)
                    == template.metadata.name.as_ref()
        })
        .map(|environment| ObjectRef::from_obj(environment.as_ref()))
        .collect()
}

/// A project that changed on Railway wakes the environments in it. The wake-up says which, and nothing else.
fn wake_ups(
    changes: broadcast::Receiver<ProjectId>,
    environments: Store<Environment>,
) -> impl Stream<Item = ObjectRef<Environment>> + Send + 'static {
    stream::unfold(changes, |mut changes| async move {
        match changes.recv().await {
            Ok(project) => Some((Some(project), changes)),
            // Some were missed: everyone looks.
            Err(broadcast::error::RecvError::Lagged(_)) => Some((None, changes)),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    })
    .flat_map(move |project| {
        let woken: Vec<_> = environments
            .state()
            .iter()
            .filter(|environment| {
                project
                    .as_ref()
                    .is_none_or(|project| is_in(environment, project))
            })
            .map(|environment| ObjectRef::from_obj(environment.as_ref()))
            .collect();
        stream::iter(woken)
    })
}

fn is_in(environment: &Environment, project: &ProjectId) -> bool {
    let railway = environment
        .status
        .as_ref()
        .and_then(|status| status.railway.as_ref());
    railway.and_then(|railway| railway.project_id.as_deref()) == Some(project.as_str())
}

/// How long [`Controllers::run`] may take to finish after it was told to stop.
pub const DRAIN: Duration = Duration::from_secs(10);
