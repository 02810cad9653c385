//! The algebra of layers: maps merge, scalars and lists replace, `null` removes.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// A value that knows how it lies on top of another.
///
/// Plain JSON is not enough, because "remove what is below, then put a map there" has no spelling in it, and merging
/// would depend on which two of three layers are merged first. With that state merging is associative.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Layered {
    /// Whatever is below goes.
    Removed,
    /// Replaces whatever is below.
    Whole(Value),
    /// Merges with a map below, or, when `fresh`, replaces whatever is below.
    Map {
        fresh: bool,
        entries: BTreeMap<String, Layered>,
    },
}

/// What one layer says of one place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Leaf {
    /// What is below goes.
    Removed,
    /// This value, an empty map included.
    Value(Value),
    /// More below it.
    Map,
}

/// Where in a spec a value stands, as far as merging needs to know.
#[derive(Clone, Copy)]
enum Place {
    Spec,
    Services,
    Service,
    Variables,
    Elsewhere,
}

impl Place {
    fn of(self, key: &str) -> Self {
        match (self, key) {
            (Self::Spec, "services") => Self::Services,
            (Self::Spec | Self::Service, "variables") => Self::Variables,
            (Self::Services, _) => Self::Service,
            _ => Self::Elsewhere,
        }
    }
}

impl Layered {
    /// The `spec` of an environment or a layer of a template.
    pub(crate) fn spec(value: &Value) -> Self {
        Self::read(value, Place::Spec)
    }

    fn read(value: &Value, place: Place) -> Self {
        match value {
            Value::Null => Self::Removed,
            Value::Object(map) => Self::Map {
                fresh: false,
                entries: map
                    .iter()
                    .map(|(key, value)| {
                        let entry = match (place, value) {
                            // A variable is one value, however it is written: a `secretRef` below and a `generate`
                            // above must not become both.
                            (Place::Variables, Value::Object(_)) => Self::Whole(value.clone()),
                            _ => Self::read(value, place.of(key)),
                        };
                        (key.clone(), entry)
                    })
                    .collect(),
            },
            scalar_or_list => Self::Whole(scalar_or_list.clone()),
        }
    }

    /// This layer on top of `lower`.
    pub(crate) fn over(self, lower: Self) -> Self {
        let Self::Map {
            fresh: false,
            entries,
        } = self
        else {
            return self;
        };
        match lower {
            Self::Map {
                fresh,
                entries: mut below,
            } => {
                for (key, upper) in entries {
                    let merged = match below.remove(&key) {
                        Some(lower) => upper.over(lower),
                        None => upper,
                    };
                    below.insert(key, merged);
                }
                Self::Map {
                    fresh,
                    entries: below,
                }
            }
            Self::Removed | Self::Whole(_) => Self::Map {
                fresh: true,
                entries,
            },
        }
    }

    /// What this layer says of the place below these keys; nothing where it says nothing.
    pub(crate) fn at(&self, keys: &[String]) -> Option<Leaf> {
        match (self, keys) {
            (Self::Removed, _) => Some(Leaf::Removed),
            (Self::Whole(value), []) => Some(Leaf::Value(value.clone())),
            // Something whole stands above the place, and what was there is gone.
            (Self::Whole(_), _) => Some(Leaf::Removed),
            (Self::Map { entries, .. }, []) if entries.is_empty() => {
                Some(Leaf::Value(Value::Object(Map::new())))
            }
            (Self::Map { .. }, []) => Some(Leaf::Map),
            (Self::Map { entries, .. }, [key, below @ ..]) => entries.get(key)?.at(below),
        }
    }

    /// Every place at which this layer says something, with what it says; an empty map is a place too.
    pub(crate) fn leaves(&self) -> Vec<(Vec<String>, Leaf)> {
        let mut found = Vec::new();
        self.collect(&mut Vec::new(), &mut found);
        found
    }

    fn collect(&self, at: &mut Vec<String>, found: &mut Vec<(Vec<String>, Leaf)>) {
        match self {
            Self::Map { entries, .. } if !entries.is_empty() => {
                for (key, entry) in entries {
                    at.push(key.clone());
                    entry.collect(at, found);
                    at.pop();
                }
            }
            leaf => {
                let leaf = leaf.at(&[]).unwrap_or(Leaf::Map);
                found.push((at.clone(), leaf));
            }
        }
    }

    /// The JSON it comes to with nothing below: what was removed is not there.
    pub(crate) fn into_value(self) -> Option<Value> {
        match self {
            Self::Removed => None,
            Self::Whole(value) => Some(value),
            Self::Map { entries, .. } => Some(Value::Object(
                entries
                    .into_iter()
                    .filter_map(|(key, entry)| Some((key, entry.into_value()?)))
                    .collect::<Map<_, _>>(),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn merge(layers: &[Value]) -> Value {
        layers
            .iter()
            .map(Layered::spec)
            .reduce(|lower, upper| upper.over(lower))
            .and_then(Layered::into_value)
            .unwrap_or(Value::Null)
    }

    #[test]
    fn maps_merge_scalars_and_lists_replace_and_null_removes() {
        for (lower, upper, merged) in [
            (
                json!({"a": {"x": 1}}),
                json!({"a": {"y": 2}}),
                json!({"a": {"x": 1, "y": 2}}),
            ),
            (json!({"a": [1, 2]}), json!({"a": [3]}), json!({"a": [3]})),
            (json!({"a": 1}), json!({"a": "b"}), json!({"a": "b"})),
            (json!({"a": 1, "b": 2}), json!({"a": null}), json!({"b": 2})),
            (
                json!({"a": 1}),
                json!({"b": {"c": null}}),
                json!({"a": 1, "b": {}}),
            ),
            (json!({"a": {"x": 1}}), json!({"a": 3}), json!({"a": 3})),
        ] {
            assert_eq!(
                merge(&[lower.clone(), upper.clone()]),
                merged,
                "{lower} + {upper}"
            );
        }
    }

    #[test]
    fn a_variable_replaces_another_whole() {
        let lower = json!({"variables": {"A": {"secretRef": {"name": "s", "key": "k"}}}});
        let upper = json!({"variables": {"A": {"generate": {"length": 32}}}});
        assert_eq!(merge(&[lower, upper.clone()]), upper);

        // A service that happens to be called `variables` is still a service.
        let lower = json!({"services": {"variables": {"deploy": {"replicas": 1}}}});
        let upper = json!({"services": {"variables": {"deploy": {"sleep": true}}}});
        assert_eq!(
            merge(&[lower, upper]),
            json!({"services": {"variables": {"deploy": {"replicas": 1, "sleep": true}}}})
        );
    }

    #[test]
    fn what_a_middle_layer_removed_does_not_come_back() {
        let layers = [
            json!({"a": {"x": 1}}),
            json!({"a": null}),
            json!({"a": {"y": 2}}),
        ];
        assert_eq!(merge(&layers), json!({"a": {"y": 2}}));
    }

    fn any_layer() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (0..3_i32).prop_map(Value::from),
            "[a-b]".prop_map(Value::from),
            prop::collection::vec(0..3_i32, 0..3).prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            let key = prop_oneof![Just("a"), Just("b"), Just("services"), Just("variables")];
            prop::collection::btree_map(key.prop_map(str::to_owned), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect()))
        })
    }

    proptest! {
        #[test]
        fn merging_is_associative(a in any_layer(), b in any_layer(), c in any_layer()) {
            let [a, b, c] = [a, b, c].map(|layer| Layered::spec(&layer));
            let left = c.clone().over(b.clone().over(a.clone()));
            let right = c.over(b).over(a);
            prop_assert_eq!(left, right);
        }

        #[test]
        fn an_empty_layer_changes_nothing(a in any_layer()) {
            let layer = Layered::spec(&a);
            let empty = || Layered::spec(&json!({}));
            if a.is_object() {
                prop_assert_eq!(layer.clone().over(empty()), layer.clone(), "below");
                prop_assert_eq!(empty().over(layer.clone()), layer, "above");
            }
        }

        #[test]
        fn a_key_is_the_uppers_and_else_the_lowers(a in any_layer(), b in any_layer()) {
            let (Value::Object(lower), Value::Object(upper)) = (&a, &b) else {
                return Ok(());
            };
            let merged = Layered::spec(&b).over(Layered::spec(&a)).into_value().unwrap();
            let alone = |layer: &Value, key: &str| {
                let whole = Layered::spec(layer).into_value().unwrap();
                whole.get(key).cloned()
            };
            let keys: std::collections::BTreeSet<&String> = lower.keys().chain(upper.keys()).collect();
            for key in keys {
                match (lower.get(key), upper.get(key)) {
                    (_, Some(Value::Null)) => prop_assert!(merged.get(key).is_none(), "null removes"),
                    (_, None) => prop_assert_eq!(merged.get(key).cloned(), alone(&a, key)),
                    // Two maps merge, which the rest of this law says of their own keys.
                    (Some(Value::Object(_)), Some(Value::Object(_))) => {}
                    (_, Some(_)) => prop_assert_eq!(merged.get(key).cloned(), alone(&b, key)),
                }
            }
        }

        #[test]
        fn what_a_layer_says_is_found_where_it_says_it(a in any_layer()) {
            let layer = Layered::spec(&a);
            for (keys, leaf) in layer.leaves() {
                prop_assert_eq!(layer.at(&keys), Some(leaf));
            }
        }

        #[test]
        fn merging_a_layer_twice_changes_nothing(a in any_layer(), b in any_layer()) {
            let once = Layered::spec(&b).over(Layered::spec(&a));
            prop_assert_eq!(Layered::spec(&b).over(once.clone()), once);
        }

        #[test]
        fn no_null_is_left(a in any_layer(), b in any_layer()) {
            fn has_null(value: &Value) -> bool {
                match value {
                    Value::Null => true,
                    Value::Object(map) => map.values().any(has_null),
                    _ => false,
                }
            }
            let merged = Layered::spec(&b).over(Layered::spec(&a)).into_value();
            // A variable's own object is taken as written; it is the only place where null may stay.
            let touches_variables = format!("{a}{b}").contains("variables");
            prop_assert!(touches_variables || !merged.is_some_and(|value| has_null(&value)));
        }
    }
}
