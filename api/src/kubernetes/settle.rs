//! From what a client would like an object to be, to what is stored: the same rules for every way of writing.

use std::borrow::Cow;

use http::StatusCode;
use serde_json::{Value, json};

use super::call::{Call, Outcome, Subject};
use super::managed_fields::{Changed, Managers, is_on_record};
use super::{access, dry_run, lost_nulls, metadata, namespace};
use crate::error::{CauseReason, Fault, Reason, Status};
use crate::kinds::Kind;
use crate::store::{Document, Effect, Expect, Managed, Outline, StoreError, Stored, Write};

/// Who owns what after a write.
#[derive(Clone)]
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
    metadata::ensure_shape(&mut object)?;
    if call.kind.namespaced {
        namespace::admit(call).await?;
    }
    let is_generated = metadata::text(&object, "name").is_empty()
        && !metadata::text(&object, "generateName").is_empty();
    let object = newborn(call, object);
    if !is_generated {
        return create_named(call, object, attribution, duplicates).await;
    }
    // The prefix is cut so that the whole fits into the 253 characters of a name.
    let prefix: String = metadata::text(&object, "generateName")
        .chars()
        .take(248)
        .collect();
    let mut attempts_left = 8;
    loop {
        let mut named = object.clone();
        let name = format!("{prefix}{}", call.server.ids.suffix());
        metadata::set(&mut named, "name", Some(json!(name)));
        match create_named(call, named, attribution.clone(), duplicates).await {
            Err(status) if status.reason() == Reason::AlreadyExists && attempts_left > 0 => {
                attempts_left -= 1
            }
            result => return result,
        }
    }
}

/// What was sent, without what only the server may say and with what it says.
fn newborn(call: &Call, mut object: Value) -> Value {
    let kind = &*call.kind;
    if kind.has_status
        && let Some(fields) = object.as_object_mut()
    {
        fields.remove("status");
    }
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
    object
}

async fn create_named(
    call: &Call,
    mut object: Value,
    attribution: Attribution,
    duplicates: &[String],
) -> Result<Outcome, Status> {
    let kind = &*call.kind;
    (kind.normalize)(&mut object);
    let name = metadata::text(&object, "name").to_owned();
    let findings = kind.admit(None, &mut object);
    let mut warnings = call.judge_unknown(&findings.unknown, duplicates)?;
    let spec = || Cow::Borrowed(&object["spec"]);
    warnings.extend(lost_nulls::warnings(&kind.schema, None, &object, spec));
    let mut faults = metadata::faults(kind, &object);
    faults.extend(findings.faults);
    if !faults.is_empty() {
        return Err(call.invalid(&name, faults));
    }
    access::check_grant(call, &name, None, &object).await?;
    let managers = match attribution {
        Attribution::Applied(managers) => managers,
        Attribution::Changes => {
            let mut managers = Managers::default();
            managers.update(
                &kind.schema,
                &json!({"metadata": {}}),
                &object,
                &call.author(),
            );
            managers
        }
    };
    managers.write_into(&mut object);
    let key = call.key(&name);
    if call.query.is_dry_run()? {
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
            object: Subject::Shown(object),
            warnings,
        });
    }
    let stored = Document::from(kind.to_stored(object));
    let write = Write {
        key,
        expect: Expect::Absent,
        effect: Effect::Put(stored.clone()),
    };
    match call.write(write, None).await {
        Ok(revision) => Ok(Outcome {
            code: StatusCode::CREATED,
            object: Subject::Stored(stored, revision),
            warnings,
        }),
        Err(error) => Err(call.refused(&name, error)),
    }
}

/// What an object is to become.
pub(super) enum Candidate<'l> {
    /// All of it.
    Whole(Value),
    /// An outline, and the live object's: its `spec` stays as it is, and so do its managers unless others are stated. For
    /// kinds whose [spec is nobody's but the schema's](Kind::has_plain_spec).
    Outline(Value, Outline<'l>),
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
    candidate: Candidate<'_>,
    attribution: Attribution,
    duplicates: &[String],
) -> Result<Settled, Status> {
    let kind = &*call.kind;
    let (before, mut candidate, aside) = match candidate {
        Candidate::Whole(object) => (whole(kind, live), object, None),
        Candidate::Outline(object, aside) => (Cow::Borrowed(aside.value), object, Some(aside)),
    };
    metadata::ensure_shape(&mut candidate)?;
    check_lock(kind, live, &before, &candidate)?;
    let stated = stated_managers(call, &candidate["metadata"]["managedFields"]);

    let mut after = successor(call, &before, candidate);
    let findings = kind.admit(Some(&before), &mut after);
    let mut warnings = call.judge_unknown(&findings.unknown, duplicates)?;
    let spec = || match &aside {
        Some(aside) => Cow::Owned(aside.read_spec()),
        None => Cow::Borrowed(&after["spec"]),
    };
    warnings.extend(lost_nulls::warnings(
        &kind.schema,
        Some(&before),
        &after,
        spec,
    ));
    let faults = faults_of_change(kind, &before, &after, findings.faults);
    if !faults.is_empty() {
        return Err(call.invalid(&live.key.name, faults));
    }
    access::check_grant(call, &live.key.name, Some(&before), &after).await?;
    if kind.has_generation && !metadata::same_spec(&before, &after) {
        metadata::raise_generation(&mut after);
    }
    let managers = match attribution {
        Attribution::Applied(managers) => Some(managers),
        Attribution::Changes => {
            let changed = Changed::between(&kind.schema, &before, &after);
            let known = match &aside {
                Some(aside) => aside.managed.as_ref().map_or(&Value::Null, Managed::list),
                None => &before["metadata"]["managedFields"],
            };
            let author = call.author();
            (stated.is_some() || !is_on_record(known, &changed, &author)).then(|| {
                let mut managers = stated.unwrap_or_else(|| Managers::written(known));
                managers.attribute(changed, &author);
                managers
            })
        }
    };
    let next = match aside {
        Some(aside) => Next::joined(&aside, after, managers),
        None => Next::whole(kind, live, &before, after, managers),
    };
    if call.query.is_dry_run()? {
        warnings.extend(dry_run::plan_lines(call, &next.object, Some(&live.object)).await);
        return Ok(done(next.object, live.revision, warnings));
    }
    if next.is_same {
        return Ok(done(next.object, live.revision, warnings));
    }
    store(call, live, next, warnings).await
}

/// The live object, in the kind's form.
fn whole<'l>(kind: &Kind, live: &'l Stored) -> Cow<'l, Value> {
    match kind.form {
        Some(form) => Cow::Owned((form.from_stored)(live.object.to_value())),
        None => Cow::Borrowed(&*live.object),
    }
}

/// An object's next version.
struct Next {
    object: Document,
    /// Whether it is what is there already.
    is_same: bool,
    /// Whether it is to go and nothing holds it any more.
    is_free: bool,
}

impl Next {
    /// From all of it. Without managers, those of before stay.
    fn whole(
        kind: &Kind,
        live: &Stored,
        before: &Value,
        mut after: Value,
        managers: Option<Managers>,
    ) -> Self {
        match managers {
            Some(managers) => managers.write_into(&mut after),
            None => metadata::set(
                &mut after,
                "managedFields",
                before["metadata"].get("managedFields").cloned(),
            ),
        }
        let is_free = is_free(&after);
        let object = Document::from(kind.to_stored(after));
        Self {
            is_same: object == live.object,
            object,
            is_free,
        }
    }

    /// From what was set aside and the rest.
    fn joined(aside: &Outline<'_>, mut after: Value, managers: Option<Managers>) -> Self {
        metadata::set(&mut after, "managedFields", None);
        let managed = match managers {
            Some(managers) => managers.into_list().map(Managed::from),
            None => aside.managed.clone(),
        };
        Self {
            is_same: managed == aside.managed && after == *aside.value,
            is_free: is_free(&after),
            object: Document::joined(after, aside.spec, managed.as_ref()),
        }
    }
}

fn is_free(object: &Value) -> bool {
    metadata::is_deleting(object) && metadata::finalizers(object).is_empty()
}

fn done(object: Document, revision: u64, warnings: Vec<String>) -> Settled {
    Settled::Done(Outcome {
        code: StatusCode::OK,
        object: Subject::Stored(object, revision),
        warnings,
    })
}

/// Refuses a candidate that was made from another version, or from another object of the same name.
fn check_lock(kind: &Kind, live: &Stored, before: &Value, candidate: &Value) -> Result<(), Status> {
    let name = &live.key.name;
    let version = metadata::text(candidate, "resourceVersion");
    if !version.is_empty() && version != live.revision.to_string() {
        return Err(Status::modified(kind, name));
    }
    let (sent, known) = (
        metadata::text(candidate, "uid"),
        metadata::text(before, "uid"),
    );
    if !sent.is_empty() && sent != known {
        let why = format!(
            "Precondition failed: UID in precondition: {sent}, UID in object meta: {known}"
        );
        return Err(Status::conflict(kind, name, why));
    }
    Ok(())
}

/// The candidate with everything put back that it may not change.
fn successor(call: &Call, before: &Value, candidate: Value) -> Value {
    let mut after = walled(call, before, candidate);
    for field in metadata::SERVER_OWNED {
        metadata::set(&mut after, field, before["metadata"].get(field).cloned());
    }
    for field in ["resourceVersion", "selfLink"] {
        metadata::set(&mut after, field, None);
    }
    after["apiVersion"] = json!(call.kind.api_version());
    after["kind"] = json!(call.kind.kind);
    (call.kind.normalize)(&mut after);
    (call.kind.inherit)(before, &mut after);
    after
}

/// What must be refused of a change.
fn faults_of_change(
    kind: &Kind,
    before: &Value,
    after: &Value,
    of_object: Vec<Fault>,
) -> Vec<Fault> {
    let mut faults = metadata::faults(kind, after);
    faults.extend((kind.validate_change)(before, after));
    faults.extend(of_object);
    faults.extend(late_finalizers(before, after));
    faults
}

/// Writes the next version, or lets the object go when its last finalizer is gone.
async fn store(
    call: &Call,
    live: &Stored,
    next: Next,
    warnings: Vec<String>,
) -> Result<Settled, Status> {
    let kind = &*call.kind;
    let Next {
        object, is_free, ..
    } = next;
    let is_gone = is_free && !namespace::is_one(kind);
    let effect = if is_gone {
        Effect::Delete(object.clone())
    } else {
        Effect::Put(object.clone())
    };
    let write = Write {
        key: live.key.clone(),
        expect: Expect::Revision(live.revision),
        effect,
    };
    match call.write(write, Some(&live.object)).await {
        Ok(revision) => {
            if is_gone {
                namespace::after_removal(&call.server, &call.origin, &live.key.namespace).await?;
            } else if is_free {
                namespace::empty(&call.server, &call.origin, &live.key.name).await?;
            }
            Ok(done(object, revision, warnings))
        }
        Err(StoreError::Conflict { .. }) => Ok(Settled::Raced),
        Err(error) => Err(call.refused(&live.key.name, error)),
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
