//! Bearer tokens against the store.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::Mutex;

use super::record::{Record, TOKENS};
use super::used::Used;
use super::{Authenticator, Identity, Token};
use crate::store::following::Following;
use crate::store::{Store, StoreError};

/// Kubernetes puts everyone who has proved who they are into this group.
pub(crate) const AUTHENTICATED: &str = "system:authenticated";

/// A token may be made with a token, and so on. Longer chains than this are not followed, and open nothing.
const LONGEST_CHAIN: usize = 16;

/// Keeps all records in memory, and takes in what the store has announced since before it answers: a token that was
/// revoked here is refused at once, and one revoked through another server as soon as word of it comes.
pub struct TokenAuthenticator {
    store: Arc<dyn Store>,
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    known: Mutex<Known>,
    used: Used,
}

struct Known {
    following: Following,
    book: Arc<Book>,
}

/// The records, by what they are looked up by.
#[derive(Default)]
struct Book {
    /// By the beginning of the hash.
    by_id: HashMap<String, Record>,
    id_by_uid: HashMap<String, String>,
}

impl TokenAuthenticator {
    /// `now` decides whether a token has expired.
    pub fn new(store: Arc<dyn Store>, now: Arc<dyn Fn() -> Timestamp + Send + Sync>) -> Self {
        Self {
            store,
            now,
            known: Mutex::new(Known {
                following: Following::new(&[TOKENS]),
                book: Arc::default(),
            }),
            used: Used::default(),
        }
    }

    async fn book(&self) -> Result<Arc<Book>, StoreError> {
        let announced = *self.store.revision().borrow();
        let mut known = self.known.lock().await;
        if !known.following.has_seen(announced) && known.following.catch_up(&*self.store).await? {
            let records = known.following.objects();
            let records = records.filter_map(|(_, object)| Record::of(object));
            known.book = Arc::new(Book::of(records));
        }
        Ok(Arc::clone(&known.book))
    }
}

impl Book {
    fn of(records: impl Iterator<Item = Record>) -> Self {
        let mut book = Self::default();
        for record in records {
            let id = record.id().to_owned();
            book.id_by_uid.insert(record.uid().to_owned(), id.clone());
            book.by_id.insert(id, record);
        }
        book
    }

    /// Who bears this token, if it is good, and so are those by which it was made.
    fn identity(&self, token: &Token, now: Timestamp) -> Option<Identity> {
        let hash = token.hash();
        let record = self.by_id.get(&hash.id())?;
        if !hash.is(record.hash()) {
            return None;
        }
        let (mut limits, mut link) = (Vec::new(), Some(record));
        for _ in 0..LONGEST_CHAIN {
            let Some(record) = link else {
                break;
            };
            if !record.is_good_at(now) {
                return None;
            }
            if !record.limits().is_empty() {
                limits.push(record.limits().clone());
            }
            link = match record.parent() {
                // By uid: another token that took the name has made nothing.
                Some(parent) => Some(self.by_id.get(self.id_by_uid.get(&parent.uid)?)?),
                None => None,
            };
        }
        if link.is_some() {
            return None;
        }
        let mut groups = record.groups().to_vec();
        if !groups.iter().any(|group| group == AUTHENTICATED) {
            groups.push(AUTHENTICATED.to_owned());
        }
        Some(Identity {
            username: record.user().to_owned(),
            groups,
            token: Some(record.reference()),
            limits,
        })
    }
}

impl fmt::Debug for TokenAuthenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenAuthenticator").finish_non_exhaustive()
    }
}

#[async_trait]
impl Authenticator for TokenAuthenticator {
    async fn authenticate(&self, token: &str) -> Result<Option<Identity>, StoreError> {
        let Some(token) = Token::parse(token) else {
            return Ok(None);
        };
        let book = self.book().await?;
        let now = (self.now)();
        let identity = book.identity(&token, now);
        if let Some(token) = identity.as_ref().and_then(|it| it.token.as_ref()) {
            self.used.note(&token.name, now);
        }
        Ok(identity)
    }

    async fn sweep(&self) -> Result<(), StoreError> {
        let book = self.book().await?;
        let records = book.by_id.values();
        let mut records: Vec<(String, Record)> = records
            .map(|record| (record.reference().name, record.clone()))
            .collect();
        records.sort_by(|(one, _), (other, _)| one.cmp(other));
        self.used.sweep(&*self.store, records, (self.now)()).await
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;
    use crate::access::Limits;
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
            ..NewToken::default()
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
        let identity = authenticator
            .authenticate(token.reveal())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(identity.username, "robot");
        assert_eq!(identity.groups, ["builders", "system:authenticated"]);
        let unknown = Token::generate().unwrap();
        for text in [
            "",
            "mir_x",
            unknown.reveal(),
            &format!(" {}", token.reveal()),
        ] {
            assert!(authenticator.authenticate(text).await.unwrap().is_none());
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
                .await
                .unwrap();
            assert_eq!(identity.is_some(), is_good, "{now}");
        }
    }

    #[tokio::test]
    async fn a_revoked_token_is_refused_at_once() {
        let store = Arc::new(MemoryStore::new());
        let token = create_token(&*store, new_token(None), at(0)).await.unwrap();
        let authenticator = authenticator(&store, at(1));
        assert!(
            authenticator
                .authenticate(token.reveal())
                .await
                .unwrap()
                .is_some()
        );
        assert!(revoke_token(&*store, "ci").await.unwrap());
        assert!(!revoke_token(&*store, "ci").await.unwrap());
        assert!(
            authenticator
                .authenticate(token.reveal())
                .await
                .unwrap()
                .is_none()
        );
    }

    /// Makes a token with another, as the API does, and gives the child.
    async fn made_with(
        store: &MemoryStore,
        parent: &NewToken,
        expires_at: Option<Timestamp>,
    ) -> (Token, Token) {
        let with = create_token(store, parent.clone(), at(0)).await.unwrap();
        let token = create_token(
            store,
            NewToken {
                name: "child".to_owned(),
                ..new_token(expires_at)
            },
            at(0),
        )
        .await
        .unwrap();
        let stored = |name: &str| Key::new(TOKENS, "", name);
        let uid = store
            .get(&stored(&parent.name))
            .await
            .unwrap()
            .unwrap()
            .object["metadata"]["uid"]
            .clone();
        let child = store.get(&stored("child")).await.unwrap().unwrap();
        let mut object = child.object.into_value();
        object["status"]["createdWith"] = serde_json::json!({"name": parent.name, "uid": uid});
        let write = crate::store::Write {
            key: child.key,
            expect: crate::store::Expect::Revision(child.revision),
            effect: crate::store::Effect::put(object),
        };
        store.write(write).await.unwrap();
        (with, token)
    }

    #[tokio::test]
    async fn a_token_ends_with_the_one_it_was_made_by_and_has_its_limits() {
        let store = Arc::new(MemoryStore::new());
        let limits = Limits {
            verbs: vec!["get".to_owned()],
            ..Limits::default()
        };
        let parent = NewToken {
            limits: limits.clone(),
            ..new_token(Some(at(2)))
        };
        let (_, child) = made_with(&store, &parent, Some(at(9))).await;
        let early = authenticator(&store, at(1));
        let identity = early.authenticate(child.reveal()).await.unwrap().unwrap();
        assert_eq!(identity.limits, [limits]);
        let late = authenticator(&store, at(3));
        assert!(late.authenticate(child.reveal()).await.unwrap().is_none());
        assert!(revoke_token(&*store, "ci").await.unwrap());
        assert!(early.authenticate(child.reveal()).await.unwrap().is_none());
        // Another of the same name is another token.
        create_token(&*store, parent, at(0)).await.unwrap();
        assert!(early.authenticate(child.reveal()).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn the_last_use_is_noted_without_a_write_a_request() {
        let store = Arc::new(MemoryStore::new());
        let token = create_token(&*store, new_token(None), at(0)).await.unwrap();
        let authenticator = authenticator(&store, at(1));
        let before = *store.revision().borrow();
        for _ in 0..10 {
            assert!(
                authenticator
                    .authenticate(token.reveal())
                    .await
                    .unwrap()
                    .is_some()
            );
        }
        assert_eq!(*store.revision().borrow(), before);
        for _ in 0..3 {
            authenticator.sweep().await.unwrap();
            authenticator
                .authenticate(token.reveal())
                .await
                .unwrap()
                .unwrap();
        }
        assert_eq!(*store.revision().borrow(), before + 1);
        let stored = store
            .get(&Key::new(TOKENS, "", "ci"))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(stored.object["status"]["lastUsedAt"], at(1).to_string());
    }

    #[tokio::test]
    async fn a_token_that_expired_long_ago_is_let_go() {
        let store = Arc::new(MemoryStore::new());
        create_token(&*store, new_token(Some(at(1))), at(0))
            .await
            .unwrap();
        authenticator(&store, at(24)).sweep().await.unwrap();
        let key = Key::new(TOKENS, "", "ci");
        assert!(store.get(&key).await.unwrap().is_some());
        authenticator(&store, at(24 * 9)).sweep().await.unwrap();
        assert!(store.get(&key).await.unwrap().is_none());
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
        let text = format!("{:?} {}", page.items[0].key, page.items[0].object.text());
        assert!(text.contains("robot"));
        assert!(!text.contains(&token.reveal()[4..]));
    }
}
