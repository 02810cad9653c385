//! One snapshot of every project that somebody cares about, kept fresh with as few requests as possible.
//!
//! A refresh reads up to twenty projects with one request and, with a second one, the configurations of those environments
//! whose etag moved. So the cost of watching grows with projects, and a reconcile without a difference costs nothing: it reads
//! the snapshot.
//!
//! # What may be concluded
//! `Present` and `Absent` were read completely, after our last write. Within [`ObserverOptions::grace`] of a write reads may still
//! lag ([`Observer::in_grace`]): then what is missing is not yet known to be absent. A read in which much has vanished at once is
//! not believed before a second one, some seconds later, agrees; until then the answer is `Unknown`, and an [`Alarm`] is kept.
//!
//! # Order
//! Reads and writes are ordered by a counter rather than by time: a read that began before a write cannot show it, whatever
//! the clock says.

mod glance;
mod names;
mod refresh;
mod vanished;
mod watched;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tokio::{
    sync::{Notify, broadcast},
    time::Instant,
};

use crate::{
    budget::Priority,
    client::{Client, Identity},
    error::Error,
    id::{EnvironmentId, ProjectId},
    secret::FingerprintKey,
    snapshot::{Presence, ProjectSnapshot},
};
use names::Listing;
use watched::{Depth, Watched};

/// How an observer behaves.
#[derive(Clone)]
pub struct ObserverOptions {
    /// Key of the fingerprints that stand for variables' values.
    pub key: FingerprintKey,
    /// How often a project is looked at when nothing happens in it.
    pub idle_interval: Duration,
    /// How often while something is under way.
    pub active_interval: Duration,
    /// How long reads may lag behind a write (30 s observed).
    pub grace: Duration,
    /// Two reads that show the same disappearance must be this far apart to be believed.
    pub confirm_after: Duration,
    /// A configuration is read again after this, should its etag not cover everything.
    pub config_max_age: Duration,
    /// Text in the description of projects that Mirage made, to choose between several of one name.
    pub project_mark: String,
}

impl ObserverOptions {
    /// The usual times.
    pub fn new(key: FingerprintKey) -> Self {
        Self {
            key,
            idle_interval: Duration::from_secs(60),
            active_interval: Duration::from_secs(5),
            grace: Duration::from_secs(30),
            confirm_after: Duration::from_secs(4),
            config_max_age: Duration::from_secs(30 * 60),
            project_mark: "mirage".to_owned(),
        }
    }
}

/// Much vanished at once. Kept until it is taken by [`Observer::take_alarms`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Where.
    pub project: ProjectId,
    /// What, in words.
    pub message: String,
    /// Whether a second read agreed, so that it is believed.
    pub is_confirmed: bool,
}

/// What a sweep did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SweepReport {
    /// Projects that were due.
    pub projects: usize,
    /// Configurations that were read because their etag had moved.
    pub configs: usize,
    /// Projects that look different from before.
    pub changed: Vec<ProjectId>,
}

/// Watches the projects of one credential.
pub struct Observer {
    inner: Arc<Inner>,
}

struct Inner {
    client: Client,
    options: ObserverOptions,
    state: Mutex<State>,
    changes: broadcast::Sender<ProjectId>,
    /// Somebody is interested in more, or sooner.
    wake: Notify,
}

#[derive(Default)]
struct State {
    /// Orders reads and writes.
    tick: u64,
    projects: BTreeMap<ProjectId, Watched>,
    names: BTreeMap<String, ProjectId>,
    identity: Option<Identity>,
    listing: Option<Listing>,
    glanced: glance::Glanced,
    alarms: Vec<Alarm>,
}

impl State {
    fn next_tick(&mut self) -> u64 {
        self.tick += 1;
        self.tick
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        // Each change under the lock leaves a whole state behind.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer {
    /// An observer that watches nothing yet.
    pub fn new(client: Client, options: ObserverOptions) -> Arc<Self> {
        Arc::new(Self {
            inner: Arc::new(Inner {
                client,
                options,
                state: Mutex::new(State::default()),
                changes: broadcast::channel(1024).0,
                wake: Notify::new(),
            }),
        })
    }

    /// The project of that exact name in the credential's workspaces. A name that was found is remembered; one that is missing
    /// is looked up afresh each time, callers at the same moment sharing one request.
    ///
    /// Of several, the oldest that carries our mark in its description; when none does, which one is meant is unknown.
    ///
    /// # Errors
    /// When the list could not be read to its end.
    pub async fn find_project(
        &self,
        name: &str,
        priority: Priority,
    ) -> Result<Presence<ProjectId>, Error> {
        names::find_project(&self.inner, name, priority).await
    }

    /// A project's snapshot, not older than our last write and than twice the interval. From now on it is watched, with
    /// the configuration of every environment in it.
    ///
    /// # Errors
    /// When a read was needed and failed as a whole; a project that could not be read alone is `Unknown`.
    pub async fn project(
        &self,
        id: &ProjectId,
        priority: Priority,
    ) -> Result<Presence<Arc<ProjectSnapshot>>, Error> {
        self.look(id, Depth::Everything, priority).await
    }

    /// The same, with the configuration of just these environments, by name or id. Configurations hold values, and what is
    /// not ours is not read.
    ///
    /// # Errors
    /// As [`Observer::project`].
    pub async fn project_with(
        &self,
        id: &ProjectId,
        environments: impl IntoIterator<Item = String>,
        priority: Priority,
    ) -> Result<Presence<Arc<ProjectSnapshot>>, Error> {
        self.look(
            id,
            Depth::Only(environments.into_iter().collect()),
            priority,
        )
        .await
    }

    async fn look(
        &self,
        id: &ProjectId,
        depth: Depth,
        priority: Priority,
    ) -> Result<Presence<Arc<ProjectSnapshot>>, Error> {
        let flight = {
            let mut state = self.inner.state();
            let now = Instant::now();
            let tick = state.next_tick();
            let watched = state.projects.entry(id.clone()).or_default();
            watched.depth.deepen(depth);
            if let Some(answer) = watched.answer(&self.inner.options, now) {
                return Ok(answer);
            }
            watched.joinable_flight().unwrap_or_else(|| {
                refresh::take_off(&self.inner, watched, id.clone(), tick, priority)
            })
        };
        self.inner.wake.notify_one();
        flight.await?;
        let mut state = self.inner.state();
        Ok(state.projects.entry(id.clone()).or_default().last_known())
    }

    /// We wrote to the project: what is cached is older than that, and absence means nothing for the grace time.
    pub fn wrote(&self, project: &ProjectId) {
        let mut state = self.inner.state();
        let tick = state.next_tick();
        state
            .projects
            .entry(project.clone())
            .or_default()
            .wrote(tick, Instant::now());
    }

    /// The same, and the environment's configuration is read again even if its etag stays.
    pub fn wrote_in(&self, project: &ProjectId, environment: &EnvironmentId) {
        self.wrote(project);
        let mut state = self.inner.state();
        if let Some(watched) = state.projects.get_mut(project) {
            watched.forget_config(environment);
        }
    }

    /// Somebody said at `at` that it is worth a look: what was read before we first hear of that is read afresh when it is
    /// next asked for. Saying the same again changes nothing, however often.
    pub fn look_since(&self, project: &ProjectId, at: Timestamp) {
        let mut state = self.inner.state();
        let tick = state.next_tick();
        state
            .projects
            .entry(project.clone())
            .or_default()
            .look_since(tick, at);
    }

    /// Whether our last write is so recent that reads may not show it.
    pub fn in_grace(&self, project: &ProjectId) -> bool {
        let state = self.inner.state();
        let now = Instant::now();
        state
            .projects
            .get(project)
            .is_some_and(|watched| watched.in_grace(self.inner.options.grace, now))
    }

    /// Watches a project, often while something is under way in it.
    pub fn follow(&self, project: &ProjectId, active: bool) {
        let mut state = self.inner.state();
        state.projects.entry(project.clone()).or_default().active = active;
        drop(state);
        self.inner.wake.notify_one();
    }

    /// Watches it no more.
    pub fn forget(&self, project: &ProjectId) {
        let mut state = self.inner.state();
        state.projects.remove(project);
        state.names.retain(|_, id| id != project);
    }

    /// Tells who the token is and, where it sees several workspaces, which of them projects are looked for in. Without this
    /// the first look for a name asks.
    pub fn set_identity(&self, identity: Identity) {
        self.inner.state().identity = Some(identity);
    }

    /// Projects that look different after a refresh.
    pub fn changes(&self) -> broadcast::Receiver<ProjectId> {
        self.inner.changes.subscribe()
    }

    /// Takes the alarms since the last time.
    pub fn take_alarms(&self) -> Vec<Alarm> {
        std::mem::take(&mut self.inner.state().alarms)
    }

    /// The credential's client.
    pub fn client(&self) -> &Client {
        &self.inner.client
    }

    /// Looks at all projects that are due, once.
    ///
    /// # Errors
    /// When nothing could be learnt; the projects are due again after their interval.
    pub async fn sweep(&self) -> Result<SweepReport, Error> {
        let (ids, tick) = {
            let mut state = self.inner.state();
            let now = Instant::now();
            let ids: Vec<_> = state
                .projects
                .iter()
                .filter(|(_, watched)| {
                    watched
                        .due_at(&self.inner.options)
                        .is_none_or(|due| due <= now)
                })
                .map(|(id, _)| id.clone())
                .collect();
            (ids, state.next_tick())
        };
        if ids.is_empty() {
            return Ok(SweepReport::default());
        }
        refresh::refresh(&self.inner, &ids, tick, Priority::Observation).await
    }

    /// Sweeps for ever. Dropping the future stops it.
    pub async fn run(self: Arc<Self>) {
        loop {
            // Registered before the look, or a wake-up in between is lost.
            let wake = self.inner.wake.notified();
            let next = {
                let state = self.inner.state();
                let now = Instant::now();
                let options = &self.inner.options;
                state
                    .projects
                    .values()
                    .map(|watched| watched.due_at(options).unwrap_or(now))
                    .min()
            };
            match next {
                None => wake.await,
                Some(due) => tokio::select! {
                    () = wake => {}
                    () = tokio::time::sleep_until(due) => {
                        if let Err(error) = self.sweep().await {
                            tracing::warn!(%error, class = %error.class(), "could not look at Railway");
                            // An interval of nothing would otherwise ask in a tight loop while Railway is down.
                            tokio::time::sleep(error.wait().unwrap_or(Duration::from_secs(1)).min(Duration::from_secs(60))).await;
                        }
                    }
                },
            }
        }
    }
}

#[cfg(test)]
mod tests;
