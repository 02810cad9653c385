//! What is known of one project, and when that may be believed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use futures::{future::BoxFuture, future::Shared};
use jiff::Timestamp;
use tokio::time::Instant;

use crate::{
    client::ProjectReading,
    error::Error,
    id::EnvironmentId,
    observer::{ObserverOptions, vanished::Vanished},
    snapshot::{ConfigSnapshot, EnvironmentSnapshot, Presence, ProjectSnapshot},
};

/// A read under way that several may wait for.
pub(super) type Flight = Shared<BoxFuture<'static, Result<(), Error>>>;

/// What is believed.
#[derive(Clone, Debug)]
pub(super) enum Known {
    Present(Arc<ProjectSnapshot>),
    Absent,
}

/// Why what was read last is not believed, or could not be read.
#[derive(Clone, Debug)]
pub(super) struct Doubt {
    pub(super) kind: DoubtKind,
    /// When it was first read like this.
    pub(super) since: Instant,
    /// Reads in a row that left a doubt, of whatever kind.
    pub(super) reads: u32,
    pub(super) words: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DoubtKind {
    /// The project alone could not be read.
    Unreadable,
    /// It was left out of the answer.
    Missing,
    /// Much in it has vanished.
    Vanished(Vanished),
}

pub(super) struct CachedConfig {
    pub(super) etag: String,
    pub(super) config: Arc<ConfigSnapshot>,
    pub(super) read_at: Instant,
}

/// Environments whose configuration is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    Everything,
    /// By name or id.
    Only(BTreeSet<String>),
}

impl Default for Depth {
    fn default() -> Self {
        Self::Only(BTreeSet::new())
    }
}

impl Depth {
    /// What was wanted once stays wanted: the next who asks wants it again.
    pub(super) fn deepen(&mut self, more: Self) {
        match (&mut *self, more) {
            (Self::Only(known), Self::Only(more)) => known.extend(more),
            (_, Self::Everything) => *self = Self::Everything,
            (Self::Everything, Self::Only(_)) => {}
        }
    }

    fn covers(&self, environment: &EnvironmentSnapshot) -> bool {
        match self {
            Self::Everything => true,
            Self::Only(wanted) => {
                wanted.contains(&environment.name) || wanted.contains(environment.id.as_str())
            }
        }
    }
}

#[derive(Default)]
pub(super) struct Watched {
    pub(super) depth: Depth,
    pub(super) known: Option<Known>,
    /// Tick at which the read of `known` began.
    pub(super) as_of: u64,
    /// When the last read ended, believed or not.
    pub(super) read_at: Option<Instant>,
    /// When the last read began, ended or not.
    pub(super) attempted_at: Option<Instant>,
    wrote: Option<(u64, Instant)>,
    /// The newest wish for a look, and the tick at which it was heard.
    wished: Option<(u64, Timestamp)>,
    pub(super) active: bool,
    pub(super) doubt: Option<Doubt>,
    pub(super) configs: BTreeMap<EnvironmentId, CachedConfig>,
    /// Configurations that were refused, with the etag then and the time to ask again.
    pub(super) refused: BTreeMap<EnvironmentId, (Option<String>, Instant)>,
    pub(super) flight: Option<(u64, Flight)>,
}

impl Watched {
    /// The answer without a read, if there is one.
    pub(super) fn answer(
        &self,
        options: &ObserverOptions,
        now: Instant,
    ) -> Option<Presence<Arc<ProjectSnapshot>>> {
        let read_at = self.read_at?;
        if let Some(doubt) = &self.doubt {
            let look_again = read_at + self.interval(options);
            return (now < look_again).then(|| Presence::Unknown(doubt.words.clone()));
        }
        let is_older_than_write = self.wrote.is_some_and(|(tick, _)| self.as_of <= tick);
        let is_older_than_wish = self.wished.is_some_and(|(tick, _)| self.as_of <= tick);
        let is_old = now > read_at + self.interval(options) * 2;
        if is_older_than_write || is_older_than_wish || is_old || self.lacks_config() {
            return None;
        }
        self.known.as_ref().map(|_| self.last_known())
    }

    pub(super) fn last_known(&self) -> Presence<Arc<ProjectSnapshot>> {
        match (&self.doubt, &self.known) {
            (Some(doubt), _) => Presence::Unknown(doubt.words.clone()),
            (None, Some(Known::Present(snapshot))) => Presence::Present(Arc::clone(snapshot)),
            (None, Some(Known::Absent)) => Presence::Absent,
            (None, None) => Presence::Unknown("the project was not read yet".to_owned()),
        }
    }

    /// Whether a configuration is wanted that was not wanted when the project was read.
    fn lacks_config(&self) -> bool {
        let Some(Known::Present(snapshot)) = &self.known else {
            return false;
        };
        snapshot.environments.values().any(|environment| {
            environment.can_access
                && environment.config.is_none()
                && self.depth.covers(environment)
                && !self.refused.contains_key(&environment.id)
        })
    }

    /// A read under way that began after our last write.
    pub(super) fn joinable_flight(&self) -> Option<Flight> {
        let (began, flight) = self.flight.as_ref()?;
        let shows_our_write = self.wrote.is_none_or(|(tick, _)| *began > tick);
        let is_after_wish = self.wished.is_none_or(|(tick, _)| *began > tick);
        (shows_our_write && is_after_wish).then(|| flight.clone())
    }

    pub(super) fn wrote(&mut self, tick: u64, now: Instant) {
        self.wrote = Some((tick, now));
    }

    pub(super) fn look_since(&mut self, tick: u64, at: Timestamp) {
        if self.wished.is_none_or(|(_, earlier)| earlier < at) {
            self.wished = Some((tick, at));
        }
    }

    pub(super) fn in_grace(&self, grace: Duration, now: Instant) -> bool {
        self.wrote.is_some_and(|(_, at)| now < at + grace)
    }

    pub(super) fn forget_config(&mut self, environment: &EnvironmentId) {
        self.configs.remove(environment);
        self.refused.remove(environment);
    }

    /// When the next look is due; none for at once.
    pub(super) fn due_at(&self, options: &ObserverOptions) -> Option<Instant> {
        self.read_at
            .max(self.attempted_at)
            .map(|at| at + self.interval(options))
    }

    fn interval(&self, options: &ObserverOptions) -> Duration {
        match &self.doubt {
            // A second look decides soon; what it does not settle may stay so for days and is asked for ever more rarely.
            Some(doubt) => (options.confirm_after.max(options.active_interval)
                * 2_u32.pow(doubt.reads.saturating_sub(1).min(8)))
            .min(options.idle_interval.max(options.confirm_after)),
            None if self.active => options.active_interval,
            None => options.idle_interval,
        }
    }

    /// Environments whose configuration must be read: it is wanted, and the etag moved, or none is known, or it is very old.
    pub(super) fn wanted_configs(
        &self,
        reading: &ProjectReading,
        max_age: Duration,
        now: Instant,
    ) -> Vec<EnvironmentId> {
        reading
            .snapshot
            .environments
            .values()
            .filter(|environment| environment.can_access && self.depth.covers(environment))
            .filter(|environment| match self.configs.get(&environment.id) {
                Some(cached) => {
                    Some(&cached.etag) != environment.etag.as_ref()
                        || now >= cached.read_at + max_age
                }
                None => self
                    .refused
                    .get(&environment.id)
                    .is_none_or(|(etag, again)| *etag != environment.etag || *again <= now),
            })
            .map(|environment| environment.id.clone())
            .collect()
    }

    /// Puts the known configurations into a snapshot, and drops those of environments that are gone.
    pub(super) fn fill_in(&mut self, snapshot: &mut ProjectSnapshot) {
        let alive: BTreeSet<_> = snapshot.environments.keys().cloned().collect();
        self.configs.retain(|id, _| alive.contains(id));
        self.refused.retain(|id, _| alive.contains(id));
        for environment in snapshot.environments.values_mut() {
            let Some(cached) = self.configs.get(&environment.id) else {
                continue;
            };
            if self.refused.contains_key(&environment.id) || !environment.can_access {
                continue;
            }
            // The etag and the configuration must belong together: a write is guarded by the one, planned by the other.
            environment.etag = Some(cached.etag.clone());
            environment.config = Some(Arc::clone(&cached.config));
        }
    }
}
