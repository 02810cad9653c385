//! From what a client would like an object to be, to what is stored: the same rules for every way of writing.

use serde_json::{Value, json};

use super::call::{Call, Outcome};
use super::managed_fields::{Author, Managers};
use super::metadata;
use super::{dry_run, namespace};
use crate::error::{CauseReason, Fault, Status};
use crate::server::presented;
use crate::store::{Effect, Expect, StoreError, Stored, Write};
use http::StatusCode;

/// Who owns what after a write.
pub(super) enum Attribution {
    /// What changed belongs to the caller.
    Changes,
    /// An apply has worked it out.
    Applied(Managers),
}

/// A first version of an object.
pub(super) async fn create(
    call: &Call,
    mut object: Value,
    attribution: Attribution,
    duplicates: &[String],
) -> Result<Outcome, Status> {
    let kind = &*call.kind;
    let is_dry_run = call.query.is_dry_run()?;
    metadata::ensure_shape(&mut object)?;
    if kind.namespaced {
        namespace::admit(call).await?;
    }
    (kind.normalize)(&mut object);
    if kind.has_status
        && let Some(fields) = object.as_object_mut()
    {
        fields.remove("status");
    }
    let prefix = metadata::text(&object, "generateName").to_owned();
    let is_generated = metadata::text(&object, "name").is_empty() && !prefix.is_empty();
    for field in [
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "selfLink",
        "managedFields",
        "resourceVersion",
    ] {
        metadata::set(&mut object, field, None);
    }
    object["apiVersion"] = json!(kind.api_version());
    object["kind"] = json!(kind.kind);
    metadata::set(&mut object, "uid", Some(json!(call.server.ids.uid())));
    metadata::set(
        &mut object,
        "creationTimestamp",
        Some(json!(call.server.now_text())),
    );
    metadata::set(
        &mut object,
        "generation",
        kind.has_generation.then(|| json!(1)),
    );
    metadata::set(
        &mut object,
        "namespace",
        kind.namespaced.then(|| json!(call.namespace())),
    );

    let mut attempts_left = 8;
    loop {
        let mut object = object.clone();
        if is_generated {
            let name = format!(
                "{}{}",
                prefix.chars().take(248).collect::<String>(),
                call.server.ids.suffix()
            );
            metadata::set(&mut object, "name", Some(json!(name)));
            (kind.normalize)(&mut object);
        }
        let name = metadata::text(&object, "name").to_owned();
        let findings = kind.admit(&mut object);
        let mut warnings = call.judge_unknown(&findings.unknown, duplicates)?;
        let mut faults = metadata::faults(&object);
        faults.extend(findings.faults);
        if !faults.is_empty() {
            return Err(call.invalid(&name, faults));
        }
        let managers = match &attribution {
            Attribution::Applied(managers) => managers.clone(),
            Attribution::Changes => {
                let mut managers = Managers::default();
                // A first write is always one of the whole object, never of a subresource.
                let author = Author {
                    subresource: String::new(),
                    ..call.author()
                };
                managers.update(&kind.schema, &json!({"metadata": {}}), &object, &author);
                managers
            }
        };
        managers.write_into(&mut object);
        let key = call.key(&name);
        if is_dry_run {
            if call
                .server
                .store
                .get(&key)
                .await
                .map_err(|error| call.refused(&name, error))?
                .is_some()
            {
                return Err(Status::already_exists(kind, &name));
            }
            warnings.extend(dry_run::plan_lines(call, &object, None).await);
            return Ok(Outcome {
                code: StatusCode::CREATED,
                object,
                warnings,
            });
        }
        let write = Write {
            key,
            expect: Expect::Absent,
            effect: Effect::Put(kind.to_stored(object.clone())),
        };
        match call.server.store.write(write).await {
            Ok(revision) => {
                let object = presented(kind, kind.to_stored(object), revision);
                return Ok(Outcome {
                    code: StatusCode::CREATED,
                    object,
                    warnings,
                });
            }
            Err(StoreError::AlreadyExists) if is_generated && attempts_left > 0 => {
                attempts_left -= 1
            }
            Err(error) => return Err(call.refused(&name, error)),
        }
    }
}

/// What a change of an object came to.
pub(super) enum Settled {
    /// It is done.
    Done(Outcome),
    /// Someone else wrote in between; a patch without a lock begins again.
    Raced,
}

/// The next version of an object. `candidate` is in this kind's form; its `metadata.resourceVersion` is a lock.
pub(super) async fn change(
    call: &Call,
    live: &Stored,
    mut candidate: Value,
    attribution: Attribution,
    duplicates: &[String],
) -> Result<Settled, Status> {
    let kind = &*call.kind;
    let name = live.key.name.as_str();
    let before = kind.from_stored(live.object.clone());
    metadata::ensure_shape(&mut candidate)?;
    let version = metadata::text(&candidate, "resourceVersion");
    if !version.is_empty() && version != live.revision.to_string() {
        return Err(Status::modified(kind, name));
    }
    let uid = metadata::text(&candidate, "uid");
    if !uid.is_empty() && uid != metadata::text(&before, "uid") {
        let why = format!(
            "Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
            metadata::text(&before, "uid")
        );
        return Err(Status::conflict(kind, name, why));
    }
    let sent_managers = candidate["metadata"]["managedFields"].clone();
    let mut after = walled(call, &before, candidate);
    for field in metadata::SERVER_OWNED {
        metadata::set(&mut after, field, before["metadata"].get(field).cloned());
    }
    for field in ["resourceVersion", "selfLink"] {
        metadata::set(&mut after, field, None);
    }
    after["apiVersion"] = json!(kind.api_version());
    after["kind"] = json!(kind.kind);
    (kind.normalize)(&mut after);

    let findings = kind.admit(&mut after);
    let mut warnings = call.judge_unknown(&findings.unknown, duplicates)?;
    let mut faults = metadata::faults(&after);
    faults.extend(findings.faults);
    let is_same_spec = metadata::same_spec(&before, &after);
    if is_same_spec {
        // What was accepted once may be refused today; that must not keep a finalizer or a status from being written.
        faults
            .retain(|fault| fault.path.starts_with("metadata") || fault.path.starts_with("status"));
    }
    faults.extend(late_finalizers(&before, &after));
    if !faults.is_empty() {
        return Err(call.invalid(name, faults));
    }
    if kind.has_generation && !is_same_spec {
        let generation = before["metadata"]["generation"]
            .as_u64()
            .unwrap_or_default()
            + 1;
        metadata::set(&mut after, "generation", Some(json!(generation)));
    }
    let managers = match attribution {
        Attribution::Applied(managers) => managers,
        Attribution::Changes => {
            let mut managers =
                stated_managers(call, &sent_managers).unwrap_or_else(|| Managers::of(&before));
            managers.update(&kind.schema, &before, &after, &call.author());
            managers
        }
    };
    metadata::set(&mut after, "managedFields", None);
    managers.write_into(&mut after);

    let is_dry_run = call.query.is_dry_run()?;
    let stored = kind.to_stored(after);
    let outcome = |object: Value, revision: u64, warnings: Vec<String>| {
        Settled::Done(Outcome {
            code: StatusCode::OK,
            object: presented(kind, object, revision),
            warnings,
        })
    };
    if is_dry_run {
        warnings.extend(dry_run::plan_lines(call, &stored, Some(&live.object)).await);
        return Ok(outcome(stored, live.revision, warnings));
    }
    if stored == live.object {
        return Ok(outcome(stored, live.revision, warnings));
    }
    let is_gone = metadata::is_deleting(&stored) && metadata::finalizers(&stored).is_empty();
    let is_gone = is_gone && !namespace::is_one(kind);
    let effect = if is_gone {
        Effect::Delete(stored.clone())
    } else {
        Effect::Put(stored.clone())
    };
    let write = Write {
        key: live.key.clone(),
        expect: Expect::Revision(live.revision),
        effect,
    };
    match call.server.store.write(write).await {
        Ok(revision) => {
            if is_gone {
                namespace::after_removal(&call.server, &live.key.namespace).await?;
            }
            Ok(outcome(stored, revision, warnings))
        }
        Err(StoreError::Conflict { .. }) => Ok(Settled::Raced),
        Err(error) => Err(call.refused(name, error)),
    }
}

/// `status` and everything else are written apart: each request changes its own side of the wall only.
fn walled(call: &Call, before: &Value, candidate: Value) -> Value {
    let (mut base, status) = if call.is_status() {
        (before.clone(), candidate.get("status").cloned())
    } else if call.kind.has_status {
        (candidate, before.get("status").cloned())
    } else {
        return candidate;
    };
    if let Some(fields) = base.as_object_mut() {
        match status {
            Some(status) => fields.insert("status".into(), status),
            None => fields.remove("status"),
        };
    }
    base
}

/// The managers that the client wrote down itself, as kubectl does when it migrates from client-side apply.
/// `[{}]` clears them; absent, empty or malformed lists, and status writes, leave what there is.
fn stated_managers(call: &Call, sent: &Value) -> Option<Managers> {
    if call.is_status() {
        return None;
    }
    if *sent == json!([{}]) {
        return Some(Managers::default());
    }
    Managers::parse(sent).filter(|managers| !managers.is_empty())
}

/// Once deletion was asked for, finalizers may go but not come.
fn late_finalizers(before: &Value, after: &Value) -> Option<Fault> {
    if !metadata::is_deleting(before) {
        return None;
    }
    let known = metadata::finalizers(before);
    let added: Vec<&str> = metadata::finalizers(after)
        .into_iter()
        .filter(|name| !known.contains(name))
        .collect();
    (!added.is_empty()).then(|| {
        let message = format!(
            "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers {added:?}"
        );
        Fault::new("metadata.finalizers", CauseReason::FieldValueForbidden, message)
    })
}
