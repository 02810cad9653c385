//! PATCH: merge patch, JSON patch and server-side apply. A patch without a lock that meets another write is done again.

mod strategic;

use axum::response::Response;
use json_patch::PatchOperation;
use json_patch::jsonptr::Pointer;
use serde_json::{Map, Value};

use super::apply;
use super::body::{Decoded, LIMIT, unsupported, within_depth};
use super::call::Call;
use super::metadata;
use super::settle::{self, Attribution, Candidate, Settled};
use crate::error::{CauseReason, Fault, Reason, Status};
use crate::server::presented;

const JSON: &str = "application/json-patch+json";
const MERGE: &str = "application/merge-patch+json";
const APPLY: &str = "application/apply-patch+yaml";

/// For Kubernetes' own kinds only, and not announced: see the module.
const STRATEGIC: &str = "application/strategic-merge-patch+json";

/// What is accepted, for OpenAPI and for refusals.
pub(crate) const ACCEPTED: &[&str] = &[JSON, MERGE, APPLY];

/// As many operations as Kubernetes allows in one patch.
const MOST_OPERATIONS: usize = 10_000;

enum Patch {
    Merge(Value),
    Strategic(Map<String, Value>),
    Json(Vec<PatchOperation>),
}

impl Patch {
    /// Whether it speaks of nothing but what an object's [`Outline`](crate::store::Outline) has.
    fn is_around_spec(&self) -> bool {
        match self {
            Self::Merge(patch) => {
                let metadata = patch.get("metadata");
                patch.get("spec").is_none()
                    && metadata.is_none_or(|metadata| {
                        metadata.is_object() && metadata.get("managedFields").is_none()
                    })
            }
            Self::Strategic(_) => false,
            Self::Json(operations) => operations.iter().all(|operation| {
                let from = match operation {
                    PatchOperation::Move(operation) => Some(&*operation.from),
                    PatchOperation::Copy(operation) => Some(&*operation.from),
                    _ => None,
                };
                is_in_outline(operation.path()) && from.is_none_or(is_in_outline)
            }),
        }
    }
}

fn is_in_outline(pointer: &Pointer) -> bool {
    let mut steps = pointer.tokens();
    let mut step = || steps.next().map(|step| step.decoded().into_owned());
    match step().as_deref() {
        Some("status") => true,
        Some("metadata") => step().is_some_and(|field| field != "managedFields"),
        _ => false,
    }
}

/// PATCH of an object or of its status.
pub(crate) async fn patch(call: &Call) -> Result<Response, Status> {
    let (patch, duplicates) = match call.body.media_type() {
        APPLY | "application/apply-patch+json" => return apply::apply(call).await,
        MERGE => {
            let Decoded { value, duplicates } = call.body.json()?;
            if !value.is_object() {
                return Err(Status::bad_request("a merge patch must be an object"));
            }
            (Patch::Merge(value), duplicates)
        }
        STRATEGIC if call.kind.takes_strategic_patch => {
            let Decoded { value, duplicates } = call.body.json()?;
            let Value::Object(patch) = value else {
                return Err(Status::bad_request(
                    "a strategic merge patch must be an object",
                ));
            };
            (Patch::Strategic(patch), duplicates)
        }
        JSON => (Patch::Json(operations(call)?), Vec::new()),
        other => return Err(unsupported(other, ACCEPTED)),
    };
    if call.query.get("force").is_some() {
        let message = "Forbidden: may not be specified for non-apply patch";
        let fault = Fault::new("force", CauseReason::FieldValueForbidden, message);
        return Err(Status::invalid(
            "meta.k8s.io",
            "PatchOptions",
            "",
            vec![fault],
        ));
    }
    let is_around_spec = call.kind.has_plain_spec() && patch.is_around_spec();
    loop {
        let live = call.existing().await?;
        let aside = is_around_spec.then(|| live.object.outline()).flatten();
        let before = aside.as_ref().map_or(&*live.object, |aside| aside.value);
        let mut candidate = presented(&call.kind, before.clone(), live.revision);
        let has_lock = match &patch {
            Patch::Merge(patch) => {
                json_patch::merge(&mut candidate, patch);
                patch["metadata"]["resourceVersion"].is_string()
            }
            Patch::Strategic(patch) => {
                strategic::merge(&call.kind.schema, &mut candidate, patch);
                patch
                    .get("metadata")
                    .is_some_and(|metadata| metadata["resourceVersion"].is_string())
            }
            Patch::Json(operations) => {
                run(&mut candidate, operations)?;
                metadata::version(&candidate) != Some(live.revision)
            }
        };
        within_depth(&candidate)?;
        // A patch cannot make another object of it.
        metadata::ensure_shape(&mut candidate)?;
        for field in ["name", "namespace", "uid", "creationTimestamp"] {
            metadata::set(
                &mut candidate,
                field,
                before["metadata"].get(field).cloned(),
            );
        }
        let candidate = match aside {
            Some(aside) => Candidate::Outline(candidate, aside),
            None => Candidate::Whole(candidate),
        };
        match settle::change(call, &live, candidate, Attribution::Changes, &duplicates).await? {
            Settled::Done(outcome) => return call.respond(outcome),
            Settled::Raced if has_lock => return Err(Status::modified(&call.kind, call.name())),
            Settled::Raced => {}
        }
    }
}

fn operations(call: &Call) -> Result<Vec<PatchOperation>, Status> {
    let Decoded { value, .. } = call.body.json()?;
    let operations: Vec<PatchOperation> = serde_json::from_value(value)
        .map_err(|error| Status::bad_request(format!("the JSON patch cannot be read: {error}")))?;
    if operations.len() > MOST_OPERATIONS {
        let text = format!("the allowed maximum operations in a JSON patch is {MOST_OPERATIONS}");
        return Err(Status::new(Reason::RequestEntityTooLarge, text));
    }
    Ok(operations)
}

/// RFC 6902, with one deviation that Go's library has and controllers rely on: `test` against null passes where there is
/// nothing. kube-rs adds its finalizer that way.
fn run(object: &mut Value, operations: &[PatchOperation]) -> Result<(), Status> {
    let mut copied = 0;
    for operation in operations {
        match operation {
            PatchOperation::Test(test)
                if test.value.is_null() && test.path.resolve(object).is_err() =>
            {
                continue;
            }
            // Copying a tree into itself doubles it each time.
            PatchOperation::Copy(copy) => {
                copied += copy
                    .from
                    .resolve(object)
                    .map_or(0, |value| value.to_string().len());
                if copied > LIMIT {
                    return Err(Status::new(
                        Reason::RequestEntityTooLarge,
                        "the patch copies too much",
                    ));
                }
            }
            _ => {}
        }
        json_patch::patch_unsafe(object, std::slice::from_ref(operation)).map_err(|error| {
            let fault = Fault::new("patch", CauseReason::FieldValueInvalid, error.to_string());
            Status::new(
                Reason::Invalid,
                "the server rejected our request due to an error in our request",
            )
            .with_causes(vec![fault])
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn patched(object: Value, patch: Value) -> Option<Value> {
        let operations: Vec<PatchOperation> = serde_json::from_value(patch).ok()?;
        let mut object = object;
        run(&mut object, &operations).ok()?;
        Some(object)
    }

    #[test]
    fn a_test_for_null_passes_where_there_is_nothing() {
        let add = json!([{"op": "test", "path": "/metadata/finalizers", "value": null},
            {"op": "add", "path": "/metadata/finalizers", "value": ["a"]}]);
        assert_eq!(
            patched(json!({"metadata": {}}), add.clone()),
            Some(json!({"metadata": {"finalizers": ["a"]}}))
        );
        assert_eq!(
            patched(json!({"metadata": {"finalizers": ["b"]}}), add),
            None
        );
    }

    #[test]
    fn operations_follow_rfc_6902() {
        let object = json!({"a": [1, 2], "b": {"c": 3}});
        for (patch, expected) in [
            (
                json!([{"op": "add", "path": "/a/-", "value": 3}]),
                Some(json!({"a": [1, 2, 3], "b": {"c": 3}})),
            ),
            (
                json!([{"op": "remove", "path": "/b/c"}]),
                Some(json!({"a": [1, 2], "b": {}})),
            ),
            (
                json!([{"op": "move", "from": "/b/c", "path": "/d"}]),
                Some(json!({"a": [1, 2], "b": {}, "d": 3})),
            ),
            (json!([{"op": "test", "path": "/a/0", "value": 2}]), None),
            (json!([{"op": "remove", "path": "/nowhere"}]), None),
            (json!([{"op": "replace", "path": "/x", "value": 1}]), None),
            (json!([{"op": "shake", "path": "/x"}]), None),
        ] {
            assert_eq!(patched(object.clone(), patch.clone()), expected, "{patch}");
        }
    }

    #[test]
    fn a_patch_that_keeps_doubling_is_stopped() {
        let mut operations =
            vec![json!({"op": "add", "path": "/x", "value": {"text": "x".repeat(1000)}})];
        for step in 0..40 {
            operations.push(json!({"op": "copy", "from": "", "path": format!("/x/{step}")}));
        }
        assert_eq!(patched(json!({}), Value::Array(operations)), None);
    }

    proptest! {
        #[test]
        fn no_patch_panics(path in "[/a-c0-2~-]{0,8}", from in "[/a-c0-2~-]{0,8}", op in "add|remove|replace|move|copy|test") {
            let object = json!({"a": [{"b": 1}, 2], "b": {"c": null}});
            let _ = patched(object, json!([{"op": op, "path": path, "from": from, "value": null}]));
        }
    }
}
