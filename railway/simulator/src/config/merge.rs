//! The merge of a sparse patch into a config.

use serde_json::{Map, Value};

/// Objects merge key by key, null removes, everything else (arrays too) replaces.
pub(crate) fn merge(target: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (key, change) in patch {
        match change {
            Value::Null => {
                target.remove(key);
            }
            Value::Object(inner) => {
                let slot = target
                    .entry(key.clone())
                    .or_insert_with(|| Value::Object(Map::new()));
                if !slot.is_object() {
                    *slot = Value::Object(Map::new());
                }
                if let Value::Object(slot) = slot {
                    merge(slot, inner);
                }
            }
            plain => {
                target.insert(key.clone(), plain.clone());
            }
        }
    }
}

/// Lays one patch over another that is not applied yet: nulls are kept, they still have to remove something.
pub(crate) fn stack(target: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (key, change) in patch {
        match (target.get_mut(key), change) {
            (Some(Value::Object(slot)), Value::Object(inner)) => stack(slot, inner),
            _ => {
                target.insert(key.clone(), change.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn patches_merge_like_this() {
        let table = [
            (json!({}), json!({"a": 1}), json!({"a": 1})),
            (json!({"a": 1}), json!({"b": 2}), json!({"a": 1, "b": 2})),
            (json!({"a": 1}), json!({"a": null}), json!({})),
            (json!({"a": 1}), json!({"missing": null}), json!({"a": 1})),
            (
                json!({"v": {"A": {"value": "1"}, "B": {"value": "2"}}}),
                json!({"v": {"A": null}}),
                json!({"v": {"B": {"value": "2"}}}),
            ),
            (
                json!({"d": {"cmd": "x", "port": 1}}),
                json!({"d": {"port": 2}}),
                json!({"d": {"cmd": "x", "port": 2}}),
            ),
            (json!({"l": [1, 2]}), json!({"l": [3]}), json!({"l": [3]})),
            (
                json!({"d": "text"}),
                json!({"d": {"x": 1}}),
                json!({"d": {"x": 1}}),
            ),
            (
                json!({"d": {"x": 1}}),
                json!({"d": "text"}),
                json!({"d": "text"}),
            ),
            (json!({}), json!({"d": {"x": null}}), json!({"d": {}})),
        ];
        for (base, patch, expected) in table {
            let mut merged = object(base.clone());
            merge(&mut merged, &object(patch.clone()));
            assert_eq!(Value::Object(merged), expected, "{base} + {patch}");
        }
    }

    #[test]
    fn merging_twice_changes_nothing_more() {
        let patch = object(json!({"a": {"b": [1], "c": null}, "d": 2}));
        let mut once = object(json!({"a": {"c": 3}}));
        merge(&mut once, &patch);
        let mut twice = once.clone();
        merge(&mut twice, &patch);
        assert_eq!(once, twice);
    }

    #[test]
    fn stacked_patches_act_as_one_after_the_other() {
        let base = object(json!({"v": {"A": 1, "B": 2}}));
        let first = object(json!({"v": {"A": null, "C": 3}}));
        let second = object(json!({"v": {"B": null, "C": 4}}));
        let mut in_turn = base.clone();
        merge(&mut in_turn, &first);
        merge(&mut in_turn, &second);
        let mut stacked = first;
        stack(&mut stacked, &second);
        let mut at_once = base;
        merge(&mut at_once, &stacked);
        assert_eq!(in_turn, at_once);
    }
}
