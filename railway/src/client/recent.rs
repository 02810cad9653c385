//! Projects that this process asked for a moment ago. Railway makes a second one of the same name without a word, and its
//! lists may lag, so a name that is missing from a list is not free while its making is recent.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::id::ProjectId;

/// A creation whose answer was lost may still take effect for so long (three minutes observed for environments).
const MAY_STILL_APPEAR: Duration = Duration::from_secs(180);

/// How long lists may lag behind a creation.
const MAY_LAG: Duration = Duration::from_secs(60);

/// What became of a recent creation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Recent {
    /// It is under way, or its answer was lost.
    Unclear,
    /// It is there.
    Made(ProjectId),
}

/// Recent creations by name.
#[derive(Default)]
pub(super) struct RecentProjects(Mutex<BTreeMap<String, (Recent, Instant)>>);

impl RecentProjects {
    pub(super) fn get(&self, name: &str) -> Option<Recent> {
        let mut recent = self.lock();
        let now = Instant::now();
        recent.retain(|_, (_, until)| now < *until);
        recent.get(name).map(|(recent, _)| recent.clone())
    }

    /// Claims a name; false when it is claimed already.
    pub(super) fn begin(&self, name: &str) -> bool {
        if self.get(name).is_some() {
            return false;
        }
        let until = Instant::now() + MAY_STILL_APPEAR;
        self.lock()
            .insert(name.to_owned(), (Recent::Unclear, until));
        true
    }

    pub(super) fn made(&self, name: &str, id: ProjectId) {
        let until = Instant::now() + MAY_LAG;
        self.lock()
            .insert(name.to_owned(), (Recent::Made(id), until));
    }

    /// Nothing was made.
    pub(super) fn failed(&self, name: &str) {
        self.lock().remove(name);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, (Recent, Instant)>> {
        // A map is whole after each of its operations.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
