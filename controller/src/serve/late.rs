//! What the API asks of the controllers: it is built first, because the controllers are its clients.

use std::sync::{Arc, OnceLock};

/// Something of the controllers' that comes later, or, where none act, never.
pub(super) struct Late<T> {
    one: Arc<OnceLock<Arc<T>>>,
    absence: &'static str,
}

impl<T> Late<T> {
    /// None yet; `absence` says why.
    pub(super) fn new(absence: &'static str) -> Self {
        Self {
            one: Arc::default(),
            absence,
        }
    }

    /// From now on this one answers.
    pub(super) fn now_is(&self, one: Arc<T>) {
        // Set once, when the controllers start; a second one would be a mistake of the caller's without consequence.
        let _ = self.one.set(one);
    }

    /// It, or why it is not there; `work` is what the controllers would do.
    pub(super) fn get(&self, work: &str) -> Result<&T, String> {
        let one = self.one.get().map(Arc::as_ref);
        one.ok_or_else(|| format!("{}, and controllers {work}", self.absence))
    }
}

impl<T> Clone for Late<T> {
    fn clone(&self) -> Self {
        Self {
            one: Arc::clone(&self.one),
            absence: self.absence,
        }
    }
}
