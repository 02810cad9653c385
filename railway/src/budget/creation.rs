//! The throttle of creations: one per kind and 30 s.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use tokio::time::Instant;

/// Railway answers "1 environment per 30 seconds" (observed); one more second for the way there.
pub(super) const INTERVAL: Duration = Duration::from_secs(31);

/// How long a place is kept after its time came.
pub(super) const PATIENCE: Duration = Duration::from_secs(25);

/// What Railway makes only so often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, strum::Display)]
#[strum(serialize_all = "snake_case")]
pub enum Creation {
    /// An environment.
    Environment,
    /// A project.
    Project,
    /// A volume.
    Volume,
}

/// The queues, one a kind.
#[derive(Default)]
pub(super) struct CreationSlots {
    lanes: BTreeMap<Creation, Lane>,
}

#[derive(Default)]
struct Lane {
    last: Option<Instant>,
    /// In the order of service, with the time that each was told.
    queue: VecDeque<(String, Instant)>,
}

impl CreationSlots {
    pub(super) fn ready_at(&self, kind: Creation, now: Instant) -> Instant {
        self.lanes.get(&kind).map_or(now, |lane| {
            let waiting = lane
                .queue
                .iter()
                .filter(|(_, told)| *told + PATIENCE >= now)
                .count();
            lane.next(now) + INTERVAL * steps(waiting)
        })
    }

    /// The right to create now, or when to come back.
    pub(super) fn claim(&mut self, kind: Creation, key: &str, now: Instant) -> Result<(), Instant> {
        self.line_up(kind, key, now)?;
        let lane = self.lanes.entry(kind).or_default();
        lane.queue.retain(|(other, _)| other != key);
        lane.last = Some(now);
        Ok(())
    }

    /// A place in the queue: whether it is the key's turn, or when it will be.
    pub(super) fn line_up(
        &mut self,
        kind: Creation,
        key: &str,
        now: Instant,
    ) -> Result<(), Instant> {
        let lane = self.lanes.entry(kind).or_default();
        lane.queue
            .retain(|(other, told)| other == key || *told + PATIENCE >= now);
        let position = lane
            .queue
            .iter()
            .position(|(other, _)| other == key)
            .unwrap_or_else(|| {
                lane.queue.push_back((key.to_owned(), now));
                lane.queue.len() - 1
            });
        let ready = lane.next(now) + INTERVAL * steps(position);
        lane.queue[position].1 = ready;
        if ready <= now { Ok(()) } else { Err(ready) }
    }

    /// The right was not used: the key is first in the queue again, and nothing was made.
    pub(super) fn give_back(&mut self, kind: Creation, key: &str, now: Instant) {
        let lane = self.lanes.entry(kind).or_default();
        lane.last = None;
        lane.queue.push_front((key.to_owned(), now));
    }

    pub(super) fn refused(&mut self, kind: Creation, key: &str, now: Instant) -> Instant {
        let lane = self.lanes.entry(kind).or_default();
        lane.last = Some(now);
        lane.queue.retain(|(other, _)| other != key);
        lane.queue.push_front((key.to_owned(), now + INTERVAL));
        now + INTERVAL
    }

    pub(super) fn waiting(&self) -> usize {
        self.lanes.values().map(|lane| lane.queue.len()).sum()
    }
}

impl Lane {
    /// When the first in the queue may create.
    fn next(&self, now: Instant) -> Instant {
        self.last.map_or(now, |last| now.max(last + INTERVAL))
    }
}

fn steps(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn trap_10_two_hundred_who_wait_are_served_in_order_at_the_throttles_pace() {
        let (mut slots, start) = (CreationSlots::default(), Instant::now());
        let mut due: Vec<(Instant, usize)> = Vec::new();
        for index in 0..200 {
            match slots.claim(Creation::Environment, &index.to_string(), start) {
                Ok(()) => assert_eq!(index, 0),
                Err(until) => due.push((until, index)),
            }
        }
        let mut served = Vec::new();
        while let Some((now, index)) = due.iter().min().copied() {
            due.retain(|(_, other)| *other != index);
            match slots.claim(Creation::Environment, &index.to_string(), now) {
                Ok(()) => served.push((now, index)),
                Err(until) => due.push((until, index)),
            }
        }
        let expected: Vec<_> = (1..200_usize)
            .map(|i| (start + INTERVAL * steps(i), i))
            .collect();
        assert_eq!(served, expected);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_does_not_come_back_loses_the_place() {
        let (mut slots, start) = (CreationSlots::default(), Instant::now());
        slots.claim(Creation::Project, "first", start).unwrap();
        let gone = slots.claim(Creation::Project, "gone", start).unwrap_err();
        let third = slots.claim(Creation::Project, "third", start).unwrap_err();
        assert_eq!((gone, third), (start + INTERVAL, start + INTERVAL * 2));
        slots.claim(Creation::Project, "third", third).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_right_given_back_is_first_in_the_queue_again() {
        let (mut slots, start) = (CreationSlots::default(), Instant::now());
        slots.claim(Creation::Environment, "a", start).unwrap();
        slots.claim(Creation::Environment, "b", start).unwrap_err();
        slots.give_back(Creation::Environment, "a", start);
        assert_eq!(
            slots.claim(Creation::Environment, "b", start),
            Err(start + INTERVAL)
        );
        slots.claim(Creation::Environment, "a", start).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn kinds_do_not_wait_for_each_other() {
        let (mut slots, start) = (CreationSlots::default(), Instant::now());
        slots.claim(Creation::Environment, "a", start).unwrap();
        slots.claim(Creation::Volume, "a", start).unwrap();
        assert_eq!(slots.ready_at(Creation::Volume, start), start + INTERVAL);
        assert_eq!(slots.ready_at(Creation::Project, start), start);
    }
}
