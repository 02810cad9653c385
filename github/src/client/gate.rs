//! What is refused here because GitHub would refuse it: no request is spent on being told no.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

/// "No more than 80 content-generating requests per minute and no more than 500 per hour" (source: secondary rate
/// limits). Others with the same credential spend of it too, so a few are left to them.
const PER_MINUTE: usize = 70;
const PER_HOUR: usize = 450;

/// Where a credential stands with GitHub's limits.
#[derive(Debug, Default)]
pub(super) struct Gate(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    closed_until: Option<Instant>,
    /// When the writes of the last hour left.
    writes: VecDeque<Instant>,
}

/// Why a request may not leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Closed {
    pub(super) wait: Duration,
    pub(super) why: &'static str,
}

impl Gate {
    fn state(&self) -> MutexGuard<'_, State> {
        // The state is whole after each of its changes.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes for a while: GitHub said so.
    pub(super) fn close_for(&self, wait: Duration) {
        let until = Instant::now() + wait;
        let mut state = self.state();
        state.closed_until = state.closed_until.max(Some(until));
    }

    /// Lets a request pass, and counts it when it writes.
    pub(super) fn pass(&self, writes: bool) -> Result<(), Closed> {
        let now = Instant::now();
        let mut state = self.state();
        if let Some(until) = state.closed_until
            && until > now
        {
            return Err(Closed {
                wait: until - now,
                why: "GitHub allows no more requests for now",
            });
        }
        state.closed_until = None;
        if !writes {
            return Ok(());
        }
        while state
            .writes
            .front()
            .is_some_and(|at| now.duration_since(*at) >= HOUR)
        {
            state.writes.pop_front();
        }
        for (most, window, why) in [
            (PER_MINUTE, MINUTE, "GitHub allows 80 writes per minute"),
            (PER_HOUR, HOUR, "GitHub allows 500 writes per hour"),
        ] {
            // The one that has to leave the window before another fits in.
            let blocking = state
                .writes
                .len()
                .checked_sub(most)
                .map(|index| state.writes[index]);
            if let Some(at) = blocking
                && now.duration_since(at) < window
            {
                let wait = window - now.duration_since(at);
                return Err(Closed { wait, why });
            }
        }
        state.writes.push_back(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_closed_gate_opens_when_its_time_has_come() {
        let gate = Gate::default();
        gate.close_for(Duration::from_secs(60));
        gate.close_for(Duration::from_secs(10));
        assert_eq!(gate.pass(false).unwrap_err().wait, MINUTE);
        tokio::time::advance(MINUTE).await;
        gate.pass(false).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn writes_are_paced_and_reads_are_not() {
        let gate = Gate::default();
        for _ in 0..PER_MINUTE {
            gate.pass(true).unwrap();
        }
        assert_eq!(gate.pass(true).unwrap_err().wait, MINUTE);
        for _ in 0..1_000 {
            gate.pass(false).unwrap();
        }
        let mut writes = PER_MINUTE;
        let mut minutes = 0;
        while minutes < 59 {
            tokio::time::advance(MINUTE).await;
            minutes += 1;
            while gate.pass(true).is_ok() {
                writes += 1;
            }
        }
        assert_eq!(writes, PER_HOUR);
    }
}
