//! Writes on someone's account: each with its record, in one commit.

use http::StatusCode;
use serde_json::Value;

use super::changes::{Eye, holds_secrets};
use super::record::is_chatter;
use super::{Effect, Origin, Outcome};
use crate::server::Server;
use crate::store::{self, Document, Expect, StoreError, Write};

impl Server {
    /// Does the write and records that `origin` did it; both happen or neither. `before` is the object that the write
    /// replaces or removes, where there is one.
    ///
    /// # Errors
    /// As [`store::Store::write`].
    pub(crate) async fn write(
        &self,
        origin: &Origin,
        write: Write,
        before: Option<&Document>,
    ) -> Result<u64, StoreError> {
        let entry = self.record_of(origin, &write, before).await?.entry();
        self.store.write_audited(write, entry).await
    }

    /// Records at once what `origin` did that wrote no object: a verb of its own on a resource, and what came of it.
    ///
    /// # Errors
    /// When the store does not answer: the record may be missing.
    pub(crate) async fn record(
        &self,
        origin: &Origin,
        verb: &str,
        resource: &str,
        what: Value,
    ) -> Result<(), StoreError> {
        let mut record = origin.record(Outcome {
            code: StatusCode::OK.as_u16(),
            reason: String::new(),
            message: String::new(),
        });
        verb.clone_into(&mut record.verb);
        resource.clone_into(&mut record.resource);
        record.path.clear();
        record.object = Some(what);
        self.store.record(vec![record.entry()]).await
    }

    async fn record_of(
        &self,
        origin: &Origin,
        write: &Write,
        before: Option<&Document>,
    ) -> Result<super::Record, StoreError> {
        let (effect, verb, code) = match (write.expect, &write.effect) {
            (_, store::Effect::Delete(_)) => (Effect::Deleted, "delete", StatusCode::OK),
            (Expect::Absent, store::Effect::Put(_)) => {
                (Effect::Created, "create", StatusCode::CREATED)
            }
            (Expect::Revision(_), store::Effect::Put(_)) => {
                (Effect::Updated, "update", StatusCode::OK)
            }
        };
        let mut record = origin.record(Outcome {
            code: code.as_u16(),
            reason: String::new(),
            message: String::new(),
        });
        let key = &write.key;
        // A request may write other objects than the one that it names: what was in a namespace goes with it.
        if origin.info().is_none() {
            verb.clone_into(&mut record.verb);
            record.path.clear();
        } else if record.resource != key.resource || record.namespace != key.namespace {
            record.subresource.clear();
        }
        record.resource.clone_from(&key.resource);
        record.namespace.clone_from(&key.namespace);
        record.name.clone_from(&key.name);
        record.effect = Some(effect);
        if is_chatter(&key.resource) {
            return Ok(record);
        }
        let fingerprints = if holds_secrets(&key.resource) {
            Some(self.audit.key.of(&*self.store).await?)
        } else {
            None
        };
        let mut eye = Eye::on(&key.resource, &key.namespace, &key.name, fingerprints);
        let after = write.effect.document();
        match (effect, before) {
            (Effect::Updated, Some(before)) => {
                let (before, after) = apart(before, after);
                record.changes = eye.changes(before, after);
            }
            _ => record.object = Some(eye.whole(after)),
        }
        record.is_cut = eye.is_cut();
        Ok(record)
    }
}

/// Two objects that differ in what these do, which of most writes is little: who manages which field is never shown, and
/// a spec that stayed as it is need not be looked at.
fn apart<'d>(before: &'d Document, after: &'d Document) -> (&'d Value, &'d Value) {
    match (before.known_outline(), after.known_outline()) {
        (Some(one), Some(other)) if one.spec == other.spec => (one.value, other.value),
        _ => (before, after),
    }
}
