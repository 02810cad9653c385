//! What the journal proves to be broken. Pure: no server, no clock.
//!
//! Every event says its version, so that what the watchers saw, put together, is the whole history; each write, list and
//! watch is then held against it. A history that were incomplete would show: an event names the writer, and the writer the
//! version before.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use super::document::{Document, is_selected};
use super::journal::{Action, Answer, Attempt, Event, Journal, Kind, Look, Watched};

/// A promise that was not kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Broken {
    /// A watcher was sent a version again, or an older one after a newer.
    WentBack {
        /// Who.
        watcher: String,
        /// What it had seen.
        after: u64,
        /// What came then.
        revision: u64,
    },
    /// A watcher was not sent what others were.
    Missed {
        /// Who.
        watcher: String,
        /// What.
        revision: u64,
    },
    /// A watcher was sent what it had not selected.
    NotSelected {
        /// Who.
        watcher: String,
        /// What.
        revision: u64,
    },
    /// One version is two things.
    TwoTruths {
        /// Which.
        revision: u64,
    },
    /// An object is made of two.
    Torn {
        /// Which.
        key: String,
        /// As of when.
        revision: u64,
    },
    /// An event that does not follow from the one before it and what was asked for.
    Unexplained {
        /// Of which object.
        key: String,
        /// As of when.
        revision: u64,
    },
    /// What was acknowledged never happened, or as another version than was said.
    Lost {
        /// The write.
        mark: String,
    },
    /// What was refused happened all the same.
    DoneThoughRefused {
        /// The write.
        mark: String,
    },
    /// It happened twice.
    DoneTwice {
        /// The write.
        mark: String,
    },
    /// A write got a smaller version than one that was done before it was asked for.
    OutOfTurn {
        /// The write.
        mark: String,
        /// Its version.
        revision: u64,
        /// What had been acknowledged.
        after: u64,
    },
    /// A list is older than what had been acknowledged or listed before.
    StaleList {
        /// The list's version.
        revision: u64,
        /// What had been seen.
        after: u64,
    },
    /// A list shows something else than the history up to its version.
    WrongList {
        /// The list's version.
        revision: u64,
        /// Which object differs.
        key: String,
    },
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WentBack {
                watcher,
                after,
                revision,
            } => write!(f, "{watcher} was sent {revision} after {after}"),
            Self::Missed { watcher, revision } => write!(f, "{watcher} was not sent {revision}"),
            Self::NotSelected { watcher, revision } => {
                write!(
                    f,
                    "{watcher} was sent {revision}, which it had not selected"
                )
            }
            Self::TwoTruths { revision } => write!(f, "version {revision} is two things"),
            Self::Torn { key, revision } => write!(f, "{key} is torn at {revision}"),
            Self::Unexplained { key, revision } => {
                write!(
                    f,
                    "{key} at {revision} follows from nothing that was asked for"
                )
            }
            Self::Lost { mark } => write!(f, "{mark} was acknowledged and is lost"),
            Self::DoneThoughRefused { mark } => write!(f, "{mark} was refused and is done"),
            Self::DoneTwice { mark } => write!(f, "{mark} is done twice"),
            Self::OutOfTurn {
                mark,
                revision,
                after,
            } => write!(f, "{mark} became {revision} after {after} was acknowledged"),
            Self::StaleList { revision, after } => {
                write!(f, "a list at {revision} came after {after} was seen")
            }
            Self::WrongList { revision, key } => {
                write!(
                    f,
                    "a list at {revision} shows another {key} than was written"
                )
            }
        }
    }
}

/// Everything that the journal proves to be broken, in order; empty when every promise was kept.
pub fn judge(journal: &Journal) -> BTreeSet<Broken> {
    let mut broken = BTreeSet::new();
    let history = history(&journal.watched, &mut broken);
    for watched in &journal.watched {
        broken.extend(watched_wrongly(watched, &history));
    }
    let done = explain(&history, &journal.attempts, &mut broken);
    broken.extend(answered_wrongly(&journal.attempts, &done));
    broken.extend(out_of_turn(&journal.attempts, &done));
    broken.extend(listed_wrongly(&journal.looks, &history));
    broken.extend(stale(journal, &done));
    broken
}

/// What all watchers saw together, by version.
fn history<'j>(watched: &'j [Watched], broken: &mut BTreeSet<Broken>) -> BTreeMap<u64, &'j Event> {
    let mut history = BTreeMap::new();
    for event in watched.iter().flat_map(|watched| &watched.events) {
        if *history.entry(event.revision).or_insert(event) != event {
            broken.insert(Broken::TwoTruths {
                revision: event.revision,
            });
        }
    }
    history
}

fn watched_wrongly(watched: &Watched, history: &BTreeMap<u64, &Event>) -> Vec<Broken> {
    let mut broken = Vec::new();
    let watcher = || watched.name.clone();
    let mut seen = BTreeSet::new();
    let mut after = 0;
    for event in &watched.events {
        let revision = event.revision;
        if revision <= after {
            broken.push(Broken::WentBack {
                watcher: watcher(),
                after,
                revision,
            });
        }
        if watched.selects && !is_selected(&event.key) {
            broken.push(Broken::NotSelected {
                watcher: watcher(),
                revision,
            });
        }
        after = after.max(revision);
        seen.insert(revision);
    }
    broken.extend(
        history
            .values()
            .filter(|event| !watched.selects || is_selected(&event.key))
            .filter(|event| !seen.contains(&event.revision))
            .map(|event| Broken::Missed {
                watcher: watcher(),
                revision: event.revision,
            }),
    );
    broken
}

/// What is there, by key.
type Live<'j> = BTreeMap<&'j str, (u64, Option<&'j Document>)>;

fn step<'j>(live: &mut Live<'j>, event: &'j Event) {
    match event.kind {
        Kind::Added | Kind::Modified => {
            live.insert(&event.key, (event.revision, event.document.as_ref()));
        }
        Kind::Deleted => {
            live.remove(event.key.as_str());
        }
    }
}

/// The version that each write of the history became, by mark. Two writers may ask for the deletion of one version; then
/// either may have done it, and it is counted for the one that was told so. When both were told nothing, it is counted for
/// the one that asked first: the later may have met the server after it was done, and again have heard nothing.
fn explain<'j>(
    history: &BTreeMap<u64, &'j Event>,
    attempts: &'j [Attempt],
    broken: &mut BTreeSet<Broken>,
) -> HashMap<&'j str, u64> {
    let by_mark: HashMap<&str, &Attempt> = attempts
        .iter()
        .map(|attempt| (attempt.mark.as_str(), attempt))
        .collect();
    let mut deletions: HashMap<(&str, u64), Vec<&Attempt>> = HashMap::new();
    for attempt in attempts {
        if let Action::Delete { from } = attempt.action {
            deletions
                .entry((&attempt.key, from))
                .or_default()
                .push(attempt);
        }
    }
    let mut live = Live::new();
    let mut done = HashMap::new();
    for event in history.values() {
        let before = live.get(event.key.as_str()).copied();
        step(&mut live, event);
        let Some(document) = &event.document else {
            broken.insert(Broken::Torn {
                key: event.key.clone(),
                revision: event.revision,
            });
            continue;
        };
        let named = |mark: &str, action: Action| {
            by_mark
                .get(mark)
                .copied()
                .filter(|attempt| attempt.key == event.key && attempt.action == action)
        };
        let author = match (event.kind, before) {
            (Kind::Added, None) if document.patch.is_none() => named(&document.put, Action::Create),
            (Kind::Modified, Some((from, Some(before)))) if document.put != before.put => {
                named(&document.put, Action::Update { from }).filter(|_| document.patch.is_none())
            }
            (Kind::Modified, Some((_, Some(before)))) if document.patch != before.patch => document
                .patch
                .as_deref()
                .and_then(|mark| named(mark, Action::Patch)),
            (Kind::Deleted, Some((from, Some(before)))) if document == before => {
                let who = deletions.get(&(event.key.as_str(), from));
                let who = who.into_iter().flatten().copied();
                who.min_by_key(|attempt| {
                    let trusted = match attempt.answer {
                        Answer::Done(_) => 0,
                        Answer::Nothing => 1,
                        Answer::Refused => 2,
                    };
                    (trusted, attempt.begun)
                })
            }
            _ => None,
        };
        match author {
            Some(author) => {
                if done.insert(author.mark.as_str(), event.revision).is_some() {
                    broken.insert(Broken::DoneTwice {
                        mark: author.mark.clone(),
                    });
                }
            }
            None => {
                broken.insert(Broken::Unexplained {
                    key: event.key.clone(),
                    revision: event.revision,
                });
            }
        }
    }
    done
}

fn answered_wrongly(attempts: &[Attempt], done: &HashMap<&str, u64>) -> Vec<Broken> {
    attempts
        .iter()
        .filter_map(|attempt| {
            let mark = attempt.mark.clone();
            match (attempt.answer, done.get(attempt.mark.as_str())) {
                (Answer::Done(_), None) => Some(Broken::Lost { mark }),
                (Answer::Done(Some(said)), Some(is)) if said != *is => Some(Broken::Lost { mark }),
                (Answer::Refused, Some(_)) => Some(Broken::DoneThoughRefused { mark }),
                _ => None,
            }
        })
        .collect()
}

/// The newest version that had been acknowledged, as of the moments at which acknowledgements came.
fn acknowledged(attempts: &[Attempt], done: &HashMap<&str, u64>) -> BTreeMap<u64, u64> {
    let mut at: Vec<(u64, u64)> = attempts
        .iter()
        .filter(|attempt| matches!(attempt.answer, Answer::Done(_)))
        .filter_map(|attempt| Some((attempt.ended, *done.get(attempt.mark.as_str())?)))
        .collect();
    at.sort_unstable();
    let mut newest = 0;
    at.into_iter()
        .map(|(moment, revision)| {
            newest = newest.max(revision);
            (moment, newest)
        })
        .collect()
}

fn before(moment: u64, acknowledged: &BTreeMap<u64, u64>) -> u64 {
    acknowledged
        .range(..moment)
        .next_back()
        .map_or(0, |(_, newest)| *newest)
}

fn out_of_turn(attempts: &[Attempt], done: &HashMap<&str, u64>) -> Vec<Broken> {
    let acknowledged = acknowledged(attempts, done);
    attempts
        .iter()
        .filter_map(|attempt| {
            let revision = *done.get(attempt.mark.as_str())?;
            let after = before(attempt.begun, &acknowledged);
            (revision <= after).then(|| Broken::OutOfTurn {
                mark: attempt.mark.clone(),
                revision,
                after,
            })
        })
        .collect()
}

fn listed_wrongly(looks: &[Look], history: &BTreeMap<u64, &Event>) -> Vec<Broken> {
    let mut looks: Vec<&Look> = looks.iter().collect();
    looks.sort_by_key(|look| look.revision);
    let mut live = Live::new();
    let mut events = history.values().peekable();
    let mut broken = Vec::new();
    for look in looks {
        while let Some(event) = events.next_if(|event| event.revision <= look.revision) {
            step(&mut live, event);
        }
        let listed: Live<'_> = look
            .objects
            .iter()
            .map(|(key, (revision, document))| (key.as_str(), (*revision, document.as_ref())))
            .collect();
        let keys: BTreeSet<&str> = listed.keys().chain(live.keys()).copied().collect();
        broken.extend(
            keys.into_iter()
                .filter(|key| listed.get(key) != live.get(key))
                .map(|key| Broken::WrongList {
                    revision: look.revision,
                    key: key.to_owned(),
                }),
        );
    }
    broken
}

fn stale(journal: &Journal, done: &HashMap<&str, u64>) -> Vec<Broken> {
    let acknowledged = acknowledged(&journal.attempts, done);
    let mut listed = 0;
    let mut broken = Vec::new();
    for look in &journal.looks {
        let after = before(look.begun, &acknowledged).max(listed);
        if look.revision < after {
            broken.push(Broken::StaleList {
                revision: look.revision,
                after,
            });
        }
        listed = listed.max(look.revision);
    }
    broken
}

#[cfg(test)]
mod tests;
