//! Deliveries that were heard before.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

/// A delivery's id is 36 characters: the newest of these are less than a megabyte. One that fell out and comes again makes
/// somebody look once more, which is harmless.
const MOST: usize = 8_192;

/// A longer id is no GUID, and is cut so that nobody makes us hold much.
const LONGEST: usize = 64;

/// The ids of the newest deliveries. Only what was proven to be GitHub's is put in, so that a stranger can neither fill it
/// nor speak for a delivery to come.
#[derive(Debug, Default)]
pub(super) struct Seen(Mutex<Ids>);

#[derive(Debug, Default)]
struct Ids {
    known: HashSet<String>,
    in_order: VecDeque<String>,
}

impl Seen {
    /// Whether this is the first time.
    pub(super) fn is_new(&self, id: &str) -> bool {
        let id: String = id.chars().take(LONGEST).collect();
        let mut ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !ids.known.insert(id.clone()) {
            return false;
        }
        ids.in_order.push_back(id);
        if ids.in_order.len() > MOST
            && let Some(oldest) = ids.in_order.pop_front()
        {
            ids.known.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_is_new_once_and_memory_has_a_bound() {
        let seen = Seen::default();
        assert!(seen.is_new("first"));
        assert!(!seen.is_new("first"));
        for index in 0..MOST {
            assert!(seen.is_new(&format!("{index}")));
        }
        let ids = seen.0.lock().unwrap();
        assert_eq!((ids.known.len(), ids.in_order.len()), (MOST, MOST));
        drop(ids);
        assert!(seen.is_new("first"), "forgotten by now");
    }
}
