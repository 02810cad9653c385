//! Who did what: a record of every write, of every refusal, and of who was shown secrets.
//!
//! ```text
//!   request ──► origin (who, from where, audit id) ──► handler ──┬─ write ─────► store, in the write's own commit
//!                                                                │
//!                              answer with 401, 403, 4xx ────────┼─► guard ───► recorder ──► store, soon after
//!                              answer with secrets' values ──────┘   (counts what repeats)
//! ```
//! - [`Record`] is what is kept, and what readers get.
//! - `origin`: who asks and from where. `address`: whom to believe about that.
//! - `changes`: what an object was and became, with fingerprints in the place of secrets. Pure.
//! - `guard`: how many refusals are worth a record. Pure, with time passed in.
//! - `recorder`: writes what is about no write, behind the answers.
//!
//! # Guarantees
//! A write that was acknowledged has its record, and a record of a write has its write: they are one commit. A refusal
//! is answered before its record is durable; a crash may lose what was refused in its last moments.
//!
//! # What is not recorded
//! Reads of what is not secret, and reads by the server's own parts, which say themselves what they use ([`SecretUse`]);
//! the server's own housekeeping (old events that go, definitions at the start); requests
//! that wrote nothing because nothing was to change; health checks and the version.

use std::sync::{Arc, OnceLock};

pub mod address;
mod changes;
mod fingerprint;
mod guard;
mod observe;
mod origin;
mod record;
mod recorder;
mod uses;
mod write;

use fingerprint::KeptKey;
use recorder::Recorder;

use crate::store::{Store, StoreError};

pub use address::{Network, NetworkError};
pub use changes::Change;
pub(crate) use observe::{disclosure, observe};
pub(crate) use origin::{Origin, address_of};
pub use record::{Client, Effect, Outcome, Record, User};
pub use uses::SecretUse;

/// The group and the plural by which rights to read the log are given: `list` and `watch` on `auditrecords`.
pub(crate) const GROUP: &str = "mirage.dev";
pub(crate) const PLURAL: &str = "auditrecords";

/// What the server has for it.
pub(crate) struct Audit {
    /// Of the fingerprints that stand in the place of secrets.
    key: KeptKey,
    /// Who is believed about where requests come from; nobody unless it was said.
    trusted_proxies: OnceLock<Vec<Network>>,
    recorder: Arc<Recorder>,
}

impl Audit {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self {
            key: KeptKey::default(),
            trusted_proxies: OnceLock::new(),
            recorder: Arc::new(Recorder::new(store)),
        }
    }

    /// Says whose `X-Forwarded-For` is believed. Once, before serving.
    pub(crate) fn trust(&self, proxies: Vec<Network>) {
        let _ = self.trusted_proxies.set(proxies);
    }

    fn trusted_proxies(&self) -> &[Network] {
        self.trusted_proxies.get().map_or(&[], Vec::as_slice)
    }

    /// Somebody was shown secrets.
    pub(crate) fn disclosed(&self, record: Record) {
        self.recorder.disclosed(record);
    }

    /// Writes what is still in memory.
    pub(crate) async fn flush(&self) -> Result<(), StoreError> {
        self.recorder.flush().await
    }
}
