//! Bearer tokens against the store.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Authenticator, Identity, Token, record};
use crate::store::Store;

/// Kubernetes puts everyone who has proved who they are into this group.
const AUTHENTICATED: &str = "system:authenticated";

/// Looks every token up in the store, so that a revoked one stops being good at once. That is one indexed read, which
/// is why nothing is cached.
pub struct TokenAuthenticator {
    store: Arc<dyn Store>,
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

impl TokenAuthenticator {
    /// `now` decides whether a token has expired.
    pub fn new(store: Arc<dyn Store>, now: Arc<dyn Fn() -> Timestamp + Send + Sync>) -> Self {
        Self { store, now }
    }
}

impl fmt::Debug for TokenAuthenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenAuthenticator").finish_non_exhaustive()
    }
}

#[async_trait]
impl Authenticator for TokenAuthenticator {
    async fn authenticate(&self, token: &str) -> Option<Identity> {
        let token = Token::parse(token)?;
        let record = match record::find(&*self.store, &token).await {
            Ok(found) => found?,
            Err(error) => {
                // Nobody gets in while we cannot tell who they are.
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a token could not be checked"
                );
                return None;
            }
        };
        let now = (self.now)();
        if record
            .expires_at
            .is_some_and(|expires_at| expires_at <= now)
        {
            return None;
        }
        let mut groups = record.groups;
        if !groups.iter().any(|group| group == AUTHENTICATED) {
            groups.push(AUTHENTICATED.to_owned());
        }
        Some(Identity {
            username: record.username,
            groups,
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;
    use crate::auth::{NewToken, TOKENS, create_token, revoke_token};
    use crate::store::memory::MemoryStore;
    use crate::store::{Key, ListQuery};

    fn at(hours: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + hours.hours()
    }

    fn new_token(expires_at: Option<Timestamp>) -> NewToken {
        NewToken {
            name: "ci".to_owned(),
            username: "robot".to_owned(),
            groups: vec!["builders".to_owned()],
            expires_at,
        }
    }

    fn authenticator(store: &Arc<MemoryStore>, now: Timestamp) -> TokenAuthenticator {
        TokenAuthenticator::new(Arc::clone(store) as Arc<dyn Store>, Arc::new(move || now))
    }

    #[tokio::test]
    async fn a_good_token_names_its_bearer_and_others_name_nobody() {
        let store = Arc::new(MemoryStore::new());
        let token = create_token(&*store, new_token(None), at(0)).await.unwrap();
        let authenticator = authenticator(&store, at(1));
        let identity = authenticator.authenticate(token.reveal()).await.unwrap();
        assert_eq!(identity.username, "robot");
        assert_eq!(identity.groups, ["builders", "system:authenticated"]);
        let unknown = Token::generate().unwrap();
        for text in [
            "",
            "mir_x",
            unknown.reveal(),
            &format!(" {}", token.reveal()),
        ] {
            assert!(authenticator.authenticate(text).await.is_none());
        }
    }

    #[tokio::test]
    async fn a_token_is_good_until_its_expiry_and_not_at_it() {
        let store = Arc::new(MemoryStore::new());
        let token = create_token(&*store, new_token(Some(at(24))), at(0))
            .await
            .unwrap();
        for (now, is_good) in [(at(23), true), (at(24), false), (at(25), false)] {
            let identity = authenticator(&store, now)
                .authenticate(token.reveal())
                .await;
            assert_eq!(identity.is_some(), is_good, "{now}");
        }
    }

    #[tokio::test]
    async fn a_revoked_token_is_refused_at_once() {
        let store = Arc::new(MemoryStore::new());
        let token = create_token(&*store, new_token(None), at(0)).await.unwrap();
        let authenticator = authenticator(&store, at(1));
        assert!(authenticator.authenticate(token.reveal()).await.is_some());
        let id = token.hash().id();
        assert!(revoke_token(&*store, &id).await.unwrap());
        assert!(!revoke_token(&*store, &id).await.unwrap());
        assert!(authenticator.authenticate(token.reveal()).await.is_none());
    }

    #[tokio::test]
    async fn a_record_under_the_right_name_with_another_hash_opens_nothing() {
        let store = Arc::new(MemoryStore::new());
        let token = create_token(&*store, new_token(None), at(0)).await.unwrap();
        let key = Key::new(TOKENS, "", token.hash().id());
        let stored = store.get(&key).await.unwrap().unwrap();
        let mut forged = stored.object;
        forged["hash"] = "00".repeat(32).into();
        let write = crate::store::Write {
            key,
            expect: crate::store::Expect::Revision(stored.revision),
            effect: crate::store::Effect::Put(forged),
        };
        store.write(write).await.unwrap();
        let identity = authenticator(&store, at(1))
            .authenticate(token.reveal())
            .await;
        assert!(identity.is_none());
    }

    #[tokio::test]
    async fn the_store_never_sees_the_token() {
        let store = Arc::new(MemoryStore::new());
        let token = create_token(&*store, new_token(None), at(0)).await.unwrap();
        let query = ListQuery {
            resource: TOKENS.to_owned(),
            namespace: None,
            after: None,
            limit: None,
        };
        let page = store.list(&query).await.unwrap();
        let text = format!("{:?} {}", page.items[0].key, page.items[0].object);
        assert!(text.contains("robot"));
        assert!(!text.contains(&token.reveal()[4..]));
    }
}
