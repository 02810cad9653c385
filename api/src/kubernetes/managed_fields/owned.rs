//! The fields of one manager, as they were read or as a set.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::kubernetes::fields::{Element, FieldSet};

/// A set of fields that is made only when somebody changes it: most writes change nobody's.
#[derive(Debug, Clone)]
pub(super) enum Owned {
    /// As it stands in a stored object.
    Written(Map<String, Value>),
    Set(FieldSet),
}

impl Owned {
    /// Whether there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Written(fields) => fields.is_empty(),
            Self::Set(set) => set.is_empty(),
        }
    }

    fn contains(&self, path: &[Element]) -> bool {
        match self {
            Self::Written(fields) => FieldSet::is_in_fields_v1(fields, path),
            Self::Set(set) => set.contains(path),
        }
    }

    pub(super) fn has_any_of(&self, paths: &FieldSet) -> bool {
        paths.iter().any(|path| self.contains(path))
    }

    pub(super) fn has_all_of(&self, paths: &FieldSet) -> bool {
        paths.iter().all(|path| self.contains(path))
    }

    /// The set. What is written and cannot be read counts as nothing.
    pub(super) fn set(&self) -> Cow<'_, FieldSet> {
        match self {
            Self::Written(fields) => {
                Cow::Owned(FieldSet::from_fields_v1(fields).unwrap_or_default())
            }
            Self::Set(set) => Cow::Borrowed(set),
        }
    }

    pub(super) fn change(&mut self, change: impl FnOnce(&mut FieldSet)) {
        let mut set = self.set().into_owned();
        change(&mut set);
        *self = Self::Set(set);
    }

    /// The wire form.
    pub(super) fn into_fields_v1(self) -> Value {
        match self {
            Self::Written(fields) => Value::Object(fields),
            Self::Set(set) => Value::Object(set.to_fields_v1()),
        }
    }
}

impl From<FieldSet> for Owned {
    fn from(set: FieldSet) -> Self {
        Self::Set(set)
    }
}

impl PartialEq for Owned {
    fn eq(&self, other: &Self) -> bool {
        self.set() == other.set()
    }
}
