//! What the API asks of the controllers: it is built first, because the controllers are its clients.

use std::sync::{Arc, OnceLock};

/// Something of the controllers' that comes later, or, where none run, never.
pub(super) struct Late<T>(Arc<OnceLock<Arc<T>>>);

impl<T> Late<T> {
    /// From now on this one answers.
    pub(super) fn now_is(&self, one: Arc<T>) {
        // Set once, at start-up; a second one would be a mistake of the caller's without consequence.
        let _ = self.0.set(one);
    }

    /// It, or why it is not there; `work` is what the controllers would do.
    pub(super) fn get(&self, work: &str) -> Result<&T, String> {
        self.0.get().map(Arc::as_ref).ok_or_else(|| {
            format!("this server runs without controllers (--no-controllers), and they {work}")
        })
    }
}

impl<T> Default for Late<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Clone for Late<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
