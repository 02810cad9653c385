//! Delete, and deletecollection. What has finalizers stays until they are gone.

use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};

use super::call::{Call, Outcome, Subject};
use super::owners::Propagation;
use super::selector::Selector;
use super::{metadata, namespace, read};
use crate::audit::Origin;
use crate::error::{CauseReason, Fault, Reason, Status};
use crate::kinds::Kind;
use crate::server::{Server, presented};
use crate::store::{Document, Effect, Expect, ListQuery, StoreError, Stored, Write};

/// Conditions on, and manners of, a deletion. They come in the body or in the query.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    uid: Option<String>,
    version: Option<String>,
    is_dry_run: bool,
    grace_seconds: u64,
    /// `None` leaves it to the finalizers that the object has already.
    propagation: Option<Propagation>,
}

/// What a deletion came to.
pub(crate) enum Deleted {
    /// Gone; its last state and the revision of the deletion.
    Gone(Value),
    /// Marked, and held by finalizers.
    Marked(Value),
}

impl Options {
    /// Reads the options of a call.
    fn of(call: &Call) -> Result<Self, Status> {
        let body = if call.body.is_empty() {
            Value::Null
        } else {
            call.body.object()?.value
        };
        if !body.is_object() && !body.is_null() {
            return Err(Status::bad_request("DeleteOptions must be an object"));
        }
        let text = |value: &Value| {
            value
                .as_str()
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        let in_body = body["dryRun"].as_array().into_iter().flatten();
        let mut is_dry_run = call.query.is_dry_run()?;
        for value in in_body {
            if value != "All" {
                return Err(Status::bad_request(format!(
                    "dryRun: unsupported value {value}; only \"All\" is"
                )));
            }
            is_dry_run = true;
        }
        let grace = body["gracePeriodSeconds"].as_u64();
        Ok(Self {
            uid: text(&body["preconditions"]["uid"])
                .or_else(|| call.query.get("preconditions.uid").map(str::to_owned)),
            version: text(&body["preconditions"]["resourceVersion"]),
            is_dry_run,
            grace_seconds: grace
                .or(call.query.number("gracePeriodSeconds")?)
                .unwrap_or_default(),
            propagation: propagation(call, &body)?,
        })
    }

    fn check(&self, kind: &Kind, live: &Stored) -> Result<(), Status> {
        let found_uid = metadata::text(&live.object, "uid");
        if let Some(wanted) = self.uid.as_deref().filter(|wanted| *wanted != found_uid) {
            let why = format!(
                "Precondition failed: UID in precondition: {wanted}, UID in object meta: {found_uid}"
            );
            return Err(Status::conflict(kind, &live.key.name, why));
        }
        let found_version = live.revision.to_string();
        if let Some(wanted) = self
            .version
            .as_deref()
            .filter(|wanted| *wanted != found_version)
        {
            let why = format!(
                "Precondition failed: ResourceVersion in precondition: {wanted}, ResourceVersion in object meta: {found_version}"
            );
            return Err(Status::conflict(kind, &live.key.name, why));
        }
        Ok(())
    }
}

/// What becomes of dependents, from the body or the query. `orphanDependents` is what it was called first.
fn propagation(call: &Call, body: &Value) -> Result<Option<Propagation>, Status> {
    let refused = |path: &str, reason, message: String| {
        let faults = vec![Fault::new(path, reason, message)];
        Status::invalid("meta.k8s.io", "DeleteOptions", "", faults)
    };
    let policy = body["propagationPolicy"]
        .as_str()
        .filter(|text| !text.is_empty())
        .or(call.query.get("propagationPolicy"));
    let in_query = call.query.get("orphanDependents").is_some();
    let orphans = match body["orphanDependents"].as_bool() {
        None if in_query => Some(call.query.flag("orphanDependents")?),
        said => said,
    };
    match (policy, orphans) {
        (Some(_), Some(_)) => Err(refused(
            "propagationPolicy",
            CauseReason::FieldValueInvalid,
            "Invalid value: orphanDependents and propagationPolicy cannot be both set".into(),
        )),
        (Some(text), None) => text.parse().map(Some).map_err(|_| {
            let message = format!(
                "Unsupported value: {text:?}: supported values: \"Background\", \"Foreground\", \"Orphan\""
            );
            let reason = CauseReason::FieldValueNotSupported;
            refused("propagationPolicy", reason, message)
        }),
        (None, Some(true)) => Ok(Some(Propagation::Orphan)),
        (None, Some(false)) => Ok(Some(Propagation::Background)),
        (None, None) => Ok(None),
    }
}

/// DELETE of an object.
pub(crate) async fn delete(call: &Call) -> Result<Response, Status> {
    let options = Options::of(call)?;
    let live = call.existing().await?;
    let uid = live.object["metadata"]["uid"].clone();
    let object = match remove(&call.server, &call.origin, &call.kind, live, &options).await? {
        Deleted::Marked(object) => object,
        Deleted::Gone(_) => json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
            "details": {"name": call.name(), "group": call.kind.group, "kind": call.kind.plural, "uid": uid},
        }),
    };
    // A table of what is gone would be no use; kubectl reads the Status itself.
    if object["kind"] == "Status" {
        return Ok(call.accept.respond(StatusCode::OK, &object));
    }
    call.respond(Outcome {
        code: StatusCode::OK,
        object: Subject::Shown(object),
        warnings: Vec::new(),
    })
}

/// DELETE of a collection; answers with what it deleted.
pub(crate) async fn delete_collection(call: &Call) -> Result<Response, Status> {
    let options = Options::of(call)?;
    let selector = Selector::of(&call.query, &call.kind)?;
    let query = ListQuery {
        resource: call.kind.resource(),
        namespace: call.info.namespace.clone(),
        after: None,
        limit: None,
    };
    let page = call
        .server
        .store
        .list(&query)
        .await
        .map_err(|error| call.refused("", error))?;
    let mut deleted = Vec::new();
    for stored in page
        .items
        .into_iter()
        .filter(|stored| selector.matches(&stored.object))
    {
        match remove(&call.server, &call.origin, &call.kind, stored, &options).await {
            Ok(Deleted::Gone(object) | Deleted::Marked(object)) => deleted.push(object),
            // Someone else deleted it meanwhile: that is what was asked for.
            Err(status) if status.reason() == Reason::NotFound => {}
            Err(status) => return Err(status),
        }
    }
    read::respond_list(
        call,
        deleted,
        read::list_metadata(page.revision, None, None),
    )
}

/// Deletes one object, or marks it when finalizers hold it.
pub(crate) async fn remove(
    server: &Server,
    origin: &Origin,
    kind: &Kind,
    mut live: Stored,
    options: &Options,
) -> Result<Deleted, Status> {
    if namespace::is_permanent(kind, &live.key.name) {
        let why = "this namespace may not be deleted";
        return Err(Status::forbidden(
            &kind.group,
            &kind.plural,
            &live.key.name,
            why,
        ));
    }
    let holds =
        |object: &Value| !metadata::finalizers(object).is_empty() || namespace::is_one(kind);
    loop {
        options.check(kind, &live)?;
        // How an object goes is settled by the request that began it.
        if metadata::is_deleting(&live.object) && holds(&live.object) {
            if namespace::is_one(kind) && !options.is_dry_run {
                // The first attempt may have ended half-way.
                namespace::empty(server, origin, &live.key.name).await?;
            }
            return Ok(Deleted::Marked(presented(
                kind,
                live.object.into_value(),
                live.revision,
            )));
        }
        let mut object = live.object.to_value();
        if let Some(propagation) = options.propagation {
            let finalizers = propagation.applied_to(&object);
            let finalizers = (!finalizers.is_empty()).then(|| json!(finalizers));
            metadata::set(&mut object, "finalizers", finalizers);
        }
        let is_held = holds(&object);
        if is_held {
            mark(server, kind, &mut object, options.grace_seconds);
        }
        if options.is_dry_run {
            let shown = presented(kind, object, live.revision);
            return Ok(if is_held {
                Deleted::Marked(shown)
            } else {
                Deleted::Gone(shown)
            });
        }
        let object = Document::from(object);
        let effect = if is_held {
            Effect::Put(object.clone())
        } else {
            Effect::Delete(object.clone())
        };
        let write = Write {
            key: live.key.clone(),
            expect: Expect::Revision(live.revision),
            effect,
        };
        match server.write(origin, write, Some(&live.object)).await {
            Ok(revision) if is_held => {
                if namespace::is_one(kind) {
                    namespace::empty(server, origin, &live.key.name).await?;
                }
                return Ok(Deleted::Marked(presented(
                    kind,
                    object.into_value(),
                    revision,
                )));
            }
            Ok(revision) => {
                namespace::after_removal(server, origin, &live.key.namespace).await?;
                return Ok(Deleted::Gone(presented(
                    kind,
                    object.into_value(),
                    revision,
                )));
            }
            Err(StoreError::Conflict { .. }) => {
                let found = server.store.get(&live.key).await;
                let found =
                    found.map_err(|error| Status::from_store(kind, &live.key.name, error))?;
                live = found.ok_or_else(|| Status::not_found(kind, &live.key.name))?;
            }
            Err(error) => return Err(Status::from_store(kind, &live.key.name, error)),
        }
    }
}

fn mark(server: &Server, kind: &Kind, object: &mut Value, grace_seconds: u64) {
    metadata::set(object, "deletionTimestamp", Some(json!(server.now_text())));
    metadata::set(
        object,
        "deletionGracePeriodSeconds",
        Some(json!(grace_seconds)),
    );
    if kind.has_generation {
        metadata::raise_generation(object);
    }
    if namespace::is_one(kind)
        && let Some(fields) = object.as_object_mut()
    {
        fields.insert("status".into(), json!({"phase": "Terminating"}));
    }
}
