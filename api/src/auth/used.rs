//! When tokens were last used: kept in memory, and written now and then.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::record::{Record, TOKENS};
use crate::store::{Effect, Expect, Key, Store, StoreError, Write};

/// How exact the stored time is: a token in use costs one write in so long, not one a request.
const EXACT_TO: SignedDuration = SignedDuration::from_mins(10);

/// How long a token is still shown after it has expired.
const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Uses since the last sweep, by the token's name.
#[derive(Default)]
pub(super) struct Used(Mutex<HashMap<String, Timestamp>>);

impl Used {
    pub(super) fn note(&self, name: &str, now: Timestamp) {
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match uses.get_mut(name) {
            Some(last) => *last = now.max(*last),
            None => {
                uses.insert(name.to_owned(), now);
            }
        }
    }

    /// Writes what has been noted, and lets tokens go that expired long ago.
    pub(super) async fn sweep(
        &self,
        store: &dyn Store,
        records: Vec<(String, Record)>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let uses = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for (name, record) in records {
            let is_long_expired = record
                .expires_at()
                .is_some_and(|expires_at| now.duration_since(expires_at) > KEPT);
            let used_at = uses.get(&name).copied().filter(|used_at| {
                record
                    .last_used_at()
                    .is_none_or(|known| used_at.duration_since(known) >= EXACT_TO)
            });
            if !is_long_expired && used_at.is_none() {
                continue;
            }
            let key = Key::new(TOKENS, "", &name);
            let Some(stored) = store.get(&key).await? else {
                continue;
            };
            let mut object = stored.object.into_value();
            let effect = match used_at {
                Some(used_at) if !is_long_expired => {
                    let seconds = Timestamp::from_second(used_at.as_second()).unwrap_or(used_at);
                    object["status"]["lastUsedAt"] = json!(seconds);
                    Effect::put(object)
                }
                _ => Effect::delete(object),
            };
            let write = Write {
                key,
                expect: Expect::Revision(stored.revision),
                effect,
            };
            match store.write(write).await {
                // Whoever was quicker, another server or a person who revoked it, is right.
                Ok(_) | Err(StoreError::Conflict { .. } | StoreError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
