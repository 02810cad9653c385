//! Waiting for what another process does: looked at again and again, and given up with the last thing seen.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Longer than anything takes on a busy machine; only a failing test waits for all of it.
pub const PATIENCE: Duration = Duration::from_secs(90);

const BETWEEN: Duration = Duration::from_millis(25);

/// What one look showed.
pub enum Look<T> {
    /// It is so.
    Yes(T),
    /// Not yet; what is seen instead.
    NotYet(String),
}

impl<T> Look<T> {
    /// What was looked for, or what is seen instead.
    pub fn when(found: Option<T>, instead: impl FnOnce() -> String) -> Self {
        found.map_or_else(|| Self::NotYet(instead()), Self::Yes)
    }
}

/// Looks until it is so.
///
/// # Errors
/// A look failed, or [`PATIENCE`] is over.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Result<Look<T>>) -> Result<T> {
    let begun = Instant::now();
    loop {
        match look().await? {
            Look::Yes(value) => return Ok(value),
            Look::NotYet(seen) if begun.elapsed() > PATIENCE => {
                bail!("waited in vain for {what}; seen: {seen}")
            }
            Look::NotYet(_) => tokio::time::sleep(BETWEEN).await,
        }
    }
}
