//! How many webhooks of strangers are looked at: checking one costs reads and a hash, and a stranger's are free to make.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// So many refused ones from one address...
const MOST: u32 = 30;
/// ...within so long, and until that is over nothing from there is looked at. A secret that was mistyped at GitHub stays
/// below it in a quiet repository, and recovers by itself in a busy one.
const WINDOW: Duration = Duration::from_secs(60);

/// Addresses that are counted apart; a flood from more of them is one flood.
const MOST_ADDRESSES: usize = 4_096;

/// Counts refused webhooks by address.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<HashMap<Option<IpAddr>, (Instant, u32)>>);

impl Refusals {
    /// How long nothing from there is looked at; none when it is.
    pub(super) fn wait(&self, from: Option<IpAddr>) -> Option<Duration> {
        let counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let from = known_or_nobody(&counted, from);
        let (since, refused) = counted.get(&from)?;
        let left = WINDOW.checked_sub(now.duration_since(*since))?;
        (*refused >= MOST && !left.is_zero()).then_some(left)
    }

    /// One from there was refused.
    pub(super) fn note(&self, from: Option<IpAddr>) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if counted.len() >= MOST_ADDRESSES {
            counted.retain(|_, (since, _)| now.duration_since(*since) < WINDOW);
        }
        let from = known_or_nobody(&counted, from);
        let (since, refused) = counted.entry(from).or_insert((now, 0));
        if now.duration_since(*since) >= WINDOW {
            (*since, *refused) = (now, 0);
        }
        *refused = refused.saturating_add(1);
    }
}

/// Once too many addresses are counted, those that are not share one count.
fn known_or_nobody(
    counted: &HashMap<Option<IpAddr>, (Instant, u32)>,
    from: Option<IpAddr>,
) -> Option<IpAddr> {
    if counted.len() >= MOST_ADDRESSES && !counted.contains_key(&from) {
        None
    } else {
        from
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn address(index: u32) -> Option<IpAddr> {
        Some(Ipv4Addr::from(index).into())
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_is_refused_often_rests_and_others_do_not() {
        let refusals = Refusals::default();
        for _ in 0..MOST {
            assert_eq!(refusals.wait(address(1)), None);
            refusals.note(address(1));
        }
        assert_eq!(refusals.wait(address(1)), Some(WINDOW));
        assert_eq!(refusals.wait(address(2)), None);
        tokio::time::advance(WINDOW).await;
        assert_eq!(refusals.wait(address(1)), None);
        refusals.note(address(1));
        assert_eq!(refusals.wait(address(1)), None, "the count began anew");
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_from_everywhere_is_one_flood() {
        let refusals = Refusals::default();
        for index in 0..100_000 {
            refusals.note(address(index));
        }
        assert!(refusals.0.lock().unwrap().len() <= MOST_ADDRESSES + 1);
        assert!(refusals.wait(address(200_000)).is_some());
    }
}
