//! Records of what wrote nothing: refusals, and who was shown secrets. They are written behind the answers, many in one
//! commit, and by nobody while there are none.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::Record;
use super::guard::{DISCLOSURES, Guard, REFUSALS};
use crate::store::{Store, StoreError};

/// As many wait at most while the store does not answer; those that come then are counted as lost.
const WAITING: usize = 1000;

/// How long to wait before a store that did not answer is asked again.
const AGAIN: Duration = Duration::from_secs(2);

/// Collects records and writes them.
pub(crate) struct Recorder {
    store: Arc<dyn Store>,
    state: Mutex<State>,
    /// There is something to be written at once.
    hurry: Notify,
    /// Held by who is writing, so that a flush waits for what is under way.
    writing: tokio::sync::Mutex<()>,
}

struct State {
    refusals: Guard,
    disclosures: Guard,
    waiting: Vec<Record>,
    lost: u64,
    /// Whether a task sees to it.
    is_tended: bool,
}

impl Recorder {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            state: Mutex::new(State {
                refusals: Guard::new(REFUSALS),
                disclosures: Guard::new(DISCLOSURES),
                waiting: Vec::new(),
                lost: 0,
                is_tended: false,
            }),
            hurry: Notify::new(),
            writing: tokio::sync::Mutex::new(()),
        }
    }

    /// A request was refused.
    pub(super) fn refused(self: &Arc<Self>, record: Record) {
        self.take(record, |state| &mut state.refusals);
    }

    /// Somebody was shown secrets.
    pub(super) fn disclosed(self: &Arc<Self>, record: Record) {
        self.take(record, |state| &mut state.disclosures);
    }

    fn take(self: &Arc<Self>, record: Record, guard: impl FnOnce(&mut State) -> &mut Guard) {
        let mut state = self.state();
        if let Some(record) = guard(&mut state).pass(record, Instant::now()) {
            state.add([record]);
            self.hurry.notify_one();
        }
        if !state.is_tended {
            state.is_tended = true;
            let recorder = Arc::clone(self);
            tokio::spawn(async move { recorder.tend().await });
        }
    }

    /// Writes everything now, also what is still being counted. For the end of the process.
    ///
    /// # Errors
    /// When the store does not answer; what was not written waits.
    pub(crate) async fn flush(&self) -> Result<(), StoreError> {
        {
            let mut state = self.state();
            let mut counted = state.refusals.drain();
            counted.extend(state.disclosures.drain());
            state.add(counted);
        }
        self.write().await
    }

    /// Until there is nothing left to write or to count.
    async fn tend(&self) {
        loop {
            let next = {
                let mut state = self.state();
                let now = Instant::now();
                let mut due = state.refusals.due(now);
                due.extend(state.disclosures.due(now));
                state.add(due);
                let next = [state.refusals.next(), state.disclosures.next()];
                let next = next.into_iter().flatten().min();
                if state.waiting.is_empty() && next.is_none() {
                    state.is_tended = false;
                    return;
                }
                next
            };
            let again = match self.write().await {
                Ok(()) => next,
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "audit records of refusals could not be written; trying again"
                    );
                    Some(Instant::now() + AGAIN)
                }
            };
            if let Some(again) = again {
                tokio::select! {
                    () = tokio::time::sleep_until(again) => {}
                    () = self.hurry.notified() => {}
                }
            }
        }
    }

    /// Writes what waits.
    async fn write(&self) -> Result<(), StoreError> {
        let _writing = self.writing.lock().await;
        let (records, lost) = {
            let mut state = self.state();
            (
                std::mem::take(&mut state.waiting),
                std::mem::take(&mut state.lost),
            )
        };
        if lost > 0 {
            tracing::error!(
                lost,
                "refusals were not recorded because the store did not answer for long"
            );
        }
        if records.is_empty() {
            return Ok(());
        }
        let entries = records.iter().map(Record::entry).collect();
        let written = self.store.record(entries).await;
        if written.is_err() {
            // Before what came meanwhile.
            let mut state = self.state();
            let later = std::mem::replace(&mut state.waiting, records);
            state.add(later);
        }
        written
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Counts and queues are in order whatever happened to the thread that had them last.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn add(&mut self, records: impl IntoIterator<Item = Record>) {
        for record in records {
            if self.waiting.len() < WAITING {
                self.waiting.push(record);
            } else {
                self.lost += record.count.unwrap_or(1);
            }
        }
    }
}
