//! A value together with its place, so that rules read like sentences and faults know their path.

use serde_json::Value;

use crate::{merge::parameters::used_parameters, path::FieldPath};

/// A place in an object and what stands there. Rules ask for what they need and get nothing where the shape is wrong:
/// the walk over the schema has reported that already.
#[derive(Clone, Debug)]
pub(super) struct Node<'a> {
    pub(super) value: &'a Value,
    pub(super) path: FieldPath,
    /// Whether `${{params.x}}` is still to be filled in, as in the layers of a template.
    pub(super) open: bool,
}

impl<'a> Node<'a> {
    pub(super) fn new(value: &'a Value, path: FieldPath, open: bool) -> Self {
        Self { value, path, open }
    }

    /// The entry `key`; `null` where there is none.
    pub(super) fn at(&self, key: &str) -> Self {
        Self::new(&self.value[key], self.path.key(key), self.open)
    }

    /// Whether something other than `null` stands here.
    pub(super) fn is_given(&self) -> bool {
        !self.value.is_null()
    }

    /// Whether the value depends on a parameter that is not filled in yet.
    pub(super) fn is_open(&self) -> bool {
        self.open
            && self
                .value
                .as_str()
                .is_some_and(|text| !used_parameters(text).is_empty())
    }

    /// The text, when it is one and complete.
    pub(super) fn text(&self) -> Option<&'a str> {
        self.value.as_str().filter(|_| !self.is_open())
    }

    /// The whole number, when it is one.
    pub(super) fn number(&self) -> Option<u64> {
        self.value.as_u64()
    }

    /// The entries of a map that are not `null`, with their keys.
    pub(super) fn entries(&self) -> Vec<(&'a str, Self)> {
        self.all_entries()
            .into_iter()
            .filter(|(_, node)| node.is_given())
            .collect()
    }

    /// The entries of a map, `null` included.
    pub(super) fn all_entries(&self) -> Vec<(&'a str, Self)> {
        let Some(map) = self.value.as_object() else {
            return Vec::new();
        };
        map.iter()
            .map(|(key, value)| {
                let node = Self::new(value, self.path.key(key), self.open);
                (key.as_str(), node)
            })
            .collect()
    }

    /// The items of a list.
    pub(super) fn items(&self) -> Vec<Self> {
        let Some(items) = self.value.as_array() else {
            return Vec::new();
        };
        items
            .iter()
            .enumerate()
            .map(|(i, value)| Self::new(value, self.path.index(i), self.open))
            .collect()
    }
}
