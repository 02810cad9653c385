//! One budget per credential: every request is metered here, whoever makes it.
//!
//! Railway allows so many requests per hour and per second (Railway docs: "API rate limits"), and one environment,
//! project or volume per 30 s apart from that. The budget keeps within both by itself; what Railway says in its headers corrects
//! the picture, and a refusal stops everything until the time it names.
//!
//! Whoever waits stands in one queue, ordered by priority and then by arrival. A short wait is slept through; a long one
//! is an answer ([`Wait`]), so that it can be shown with its end instead of looking like silence.

mod creation;
mod headers;
mod snapshot;
mod window;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

pub use creation::Creation;
pub(crate) use headers::RateHeaders;
pub use snapshot::{BudgetSnapshot, Outcome, Spent};

use crate::{budget::window::Window, error::Class};
use creation::CreationSlots;
use snapshot::Counters;

/// Sleep through a pause up to here; a longer one is answered at once.
const PATIENCE: Duration = Duration::from_secs(10);

/// Share of an hour's requests that watching may use.
const OBSERVATION_SHARE: f64 = 0.3;

/// For whom a request is made. The order is the order of service.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, strum::Display, strum::IntoStaticStr,
)]
#[strum(serialize_all = "snake_case")]
pub enum Priority {
    /// A person waits for it.
    User,
    /// A reconcile that closes a difference.
    Convergence,
    /// Background watching.
    Observation,
}

/// Railway's plans, as far as they decide limits (Railway docs: "API rate limits").
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, strum::EnumString)]
#[strum(ascii_case_insensitive)]
#[allow(missing_docs, reason = "Railway's own names")]
pub enum Plan {
    Free,
    Hobby,
    Pro,
    Enterprise,
}

impl Plan {
    /// Requests per hour. An enterprise's own number is learnt from the headers.
    pub fn requests_per_hour(self) -> u64 {
        match self {
            Self::Free => 100,
            Self::Hobby => 1_000,
            Self::Pro | Self::Enterprise => 10_000,
        }
    }
}

/// No request now, and not within a wait that is worth sleeping through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// When it may be asked again.
    pub until: Instant,
}

/// Meters the requests of one credential. Clones share.
#[derive(Clone)]
pub struct Budget {
    inner: Arc<Inner>,
}

struct Inner {
    state: Mutex<State>,
    /// The queue's head has changed, or what it waits for has.
    moved: Notify,
}

struct State {
    window: Window,
    creations: CreationSlots,
    queue: BTreeSet<(Priority, u64)>,
    arrivals: u64,
    counters: Counters,
}

impl Budget {
    /// A budget for a plan; an unknown plan is metered as Hobby until Railway's headers tell more.
    pub fn new(plan: Option<Plan>) -> Self {
        let plan = plan.unwrap_or(Plan::Hobby);
        Self {
            inner: Arc::new(Inner {
                state: Mutex::new(State {
                    window: Window::new(plan.requests_per_hour(), OBSERVATION_SHARE),
                    creations: CreationSlots::default(),
                    queue: BTreeSet::new(),
                    arrivals: 0,
                    counters: Counters::default(),
                }),
                moved: Notify::new(),
            }),
        }
    }

    /// Waits for the turn to send one request and takes it from the budget.
    ///
    /// # Errors
    /// [`Wait`] when the turn comes later than is worth sleeping for.
    pub async fn acquire(&self, priority: Priority) -> Result<(), Wait> {
        let place = Place::take(self, priority);
        loop {
            // Registered before the look, or a wake-up in between is lost.
            let moved = self.inner.moved.notified();
            let ready = {
                let mut state = self.state();
                let now = Instant::now();
                let ready = state.window.ready_at(priority, now);
                if state.queue.first() == Some(&place.key) {
                    match ready {
                        ready if ready <= now => {
                            state.window.take(priority, now);
                            return Ok(());
                        }
                        ready if ready > now + PATIENCE => return Err(Wait { until: ready }),
                        ready => Some(ready),
                    }
                } else {
                    let stopped = state.window.stopped_until(priority, now);
                    if stopped > now + PATIENCE {
                        return Err(Wait { until: stopped });
                    }
                    None
                }
            };
            match ready {
                Some(ready) => tokio::select! {
                    () = tokio::time::sleep_until(ready) => {}
                    () = moved => {}
                },
                None => moved.await,
            }
        }
    }

    /// Books the answer to a request: what Railway says about the limits, and what became of it.
    pub(crate) fn answered(&self, headers: &RateHeaders) {
        self.state().window.learn(headers, Instant::now());
        self.inner.moved.notify_waiters();
    }

    /// No answer came: the request was spent, and nothing was learnt.
    pub(crate) fn unanswered(&self) {
        self.state().window.forget_one();
    }

    /// Railway refused for the rate: nothing is sent until then. Returns when that is.
    pub(crate) fn refused(&self, headers: &RateHeaders, by_gateway: bool) -> Instant {
        let until = self
            .state()
            .window
            .pause(headers, by_gateway, Instant::now());
        self.inner.moved.notify_waiters();
        until
    }

    /// Counts an attempt.
    pub(crate) fn count(&self, operation: &'static str, priority: Priority, class: Option<Class>) {
        self.state().counters.add(operation, priority, class);
    }

    /// The earliest time at which a creation that has no place in the queue yet could be made.
    pub fn creation_ready_at(&self, kind: Creation) -> Instant {
        self.state().creations.ready_at(kind, Instant::now())
    }

    /// Takes the right to make one environment, project or volume, or a place in the queue for it.
    ///
    /// The place belongs to `key` and is kept until its time comes, so that many who wait are served in the order in which
    /// they first asked. Whoever does not come back within 25 s of its time loses the place.
    ///
    /// # Errors
    /// [`Wait`] with the place's time.
    pub fn reserve(&self, kind: Creation, key: &str) -> Result<(), Wait> {
        self.state()
            .creations
            .claim(kind, key, Instant::now())
            .map_err(|until| Wait { until })
    }

    /// Whether it is the key's turn to create, without taking the right: what has to wait needs no preparation. The place
    /// in the queue is kept as by [`Budget::reserve`].
    ///
    /// # Errors
    /// [`Wait`] with the place's time.
    pub fn line_up(&self, kind: Creation, key: &str) -> Result<(), Wait> {
        self.state()
            .creations
            .line_up(kind, key, Instant::now())
            .map_err(|until| Wait { until })
    }

    /// Gives a right back that was taken and not used, because the request did not reach Railway.
    pub(crate) fn give_back(&self, kind: Creation, key: &str) {
        self.state().creations.give_back(kind, key, Instant::now());
    }

    /// Railway's own throttle refused a creation: somebody else creates with this credential. Returns when to ask again.
    pub(crate) fn creation_refused(&self, kind: Creation, key: &str) -> Instant {
        self.state().creations.refused(kind, key, Instant::now())
    }

    /// What is left, for status and metrics.
    pub fn snapshot(&self) -> BudgetSnapshot {
        let now = Instant::now();
        let state = self.state();
        BudgetSnapshot {
            limit: state.window.limit(),
            left: state.window.left(now),
            resets_in: state.window.resets_in(now),
            paused_for: state.window.paused_for(now),
            waiting: state.queue.len(),
            waiting_creations: state.creations.waiting(),
            spent: state.counters.spent(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change under the lock is complete in itself, so what a panicking holder left is still sound.
        self.inner
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the queue; leaving it, on success or when the caller gives up, moves the queue on.
struct Place<'a> {
    budget: &'a Budget,
    key: (Priority, u64),
}

impl<'a> Place<'a> {
    fn take(budget: &'a Budget, priority: Priority) -> Self {
        let mut state = budget.state();
        state.arrivals += 1;
        let key = (priority, state.arrivals);
        state.queue.insert(key);
        Self { budget, key }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.budget.state().queue.remove(&self.key);
        self.budget.inner.moved.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_second_holds_no_more_than_the_plan_allows() {
        let budget = Budget::new(Some(Plan::Hobby));
        let start = Instant::now();
        for _ in 0..30 {
            budget.acquire(Priority::User).await.unwrap();
        }
        let elapsed = start.elapsed();
        assert!(elapsed >= Duration::from_secs(2), "{elapsed:?}");
        assert!(elapsed <= Duration::from_millis(2_500), "{elapsed:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn people_are_served_before_reconciles_and_those_before_watching() {
        let budget = Budget::new(Some(Plan::Hobby));
        for _ in 0..10 {
            budget.acquire(Priority::User).await.unwrap();
        }
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for priority in [Priority::Observation, Priority::Convergence, Priority::User] {
            let (budget, order) = (budget.clone(), Arc::clone(&order));
            tasks.push(tokio::spawn(async move {
                budget.acquire(priority).await.unwrap();
                order.lock().unwrap().push(priority);
            }));
            tokio::task::yield_now().await;
        }
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(
            *order.lock().unwrap(),
            [Priority::User, Priority::Convergence, Priority::Observation]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn watching_keeps_to_its_share() {
        let budget = Budget::new(Some(Plan::Free));
        let mut granted = 0;
        while budget.acquire(Priority::Observation).await.is_ok() {
            granted += 1;
        }
        assert_eq!(granted, 30);
        budget.acquire(Priority::Convergence).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_stops_everybody_until_the_time_it_names() {
        let budget = Budget::new(Some(Plan::Pro));
        let until = budget.refused(
            &RateHeaders {
                retry_after: Some(Duration::from_secs(120)),
                ..RateHeaders::default()
            },
            false,
        );
        assert_eq!(budget.acquire(Priority::User).await, Err(Wait { until }));
        tokio::time::advance(Duration::from_secs(115)).await;
        let before = Instant::now();
        budget.acquire(Priority::User).await.unwrap();
        assert!(before.elapsed() >= Duration::from_secs(5));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_gives_up_waiting_does_not_block_the_queue() {
        let budget = Budget::new(Some(Plan::Hobby));
        for _ in 0..10 {
            budget.acquire(Priority::User).await.unwrap();
        }
        let waiting = tokio::spawn({
            let budget = budget.clone();
            async move { budget.acquire(Priority::User).await }
        });
        tokio::task::yield_now().await;
        waiting.abort();
        budget.acquire(Priority::Observation).await.unwrap();
        assert_eq!(budget.snapshot().waiting, 0);
    }
}
