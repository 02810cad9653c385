//! What the clients recorded, in their own words and with nothing left out.

use std::collections::BTreeMap;

use super::document::Document;

/// A moment on the clients' common clock, which only orders: what ended at a smaller number than another began, came
/// before it.
pub type Moment = u64;

/// What a writer asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// That an object be there which was not.
    Create,
    /// That this version become another.
    Update {
        /// The version.
        from: u64,
    },
    /// That a part of it change, whatever its version.
    Patch,
    /// That this version go.
    Delete {
        /// The version.
        from: u64,
    },
}

/// What the writer was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// That it is done, and (except for deletions) as which version.
    Done(Option<u64>),
    /// That it is not done and will not be.
    Refused,
    /// Nothing it could rely on.
    Nothing,
}

/// One write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Of which object.
    pub key: String,
    /// What the object says if it was this one. No two attempts have the same.
    pub mark: String,
    /// What was asked for.
    pub action: Action,
    /// What came back.
    pub answer: Answer,
    /// Before it was sent.
    pub begun: Moment,
    /// After the answer, or the lack of one.
    pub ended: Moment,
}

/// What a watch said of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `ADDED`
    Added,
    /// `MODIFIED`
    Modified,
    /// `DELETED`
    Deleted,
}

/// One event of a watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub kind: Kind,
    /// To which object.
    pub key: String,
    /// The object's version; of a deletion, the deletion's.
    pub revision: u64,
    /// What the object says; nothing when it is torn.
    pub document: Option<Document>,
}

/// All that one watcher saw from the beginning to the end, over all its connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// For the report.
    pub name: String,
    /// Whether it selects half of the keys.
    pub selects: bool,
    /// In the order in which they arrived.
    pub events: Vec<Event>,
}

/// A list of everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Before it was asked for.
    pub begun: Moment,
    /// After it was there.
    pub ended: Moment,
    /// The list's version.
    pub revision: u64,
    /// Version and content by key; no content when it is torn.
    pub objects: BTreeMap<String, (u64, Option<Document>)>,
}

/// Everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    /// In no order.
    pub attempts: Vec<Attempt>,
    /// At least one of them selects everything.
    pub watched: Vec<Watched>,
    /// In order, one after the other.
    pub looks: Vec<Look>,
}
