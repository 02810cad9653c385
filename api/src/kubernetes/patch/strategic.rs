//! Strategic merge patch, for Kubernetes' own kinds only.
//!
//! kubectl has the Go types of those compiled in and sends this type for them whatever the server says (`apply` of a Secret
//! that exists, `edit`, `patch`). For custom kinds it does not know which lists merge, and a 415 makes it send a merge
//! patch instead. Directives: Kubernetes docs, "Update API Objects in Place Using kubectl patch", and the notes on
//! `$patch`, `$deleteFromPrimitiveList` and `$setElementOrder` in kubernetes/community, strategic-merge-patch.md.

use serde_json::{Map, Value};

use crate::kubernetes::schema::{ListType, Schema};

const DIRECTIVE: &str = "$patch";
const DELETE_FROM: &str = "$deleteFromPrimitiveList/";

/// Lays `patch` over `object`. Which lists merge, and by what, the schema says.
pub(super) fn merge(schema: &Schema, object: &mut Value, patch: &Map<String, Value>) {
    if !object.is_object() || is_directive(patch, "replace") {
        *object = Value::Object(Map::new());
    }
    let Some(fields) = object.as_object_mut() else {
        return;
    };
    for (name, change) in patch {
        if let Some(field) = name.strip_prefix(DELETE_FROM) {
            if let (Some(Value::Array(items)), Value::Array(gone)) = (fields.get_mut(field), change)
            {
                items.retain(|item| !gone.contains(item));
            }
            continue;
        }
        // The order of elements and which keys to retain are hints for lists and unions that these kinds do not have.
        if name.starts_with('$') {
            continue;
        }
        match change {
            Value::Null => {
                fields.remove(name);
            }
            Value::Object(inner) if is_directive(inner, "delete") => {
                fields.remove(name);
            }
            Value::Object(inner) => merge(
                schema.field(name),
                fields.entry(name).or_insert(Value::Null),
                inner,
            ),
            Value::Array(changes) => merge_list(
                schema.field(name),
                fields.entry(name).or_insert(Value::Null),
                changes,
            ),
            scalar => {
                fields.insert(name.clone(), scalar.clone());
            }
        }
    }
}

fn merge_list(schema: &Schema, list: &mut Value, changes: &[Value]) {
    let is_replaced = changes
        .iter()
        .filter_map(Value::as_object)
        .any(|change| is_directive(change, "replace"));
    if !list.is_array() || is_replaced || *schema.list_type() == ListType::Atomic {
        *list = Value::Array(Vec::new());
    }
    let Some(items) = list.as_array_mut() else {
        return;
    };
    for change in changes {
        let found = match schema.list_type() {
            ListType::Atomic => None,
            ListType::Set => items.iter().position(|item| item == change),
            ListType::Map(keys) => items
                .iter()
                .position(|item| keys.iter().all(|key| item.get(key) == change.get(key))),
        };
        match (change, found) {
            (Value::Object(inner), found) if is_directive(inner, "delete") => {
                if let Some(found) = found {
                    items.remove(found);
                }
            }
            (Value::Object(inner), _) if is_directive(inner, "replace") && inner.len() == 1 => {}
            (Value::Object(inner), Some(found)) => merge(schema.item(), &mut items[found], inner),
            (Value::Object(inner), None) => {
                let mut item = Value::Null;
                merge(schema.item(), &mut item, inner);
                items.push(item);
            }
            (_, Some(_)) => {}
            (scalar, None) => items.push(scalar.clone()),
        }
    }
}

fn is_directive(patch: &Map<String, Value>, directive: &str) -> bool {
    patch.get(DIRECTIVE).and_then(Value::as_str) == Some(directive)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn maps_merge_lists_merge_as_the_schema_says_and_directives_are_obeyed() {
        let schema = Schema::of_object(&json!({"type": "object", "properties": {
            "args": {"type": "array", "items": {"type": "string"}}}}));
        let owner = |uid: &str, name: &str| json!({"uid": uid, "name": name});
        let live = json!({"data": {"a": "1", "b": "2"}, "args": ["x"], "metadata": {
            "finalizers": ["f1", "f2"], "ownerReferences": [owner("u1", "one"), owner("u2", "two")]}});
        for (patch, pointer, expected) in [
            (
                json!({"data": {"a": null, "c": "3"}}),
                "/data",
                json!({"b": "2", "c": "3"}),
            ),
            (
                json!({"data": {"$patch": "replace", "z": "9"}}),
                "/data",
                json!({"z": "9"}),
            ),
            (json!({"data": {"$patch": "delete"}}), "/data", Value::Null),
            (json!({"args": ["y"]}), "/args", json!(["y"])),
            (
                json!({"metadata": {"finalizers": ["f2", "f3"]}}),
                "/metadata/finalizers",
                json!(["f1", "f2", "f3"]),
            ),
            (
                json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["f1"], "$setElementOrder/finalizers": ["f2"]}}),
                "/metadata/finalizers",
                json!(["f2"]),
            ),
            (
                json!({"metadata": {"ownerReferences": [{"uid": "u1", "$patch": "delete"}, owner("u2", "new"), owner("u3", "three")]}}),
                "/metadata/ownerReferences",
                json!([owner("u2", "new"), owner("u3", "three")]),
            ),
            (
                json!({"metadata": {"ownerReferences": [{"$patch": "replace"}, owner("u9", "only")]}}),
                "/metadata/ownerReferences",
                json!([owner("u9", "only")]),
            ),
        ] {
            let mut object = live.clone();
            merge(&schema, &mut object, patch.as_object().unwrap());
            assert_eq!(
                object.pointer(pointer).cloned().unwrap_or_default(),
                expected,
                "{patch}"
            );
        }
    }
}
