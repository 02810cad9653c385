//! Looking without watching: for people who browse what there is.
//!
//! A watched project is answered from its snapshot. Any other is read together with its neighbours, twenty with one
//! request, and remembered for as long as a look at a resting project counts as fresh. Nothing that was only glanced at is
//! ever refreshed by itself, so browsing costs nothing once nobody browses.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tokio::time::Instant;

use super::{Inner, Observer, names};
use crate::{
    budget::Priority,
    client::ProjectSummary,
    error::Error,
    id::ProjectId,
    snapshot::{Presence, ProjectSnapshot},
};

/// What was seen in passing, with the time of it.
#[derive(Default)]
pub(super) struct Glanced {
    list: Option<(Instant, names::List)>,
    projects: BTreeMap<ProjectId, (Instant, Presence<Arc<ProjectSnapshot>>)>,
}

impl Observer {
    /// Every project that the credential sees, at most one resting interval old.
    ///
    /// # Errors
    /// When the list could not be read to its end.
    pub async fn list_projects(&self, priority: Priority) -> Result<Vec<ProjectSummary>, Error> {
        let now = Instant::now();
        let fresh_since = |at: Instant| now < at + self.inner.options.idle_interval;
        if let Some((at, list)) = &self.inner.state().glanced.list
            && fresh_since(*at)
        {
            return Ok(list.as_ref().clone());
        }
        let list = names::whole_list(&self.inner, priority).await?;
        self.inner.state().glanced.list = Some((Instant::now(), Arc::clone(&list)));
        Ok(list.as_ref().clone())
    }

    /// Projects as they are known or, where they are not, as one look shows them. What is only looked at carries no
    /// configuration.
    ///
    /// # Errors
    /// When a read was needed and failed as a whole; a project that could not be read alone is `Unknown`.
    pub async fn glance(
        &self,
        ids: &BTreeSet<ProjectId>,
        priority: Priority,
    ) -> Result<BTreeMap<ProjectId, Presence<Arc<ProjectSnapshot>>>, Error> {
        let mut found: BTreeMap<_, _> = ids
            .iter()
            .filter_map(|id| Some((id.clone(), known(&self.inner, id)?)))
            .collect();
        let missing: Vec<ProjectId> = ids
            .iter()
            .filter(|id| !found.contains_key(*id))
            .cloned()
            .collect();
        if missing.is_empty() {
            return Ok(found);
        }
        let client = self.inner.client.with_priority(priority);
        let readings = client.read_projects(&missing).await?;
        let now = Instant::now();
        let mut state = self.inner.state();
        for (id, reading) in readings {
            let seen = match reading {
                Presence::Present(reading) if reading.is_deleted => Presence::Absent,
                Presence::Present(reading) => Presence::Present(Arc::new(reading.snapshot)),
                Presence::Absent => Presence::Absent,
                Presence::Unknown(why) => Presence::Unknown(why),
            };
            state
                .glanced
                .projects
                .insert(id.clone(), (now, seen.clone()));
            found.insert(id, seen);
        }
        Ok(found)
    }
}

/// What is known without a request.
fn known(inner: &Inner, id: &ProjectId) -> Option<Presence<Arc<ProjectSnapshot>>> {
    let mut state = inner.state();
    let now = Instant::now();
    let watched = state.projects.get(id);
    if let Some(answer) = watched.and_then(|watched| watched.answer(&inner.options, now)) {
        return Some(answer);
    }
    let fresh = inner.options.idle_interval;
    state
        .glanced
        .projects
        .retain(|_, (at, _)| now < *at + fresh);
    // What we wrote meanwhile does not show in an older look.
    if state.projects.contains_key(id) {
        return None;
    }
    state
        .glanced
        .projects
        .get(id)
        .map(|(_, presence)| presence.clone())
}
