//! Tokens of stores that were written before tokens were objects: flat records, named by the beginning of their hash.

use serde_json::json;
use uuid::Uuid;

use super::admin;
use super::record::{self, ADMINISTRATOR, TOKENS, TokenError};
use crate::kinds::token::GROUP;
use crate::store::{ListQuery, Store, StoreError};

/// Rewrites them as objects. A crash in between leaves both forms; the next start takes the old one away.
pub(super) async fn upgrade(store: &dyn Store) -> Result<(), TokenError> {
    let query = ListQuery {
        resource: TOKENS.to_owned(),
        namespace: None,
        after: None,
        limit: None,
    };
    let page = store.list(&query).await.map_err(TokenError::Store)?;
    let flat = page
        .items
        .into_iter()
        .filter(|stored| stored.object.get("metadata").is_none());
    for stored in flat {
        let old = &stored.object;
        let (id, is_admin) = (stored.key.name.as_str(), old["name"] == admin::USER);
        let name = if is_admin {
            admin::name_of(id)
        } else {
            id.to_owned()
        };
        let mut object = json!({
            "apiVersion": format!("{GROUP}/v1alpha1"),
            "kind": "Token",
            "metadata": {"name": name, "uid": Uuid::new_v4(), "creationTimestamp": old["createdAt"]},
            "spec": {"user": old["username"], "groups": old["groups"]},
            "status": {"id": id, "hash": old["hash"], "createdBy": "the server"},
        });
        if old["expiresAt"].is_string() {
            object["spec"]["expiresAt"] = old["expiresAt"].clone();
        }
        if is_admin {
            object["metadata"]["labels"] = json!({ADMINISTRATOR: "true"});
        }
        if name == id {
            // Under its own name the old record is in the way.
            record::revoke_token(store, id).await?;
        }
        match record::put(store, &name, object).await {
            Ok(()) | Err(TokenError::Store(StoreError::AlreadyExists)) => {}
            Err(error) => return Err(error),
        }
        if name != id {
            record::revoke_token(store, id).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::*;
    use crate::auth::{Authenticator, Token, TokenAuthenticator};
    use crate::store::memory::MemoryStore;
    use crate::store::{Effect, Expect, Key, Write};

    #[tokio::test]
    async fn a_token_from_an_older_store_stays_good() {
        let store = Arc::new(MemoryStore::new());
        for name in ["admin", "ci"] {
            let token = Token::generate().unwrap();
            let old = json!({"name": name, "hash": token.hash().to_hex(), "username": name,
                "groups": ["system:masters"], "createdAt": "2026-11-01T00:00:00Z"});
            let write = Write {
                key: Key::new(TOKENS, "", token.hash().id()),
                expect: Expect::Absent,
                effect: Effect::put(old),
            };
            store.write(write).await.unwrap();
            upgrade(&*store).await.unwrap();
            upgrade(&*store).await.unwrap();
            let authenticator = TokenAuthenticator::new(
                Arc::clone(&store) as Arc<dyn Store>,
                Arc::new(|| Timestamp::UNIX_EPOCH),
            );
            let identity = authenticator
                .authenticate(token.reveal())
                .await
                .unwrap()
                .unwrap();
            assert_eq!(identity.username, name);
        }
    }
}
