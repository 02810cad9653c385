//! Learning how far the store has come, through whichever server.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgListener, PgPool, PgPoolOptions};
use tokio::sync::{Notify, watch};

use super::{CONNECT, read, within};
use crate::store::group::announce;

/// The channel of notifications. They carry nothing: whoever hears one looks for itself, and a forged or a foreign one
/// costs a look.
pub(super) const CHANNEL: &str = "mirage_store";

/// How long a watcher waits at most for a change whose notification was lost.
pub(super) const POLL: Duration = Duration::from_millis(300);

/// How long to wait before another try to listen.
const AGAIN: Duration = Duration::from_secs(1);

/// After so much silence the listener is made anew: a network that dropped its connection may never have said so.
const SILENCE: Duration = Duration::from_secs(300);

/// Announces the newest revision whenever woken, and every [`POLL`] besides.
pub(super) async fn follow(pool: PgPool, wake: Arc<Notify>, announced: Arc<watch::Sender<u64>>) {
    let mut is_failing = false;
    loop {
        // Whether a notification came or the time is up: the counter is looked at either way.
        let _ = tokio::time::timeout(POLL, wake.notified()).await;
        match within(read::newest_of(&pool)).await {
            Ok(newest) => {
                announce(&announced, newest);
                if is_failing {
                    tracing::info!("the database answers again");
                }
                is_failing = false;
            }
            Err(error) => {
                // Once, and not three times a second.
                if !is_failing {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "the database does not answer; trying again"
                    );
                }
                is_failing = true;
            }
        }
    }
}

/// Wakes on every notification, through lost connections, for ever.
pub(super) async fn listen(options: PgConnectOptions, wake: Arc<Notify>) {
    loop {
        if let Err(error) = hear(options.clone(), &wake).await {
            tracing::debug!(%error, "not listening to the database; watchers are woken by polling meanwhile");
            tokio::time::sleep(AGAIN).await;
        }
    }
}

/// Until the connection is lost, or has been silent for long.
async fn hear(options: PgConnectOptions, wake: &Notify) -> Result<(), sqlx::Error> {
    // The driver's listener takes its connection from a pool; its own, so that no reader waits for it, and another each
    // time, so that a connection that died in silence is not handed out again.
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(CONNECT)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(options);
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    loop {
        // What was written before the ear was open is found by looking.
        wake.notify_one();
        match tokio::time::timeout(SILENCE, listener.try_recv()).await {
            Ok(Ok(Some(_))) => {}
            Ok(Ok(None)) | Err(_) => return Ok(()),
            Ok(Err(error)) => return Err(error),
        }
    }
}
