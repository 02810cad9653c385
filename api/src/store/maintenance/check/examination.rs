//! What is wrong with a database, from its rows. Pure: rows go in one after the other, findings come out.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde_json::Value;

use super::report::{Fault, Finding, Report};
use crate::store::seal::{self, Sealer, sealed_values};
use crate::store::{FIRST_REVISION, Key};

/// More findings than these are counted and not told: whoever has so many needs a backup and not a list.
const TOLD: usize = 200;

/// A row of `objects`.
pub(super) struct ObjectRow<'r> {
    pub(super) key: Key,
    pub(super) revision: u64,
    pub(super) document: &'r str,
}

/// A row of `changes`.
pub(super) struct LogRow<'r> {
    pub(super) key: Key,
    pub(super) revision: u64,
    pub(super) kind: &'r str,
    pub(super) document: &'r str,
    pub(super) previous: Option<&'r str>,
}

/// An object's version, and what it takes to recognise its document.
type Known = (u64, u64);

/// Takes all rows of `objects`, then all of `changes` by version.
pub(super) struct Examination<'k> {
    sealer: Option<&'k Sealer>,
    revision: u64,
    floor: u64,
    objects: BTreeMap<Key, Known>,
    /// What the log's last change of an object left; `None` when it was deleted.
    logged: BTreeMap<Key, Option<Known>>,
    last_change: u64,
    changes: u64,
    opened: u64,
    has_sealed: bool,
    findings: Vec<Finding>,
    untold: u64,
}

impl<'k> Examination<'k> {
    /// With the counter's row, if there is exactly one.
    pub(super) fn new(state: Option<(i64, i64)>, sealer: Option<&'k Sealer>) -> Self {
        let (revision, floor) = state.unwrap_or_default();
        let mut examination = Self {
            sealer,
            revision: u64::try_from(revision).unwrap_or_default(),
            floor: u64::try_from(floor).unwrap_or_default(),
            objects: BTreeMap::new(),
            logged: BTreeMap::new(),
            // The counter begins at the first revision, which no change has.
            last_change: u64::try_from(floor).unwrap_or_default().max(FIRST_REVISION),
            changes: 0,
            opened: 0,
            has_sealed: false,
            findings: Vec::new(),
            untold: 0,
        };
        if state.is_none() {
            examination.find(
                Fault::Counter,
                "store_state",
                "there is not exactly one row",
            );
        } else if revision < 1 || floor < 0 || floor > revision {
            examination.find(
                Fault::Counter,
                "store_state",
                format!("revision {revision} and floor {floor} do not go together"),
            );
        }
        examination
    }

    fn find(&mut self, fault: Fault, subject: impl fmt::Display, message: impl Into<String>) {
        if self.findings.len() < TOLD {
            let finding = Finding::new(fault, subject.to_string(), message);
            self.findings.push(finding);
        } else {
            self.untold += 1;
        }
    }

    pub(super) fn object(&mut self, row: ObjectRow<'_>) {
        let ObjectRow {
            key,
            revision,
            document,
        } = row;
        if revision == 0 || revision > self.revision {
            let newest = self.revision;
            self.find(
                Fault::Version,
                &key,
                format!("it is at version {revision}, and the counter at {newest}"),
            );
        }
        self.document(&key, document, "");
        let content = digest(&key, document);
        self.objects.insert(key, (revision, content));
    }

    pub(super) fn change(&mut self, row: LogRow<'_>) {
        let LogRow {
            key,
            revision,
            kind,
            document,
            previous,
        } = row;
        // Behind the floor nobody reads; what is left there goes with the next compaction.
        if revision <= self.floor {
            return;
        }
        self.changes += 1;
        if revision > self.revision {
            let newest = self.revision;
            self.find(
                Fault::Version,
                &key,
                format!("a change has version {revision}, and the counter is at {newest}"),
            );
        } else if revision != self.last_change + 1 {
            self.gap(revision - 1);
        }
        self.last_change = revision;
        self.document(&key, document, " (in the log)");
        if let Some(previous) = previous {
            self.document(&key, previous, " (in the log)");
        }
        let before = self.logged.get(&key).copied();
        let follows = match (kind, previous, before) {
            ("created", None, None | Some(None)) => true,
            ("updated" | "deleted", Some(_), None) => true,
            ("updated" | "deleted", Some(previous), Some(Some((_, known)))) => {
                digest(&key, previous) == known
            }
            _ => false,
        };
        if !follows {
            self.find(
                Fault::LogBroken,
                &key,
                format!("the change {revision} does not follow from the one before it"),
            );
        }
        let after = (kind != "deleted").then(|| (revision, digest(&key, document)));
        self.logged.insert(key, after);
    }

    fn gap(&mut self, through: u64) {
        let from = self.last_change + 1;
        self.find(
            Fault::LogGap,
            "changes",
            format!("the changes {from} to {through} are missing"),
        );
    }

    fn document(&mut self, key: &Key, document: &str, place: &str) {
        let Ok(document) = serde_json::from_str::<Value>(document) else {
            self.find(Fault::Document, key, format!("it is not JSON{place}"));
            return;
        };
        if !document.is_object() {
            self.find(Fault::Document, key, format!("it is no JSON object{place}"));
            return;
        }
        for (field, own) in [("name", &key.name), ("namespace", &key.namespace)] {
            let said = document["metadata"][field].as_str();
            if said.is_some_and(|said| said != own) {
                self.find(
                    Fault::Document,
                    key,
                    format!("its metadata.{field} is another{place}"),
                );
            }
        }
        match self.sealer {
            None => self.has_sealed |= crate::store::seal::has_secrets(key),
            Some(sealer) => {
                for (field, outcome) in sealed_values(sealer, key, document) {
                    match outcome {
                        Ok(()) => self.opened += 1,
                        Err(error @ crate::store::seal::SealError::NotSealed) => {
                            self.find(Fault::Unsealed, key, format!("{field}{place}: {error}"));
                        }
                        Err(error) => {
                            self.find(Fault::Seal, key, format!("{field}{place}: {error}"));
                        }
                    }
                }
            }
        }
    }

    pub(super) fn finish(mut self, schema: i64, before: Vec<Finding>) -> Report {
        if self.last_change < self.revision {
            self.gap(self.revision);
        }
        let objects = std::mem::take(&mut self.objects);
        let logged = std::mem::take(&mut self.logged);
        for (key, (revision, content)) in &objects {
            let fault = match logged.get(key) {
                Some(Some(known)) if *known == (*revision, *content) => continue,
                Some(Some((known, _))) if known == revision => {
                    "its content is not what its last change made it".to_owned()
                }
                Some(Some((known, _))) => {
                    format!("it is at version {revision}, and its last change is {known}")
                }
                Some(None) => "the log says that it was deleted".to_owned(),
                None if *revision <= self.floor => continue,
                None => format!("the log does not have its last change {revision}"),
            };
            self.find(Fault::LogDiffers, key, fault);
        }
        for (key, last) in &logged {
            if last.is_some() && !objects.contains_key(key) {
                self.find(
                    Fault::LogDiffers,
                    key,
                    "the log says that it is there, and it is not",
                );
            }
        }
        if self.has_sealed {
            self.find(
                Fault::NoKey,
                "secrets",
                "no master key was found, so that sealed values were not opened",
            );
        }
        let mut findings = before;
        findings.append(&mut self.findings);
        Report {
            schema,
            revision: self.revision,
            floor: self.floor,
            objects: objects.len() as u64,
            changes: self.changes,
            opened: self.opened,
            findings,
            untold: self.untold,
        }
    }
}

/// What a document says, whichever master key it is sealed with: an object and the change that made it come under a new
/// key one after the other.
fn digest(key: &Key, document: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    let sealed = seal::has_secrets(key).then(|| serde_json::from_str::<Value>(document));
    match sealed {
        Some(Ok(value)) => seal::comparable(key, value).to_string().hash(&mut hasher),
        _ => document.hash(&mut hasher),
    }
    hasher.finish()
}

#[cfg(test)]
mod tests;
