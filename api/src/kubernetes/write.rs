//! Create and update.

use axum::response::Response;
use serde_json::Value;

use super::body::Decoded;
use super::call::Call;
use super::metadata;
use super::settle::{self, Attribution, Candidate, Settled};
use crate::error::{CauseReason, Fault, Status};
use crate::store::Stored;

/// POST of a collection.
pub(crate) async fn create(call: &Call) -> Result<Response, Status> {
    let Decoded {
        value: mut object,
        duplicates,
    } = call.body.object()?;
    metadata::ensure_shape(&mut object)?;
    check_identity(call, &object)?;
    if !metadata::text(&object, "resourceVersion").is_empty() {
        return Err(Status::bad_request(
            "resourceVersion should not be set on objects to be created",
        ));
    }
    let outcome = settle::create(call, object, Attribution::Changes, &duplicates).await?;
    call.respond(outcome)
}

/// An object that the server makes on the caller's account, as it is stored then.
pub(crate) async fn create_object(call: &Call, mut object: Value) -> Result<Value, Status> {
    metadata::ensure_shape(&mut object)?;
    check_identity(call, &object)?;
    let outcome = settle::create(call, object, Attribution::Changes, &[]).await?;
    Ok(outcome.object.shown(&call.kind))
}

/// PUT of an object or of its status.
pub(crate) async fn update(call: &Call) -> Result<Response, Status> {
    let live = call.live().await;
    if let Ok(Some(live)) = &live
        && let Some(candidate) = around_spec(call, live)
    {
        return match settle::change(call, live, candidate, Attribution::Changes, &[]).await? {
            Settled::Done(outcome) => call.respond(outcome),
            Settled::Raced => Err(Status::modified(&call.kind, call.name())),
        };
    }
    update_whole(call, live).await
}

/// What a PUT comes to that repeats the `spec` word for word and names the version that it replaces: most do, since clients
/// send back what they read. Then only the rest has to be read. `None` for any other, and for what is to be refused.
fn around_spec<'l>(call: &Call, live: &'l Stored) -> Option<Candidate<'l>> {
    if !call.kind.has_plain_spec() {
        return None;
    }
    let aside = live.object.outline()?;
    let mut object = call.body.beside(&aside)?;
    check_update(call, &mut object).ok()?;
    let has_lock = !metadata::text(&object, "resourceVersion").is_empty();
    has_lock.then_some(Candidate::Outline(object, aside))
}

/// Whether it is an object, and the one that the path names.
fn check_update(call: &Call, object: &mut Value) -> Result<(), Status> {
    metadata::ensure_shape(object)?;
    check_identity(call, object)?;
    let name = metadata::text(object, "name");
    if name != call.name() {
        return Err(Status::bad_request(format!(
            "the name of the object ({name}) does not match the name on the URL ({})",
            call.name()
        )));
    }
    Ok(())
}

/// What is wrong with the body is told before whether there is a live object.
async fn update_whole(
    call: &Call,
    live: Result<Option<Stored>, Status>,
) -> Result<Response, Status> {
    let Decoded {
        value: mut object,
        duplicates,
    } = call.body.object()?;
    check_update(call, &mut object)?;
    let mut live = call.found(live?)?;
    let has_lock = !metadata::text(&object, "resourceVersion").is_empty();
    if call.kind.update_needs_version && !has_lock {
        let message = "Invalid value: 0: must be specified for an update";
        let fault = Fault::new(
            "metadata.resourceVersion",
            CauseReason::FieldValueInvalid,
            message,
        );
        return Err(call.invalid(call.name(), vec![fault]));
    }
    // Whoever named a version has one attempt, and nobody needs the object after it.
    let again = if has_lock { None } else { Some(object.clone()) };
    let mut candidate = object;
    loop {
        let whole = Candidate::Whole(candidate);
        match settle::change(call, &live, whole, Attribution::Changes, &duplicates).await? {
            Settled::Done(outcome) => return call.respond(outcome),
            Settled::Raced => {
                candidate = again
                    .clone()
                    .ok_or_else(|| Status::modified(&call.kind, call.name()))?;
                live = call.existing().await?;
            }
        }
    }
}

/// Whether the body is of the kind and namespace that the path names. What it leaves out, the path fills in.
pub(super) fn check_identity(call: &Call, object: &Value) -> Result<(), Status> {
    let kind = &call.kind;
    for (field, expected) in [
        ("apiVersion", kind.api_version()),
        ("kind", kind.kind.clone()),
    ] {
        match &object[field] {
            Value::Null => {}
            Value::String(sent) if sent.is_empty() || *sent == expected => {}
            sent => {
                let sent = sent
                    .as_str()
                    .map_or_else(|| sent.to_string(), str::to_owned);
                return Err(Status::bad_request(format!(
                    "the {field} in the data ({sent}) does not match the expected {field} ({expected})"
                )));
            }
        }
    }
    let namespace = metadata::text(object, "namespace");
    if !namespace.is_empty() && namespace != call.namespace() {
        return Err(Status::bad_request(format!(
            "the namespace of the provided object does not match the namespace sent on the request ({namespace}, {})",
            call.namespace()
        )));
    }
    Ok(())
}
