//! Server-side apply.

use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};

use super::access;
use super::body::Decoded;
use super::call::Call;
use super::managed_fields::{Author, Managers, conflict_report};
use super::metadata;
use super::settle::{self, Attribution, Candidate, Settled};
use super::write::check_identity;
use crate::access::Attributes;
use crate::error::{CauseReason, Fault, Status};

/// PATCH with an apply configuration.
pub(super) async fn apply(call: &Call) -> Result<Response, Status> {
    let (config, mut unknown, duplicates) = configuration(call)?;
    let author = manager(call)?;
    let force = call.query.flag("force")?;
    loop {
        let schema = &call.kind.schema;
        let Some(live) = call.live().await? else {
            let mut outcome = create(call, &config, &author, &duplicates).await?;
            outcome
                .warnings
                .append(&mut call.judge_unknown(&unknown, &[])?);
            return call.respond(outcome);
        };
        let mut before = call.kind.from_stored(live.object.to_value());
        let mut managers = Managers::of(&before);
        metadata::set(&mut before, "managedFields", None);
        if managers.is_empty() {
            managers = Managers::before_first_apply(schema, &before, &author);
        }
        let applied = managers
            .apply(schema, &before, &config, &author, force)
            .map_err(|conflicts| {
                let (message, causes) = conflict_report(&conflicts);
                Status::new(crate::error::Reason::Conflict, message)
                    .about(&call.kind.group, &call.kind.plural, call.name())
                    .with_causes(causes)
            })?;
        let has_lock = !metadata::text(&config, "resourceVersion").is_empty();
        let attribution = Attribution::Applied(applied.managers);
        let candidate = Candidate::Whole(applied.object);
        match settle::change(call, &live, candidate, attribution, &duplicates).await? {
            Settled::Done(mut outcome) => {
                outcome
                    .warnings
                    .append(&mut call.judge_unknown(&std::mem::take(&mut unknown), &[])?);
                return call.respond(outcome);
            }
            Settled::Raced if has_lock => return Err(Status::modified(&call.kind, call.name())),
            Settled::Raced => {}
        }
    }
}

/// What was sent, reduced to what this request may set; with the unknown and the repeated fields.
fn configuration(call: &Call) -> Result<(Value, Vec<String>, Vec<String>), Status> {
    let Decoded {
        value: mut config,
        duplicates,
    } = call.body.yaml()?;
    metadata::ensure_shape(&mut config)?;
    for field in ["apiVersion", "kind"] {
        if config[field].as_str().is_none_or(str::is_empty) {
            return Err(Status::bad_request(format!(
                "{field} must be set in an apply configuration"
            )));
        }
    }
    check_identity(call, &config)?;
    let name = metadata::text(&config, "name");
    if !name.is_empty() && name != call.name() {
        return Err(Status::bad_request(format!(
            "the name of the object ({name}) does not match the name on the URL ({})",
            call.name()
        )));
    }
    if config["metadata"]["managedFields"]
        .as_array()
        .is_some_and(|entries| !entries.is_empty())
    {
        return Err(Status::bad_request("metadata.managedFields must be nil"));
    }
    metadata::set(&mut config, "managedFields", None);
    metadata::set(&mut config, "creationTimestamp", None);
    (call.kind.normalize)(&mut config);
    let unknown = call.kind.schema.prune(&mut config);
    call.judge_unknown(&unknown, &duplicates)?;
    if let Some(fields) = config.as_object_mut() {
        if call.is_status() {
            fields.retain(|field, _| {
                matches!(
                    field.as_str(),
                    "apiVersion" | "kind" | "metadata" | "status"
                )
            });
            let lock = fields["metadata"].get("resourceVersion").cloned();
            let metadata = lock.map_or_else(|| json!({}), |lock| json!({"resourceVersion": lock}));
            fields.insert("metadata".into(), metadata);
        } else if call.kind.has_status {
            fields.remove("status");
        }
    }
    metadata::set(&mut config, "name", Some(json!(call.name())));
    metadata::set(
        &mut config,
        "namespace",
        call.kind.namespaced.then(|| json!(call.namespace())),
    );
    Ok((config, unknown, duplicates))
}

fn manager(call: &Call) -> Result<Author, Status> {
    let Some(manager) = call.query.get("fieldManager") else {
        let message = "Required value: is required for apply patch";
        let fault = Fault::new("fieldManager", CauseReason::FieldValueRequired, message);
        return Err(Status::invalid(
            "meta.k8s.io",
            "PatchOptions",
            "",
            vec![fault],
        ));
    };
    if manager.chars().count() > 128 {
        let fault = Fault::new(
            "fieldManager",
            CauseReason::FieldValueTooLong,
            "Too long: may not be longer than 128",
        );
        return Err(Status::invalid(
            "meta.k8s.io",
            "PatchOptions",
            "",
            vec![fault],
        ));
    }
    Ok(call.author())
}

/// An apply to what is not there creates it, if the caller may.
async fn create(
    call: &Call,
    config: &Value,
    author: &Author,
    duplicates: &[String],
) -> Result<super::call::Outcome, Status> {
    if call.info.subresource.is_some() {
        return Err(Status::not_found(&call.kind, call.name()));
    }
    if !metadata::text(config, "uid").is_empty() {
        let why =
            "uid mismatch: the provided object specified a uid, and no existing object was found";
        return Err(Status::conflict(&call.kind, call.name(), why));
    }
    if !metadata::text(config, "resourceVersion").is_empty() {
        return Err(Status::modified(&call.kind, call.name()));
    }
    let asked = Attributes {
        verb: "create",
        ..Attributes::of(&call.info)
    };
    access::check(&call.server, &call.identity, &asked).await?;
    let nothing = json!({"metadata": {}});
    let applied = Managers::default()
        .apply(&call.kind.schema, &nothing, config, author, true)
        .map_err(|_| Status::internal("an apply to nothing cannot conflict"))?;
    let mut outcome = settle::create(
        call,
        applied.object,
        Attribution::Applied(applied.managers),
        duplicates,
    )
    .await?;
    outcome.code = StatusCode::CREATED;
    Ok(outcome)
}
