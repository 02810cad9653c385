//! What the store knows of a token: its hash, whose it is, until when and how far. Never the token.
//!
//! It is stored as the object of kind Token that clients see (`kinds::token`), except that they are not shown the hash.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::token::ID_LENGTH;
use super::{Token, TokenRef};
use crate::access::Limits;
use crate::kinds::token::GROUP;
use crate::store::{Effect, Expect, Key, Store, StoreError, Write};

/// The resource under which tokens are stored, at the cluster scope.
pub const TOKENS: &str = "tokens.auth.mirage.dev";

/// Marks the tokens that stand in servers' data folders.
pub(super) const ADMINISTRATOR: &str = "auth.mirage.dev/administrator";

/// Why a token was not made or not revoked.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The operating system gave no random numbers.
    #[error("no random numbers to make a token from")]
    NoRandomness,
    /// The store did not take or give the record.
    #[error("the store did not answer about the token")]
    Store(#[source] StoreError),
}

/// A token to be made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewToken {
    /// What it is called among the tokens; one that is there already is left as it is.
    pub name: String,
    /// Who its bearer is.
    pub username: String,
    /// The groups that its bearer is in.
    pub groups: Vec<String>,
    /// When it stops being good; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// What it takes away from its bearer's rights.
    pub limits: Limits,
}

/// The stored object, as far as recognising its bearer needs it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Record {
    metadata: Metadata,
    spec: Spec,
    status: Status,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Metadata {
    name: String,
    uid: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    user: String,
    #[serde(default)]
    groups: Vec<String>,
    expires_at: Option<Timestamp>,
    #[serde(default)]
    limits: Limits,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    hash: String,
    created_with: Option<Parent>,
    last_used_at: Option<Timestamp>,
}

/// The token by which another was made, and with which it ends.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Parent {
    pub(super) uid: String,
}

impl Record {
    /// Reads a stored object; `None` for one that we did not write.
    pub(super) fn of(object: &Value) -> Option<Self> {
        Self::deserialize(object).ok()
    }

    pub(super) fn user(&self) -> &str {
        &self.spec.user
    }

    pub(super) fn groups(&self) -> &[String] {
        &self.spec.groups
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.spec.limits
    }

    pub(super) fn hash(&self) -> &str {
        &self.status.hash
    }

    /// How the hash begins.
    pub(super) fn id(&self) -> &str {
        self.status.hash.get(..ID_LENGTH).unwrap_or_default()
    }

    pub(super) fn uid(&self) -> &str {
        &self.metadata.uid
    }

    pub(super) fn parent(&self) -> Option<&Parent> {
        self.status.created_with.as_ref()
    }

    pub(super) fn expires_at(&self) -> Option<Timestamp> {
        self.spec.expires_at
    }

    pub(super) fn last_used_at(&self) -> Option<Timestamp> {
        self.status.last_used_at
    }

    pub(super) fn is_good_at(&self, now: Timestamp) -> bool {
        self.spec
            .expires_at
            .is_none_or(|expires_at| expires_at > now)
    }

    pub(super) fn reference(&self) -> TokenRef {
        TokenRef {
            name: self.metadata.name.clone(),
            uid: self.metadata.uid.clone(),
            is_bounded: self.spec.expires_at.is_some()
                || !self.spec.limits.is_empty()
                || self.status.created_with.is_some(),
        }
    }
}

/// The `spec` of a token.
fn spec_of(user: &str, groups: &[String], expires_at: Option<Timestamp>, limits: &Limits) -> Value {
    let mut spec = json!({"user": user, "groups": groups});
    if let Some(expires_at) = expires_at {
        spec["expiresAt"] = json!(expires_at);
    }
    if !limits.is_empty() {
        spec["limits"] = json!(limits);
    }
    spec
}

/// The `status` of a token that is being made.
pub(crate) fn status_of(token: &Token, created_by: &str, parent: Option<&TokenRef>) -> Value {
    let hash = token.hash();
    let mut status = json!({"id": hash.id(), "hash": hash.to_hex(), "createdBy": created_by});
    if let Some(parent) = parent.filter(|parent| parent.is_bounded) {
        status["createdWith"] = json!({"name": parent.name, "uid": parent.uid});
    }
    status
}

/// Makes a token and stores its hash. The token itself is only in the answer: it cannot be read again.
///
/// # Errors
/// Also when there is one of this name.
pub async fn create_token(
    store: &dyn Store,
    new: NewToken,
    now: Timestamp,
) -> Result<Token, TokenError> {
    let token = Token::generate().ok_or(TokenError::NoRandomness)?;
    let object = object(&token, &new, now);
    put(store, &new.name, object).await?;
    Ok(token)
}

/// Makes the token of this name good no longer; true when there was one.
pub async fn revoke_token(store: &dyn Store, name: &str) -> Result<bool, TokenError> {
    let key = Key::new(TOKENS, "", name);
    loop {
        let Some(stored) = store.get(&key).await.map_err(TokenError::Store)? else {
            return Ok(false);
        };
        let write = Write {
            key: key.clone(),
            expect: Expect::Revision(stored.revision),
            effect: Effect::Delete(stored.object),
        };
        match store.write(write).await {
            Ok(_) => return Ok(true),
            Err(StoreError::NotFound) => return Ok(false),
            // Its last use was noted in between.
            Err(StoreError::Conflict { .. }) => {}
            Err(error) => return Err(TokenError::Store(error)),
        }
    }
}

/// Makes the administrator's token of a data folder good. Repeating it changes nothing.
pub(super) async fn register(
    store: &dyn Store,
    token: &Token,
    new: NewToken,
    now: Timestamp,
) -> Result<(), TokenError> {
    let mut object = object(token, &new, now);
    object["metadata"]["labels"] = json!({ADMINISTRATOR: "true"});
    match put(store, &new.name, object).await {
        Ok(()) | Err(TokenError::Store(StoreError::AlreadyExists)) => Ok(()),
        Err(error) => Err(error),
    }
}

pub(super) async fn put(store: &dyn Store, name: &str, object: Value) -> Result<(), TokenError> {
    let write = Write {
        key: Key::new(TOKENS, "", name),
        expect: Expect::Absent,
        effect: Effect::put(object),
    };
    store
        .write(write)
        .await
        .map(drop)
        .map_err(TokenError::Store)
}

fn object(token: &Token, new: &NewToken, now: Timestamp) -> Value {
    let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
    json!({
        "apiVersion": format!("{GROUP}/v1alpha1"),
        "kind": "Token",
        "metadata": {"name": new.name, "uid": Uuid::new_v4(), "creationTimestamp": now},
        "spec": spec_of(&new.username, &new.groups, new.expires_at, &new.limits),
        "status": status_of(token, "the server", None),
    })
}
