//! Whether a write may happen, given what is there. Pure, and the same for every backend.

use super::{ChangeKind, Effect, Expect, StoreError};

/// What a write wants, without its document.
#[derive(Debug, Clone, Copy)]
pub(super) enum Intent {
    Put,
    Delete,
}

impl From<&Effect> for Intent {
    fn from(effect: &Effect) -> Self {
        match effect {
            Effect::Put(_) => Self::Put,
            Effect::Delete(_) => Self::Delete,
        }
    }
}

/// What the write will do to the object, or why it must not; `current` is the object's revision, if there is one.
pub(super) fn decide(
    expect: Expect,
    intent: Intent,
    current: Option<u64>,
) -> Result<ChangeKind, StoreError> {
    match (expect, intent, current) {
        (Expect::Absent, _, Some(_)) => Err(StoreError::AlreadyExists),
        (Expect::Absent, Intent::Put, None) => Ok(ChangeKind::Created),
        (Expect::Absent, Intent::Delete, None) => Err(StoreError::NotFound),
        (Expect::Revision(_), _, None) => Err(StoreError::NotFound),
        (Expect::Revision(expected), _, Some(current)) if expected != current => {
            Err(StoreError::Conflict { current })
        }
        (Expect::Revision(_), Intent::Put, Some(_)) => Ok(ChangeKind::Updated),
        (Expect::Revision(_), Intent::Delete, Some(_)) => Ok(ChangeKind::Deleted),
    }
}

/// The floor that `keep_from` asks for: it never falls, and what is not yet written cannot be forgotten.
pub(super) fn floor_after(keep_from: u64, floor: u64, newest: u64) -> u64 {
    keep_from.saturating_sub(1).min(newest).max(floor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_expectation_meets_every_state() {
        use Intent::{Delete, Put};
        let rows = [
            (Expect::Absent, Put, None, "created"),
            (Expect::Absent, Put, Some(4), "exists"),
            (Expect::Absent, Delete, None, "not found"),
            (Expect::Absent, Delete, Some(4), "exists"),
            (Expect::Revision(4), Put, None, "not found"),
            (Expect::Revision(4), Put, Some(4), "updated"),
            (Expect::Revision(4), Put, Some(5), "conflict at 5"),
            (Expect::Revision(4), Delete, None, "not found"),
            (Expect::Revision(4), Delete, Some(4), "deleted"),
            (Expect::Revision(4), Delete, Some(3), "conflict at 3"),
        ];
        for (expect, intent, current, outcome) in rows {
            let got = match decide(expect, intent, current) {
                Ok(ChangeKind::Created) => "created".to_owned(),
                Ok(ChangeKind::Updated) => "updated".to_owned(),
                Ok(ChangeKind::Deleted) => "deleted".to_owned(),
                Err(StoreError::AlreadyExists) => "exists".to_owned(),
                Err(StoreError::NotFound) => "not found".to_owned(),
                Err(StoreError::Conflict { current }) => format!("conflict at {current}"),
                Err(other) => other.to_string(),
            };
            assert_eq!(got, outcome, "{expect:?} {intent:?} {current:?}");
        }
    }

    #[test]
    fn the_floor_never_falls_and_never_passes_the_newest() {
        for (keep_from, floor, newest, expected) in [
            (0, 0, 9, 0),
            (1, 0, 9, 0),
            (5, 0, 9, 4),
            (3, 4, 9, 4),
            (99, 4, 9, 9),
        ] {
            assert_eq!(floor_after(keep_from, floor, newest), expected);
        }
    }
}
