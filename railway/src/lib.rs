//! The outside world: Railway's API, typed, metered and observed.

pub mod change;
pub mod id;
pub mod secret;
pub mod snapshot;
