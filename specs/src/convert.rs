//! Environments written in other formats, and other formats read as Environments. Pure.
//!
//! ```text
//!   docker-compose.yml ◄──────► Environment ──► Environment without what only the server says
//!   railway.json, railway.toml ──►    │   └───► EnvironmentTemplate
//!                                     └───────► .railway/railway.ts
//! ```
//! What one format cannot say is never dropped in silence: it becomes a [`Remark`], which names the place.

pub mod compose;
pub mod railway_config;
pub mod railway_ts;
pub mod spec;
pub mod template;

use std::fmt;

use serde_json::Value;

/// Something that the other format has no word for, or says differently.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Remark {
    /// Line of the text that was read, from 1; absent where an object was read.
    pub line: Option<usize>,
    /// The field.
    pub path: String,
    /// What became of it, and what to do.
    pub message: String,
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// A text in another format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The text, with the remarks as comments where the format has comments.
    pub text: String,
    /// What the format cannot say.
    pub remarks: Vec<Remark>,
}

/// An Environment that was read from another format.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    /// The Environment as a manifest.
    pub manifest: Value,
    /// What was left out or changed.
    pub remarks: Vec<Remark>,
}

/// Why a text could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is not written in its format.
    #[error("line {line}: {message}")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// What the parser met there.
        message: String,
    },
    /// It is, and does not mean what it should.
    #[error("{0}")]
    Meaning(String),
}

/// Collects remarks.
#[derive(Debug, Default)]
struct Remarks(Vec<Remark>);

impl Remarks {
    fn say(&mut self, line: Option<usize>, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(Remark {
            line,
            path: path.into(),
            message: message.into(),
        });
    }

    /// The remarks as comment lines behind `marker`.
    fn as_comments(&self, marker: &str, title: &str) -> String {
        if self.0.is_empty() {
            return String::new();
        }
        let mut text = format!("{marker} {title}\n");
        for remark in &self.0 {
            // A remark may quote what somebody wrote, and a comment ends with its line.
            let line = remark.to_string().replace(['\n', '\r'], " ");
            text.push_str(&format!("{marker}   {line}\n"));
        }
        text
    }
}

/// The fields of an object, none for anything else.
fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// A service of another format under a name that Railway takes.
pub(crate) fn service_name(name: &str) -> String {
    let name: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' || c == '_' {
                c
            } else {
                '-'
            }
        })
        .collect();
    let name = name.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    name.chars()
        .take(crate::name::SERVICE_NAME_LIMIT)
        .collect::<String>()
        .trim_end_matches(|c: char| !c.is_ascii_alphanumeric())
        .to_owned()
}
