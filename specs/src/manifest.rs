//! Files of manifests: many YAML documents, every fault with its line and column.
//!
//! Values and positions come from one parser, so that what is checked is what is applied and a fault points at the very
//! key it is about.

mod check;
mod scalar;
mod yaml;

use std::fmt;

use serde_json::Value;

use crate::{path::FieldPath, validate::Fault};

pub use check::{Templates, check, faults};

/// Where something stands in a text; both count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column, in characters.
    pub column: usize,
}

/// One document of a file. Empty ones are left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// `apiVersion`, empty when it is not there.
    pub api_version: String,
    /// `kind`, empty when it is not there.
    pub kind: String,
    /// `metadata.namespace`.
    pub namespace: Option<String>,
    /// `metadata.name`.
    pub name: Option<String>,
    /// The whole object.
    pub value: Value,
    /// Line on which it begins.
    pub line: usize,
    positions: yaml::Positions,
}

impl Document {
    /// The same place in the text with another value, for who fills something in after reading.
    #[must_use]
    pub fn with_value(mut self, value: Value) -> Self {
        let head = yaml::Head::of(&value);
        self.api_version = head.api_version;
        self.kind = head.kind;
        self.namespace = head.namespace;
        self.name = head.name;
        self.value = value;
        self
    }

    /// Where the field at `path` is written; where the nearest field above it is, when it is not written at all.
    pub fn position(&self, path: &str) -> Position {
        let mut at = Some(FieldPath::from(path));
        while let Some(path) = at {
            if let Some(position) = self.positions.get(path.as_str()) {
                return *position;
            }
            at = path.parent();
        }
        Position {
            line: self.line,
            column: 1,
        }
    }
}

/// Why a text is not YAML that an object could be made of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}:{}: {message}", at.line, at.column)]
pub struct SyntaxError {
    /// Where.
    pub at: Position,
    /// What the parser met there.
    pub message: String,
}

/// A fault and where it stands in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// Which document of the text, from 0.
    pub document: usize,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub fault: Fault,
}

impl fmt::Display for Located {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.fault)
    }
}

/// Every document of a text, or why it is none; reading goes on after one that is broken.
pub fn read(text: &str) -> Vec<Result<Document, SyntaxError>> {
    yaml::read(text)
}

/// The documents of a text.
///
/// # Errors
/// The first place that is not YAML, or has a key twice. [`check`] goes on after it.
pub fn documents(text: &str) -> Result<Vec<Document>, SyntaxError> {
    yaml::read(text).into_iter().collect()
}
