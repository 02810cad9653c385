//! Who acts on GitHub, and what they may do.

use serde::{Deserialize, Serialize};

use crate::id::{AppId, Login};

/// Whose credential it is: the author of what we write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// A person, or a machine account, by a token.
    User(Login),
    /// An app, by its key.
    App {
        /// The app.
        id: AppId,
        /// Its name in addresses.
        slug: String,
    },
}

impl Identity {
    /// The login under which GitHub shows what we write: an app with the slug `mirage` writes as `mirage[bot]`.
    pub fn login(&self) -> Login {
        match self {
            Self::User(login) => login.clone(),
            Self::App { slug, .. } => Login::new(format!("{slug}[bot]")),
        }
    }
}

/// Who wrote or opened something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The login; `ghost` stands for an account that was deleted.
    pub login: Login,
    /// What sort of account it is.
    pub kind: ActorKind,
}

impl Actor {
    /// Whether a program rather than a person acts under this account.
    pub fn is_bot(&self) -> bool {
        matches!(self.kind, ActorKind::Bot)
    }
}

/// What sort of account acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActorKind {
    /// A person, or a machine account that looks like one.
    User,
    /// An app.
    Bot,
    /// An organisation.
    Organization,
    /// Anything else, as GitHub calls it (`Mannequin`).
    Other(String),
}

/// What an account may do with a repository; each includes those before it.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Permission {
    /// Nothing.
    None,
    /// May read. In a public repository that is everybody.
    Read,
    /// May sort issues and pull requests.
    Triage,
    /// May push.
    Write,
    /// May change most settings.
    Maintain,
    /// May do all.
    Admin,
}
