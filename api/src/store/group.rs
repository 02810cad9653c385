//! The queue before a database's writer. Whatever waits there is committed as one transaction: under load one flush to
//! the disk serves many writes, and an idle store adds no delay to a single one.

use std::fmt;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::audit::AuditEntry;
use super::decision::Intent;
use super::{Document, Effect, Expect, Key, StoreError, Write};

/// At most so many requests in one transaction, so that the first of a burst does not wait for all of it.
pub(super) const GROUP: usize = 256;

/// How many requests may wait for the writer before callers wait to hand theirs in.
const QUEUE: usize = 1024;

/// The write's revision, or the floor after a compaction.
pub(super) type Outcome = Result<u64, StoreError>;

/// Something to be done by the writer, and whom to tell.
#[derive(Debug)]
pub(super) struct Request<W> {
    pub(super) work: W,
    pub(super) reply: oneshot::Sender<Outcome>,
}

/// One conditional write.
pub(super) struct Prepared {
    pub(super) key: Key,
    pub(super) expect: Expect,
    pub(super) intent: Intent,
    /// Written out as text by the caller, so that the writer's time goes to the disk.
    pub(super) document: Document,
    /// Added to the audit log when the write happens.
    pub(super) audit: Option<AuditEntry>,
}

impl Prepared {
    /// A write with the entry about it.
    pub(super) fn audited(write: Write, entry: AuditEntry) -> Self {
        Self {
            audit: Some(entry),
            ..Self::from(write)
        }
    }
}

impl From<Write> for Prepared {
    fn from(write: Write) -> Self {
        let intent = Intent::from(&write.effect);
        let (Effect::Put(document) | Effect::Delete(document)) = write.effect;
        document.text();
        Self {
            key: write.key,
            expect: write.expect,
            intent,
            document,
            audit: None,
        }
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.intent, self.key)
    }
}

/// The writer's task and the way to it.
#[derive(Debug)]
pub(super) struct Writer<W> {
    requests: mpsc::Sender<Request<W>>,
    task: JoinHandle<()>,
}

impl<W: Send + 'static> Writer<W> {
    /// Starts the task; it ends when the queue does.
    pub(super) fn spawn<R>(run: impl FnOnce(mpsc::Receiver<Request<W>>) -> R) -> Self
    where
        R: Future<Output = ()> + Send + 'static,
    {
        let (requests, queue) = mpsc::channel(QUEUE);
        Self {
            requests,
            task: tokio::spawn(run(queue)),
        }
    }

    /// Hands the work in and waits for what comes of it.
    pub(super) async fn ask(&self, work: W) -> Outcome {
        let (reply, answer) = oneshot::channel();
        self.requests
            .send(Request { work, reply })
            .await
            .map_err(|_| StoreError::unavailable("the writer has stopped"))?;
        answer
            .await
            .map_err(|_| StoreError::unavailable("the writer stopped during the write"))?
    }

    /// Waits for the writes under way.
    pub(super) async fn close(self) {
        drop(self.requests);
        // An error would mean that the writer panicked; its callers have been told.
        let _ = self.task.await;
    }
}

/// Says that the store has come so far. Never goes back: two who announce may do so in either order.
pub(super) fn announce(announced: &watch::Sender<u64>, newest: u64) {
    announced.send_if_modified(|announced| {
        let rises = *announced < newest;
        *announced = newest.max(*announced);
        rises
    });
}
