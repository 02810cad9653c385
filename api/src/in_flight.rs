//! How many requests one user may have under way at once.
//!
//! Who asks for more is told to come back in a second (429 with `Retry-After`), which Kubernetes' clients do by
//! themselves. Users are counted apart, so that a script that runs wild locks out neither the others nor the
//! administrator. Watches are not counted: they last, and cost next to nothing while they are idle.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Reason, Status};

/// Seconds after which it is worth another try. Requests take milliseconds, and clients count in seconds.
const RETRY_AFTER: u32 = 1;

/// Counts requests by user.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    /// None lets everybody in.
    limit: Option<NonZeroUsize>,
    /// Users with nothing under way are not in it, so that it stays as small as the load.
    by_user: Mutex<HashMap<String, usize>>,
}

/// Held while a request is under way.
#[derive(Debug)]
pub(crate) struct Permit {
    of: Arc<InFlight>,
    user: String,
}

impl InFlight {
    /// No user has more than this at once.
    pub(crate) fn limited_to(limit: NonZeroUsize) -> Self {
        Self {
            limit: Some(limit),
            by_user: Mutex::default(),
        }
    }

    /// Lets a request of this user begin; none is needed where there is no limit.
    ///
    /// # Errors
    /// 429 when the user has as many under way as they may.
    pub(crate) fn enter(self: &Arc<Self>, user: &str) -> Result<Option<Permit>, Status> {
        let Some(limit) = self.limit else {
            return Ok(None);
        };
        let mut by_user = self.by_user.lock().unwrap_or_else(PoisonError::into_inner);
        let under_way = by_user.entry(user.to_owned()).or_default();
        if *under_way >= limit.get() {
            let message = format!(
                "Too many requests, please try again later: {limit} of user {user:?} are under way already"
            );
            return Err(Status::new(Reason::TooManyRequests, message).retry_after(RETRY_AFTER));
        }
        *under_way += 1;
        Ok(Some(Permit {
            of: Arc::clone(self),
            user: user.to_owned(),
        }))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut by_user = self
            .of
            .by_user
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(under_way) = by_user.get_mut(&self.user) {
            *under_way -= 1;
            if *under_way == 0 {
                by_user.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limited_to(limit: usize) -> Arc<InFlight> {
        Arc::new(InFlight::limited_to(NonZeroUsize::new(limit).unwrap()))
    }

    #[test]
    fn a_user_at_the_limit_waits_and_the_others_do_not() {
        let in_flight = limited_to(2);
        let first = in_flight.enter("ann").unwrap();
        let _second = in_flight.enter("ann").unwrap();
        let refused = in_flight.enter("ann").unwrap_err();
        assert_eq!(refused.reason(), Reason::TooManyRequests);
        assert_eq!(refused.to_json()["details"]["retryAfterSeconds"], 1);
        assert!(in_flight.enter("bob").is_ok());
        drop(first);
        assert!(in_flight.enter("ann").is_ok());
    }

    #[test]
    fn nothing_is_remembered_of_requests_that_ended() {
        let in_flight = limited_to(1);
        drop(in_flight.enter("ann").unwrap());
        assert!(in_flight.by_user.lock().unwrap().is_empty());
    }

    #[test]
    fn without_a_limit_everybody_gets_in() {
        let in_flight = Arc::new(InFlight::default());
        let permits: Vec<_> = (0..1000).map(|_| in_flight.enter("ann").unwrap()).collect();
        assert!(permits.iter().all(Option::is_none));
    }
}
