//! What was asked and what was answered.

use std::fmt;

/// What was asked and what Railway (or the way to it) said. Carries no value that the request carried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The operation's name.
    pub operation: &'static str,
    /// Railway's own message, or ours when there was no answer.
    pub message: String,
    /// Railway's id of the answer.
    pub trace_id: Option<String>,
}

impl Failure {
    /// A failure that has no answer of Railway's to show.
    pub(crate) fn new(operation: &'static str, message: impl Into<String>) -> Self {
        Self {
            operation,
            message: message.into(),
            trace_id: None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation, self.message)?;
        match &self.trace_id {
            Some(trace_id) => write!(f, " (Railway trace {trace_id})"),
            None => Ok(()),
        }
    }
}
