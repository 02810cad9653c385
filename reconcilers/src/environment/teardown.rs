//! Leaving Railway as it was before: a state machine with a deadline. Pure.

use jiff::Timestamp;
use mirage_railway::{
    id::ProjectId,
    snapshot::{Presence, ProjectSnapshot},
};
use mirage_specs::{
    EnvironmentStatus,
    environment::Deletion,
    ledger::{LedgerEntry, LedgerKind, LedgerState},
    plan::PlanReason,
};

use super::{
    effective::ProjectTarget,
    identity::{MirageId, Ownership, ownership},
    observe::Observed,
    plan::{Action, Entry, Hold, Plan},
};

/// What teardown does next.
#[derive(Clone, Debug, PartialEq)]
pub enum Teardown {
    /// Nothing of ours is left; the finalizer may go.
    Done {
        /// What is worth telling about it.
        note: Option<String>,
    },
    /// This is to be done, or waited for.
    Work(Plan),
    /// It cannot be removed; the object goes and an `Orphan` stays.
    GiveUp {
        /// Railway's id of the environment, when known.
        railway_id: Option<String>,
        /// Why.
        why: String,
    },
}

/// The place on Railway that a status speaks of, as far as it is known: which project to look into.
pub fn project(status: &EnvironmentStatus) -> Option<ProjectTarget> {
    if let Some(id) = status
        .railway
        .as_ref()
        .and_then(|railway| railway.project_id.as_deref())
    {
        return Some(ProjectTarget::Id(ProjectId::new(id)));
    }
    let entry = status
        .ledger
        .iter()
        .find(|entry| entry.kind == LedgerKind::Project)?;
    Some(match &entry.railway_id {
        Some(id) => ProjectTarget::Id(ProjectId::new(id)),
        None => ProjectTarget::Named(entry.name.clone()),
    })
}

/// Decides from what is remembered and what is seen. The spec is not asked: it may have stopped making sense.
pub fn teardown(
    id: &MirageId,
    status: &EnvironmentStatus,
    observed: &Observed,
    deletion: Deletion,
    now: Timestamp,
) -> Teardown {
    let Some(entry) = status
        .ledger
        .iter()
        .find(|entry| entry.kind == LedgerKind::Environment)
    else {
        return Teardown::Done { note: None };
    };
    let since = status.teardown_since.unwrap_or(now);
    let late = now.duration_since(since) >= observed.patience.teardown;
    let wait = |hold: Hold, why: String| {
        if late {
            Teardown::GiveUp {
                railway_id: entry.railway_id.clone(),
                why,
            }
        } else {
            Teardown::Work(Plan {
                holds: vec![hold],
                ..Plan::default()
            })
        }
    };
    match &observed.project {
        Presence::Unknown(why) => wait(Hold::Unobserved { why: why.clone() }, why.clone()),
        Presence::Absent => gone(entry, since, observed, now).unwrap_or_else(|| {
            let what = format!("whether project of environment {} exists", entry.name);
            wait(Hold::AwaitingVisibility { what: what.clone() }, what)
        }),
        Presence::Present(project) => {
            environment(id, status, entry, observed, project, deletion, now, &wait)
        }
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "the facts of one decision, used in this file only"
)]
fn environment(
    id: &MirageId,
    status: &EnvironmentStatus,
    entry: &LedgerEntry,
    observed: &Observed,
    project: &ProjectSnapshot,
    deletion: Deletion,
    now: Timestamp,
    wait: &dyn Fn(Hold, String) -> Teardown,
) -> Teardown {
    match ownership(id, &entry.name, &status.ledger, project) {
        Ownership::Absent => gone(entry, status.teardown_since.unwrap_or(now), observed, now)
            .unwrap_or_else(|| {
                let what = format!("that environment {} is gone", entry.name);
                wait(Hold::AwaitingVisibility { what: what.clone() }, what)
            }),
        Ownership::Unknown(why) => wait(Hold::Unobserved { why: why.clone() }, why),
        // Without the id in our ledger nothing there was ever ours; with it, somebody took the environment over.
        Ownership::Foreign(_, why) if entry.railway_id.is_none() => Teardown::Done {
            note: Some(format!("environment {} was left alone: {why}", entry.name)),
        },
        Ownership::Foreign(environment, why) => Teardown::GiveUp {
            railway_id: Some(environment.id.to_string()),
            why,
        },
        Ownership::Unmarked(environment) if !environment.instances.is_empty() => Teardown::GiveUp {
            railway_id: Some(environment.id.to_string()),
            why: "Mirage's mark was taken off it, and Mirage deletes nothing without its mark"
                .to_owned(),
        },
        Ownership::Unmarked(environment) | Ownership::Ours(environment) => {
            let (name, railway_id) = (environment.name.clone(), environment.id.clone());
            let action = match deletion {
                Deletion::Delete if entry.state == LedgerState::Removing && observed.in_grace => {
                    let what = format!("that environment {name} is gone");
                    return wait(Hold::AwaitingVisibility { what: what.clone() }, what);
                }
                Deletion::Delete => Action::DeleteEnvironment {
                    name,
                    id: railway_id,
                },
                Deletion::Retain
                    if matches!(super::identity::mark(environment), Presence::Absent) =>
                {
                    return Teardown::Done {
                        note: Some(format!(
                            "environment {name} stays on Railway, no longer managed"
                        )),
                    };
                }
                Deletion::Retain => Action::Unmark {
                    name,
                    id: railway_id,
                },
            };
            if now.duration_since(status.teardown_since.unwrap_or(now))
                >= observed.patience.teardown
            {
                let why =
                    "Railway accepted its removal and still shows it, or refused it each time"
                        .to_owned();
                return Teardown::GiveUp {
                    railway_id: Some(environment.id.to_string()),
                    why,
                };
            }
            let entries = vec![Entry {
                action,
                reason: PlanReason::Teardown,
            }];
            Teardown::Work(
                Plan {
                    entries,
                    ..Plan::default()
                }
                .sealed(&[id.as_str()]),
            )
        }
    }
}

/// Something stands in the way of being done: waited for until the deadline, then left behind with a receipt.
pub fn not_done(
    status: &EnvironmentStatus,
    hold: Hold,
    observed: &Observed,
    now: Timestamp,
) -> Teardown {
    let since = status.teardown_since.unwrap_or(now);
    if now.duration_since(since) < observed.patience.teardown {
        return Teardown::Work(Plan {
            holds: vec![hold],
            ..Plan::default()
        });
    }
    let entry = status
        .ledger
        .iter()
        .find(|entry| entry.kind == LedgerKind::Environment);
    let railway_id = entry.and_then(|entry| entry.railway_id.clone());
    Teardown::GiveUp {
        railway_id,
        why: hold.to_string(),
    }
}

/// Absence is believed when no write of ours may still be on its way into view.
fn gone(
    entry: &LedgerEntry,
    since: Timestamp,
    observed: &Observed,
    now: Timestamp,
) -> Option<Teardown> {
    let may_appear = entry.state == LedgerState::Intended
        && now.duration_since(entry.intended_at) < observed.patience.lost_answer;
    // After our own delete, seeing nothing is the answer; after our own create it may be a read that lags.
    let lagging = observed.in_grace && entry.state != LedgerState::Removing;
    // Gone, and not by us: somebody deleted it, or nothing can be seen at all. Time tells.
    let unasked = entry.state == LedgerState::Made
        && now.duration_since(since) < observed.patience.lost_answer;
    (!may_appear && !lagging && !unasked).then_some(Teardown::Done { note: None })
}
