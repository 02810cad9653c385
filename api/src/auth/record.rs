//! What the store knows of a token: its hash, whose it is and until when. Never the token.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Token;
use crate::store::{Effect, Expect, Key, ListQuery, Store, StoreError, Write};

/// The resource under which tokens are stored: cluster-scoped, named by the beginning of their hash.
pub const TOKENS: &str = "tokens.auth.mirage.dev";

/// Why a token was not made or not revoked.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The operating system gave no random numbers.
    #[error("no random numbers to make a token from")]
    NoRandomness,
    /// The store did not take or give the record.
    #[error("the store did not answer about the token")]
    Store(#[source] StoreError),
    /// The record in the store is not one that we wrote.
    #[error("the stored record of a token is not readable")]
    Record(#[source] serde_json::Error),
}

/// A token to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// What people call it, `admin` or `ci`; need not be unique.
    pub name: String,
    /// Who its bearer is.
    pub username: String,
    /// The groups that its bearer is in.
    pub groups: Vec<String>,
    /// When it stops being good; `None` for never.
    pub expires_at: Option<Timestamp>,
}

/// The stored document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record {
    pub(super) name: String,
    /// SHA-256 of the token, hex.
    pub(super) hash: String,
    pub(super) username: String,
    pub(super) groups: Vec<String>,
    pub(super) created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expires_at: Option<Timestamp>,
}

/// Makes a token and stores its hash. The token itself is only in the answer: it cannot be read again.
pub async fn create_token(
    store: &dyn Store,
    new: NewToken,
    now: Timestamp,
) -> Result<Token, TokenError> {
    let token = Token::generate().ok_or(TokenError::NoRandomness)?;
    register(store, &token, new, now).await?;
    Ok(token)
}

/// Makes the token good no longer; true when there was one.
pub async fn revoke_token(store: &dyn Store, id: &str) -> Result<bool, TokenError> {
    let key = Key::new(TOKENS, "", id);
    let Some(stored) = store.get(&key).await.map_err(TokenError::Store)? else {
        return Ok(false);
    };
    let write = Write {
        key,
        expect: Expect::Revision(stored.revision),
        effect: Effect::Delete(stored.object),
    };
    match store.write(write).await {
        Ok(_) => Ok(true),
        // Records are never changed, so that somebody else revoked it in between.
        Err(StoreError::NotFound) => Ok(false),
        Err(error) => Err(TokenError::Store(error)),
    }
}

/// Makes the given token good. Repeating it changes nothing.
pub(super) async fn register(
    store: &dyn Store,
    token: &Token,
    new: NewToken,
    now: Timestamp,
) -> Result<(), TokenError> {
    let hash = token.hash();
    let record = Record {
        name: new.name,
        hash: hash.to_hex(),
        username: new.username,
        groups: new.groups,
        created_at: now,
        expires_at: new.expires_at,
    };
    let write = Write {
        key: Key::new(TOKENS, "", hash.id()),
        expect: Expect::Absent,
        effect: Effect::Put(serde_json::to_value(record).map_err(TokenError::Record)?),
    };
    match store.write(write).await {
        Ok(_) | Err(StoreError::AlreadyExists) => Ok(()),
        Err(error) => Err(TokenError::Store(error)),
    }
}

/// The record of this very token.
pub(super) async fn find(store: &dyn Store, token: &Token) -> Result<Option<Record>, TokenError> {
    let hash = token.hash();
    let key = Key::new(TOKENS, "", hash.id());
    let Some(stored) = store.get(&key).await.map_err(TokenError::Store)? else {
        return Ok(None);
    };
    let record: Record = serde_json::from_value(stored.object).map_err(TokenError::Record)?;
    Ok(hash.is(&record.hash).then_some(record))
}

/// The ids of the tokens that have this name.
pub(super) async fn ids_named(store: &dyn Store, name: &str) -> Result<Vec<String>, TokenError> {
    let query = ListQuery {
        resource: TOKENS.to_owned(),
        namespace: None,
        after: None,
        limit: None,
    };
    let page = store.list(&query).await.map_err(TokenError::Store)?;
    let named = page
        .items
        .into_iter()
        .filter(|stored| stored.object["name"] == name)
        .map(|stored| stored.key.name);
    Ok(named.collect())
}
