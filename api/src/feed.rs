//! Recent changes in memory, read from the store once for all watchers of this process.
//!
//! ```text
//!   store ── log ──► reader ──► window ──┬──► watch of environments, as JSON
//!     │            (one task)  (bounded) ├──► watch of environments, as a table
//!     │                                  └──► watch of secrets with a selector
//!     └── changes ──► a watch that is older than the window, until it is in it
//! ```
//!
//! # Guarantees
//! - The window holds *every* change of the store between its beginning and its end, in the store's order. A watch that
//!   stands at or behind the beginning therefore finds all that it has not seen, and nothing twice.
//! - Nobody waits for a watch: the window moves on, and whoever falls out of it reads the store again.
//! - While the store does not answer, the window stands still; what was written meanwhile is read afterwards.
//!
//! # Caveats
//! What is in the window is opened: a secret's values are in memory for as long as its changes are among the newest.

mod entry;
mod window;

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

pub(crate) use self::entry::{Entry, Event};
use self::window::Window;
pub(crate) use self::window::{Reach, Wanted};
use crate::store::{Store, StoreError};

/// Changes read from the store in one go.
const BATCH: usize = 500;

/// How long to wait before the store is asked again that did not answer.
const AGAIN: Duration = Duration::from_millis(500);

/// The newest changes, for whoever watches.
pub(crate) struct Feed {
    store: Arc<dyn Store>,
    window: Arc<RwLock<Window>>,
    /// Up to where the window reaches.
    through: watch::Receiver<u64>,
    reader: Mutex<Reader>,
}

/// Started with the first watch: a server that nobody watches reads nothing.
enum Reader {
    Idle(watch::Sender<u64>),
    Running(JoinHandle<()>),
    /// Only while one becomes the other.
    Starting,
}

impl Feed {
    /// A feed that begins at the store's newest change.
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        let newest = *store.revision().borrow();
        let (announced, through) = watch::channel(newest);
        Self {
            store,
            window: Arc::new(RwLock::new(Window::new(newest))),
            through,
            reader: Mutex::new(Reader::Idle(announced)),
        }
    }

    /// Wakes when there is more to read; a wake-up and no payload. Whoever registers before looking misses nothing.
    /// Ends with the store.
    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        *reader = match std::mem::replace(&mut *reader, Reader::Starting) {
            Reader::Idle(announced) => Reader::Running(tokio::spawn(read(
                Arc::clone(&self.store),
                Arc::clone(&self.window),
                announced,
            ))),
            started => started,
        };
        self.through.clone()
    }

    /// What has happened after this revision, as far as the window knows.
    pub(crate) fn after(&self, after: u64, wanted: &Wanted<'_>, limit: usize) -> Reach {
        let window = self.window.read();
        window
            .unwrap_or_else(PoisonError::into_inner)
            .after(after, wanted, limit)
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        let reader = self.reader.get_mut();
        if let Reader::Running(task) = reader.unwrap_or_else(PoisonError::into_inner) {
            task.abort();
        }
    }
}

/// Keeps the window at the store's heels until the store goes.
async fn read(store: Arc<dyn Store>, window: Arc<RwLock<Window>>, announced: watch::Sender<u64>) {
    let mut wake = store.revision();
    let mut is_failing = false;
    loop {
        // Before looking, or a write in between would wake nobody.
        let newest = *wake.borrow_and_update();
        match catch_up(&*store, newest, &window, &announced).await {
            Ok(()) => {
                is_failing = false;
                if wake.changed().await.is_err() {
                    return;
                }
            }
            Err(error) => {
                // Once, and not twice a second.
                if !is_failing {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "the change log could not be read; watches wait until it can"
                    );
                }
                is_failing = true;
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}

/// Reads on until nothing is left of what was there when it was called.
async fn catch_up(
    store: &dyn Store,
    newest: u64,
    window: &RwLock<Window>,
    announced: &watch::Sender<u64>,
) -> Result<(), StoreError> {
    let advance = |through: u64, change: &dyn Fn(&mut Window)| {
        change(&mut window.write().unwrap_or_else(PoisonError::into_inner));
        announced.send_replace(through);
    };
    loop {
        let after = *announced.borrow();
        if after >= newest {
            return Ok(());
        }
        match store.log(after, BATCH).await {
            Ok((changes, through)) => advance(through, &|window| window.push(&changes, through)),
            // The store was out of reach for longer than it remembers. Watches that missed something ask it themselves
            // and are told so.
            Err(StoreError::Compacted { floor }) => {
                advance(floor, &|window| *window = Window::new(floor));
            }
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests;
