//! Our own ids, and whose a Railway environment is.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use mirage_railway::{
    id::EnvironmentId,
    snapshot::{EnvironmentSnapshot, Presence, ProjectSnapshot},
};
use mirage_specs::ledger::{LedgerEntry, LedgerKind, LedgerState};

/// `metadata.uid` of an Environment: a UUID that Mirage's API made. Nothing of Railway's converts to it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MirageId(String);

impl MirageId {
    /// Takes the uid of an object.
    pub fn new(uid: impl Into<String>) -> Self {
        Self(uid.into())
    }

    /// The uid as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MirageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Our clock and Railway's may differ by this much when a thing's age decides whether we made it.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_secs(60);

/// Whose the Railway environment is that an Environment aims at.
#[derive(Clone, Debug, PartialEq)]
pub enum Ownership<'a> {
    /// Ours: the mark and the ledger (or, before the id is known, the intended name) agree.
    Ours(&'a EnvironmentSnapshot),
    /// Made by us and not marked yet.
    Unmarked(&'a EnvironmentSnapshot),
    /// Somebody else's; in words.
    Foreign(&'a EnvironmentSnapshot, String),
    /// Nothing is there.
    Absent,
    /// It could not be told; in words.
    Unknown(String),
}

/// Tells whose the environment is. The mark counts only together with the Railway id in the ledger or, before that id
/// is known, with the name that was intended: a duplicate made in Railway's dashboard carries a copy of the mark.
pub fn ownership<'a>(
    id: &MirageId,
    environment_name: &str,
    ledger: &[LedgerEntry],
    project: &'a ProjectSnapshot,
) -> Ownership<'a> {
    let entry = ledger
        .iter()
        .find(|entry| entry.kind == LedgerKind::Environment);
    let known_id = entry
        .and_then(|entry| entry.railway_id.as_deref())
        .map(EnvironmentId::new);
    let by_id = known_id
        .as_ref()
        .and_then(|known| project.environments.get(known));
    let Some(environment) = by_id.or_else(|| project.environment_named(environment_name)) else {
        return Ownership::Absent;
    };
    let mark = match mark(environment) {
        Presence::Present(mark) => Some(mark),
        Presence::Absent => None,
        Presence::Unknown(why) => return Ownership::Unknown(why),
    };
    let intended =
        entry.filter(|entry| entry.state == LedgerState::Intended && entry.railway_id.is_none());
    match (by_id.is_some(), mark) {
        (true, Some(mark)) if mark == id.as_str() => Ownership::Ours(environment),
        (true, None) => Ownership::Unmarked(environment),
        (false, Some(mark)) if mark == id.as_str() && known_id.is_none() => {
            Ownership::Ours(environment)
        }
        (false, None) if intended.is_some_and(|entry| is_our_empty_shell(entry, environment)) => {
            Ownership::Unmarked(environment)
        }
        (_, Some(mark)) if mark != id.as_str() => Ownership::Foreign(
            environment,
            format!("it carries the mark of another Mirage environment ({mark})"),
        ),
        _ => Ownership::Foreign(
            environment,
            "it was not made by this Mirage environment".to_owned(),
        ),
    }
}

/// What an environment's mark says.
pub fn mark(environment: &EnvironmentSnapshot) -> Presence<&str> {
    if !environment.can_access {
        return Presence::Unknown(
            "Railway does not let this token look into the environment".to_owned(),
        );
    }
    match &environment.config {
        None => Presence::Unknown("the environment's configuration could not be read".to_owned()),
        Some(config) => config
            .mark
            .as_deref()
            .map_or(Presence::Absent, Presence::Present),
    }
}

/// The answer to our create was lost; this is what the create makes: that name, not older than the intent, and empty.
/// Were it somebody else's after all, nothing of theirs is in it.
fn is_our_empty_shell(entry: &LedgerEntry, environment: &EnvironmentSnapshot) -> bool {
    environment.created_at >= earliest(entry.intended_at)
        && environment.instances.is_empty()
        && environment.volumes.is_empty()
}

fn earliest(intended_at: Timestamp) -> Timestamp {
    intended_at
        .checked_sub(CLOCK_SKEW)
        .unwrap_or(Timestamp::MIN)
}
