//! Copies of an environment: what may be asked of one, what is told about one, and what stays written on one.
//!
//! ```text
//! CopyOptions ──► (source, Railway) ──► Copied: the object to make, what differs, what is refused
//!                                          │
//!                                          └──► on the object: where it comes from (Origin), and until when it must
//!                                               be ready or is taken back
//! ```

mod answer;
mod lineage;
mod options;

pub use answer::{Change, Copied, Difference, Obstacle};
pub use lineage::{Ancestor, CLONED_FROM, ORIGIN, Origin, READY_BY, ROLLED_BACK, TakenBack};
pub use options::{
    CopyFailure, CopyOptions, DEFAULT_TIMEOUT_SECONDS, InvalidShortForm, ServiceOptions,
};
