//! A null that the user wrote and that kubectl dropped.
//!
//! In our specs a null means something: it removes what a template would add. Client-side `kubectl apply` prunes nulls
//! before it creates, and a merge patch cannot carry them, so the server never sees them. What it does see is the manifest in the
//! last-applied annotation; there the null still stands, and the user can be told.

use std::borrow::Cow;

use serde_json::Value;

use super::metadata;
use super::schema::Schema;

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// A warning per null that the manifest has and the object's `spec` lacks. Silent when this write did not bring a new
/// manifest.
pub(super) fn warnings<'v>(
    schema: &Schema,
    before: Option<&Value>,
    after: &Value,
    spec: impl FnOnce() -> Cow<'v, Value>,
) -> Vec<String> {
    let manifest = |object: &Value| {
        object["metadata"]["annotations"][LAST_APPLIED]
            .as_str()
            .map(str::to_owned)
    };
    let Some(written) =
        manifest(after).filter(|written| before.and_then(manifest).as_ref() != Some(written))
    else {
        return Vec::new();
    };
    let Ok(written) = serde_json::from_str::<Value>(&written) else {
        return Vec::new();
    };
    let mut lost = Vec::new();
    walk(
        schema.field("spec"),
        &written["spec"],
        &spec(),
        "spec",
        &mut lost,
    );
    lost.into_iter()
        .map(|path| {
            format!(
                "{path}: the null was dropped by kubectl's client-side apply and has no effect; \
                 use kubectl apply --server-side ({})",
                metadata::text(after, "name")
            )
        })
        .collect()
}

fn walk(schema: &Schema, written: &Value, kept: &Value, path: &str, lost: &mut Vec<String>) {
    for (name, value) in written.as_object().into_iter().flatten() {
        let below = schema.field(name);
        let path = format!("{path}.{name}");
        match (value, kept.get(name)) {
            (Value::Null, None) if below.allows_null() => lost.push(path),
            (_, Some(kept)) => walk(below, value, kept, &path, lost),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_null_that_is_in_the_manifest_only_is_reported_once() {
        let schema = Schema::of_object(
            &json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
            "size": {"type": "integer"},
            "services": {"type": "object", "additionalProperties": {"type": "object", "nullable": true}}}}}}),
        );
        let manifest =
            json!({"spec": {"size": null, "services": {"db": null, "api": {}, "kept": null}}})
                .to_string();
        let object = json!({"metadata": {"name": "web", "annotations": {LAST_APPLIED: manifest}},
            "spec": {"services": {"api": {}, "kept": null}}});
        let spec = || Cow::Borrowed(&object["spec"]);
        let found = warnings(&schema, None, &object, spec);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("spec.services.db: the null was dropped"));
        assert_eq!(
            warnings(&schema, Some(&object), &object, spec),
            Vec::<String>::new()
        );
    }
}
