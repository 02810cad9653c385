//! Who gets a place when there are fewer than pull requests. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

/// One that wants an environment and has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asking {
    /// When it first asked.
    pub since: Timestamp,
    /// The pull request; the older one goes first when both asked at once.
    pub number: u64,
}

/// Who may have one, and who waits at which place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Queue {
    /// Get one at once.
    pub admitted: BTreeSet<u64>,
    /// Places of the others, from 1.
    pub places: BTreeMap<u64, u32>,
}

/// Gives the free places away in the order in which they were asked for. `taken` counts the environments there are, those
/// under teardown too: they still cost. Nobody loses a place to another, so a limit that was lowered is met by waiting.
pub fn queue(asking: impl IntoIterator<Item = Asking>, taken: usize, limit: Option<u32>) -> Queue {
    let mut line: Vec<Asking> = asking.into_iter().collect();
    line.sort();
    line.dedup();
    let limit = limit.map_or(usize::MAX, |limit| {
        usize::try_from(limit).unwrap_or(usize::MAX)
    });
    let free = limit.saturating_sub(taken).min(line.len());
    let (admitted, waiting) = line.split_at(free);
    Queue {
        admitted: admitted.iter().map(|asking| asking.number).collect(),
        places: (1..)
            .zip(waiting)
            .map(|(place, asking)| (asking.number, place))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn asking(number: u64, second: i64) -> Asking {
        Asking {
            since: Timestamp::from_second(second).unwrap(),
            number,
        }
    }

    #[test]
    fn who_asked_first_goes_first_and_the_others_know_their_place() {
        let line = [asking(5, 10), asking(3, 30), asking(4, 30), asking(9, 1)];
        let queue = queue(line, 1, Some(3));
        assert_eq!(queue.admitted, BTreeSet::from([5, 9]));
        assert_eq!(queue.places, BTreeMap::from([(3, 1), (4, 2)]));
    }

    #[test]
    fn without_a_limit_nobody_waits_and_a_lowered_one_takes_nothing_away() {
        let line = || [asking(1, 1), asking(2, 2)];
        assert_eq!(queue(line(), 50, None).admitted.len(), 2);
        let full = queue(line(), 50, Some(3));
        assert!(full.admitted.is_empty() && full.places.len() == 2);
    }

    proptest! {
        #[test]
        fn nobody_overtakes_and_nobody_is_lost(
            line in prop::collection::btree_map(0..50_u64, 0..20_i64, 0..20), taken in 0..10_usize, limit in 0..15_u32,
        ) {
            let line: Vec<Asking> = line.into_iter().map(|(number, second)| asking(number, second)).collect();
            let queue = queue(line.iter().rev().copied(), taken, Some(limit));
            prop_assert_eq!(queue.admitted.len() + queue.places.len(), line.len());
            prop_assert!(queue.admitted.is_empty() || taken + queue.admitted.len() <= limit as usize);
            for waiting in line.iter().filter(|asking| queue.places.contains_key(&asking.number)) {
                for admitted in line.iter().filter(|asking| queue.admitted.contains(&asking.number)) {
                    prop_assert!(admitted < waiting);
                }
                let before = line.iter().filter(|other| *other < waiting && queue.places.contains_key(&other.number));
                prop_assert_eq!(queue.places[&waiting.number] as usize, before.count() + 1);
            }
        }
    }
}
