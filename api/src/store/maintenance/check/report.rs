//! What was found, for people and for programs.

use std::fmt;

use serde::Serialize;

/// What can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// The database itself finds its pages or indexes damaged.
    Damaged,
    /// A step of the schema is unfinished, unknown or altered.
    Schema,
    /// The schema is older than this Mirage's.
    OldSchema,
    /// There is not exactly one counter, or its floor is above it.
    Counter,
    /// An object or a change has a version above the counter, or none.
    Version,
    /// A document is not JSON, no object, or carries another name than its row.
    Document,
    /// The change log has a hole, begins late or ends early.
    LogGap,
    /// A change does not follow from the change of the same object before it.
    LogBroken,
    /// An object is not as its last change left it.
    LogDiffers,
    /// A secret value does not open with the master key at hand.
    Seal,
    /// A secret value is not sealed.
    Unsealed,
    /// There was no master key, so that nobody knows whether the sealed values open.
    NoKey,
}

impl Fault {
    /// How bad it is.
    pub fn severity(self) -> Severity {
        match self {
            Self::OldSchema | Self::NoKey => Severity::Note,
            _ => Severity::Error,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Damaged => "damaged",
            Self::Schema => "schema",
            Self::OldSchema => "old-schema",
            Self::Counter => "counter",
            Self::Version => "version",
            Self::Document => "document",
            Self::LogGap => "log-gap",
            Self::LogBroken => "log-broken",
            Self::LogDiffers => "log-differs",
            Self::Seal => "seal",
            Self::Unsealed => "unsealed",
            Self::NoKey => "no-key",
        })
    }
}

/// Whether something has to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// The database should not be trusted as it is.
    Error,
}

/// One thing that is wrong. Never carries any part of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What kind of thing it is.
    pub fault: Fault,
    /// The object, version or step that it concerns.
    pub subject: String,
    /// What is wrong with it.
    pub message: String,
}

impl Finding {
    pub(super) fn new(
        fault: Fault,
        subject: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            severity: fault.severity(),
            fault,
            subject: subject.into(),
            message: message.into(),
        }
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The schema's version.
    pub schema: i64,
    /// The newest version that was given out.
    pub revision: u64,
    /// Changes up to here are forgotten.
    pub floor: u64,
    /// How many objects there are.
    pub objects: u64,
    /// How many changes there are above the floor.
    pub changes: u64,
    /// How many sealed values were opened, in objects and changes.
    pub opened: u64,
    /// In the order in which they were found; not more than some hundred.
    pub findings: Vec<Finding>,
    /// How many more there are.
    pub untold: u64,
}

impl Report {
    /// Whether nothing has to be done.
    pub fn is_sound(&self) -> bool {
        self.untold == 0
            && self
                .findings
                .iter()
                .all(|finding| finding.severity == Severity::Note)
    }
}
