//! One read of some projects and what follows from it.

use std::{collections::BTreeMap, sync::Arc};

use futures::FutureExt;
use tokio::time::Instant;

use crate::{
    budget::Priority,
    client::{ConfigReading, ProjectReading},
    error::Error,
    id::{EnvironmentId, ProjectId},
    observer::{
        Alarm, Inner, State, SweepReport,
        vanished::{Expectation, vanished},
        watched::{CachedConfig, Doubt, DoubtKind, Flight, Known, Watched},
    },
    snapshot::Presence,
};

/// Begins a read that others may join.
pub(super) fn take_off(
    inner: &Arc<Inner>,
    watched: &mut Watched,
    id: ProjectId,
    tick: u64,
    priority: Priority,
) -> Flight {
    let inner = Arc::clone(inner);
    let flight = async move {
        let result = refresh(&inner, std::slice::from_ref(&id), tick, priority).await;
        if let Some(watched) = inner.state().projects.get_mut(&id)
            && watched
                .flight
                .as_ref()
                .is_some_and(|(began, _)| *began == tick)
        {
            watched.flight = None;
        }
        result.map(|_| ())
    }
    .boxed()
    .shared();
    watched.flight = Some((tick, flight.clone()));
    flight
}

/// Reads the projects, then the configurations that moved, and takes what may be believed.
pub(super) async fn refresh(
    inner: &Arc<Inner>,
    ids: &[ProjectId],
    tick: u64,
    priority: Priority,
) -> Result<SweepReport, Error> {
    let client = inner.client.with_priority(priority);
    {
        let mut state = inner.state();
        let now = Instant::now();
        for id in ids {
            if let Some(watched) = state.projects.get_mut(id) {
                watched.attempted_at = Some(now);
            }
        }
    }
    let mut readings = client.read_projects(ids).await?;
    confirm_missing(inner, &mut readings, priority).await;
    let wanted = wanted_configs(inner, &readings);
    let configs = if wanted.is_empty() {
        BTreeMap::new()
    } else {
        client.read_configs(&wanted, &inner.options.key).await?
    };
    let mut report = SweepReport {
        projects: ids.len(),
        configs: configs.len(),
        changed: Vec::new(),
    };
    let mut state = inner.state();
    keep_configs(inner, &mut state, &wanted, configs, &readings);
    for (id, reading) in readings {
        if accept(inner, &mut state, &id, reading, tick) {
            report.changed.push(id);
        }
    }
    drop(state);
    for id in &report.changed {
        // No receiver is no loss: whoever looks later sees the snapshot.
        let _ = inner.changes.send(id.clone());
    }
    Ok(report)
}

fn wanted_configs(
    inner: &Inner,
    readings: &BTreeMap<ProjectId, Presence<ProjectReading>>,
) -> Vec<(ProjectId, EnvironmentId)> {
    let state = inner.state();
    let now = Instant::now();
    let mut wanted = Vec::new();
    for (id, reading) in readings {
        let (Presence::Present(reading), Some(watched)) = (reading, state.projects.get(id)) else {
            continue;
        };
        if !reading.is_deleted {
            let environments = watched.wanted_configs(reading, inner.options.config_max_age, now);
            wanted.extend(
                environments
                    .into_iter()
                    .map(|environment| (id.clone(), environment)),
            );
        }
    }
    wanted
}

fn keep_configs(
    inner: &Inner,
    state: &mut State,
    wanted: &[(ProjectId, EnvironmentId)],
    mut configs: BTreeMap<EnvironmentId, Presence<ConfigReading>>,
    readings: &BTreeMap<ProjectId, Presence<ProjectReading>>,
) {
    let now = Instant::now();
    for (project, environment) in wanted {
        let Some(watched) = state.projects.get_mut(project) else {
            continue;
        };
        match configs.remove(environment) {
            Some(Presence::Present(reading)) => {
                watched.refused.remove(environment);
                watched.configs.insert(
                    environment.clone(),
                    CachedConfig {
                        etag: reading.etag,
                        config: Arc::new(reading.config),
                        read_at: now,
                    },
                );
            }
            _ => {
                // What was known is of another version and must not be taken for this one.
                watched.configs.remove(environment);
                let etag = match readings.get(project) {
                    Some(Presence::Present(reading)) => reading
                        .snapshot
                        .environments
                        .get(environment)
                        .and_then(|environment| environment.etag.clone()),
                    _ => None,
                };
                watched.refused.insert(
                    environment.clone(),
                    (etag, now + inner.options.idle_interval),
                );
            }
        }
    }
}

/// A project that two reads left out is asked for by its id: only a plain "not found" makes it absent.
async fn confirm_missing(
    inner: &Inner,
    readings: &mut BTreeMap<ProjectId, Presence<ProjectReading>>,
    priority: Priority,
) {
    let ripe: Vec<ProjectId> = {
        let state = inner.state();
        let now = Instant::now();
        readings
            .iter()
            .filter(|(_, reading)| matches!(reading, Presence::Absent))
            .filter(|(id, _)| {
                state
                    .projects
                    .get(*id)
                    .and_then(|watched| watched.doubt.as_ref())
                    .is_some_and(|doubt| {
                        doubt.kind == DoubtKind::Missing
                            && now >= doubt.since + inner.options.confirm_after
                    })
            })
            .map(|(id, _)| id.clone())
            .collect()
    };
    let client = inner.client.with_priority(priority);
    for id in ripe {
        let reading = match client.is_project_alive(&id).await {
            Ok(false) | Err(Error::NotFound(_)) => continue,
            Ok(true) => Presence::Unknown(
                "Railway leaves the project out of lists, though it is there".to_owned(),
            ),
            Err(Error::Unauthorized(_)) => Presence::Unknown(
                "Railway refuses to show the project: it was deleted, or the token lost its access to it".to_owned(),
            ),
            Err(error) => Presence::Unknown(error.to_string()),
        };
        readings.insert(id, reading);
    }
}

/// Takes a reading if it may be believed. Whether the project looks different.
fn accept(
    inner: &Inner,
    state: &mut State,
    id: &ProjectId,
    reading: Presence<ProjectReading>,
    tick: u64,
) -> bool {
    let now = Instant::now();
    let Some(watched) = state.projects.get_mut(id) else {
        return false;
    };
    if tick < watched.as_of {
        return false;
    }
    watched.read_at = Some(now);
    let in_grace = watched.in_grace(inner.options.grace, now);
    let (kind, words, alarm) = match reading {
        Presence::Present(reading) if reading.is_deleted => {
            let alarm = matches!(&watched.known, Some(Known::Present(_)))
                .then(|| "Railway shows that the project is deleted".to_owned());
            return believe(state, id, Known::Absent, tick, alarm);
        }
        Presence::Present(mut reading) => {
            let lost = match &watched.known {
                Some(Known::Present(before)) => {
                    let mut deleted = reading.deleted_environments;
                    deleted.extend(
                        before
                            .environments
                            .keys()
                            .filter(|environment| inner.client.is_deleting(environment))
                            .cloned(),
                    );
                    let expectation = Expectation {
                        deleted: &deleted,
                        in_grace,
                    };
                    vanished(before, &reading.snapshot, &expectation)
                }
                _ => None,
            };
            let agreed = match (&lost, &watched.doubt) {
                (Some(lost), Some(doubt)) => {
                    doubt.kind == DoubtKind::Vanished(lost.clone())
                        && now >= doubt.since + inner.options.confirm_after
                }
                _ => false,
            };
            match lost {
                Some(lost) if !agreed => {
                    let words = lost.words();
                    (DoubtKind::Vanished(lost), words.clone(), Some(words))
                }
                lost => {
                    watched.fill_in(&mut reading.snapshot);
                    let known = Known::Present(Arc::new(reading.snapshot));
                    return believe(state, id, known, tick, lost.map(|lost| lost.words()));
                }
            }
        }
        Presence::Absent => {
            let ripe = watched.doubt.as_ref().is_some_and(|doubt| {
                doubt.kind == DoubtKind::Missing && now >= doubt.since + inner.options.confirm_after
            });
            if ripe {
                let alarm = matches!(&watched.known, Some(Known::Present(_)))
                    .then(|| "Railway shows the project no more".to_owned());
                return believe(state, id, Known::Absent, tick, alarm);
            }
            let alarm = matches!(&watched.known, Some(Known::Present(_)))
                .then(|| "Railway left the project out of its answer".to_owned());
            let words =
                "Railway left the project out of its answer; a second look decides".to_owned();
            (DoubtKind::Missing, words, alarm)
        }
        Presence::Unknown(words) => (DoubtKind::Unreadable, words, None),
    };
    let same = watched.doubt.as_ref().filter(|doubt| doubt.kind == kind);
    let is_new = same.is_none();
    let since = same.map_or(now, |doubt| doubt.since);
    let reads = watched
        .doubt
        .as_ref()
        .map_or(1, |doubt| doubt.reads.saturating_add(1));
    watched.doubt = Some(Doubt {
        kind,
        since,
        reads,
        words,
    });
    if let (true, Some(message)) = (is_new, alarm) {
        state.alarms.push(Alarm {
            project: id.clone(),
            message,
            is_confirmed: false,
        });
    }
    is_new
}

fn believe(
    state: &mut State,
    id: &ProjectId,
    known: Known,
    tick: u64,
    alarm: Option<String>,
) -> bool {
    let Some(watched) = state.projects.get_mut(id) else {
        return false;
    };
    let was_in_doubt = watched.doubt.take().is_some();
    let differs = match (&watched.known, &known) {
        (Some(Known::Present(before)), Known::Present(after)) => {
            let mut after = after.as_ref().clone();
            after.observed_at = before.observed_at;
            **before != after
        }
        (Some(Known::Absent), Known::Absent) => false,
        _ => true,
    };
    watched.known = Some(known);
    watched.as_of = tick;
    if let (true, Some(message)) = (differs, alarm) {
        state.alarms.push(Alarm {
            project: id.clone(),
            message,
            is_confirmed: true,
        });
    }
    differs || was_in_doubt
}
