//! What the visits to all GitSyncs share, and what is remembered between them. All of it may be lost.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use mirage_github::GitHub;

use super::{
    fetch::{FetchError, Repositories, Request, Snapshot},
    metrics::FetchLabels,
    status::reason_of,
};
use crate::context::Context;

/// How soon a repository that did not answer is asked again, at the latest after its own interval.
const AGAIN: Duration = Duration::from_secs(30);

/// What the visits to all GitSyncs share.
pub struct Syncer {
    /// Shared with the other controllers.
    pub context: Arc<Context>,
    /// Where snapshots come from.
    pub repositories: Arc<dyn Repositories>,
    /// Where commits are told how they went.
    pub github: Arc<dyn GitHub>,
    memory: Mutex<BTreeMap<String, Look>>,
}

/// The last look at a repository.
#[derive(Clone)]
pub struct Look {
    request: Request,
    /// When.
    pub at: Timestamp,
    /// What was seen.
    pub outcome: Result<Arc<Snapshot>, FetchError>,
}

impl Look {
    /// When the next look is due.
    pub fn next(&self, interval: Duration) -> Timestamp {
        let wait = if self.outcome.is_ok() {
            interval
        } else {
            interval.min(AGAIN)
        };
        self.at + wait
    }
}

impl Syncer {
    /// With nothing remembered.
    pub fn new(
        context: Arc<Context>,
        repositories: Arc<dyn Repositories>,
        github: Arc<dyn GitHub>,
    ) -> Self {
        Self {
            context,
            repositories,
            github,
            memory: Mutex::default(),
        }
    }

    /// What a repository holds: as last seen, unless another look is due or `is_wanted` now.
    pub async fn look(
        &self,
        uid: &str,
        request: &Request,
        interval: Duration,
        is_wanted: bool,
    ) -> Look {
        let now = self.context.now();
        let known = self.memory().get(uid).cloned();
        if let Some(look) = known
            && look.request == *request
            && look.next(interval) > now
            && !is_wanted
        {
            return look;
        }
        let started = tokio::time::Instant::now();
        let outcome = self.repositories.snapshot(uid, request).await.map(Arc::new);
        let metrics = &self.context.metrics.git_sync;
        metrics
            .fetch_seconds
            .observe(started.elapsed().as_secs_f64());
        let label = match &outcome {
            Ok(_) => "ok",
            Err(error) => reason_of(error).into(),
        };
        metrics
            .fetches
            .get_or_create(&FetchLabels { outcome: label })
            .inc();
        let look = Look {
            request: request.clone(),
            at: self.context.now(),
            outcome,
        };
        self.memory().insert(uid.to_owned(), look.clone());
        look
    }

    /// Lets go of everything about a GitSync.
    pub async fn forget(&self, uid: &str) {
        self.memory().remove(uid);
        self.repositories.forget(uid).await;
    }

    fn memory(&self) -> MutexGuard<'_, BTreeMap<String, Look>> {
        // Whole after every statement, so a panic elsewhere does not spoil it.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
