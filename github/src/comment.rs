//! Comments in a pull request's conversation, and reactions to them.

use jiff::Timestamp;

use crate::{id::CommentId, id::PullRequestNumber, identity::Actor};

/// A comment as GitHub showed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Its id.
    pub id: CommentId,
    /// The pull request (or issue: GitHub numbers them together) under which it stands.
    pub number: PullRequestNumber,
    /// Its text, Markdown.
    pub body: String,
    /// Who wrote it.
    pub author: Actor,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it was last edited. Somebody other than the author may have done that.
    pub updated_at: Timestamp,
    /// Its address.
    pub html_url: String,
}

/// A reaction to a comment. GitHub keeps at most one of each kind by each account, so adding it again changes nothing.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, strum::Display, strum::EnumString,
)]
pub enum Reaction {
    /// 👍
    #[strum(serialize = "+1")]
    ThumbsUp,
    /// 👎
    #[strum(serialize = "-1")]
    ThumbsDown,
    /// 😕
    #[strum(serialize = "confused")]
    Confused,
    /// 🚀
    #[strum(serialize = "rocket")]
    Rocket,
    /// 👀
    #[strum(serialize = "eyes")]
    Eyes,
}
