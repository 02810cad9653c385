//! The policy as it is now.
//!
//! It is compiled from the store's change log when someone asks and it may be old. A write of a role or a binding through
//! this server brings it up to date before it is acknowledged; what other servers wrote is taken in within [`STALE`].

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::Policy;
use super::policy::RESOURCES;
use crate::store::following::Following;
use crate::store::{Store, StoreError};

/// How old the policy may be as regards writes through other servers. Looking is four reads of the change log; on every
/// request of a busy server that would be most of its reads.
const STALE: Duration = Duration::from_millis(500);

/// Compiles policies and keeps the latest.
pub(crate) struct Policies {
    store: Arc<dyn Store>,
    latest: Mutex<Latest>,
}

struct Latest {
    following: Following,
    policy: Arc<Policy>,
    looked_at: Option<Instant>,
}

impl Policies {
    /// Nothing is read yet.
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            latest: Mutex::new(Latest {
                following: Following::new(&RESOURCES),
                policy: Arc::default(),
                looked_at: None,
            }),
        }
    }

    /// The policy, with all that this server has acknowledged.
    ///
    /// # Errors
    /// When the store does not answer: who cannot know the rights of somebody gives them none.
    pub(crate) async fn current(&self) -> Result<Arc<Policy>, StoreError> {
        let mut latest = self.latest.lock().await;
        if latest
            .looked_at
            .is_none_or(|looked_at| looked_at.elapsed() >= STALE)
        {
            self.look(&mut latest).await?;
        }
        Ok(Arc::clone(&latest.policy))
    }

    /// The policy, with all that the store has announced.
    ///
    /// # Errors
    /// As [`Policies::current`].
    pub(crate) async fn newest(&self) -> Result<Arc<Policy>, StoreError> {
        let mut latest = self.latest.lock().await;
        self.look(&mut latest).await?;
        Ok(Arc::clone(&latest.policy))
    }

    async fn look(&self, latest: &mut Latest) -> Result<(), StoreError> {
        // Until it has worked: a look that fails leaves a policy that nobody may go by.
        latest.looked_at = None;
        let announced = *self.store.revision().borrow();
        if !latest.following.has_seen(announced) && latest.following.catch_up(&*self.store).await? {
            latest.policy = Arc::new(Policy::compile(latest.following.objects()));
        }
        latest.looked_at = Some(Instant::now());
        Ok(())
    }
}
