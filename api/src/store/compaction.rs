//! Forgetting old changes, so that the log does not grow for ever.

use std::time::Duration;

use super::Store;

/// Compacts once per `interval` up to where the store was one interval before, so that between one and two intervals of
/// changes are kept. Runs until it is dropped.
///
/// A watcher that comes back later than that is told to list again, which every Kubernetes client does by itself. The
/// API server of Kubernetes compacts every five minutes in the same way.
pub async fn compact_every(store: &dyn Store, interval: Duration) {
    let newest = store.revision();
    loop {
        let keep_from = *newest.borrow();
        tokio::time::sleep(interval).await;
        if let Err(error) = store.compact(keep_from).await {
            // The next round forgets what this one could not.
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the change log could not be compacted"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::MemoryStore;
    use crate::store::{Effect, Expect, Key, StoreError, Write};

    const INTERVAL: Duration = Duration::from_secs(300);

    async fn write(store: &MemoryStore, name: &str) -> u64 {
        let write = Write {
            key: Key::new("secrets", "default", name),
            expect: Expect::Absent,
            effect: Effect::put(serde_json::json!({})),
        };
        store.write(write).await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn changes_are_kept_for_an_interval_and_gone_after_two() {
        let store = MemoryStore::new();
        write(&store, "before").await;
        let history = async {
            // Between the rounds, so that no two things happen at one instant.
            tokio::time::sleep(INTERVAL / 2).await;
            let revision = write(&store, "during").await;
            let read = async || store.changes("secrets", None, revision - 1, 10).await;
            tokio::time::sleep(INTERVAL).await;
            assert_eq!(read().await.unwrap().0.len(), 1);
            tokio::time::sleep(INTERVAL).await;
            let expected = read().await;
            // The newest change stays: the store had not gone beyond it.
            assert_eq!(expected.unwrap().0.len(), 1);
            write(&store, "after").await;
            tokio::time::sleep(INTERVAL * 2).await;
            assert!(matches!(read().await, Err(StoreError::Compacted { .. })));
        };
        tokio::select! {
            () = compact_every(&store, INTERVAL) => unreachable!("it runs until it is dropped"),
            () = history => {}
        }
    }
}
