//! The garbage collector: objects go with their owners.
//!
//! ```text
//!   change log ──► graph ──► who is concerned ──► visit: read the object and its owners ──► collect ──► write
//!   (of every      who belongs to whom,           from the store itself                   (pure)      through the API
//!    kind)         through which revision
//! ```
//!
//! # What it does
//! An object whose owners are all gone is deleted. An owner that is deleted in the foreground waits, held by a finalizer,
//! for the dependents that block it; one that orphans its dependents waits until they have forgotten it. See
//! [`decision`] for the rules.
//!
//! # Guarantees
//! - Whether an owner is there is asked of the store at the time of the decision, by name and uid. A copy that lags behind
//!   decides nothing: the graph knows through which revision it has read, and what depends on an object is believed
//!   only once it has read beyond that object's last write.
//! - Every write is bound to the uid and the version that the decision was made for.
//! - Everything follows from what is stored: after a restart, or when the log was compacted away under it, it reads all
//!   objects and goes on. Two collectors on one database would only do things twice.
//!
//! # Caveats
//! Events neither own nor are owned. An owner of a kind that is not served here counts as there, because nobody can say
//! that it is not.

mod bonds;
mod decision;
mod effect;
mod graph;
mod visit;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use self::bonds::bonds;
use self::effect::Hands;
use self::graph::Graph;
use self::visit::VisitError;
use crate::kinds::Kind;
use crate::server::Server;
use crate::store::{ChangeKind, Key, ListQuery, StoreError};

/// Objects or changes read in one go.
const BATCH: usize = 500;

/// Changes that come together are looked at together: every look asks the store.
const GATHER: Duration = Duration::from_millis(100);

/// How long to wait after the first failure; doubled with each that follows.
const FIRST_RETRY: Duration = Duration::from_secs(1);

/// The longest wait between two attempts at one object.
const LAST_RETRY: Duration = Duration::from_secs(60);

/// Follows the store and collects.
pub(crate) struct Collector {
    server: Arc<Server>,
    hands: Hands,
    /// The kinds whose objects are followed, by the store's name.
    kinds: HashMap<String, Arc<Kind>>,
    graph: Graph,
    /// Through which revision all changes are in the graph; `None` until all objects were read.
    through: Option<u64>,
    /// Whom to visit next.
    concerned: BTreeSet<Key>,
    /// Whose visit failed: how often, and when to try again.
    failed: BTreeMap<Key, (u32, Instant)>,
}

impl Collector {
    /// One that acts through the client.
    pub(crate) fn new(server: Arc<Server>, client: kube::Client) -> Self {
        let kinds = server
            .registry
            .kinds()
            .filter(|kind| kind.stored_as.is_none() && kind.plural != "events")
            .map(|kind| (kind.resource(), Arc::clone(kind)))
            .collect();
        Self {
            server,
            hands: Hands::new(client),
            kinds,
            graph: Graph::default(),
            through: None,
            concerned: BTreeSet::new(),
            failed: BTreeMap::new(),
        }
    }

    /// Works until it is dropped, which it may be at any time.
    pub(crate) async fn run(mut self) {
        let mut wake = self.server.store.revision();
        loop {
            // Before looking, or a write in between would wake nobody.
            wake.borrow_and_update();
            if let Err(error) = self.catch_up().await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the garbage collector could not read the store; trying again"
                );
                sleep(FIRST_RETRY).await;
                continue;
            }
            self.work_off().await;
            sleep(GATHER).await;
            if self.concerned.is_empty() {
                let next = self.failed.values().map(|(_, at)| *at).min();
                let retry = async {
                    match next {
                        Some(at) => sleep_until(at).await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    woken = wake.changed() => if woken.is_err() {
                        // The store is shutting down.
                        return;
                    },
                    () = retry => {}
                }
            }
        }
    }

    /// Brings the graph up to the store.
    async fn catch_up(&mut self) -> Result<(), StoreError> {
        if let Some(through) = self.through {
            match self.follow(through).await {
                Err(StoreError::Compacted { .. }) => {}
                other => return other,
            }
        }
        let listed = self.start_over().await?;
        match self.follow(listed).await {
            // So slow, or so busy a store: what was listed is forgotten again, and the next round begins anew.
            Err(StoreError::Compacted { .. }) => {
                self.through = None;
                Ok(())
            }
            other => other,
        }
    }

    /// Reads every object. Pages and kinds need not fit together: the changes since the first page are read after them.
    /// Answers with that page's revision.
    async fn start_over(&mut self) -> Result<u64, StoreError> {
        self.through = None;
        self.graph = Graph::default();
        let mut listed = u64::MAX;
        for resource in self.kinds.keys() {
            let mut query = ListQuery {
                resource: resource.clone(),
                namespace: None,
                after: None,
                limit: Some(BATCH),
            };
            loop {
                let page = self.server.store.list(&query).await?;
                listed = listed.min(page.revision);
                query.after = page
                    .items
                    .last()
                    .map(|last| (last.key.namespace.clone(), last.key.name.clone()));
                for stored in page.items {
                    self.graph.put(&stored.key, &bonds(&stored.object));
                }
                if page.remaining == 0 {
                    break;
                }
            }
        }
        self.concerned = self.graph.all_concerned();
        Ok(listed)
    }

    /// Reads what has changed after this revision.
    async fn follow(&mut self, mut after: u64) -> Result<(), StoreError> {
        loop {
            let (changes, through) = self.server.store.log(after, BATCH).await?;
            let is_all = changes.len() < BATCH;
            for change in changes {
                if !self.kinds.contains_key(&change.key.resource) {
                    continue;
                }
                let concerned = match change.kind {
                    ChangeKind::Deleted => self.graph.remove(&change.key),
                    ChangeKind::Created | ChangeKind::Updated => {
                        self.graph.put(&change.key, &bonds(&change.object))
                    }
                };
                self.concerned.extend(concerned);
            }
            after = after.max(through);
            self.through = Some(after);
            if is_all {
                return Ok(());
            }
        }
    }

    /// Visits whoever is concerned, and those whose time to be tried again has come.
    async fn work_off(&mut self) {
        if self.through.is_none() {
            return;
        }
        let now = Instant::now();
        let due = self.failed.iter().filter(|(_, (_, at))| *at <= now);
        self.concerned.extend(due.map(|(key, _)| key.clone()));
        for key in std::mem::take(&mut self.concerned) {
            match self.visit(&key).await {
                Ok(()) => {
                    self.failed.remove(&key);
                }
                // Someone else has written meanwhile: the next look sees what.
                Err(VisitError::Stale) => {
                    self.concerned.insert(key);
                }
                Err(error) => {
                    let failures = self.failed.get(&key).map_or(0, |(failures, _)| *failures);
                    let wait = FIRST_RETRY
                        .saturating_mul(1 << failures.min(10))
                        .min(LAST_RETRY);
                    tracing::warn!(
                        object = %key,
                        error = &error as &dyn std::error::Error,
                        retry_in_seconds = wait.as_secs(),
                        "the garbage collector could not deal with {key}"
                    );
                    self.failed
                        .insert(key, (failures.saturating_add(1), Instant::now() + wait));
                }
            }
        }
    }
}
