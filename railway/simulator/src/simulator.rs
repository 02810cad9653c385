//! The simulator as a value: cheap to clone, shared by its server and by tests.

use jiff::Timestamp;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::Clock;
use crate::control;
use crate::edit::{DashboardEdit, EditError};
use crate::fault::{Fault, FaultId, FaultKind, FaultReport};
use crate::hold::Holds;
use crate::inventory::Inventory;
use crate::lifecycle::due;
use crate::limits::{Limits, Plan};
use crate::options::Options;
use crate::persist::{self, PersistError};
use crate::record::{Record, RequestCounts, RequestRecord};
use crate::request::Replay;
use crate::state::{Grant, Rules, Token, Workspace, World};

/// The simulator could not be started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its file is unusable.
    #[error("the simulated world could not be loaded")]
    State(#[source] PersistError),
    /// A setting makes no sense.
    #[error("{0}")]
    Setting(String),
    /// It could not listen.
    #[error("the simulator cannot listen on {address}")]
    Listen {
        /// Where.
        address: std::net::SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The server failed.
    #[error("the simulator's server stopped")]
    Serve(#[source] std::io::Error),
}

/// Everything behind the lock.
pub(crate) struct State {
    pub(crate) world: World,
    pub(crate) limits: Limits,
    pub(crate) record: Record,
    pub(crate) replays: Vec<Replay>,
    saved: u64,
}

pub(crate) struct Inner {
    pub(crate) clock: Clock,
    pub(crate) holds: Holds,
    state: Mutex<State>,
    state_file: Option<std::path::PathBuf>,
}

/// A Railway in this process.
#[derive(Clone)]
pub struct Simulator {
    pub(crate) inner: Arc<Inner>,
}

impl std::fmt::Debug for Simulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Simulator").finish_non_exhaustive()
    }
}

impl Simulator {
    /// A new world, or the one in the state file.
    ///
    /// # Errors
    /// The state file cannot be read, or the speed is not positive.
    pub fn new(options: Options) -> Result<Self, Error> {
        if !(options.speed.is_finite() && options.speed > 0.0) {
            return Err(Error::Setting(
                "the speed must be a positive number".to_owned(),
            ));
        }
        let rules = Arc::new(Rules {
            timing: options.timing.clone(),
            quirks: options.quirks.clone(),
            rate_limits: options.rate_limits,
        });
        let loaded = match &options.state_file {
            Some(path) => persist::load(path).map_err(Error::State)?,
            None => None,
        };
        let mut world = match loaded {
            Some(mut world) => {
                world.rules = rules;
                world
            }
            None => World::empty(options.start, options.seed, rules),
        };
        seed(&mut world, &options);
        // Time went on while the simulator was off, as it does for the real one.
        let since = options.start.as_millisecond() - world.base.as_millisecond();
        let clock = Clock::starting(options.speed, world.now.max(since));
        Ok(Self {
            inner: Arc::new(Inner {
                clock,
                holds: Holds::default(),
                state: Mutex::new(State {
                    world,
                    limits: Limits::default(),
                    record: Record::default(),
                    replays: Vec::new(),
                    saved: 0,
                }),
                state_file: options.state_file,
            }),
        })
    }

    /// The world, brought up to now.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self
            .inner
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let now = self.inner.clock.now_ms();
        self.replay(&mut state, now);
        due::advance(&mut state.world, now);
        state
    }

    /// Keeps what changed. A failure is told and survived: the next change tries again.
    pub(crate) fn keep(&self, state: &mut State) {
        let Some(path) = &self.inner.state_file else {
            return;
        };
        if state.saved == state.world.revision {
            return;
        }
        match persist::save(path, &state.world) {
            Ok(()) => state.saved = state.world.revision,
            Err(error) => tracing::error!(%error, "the simulated world could not be saved"),
        }
    }

    /// Counts of requests so far.
    #[must_use]
    pub fn requests(&self) -> RequestCounts {
        self.state().record.counts()
    }

    /// The recorded requests, oldest first, secrets struck out.
    #[must_use]
    pub fn log(&self) -> Vec<RequestRecord> {
        self.state().record.log()
    }

    /// Starts counting anew.
    pub fn reset_requests(&self) {
        self.state().record.reset();
    }

    /// What exists now; values of variables left out.
    #[must_use]
    pub fn inventory(&self) -> Inventory {
        let mut state = self.state();
        self.keep(&mut state);
        Inventory::of(&state.world, false)
    }

    /// What exists now, values of variables included.
    #[must_use]
    pub fn inventory_with_values(&self) -> Inventory {
        Inventory::of(&self.state().world, true)
    }

    /// Somebody edits in the dashboard.
    ///
    /// # Errors
    /// What is to be edited is not there, or Railway would refuse the edit.
    pub fn edit(&self, edit: DashboardEdit) -> Result<(), EditError> {
        let mut state = self.state();
        let result = control::edit::perform(&mut state.world, &edit);
        self.keep(&mut state);
        result
    }

    /// Adds a fault.
    #[must_use = "the id releases and removes the fault"]
    pub fn inject(&self, fault: Fault) -> FaultId {
        let mut state = self.state();
        let snapshot =
            matches!(fault.kind, FaultKind::StaleReads).then(|| Arc::new(state.world.clone()));
        let now = state.world.now;
        state.world.faults.inject(fault, now, snapshot)
    }

    /// Removes one fault and lets go the calls that it holds. Whether it was there.
    pub fn remove_fault(&self, id: FaultId) -> bool {
        let removed = self.state().world.faults.remove(id);
        self.inner.holds.release(id);
        removed
    }

    /// Removes all faults and lets go all held calls.
    pub fn clear_faults(&self) {
        self.state().world.faults.clear();
        self.inner.holds.release_all();
    }

    /// All faults, with how often they struck.
    #[must_use]
    pub fn faults(&self) -> Vec<FaultReport> {
        self.state().world.faults.report()
    }

    /// Waits until a [`FaultKind::Hold`] holds a call.
    pub async fn until_held(&self, id: FaultId) {
        self.inner.holds.until_held(id).await;
    }

    /// How many calls a hold holds at the moment.
    #[must_use]
    pub fn held(&self, id: FaultId) -> u64 {
        self.inner.holds.held(id)
    }

    /// Lets go the calls held now; how many they were.
    pub fn release(&self, id: FaultId) -> u64 {
        self.inner.holds.release(id)
    }

    /// Virtual time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let state = self.state();
        state.world.date(state.world.now)
    }

    /// Jumps forward in virtual time; what falls due happens.
    pub fn advance(&self, time: std::time::Duration) {
        self.inner
            .clock
            .skip(i64::try_from(time.as_millis()).unwrap_or(i64::MAX));
        let mut state = self.state();
        self.keep(&mut state);
    }
}

/// Workspaces and tokens that the options ask for and the world lacks.
fn seed(world: &mut World, options: &Options) {
    let first = ensure_workspace(world, &options.workspace, options.plan);
    ensure_token(world, &options.account_token, "account", Grant::Account);
    ensure_token(
        world,
        &options.workspace_token,
        "workspace",
        Grant::Workspace(first),
    );
    for more in &options.more_workspaces {
        let id = ensure_workspace(world, &more.name, more.plan);
        ensure_token(world, &more.token, &more.name, Grant::Workspace(id));
    }
}

fn ensure_workspace(world: &mut World, name: &str, plan: Plan) -> String {
    let found = world
        .workspaces
        .values_mut()
        .find(|workspace| workspace.name == name);
    if let Some(workspace) = found {
        workspace.plan = plan;
        return workspace.id.clone();
    }
    let id = world.uuid();
    let created = world.now;
    let order = world.workspaces.len();
    world.workspaces.insert(
        id.clone(),
        Workspace {
            id: id.clone(),
            name: name.to_owned(),
            order,
            created,
            plan,
            halted: false,
        },
    );
    id
}

fn ensure_token(world: &mut World, secret: &str, name: &str, grant: Grant) {
    if world.tokens.contains_key(secret) {
        return;
    }
    let id = world.uuid();
    let created = world.now;
    world.tokens.insert(
        secret.to_owned(),
        Token {
            id,
            name: name.to_owned(),
            grant,
            revoked: false,
            created,
        },
    );
}
