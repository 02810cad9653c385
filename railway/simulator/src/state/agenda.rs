//! What is still to happen, and when.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{DeploymentStatus, Id};

/// Something that falls due.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Event {
    /// A deployment reaches its next state.
    Deployment { id: Id, to: DeploymentStatus },
    /// A committed patch takes effect.
    ApplyPatch {
        environment: Id,
        patch: Id,
        workflow: Id,
        skip_deploys: bool,
    },
    /// An accepted change set takes effect.
    ApplyChangeSet {
        environment: Id,
        apply: Id,
        input: Value,
    },
    /// The contents of a clone arrive.
    FillClone {
        environment: Id,
        source: Id,
        deploy: bool,
        stage: bool,
    },
    /// A deleted environment stops being listed.
    RemoveEnvironment { environment: Id },
    /// The grace of a scheduled deletion is over.
    RemoveProject { project: Id, scheduled_at: i64 },
    /// An idle service falls asleep.
    Sleep { deployment: Id },
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Entry {
    due: i64,
    event: Event,
}

/// Events in the order in which they fall due; equal times in the order in which they were planned.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Agenda(Vec<Entry>);

impl Agenda {
    pub(crate) fn plan(&mut self, due: i64, event: Event) {
        let place = self.0.partition_point(|entry| entry.due <= due);
        self.0.insert(place, Entry { due, event });
    }

    /// The first event that is due at `now`.
    pub(crate) fn next_due(&mut self, now: i64) -> Option<(i64, Event)> {
        if self.0.first()?.due > now {
            return None;
        }
        let entry = self.0.remove(0);
        Some((entry.due, entry.event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_in_order_of_time_then_of_planning() {
        let mut agenda = Agenda::default();
        for (due, name) in [(20, "c"), (10, "a"), (10, "b"), (30, "d")] {
            agenda.plan(
                due,
                Event::Sleep {
                    deployment: name.to_owned(),
                },
            );
        }
        let mut seen = String::new();
        while let Some((_, Event::Sleep { deployment })) = agenda.next_due(20) {
            seen.push_str(&deployment);
        }
        assert_eq!(seen, "abc");
    }
}
