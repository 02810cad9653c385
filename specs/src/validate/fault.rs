//! One thing that is wrong, and all of them.

use std::fmt;

use crate::{name::InvalidName, path::FieldPath};

/// One thing that is wrong with an object, at the field it is about. Never holds the value of a variable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The field, as Kubernetes writes it: `spec.services.api.dependsOn[0]`.
    pub path: String,
    /// Kind of fault.
    pub reason: FaultReason,
    /// What is wrong and what would do, for the person who wrote it.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => f.write_str(&self.message),
            path => write!(f, "{path}: {}", self.message),
        }
    }
}

/// Kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, strum::Display)]
pub enum FaultReason {
    /// The value does not have the form it should.
    Invalid,
    /// Something has to be there.
    Required,
    /// The value is not one of those that exist.
    NotSupported,
    /// The value has another type.
    TypeInvalid,
    /// The value stands somewhere else already.
    Duplicate,
    /// The value is fine alone and not allowed here.
    Forbidden,
    /// Longer than Railway takes.
    TooLong,
    /// There is no such field.
    UnknownField,
}

impl FaultReason {
    /// The `reason` of a cause in a Kubernetes `Status` (Kubernetes API reference: StatusCause). Kubernetes has no
    /// word for an unknown field; clients see it as a value that may not be there.
    pub fn cause(self) -> &'static str {
        match self {
            Self::Invalid => "FieldValueInvalid",
            Self::Required => "FieldValueRequired",
            Self::NotSupported => "FieldValueNotSupported",
            Self::TypeInvalid => "FieldValueTypeInvalid",
            Self::Duplicate => "FieldValueDuplicate",
            Self::Forbidden | Self::UnknownField => "FieldValueForbidden",
            Self::TooLong => "FieldValueTooLong",
        }
    }
}

/// Faults as they are found.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

macro_rules! adders {
    ($($name:ident => $reason:ident),* $(,)?) => {$(
        pub(crate) fn $name(&mut self, path: &FieldPath, message: impl Into<String>) {
            self.add(path, FaultReason::$reason, message.into());
        }
    )*};
}

impl Faults {
    adders! {
        invalid => Invalid,
        required => Required,
        not_supported => NotSupported,
        type_invalid => TypeInvalid,
        duplicate => Duplicate,
        forbidden => Forbidden,
        unknown => UnknownField,
    }

    /// A name that did not pass the door.
    pub(crate) fn name(&mut self, path: &FieldPath, error: &InvalidName) {
        let reason = match error {
            InvalidName::Empty | InvalidName::Form(_) => FaultReason::Invalid,
            InvalidName::TooLong { .. } => FaultReason::TooLong,
            InvalidName::Reserved(_) => FaultReason::Forbidden,
        };
        self.add(path, reason, error.to_string());
    }

    /// One found elsewhere.
    pub(crate) fn push(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    fn add(&mut self, path: &FieldPath, reason: FaultReason, message: String) {
        self.0.push(Fault {
            path: path.as_str().to_owned(),
            reason,
            message,
        });
    }

    /// All of them by path, each once.
    pub(crate) fn into_vec(mut self) -> Vec<Fault> {
        self.0.sort();
        self.0.dedup();
        self.0
    }

    /// `Ok` when there are none.
    pub(crate) fn into_result(self) -> Result<(), Vec<Fault>> {
        match self.into_vec() {
            none if none.is_empty() => Ok(()),
            faults => Err(faults),
        }
    }
}
