//! What all the bytes of one fetch share: a deadline, an allowance, and the reason when it ends early.
//!
//! gix reads and writes like a program of its own thread, and its errors say that reading failed, not why. So whoever
//! fails it leaves its reason here first.

use std::{
    future::Future,
    io,
    sync::Arc,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use tokio::{runtime::Handle, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{FetchError, Limits};

pub(super) struct Line {
    handle: Handle,
    deadline: Instant,
    seconds: u64,
    allowance: u64,
    left: AtomicU64,
    is_cut: AtomicBool,
    hung_up: CancellationToken,
    verdict: Mutex<Option<FetchError>>,
}

impl Line {
    pub(super) fn new(limits: &Limits, handle: Handle) -> Self {
        Self {
            handle,
            deadline: Instant::now() + limits.time,
            seconds: limits.time.as_secs(),
            allowance: limits.transfer_bytes,
            left: AtomicU64::new(limits.transfer_bytes),
            is_cut: AtomicBool::new(false),
            hung_up: CancellationToken::new(),
            verdict: Mutex::default(),
        }
    }

    /// Whether to stop; gix looks at it between objects.
    pub(super) fn is_cut(&self) -> &AtomicBool {
        &self.is_cut
    }

    /// Waits on a blocking thread for something on the runtime, until the deadline or until nobody wants it any more.
    pub(super) fn wait<T>(&self, work: impl Future<Output = T>) -> io::Result<T> {
        let wanted = self.hung_up.run_until_cancelled(work);
        match self
            .handle
            .block_on(tokio::time::timeout_at(self.deadline, wanted))
        {
            Ok(Some(done)) => Ok(done),
            Ok(None) => Err(io::Error::other("nobody waits for it any more")),
            Err(_) => Err(self.fail(FetchError::TimedOut {
                seconds: self.seconds,
            })),
        }
    }

    /// Counts bytes that came in.
    pub(super) fn take(&self, bytes: usize) -> io::Result<()> {
        let bytes = bytes as u64;
        let before = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(bytes)
            });
        before.map(drop).map_err(|_| {
            self.fail(FetchError::TooLarge(format!(
                "the repository sends more than {} MiB for one commit, which is more than Mirage takes: keep specs in a \
                 repository of their own",
                self.allowance / (1024 * 1024)
            )))
        })
    }

    /// Leaves the reason, and gives the error that carries it as far as gix lets it. The first reason stays.
    pub(super) fn fail(&self, reason: FetchError) -> io::Error {
        let text = reason.to_string();
        let mut verdict = self.verdict.lock().unwrap_or_else(PoisonError::into_inner);
        verdict.get_or_insert(reason);
        io::Error::other(text)
    }

    pub(super) fn verdict(&self) -> Option<FetchError> {
        self.verdict
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn hang_up_on_drop(self: &Arc<Self>) -> HangUp {
        HangUp(Arc::clone(self))
    }
}

pub(super) struct HangUp(Arc<Line>);

impl Drop for HangUp {
    fn drop(&mut self) {
        self.0.is_cut.store(true, Ordering::Relaxed);
        self.0.hung_up.cancel();
    }
}
