//! A store before which secrets are sealed and behind which they are opened. Above it nobody knows of sealing: equal
//! values are equal, whatever their sealed texts look like.

use async_trait::async_trait;
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use super::{Place, SealError, Sealer, body_of, version_of};
use crate::store::audit::{AuditEntry, AuditQuery, Recorded};
use crate::store::{
    Change, Document, Effect, Expect, Key, ListQuery, Page, Rewrite, Store, StoreError, Stored,
    Write,
};

/// The resource whose objects hold secrets.
const SECRETS: &str = "secrets";

/// Where the audit log keeps the key of its fingerprints; sealed in the same way.
pub(crate) const AUDIT_KEYS: &str = "keys.audit.mirage.dev";

/// Holds the key of the tokens in webhooks' addresses.
pub(crate) const WEBHOOK_KEYS: &str = "keys.webhooks.mirage.dev";

/// Holds the key of variables' fingerprints.
pub(crate) const VARIABLE_KEYS: &str = "keys.variables.mirage.dev";

/// All resources in which something is sealed.
pub(super) const SEALED: [&str; 5] = [
    SECRETS,
    AUDIT_KEYS,
    WEBHOOK_KEYS,
    VARIABLE_KEYS,
    CHECK_RESOURCE,
];

/// The maps of a Secret whose values are secret.
const SECRET_MAPS: [&str; 2] = ["data", "stringData"];

/// Client-side `kubectl apply` keeps the whole manifest here, values included.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// An object that opens only with the right master key, made at the first start.
const CHECK_RESOURCE: &str = "seals.store.mirage.dev";
const CHECK_NAME: &str = "master-key";
const CHECK_FIELD: &str = "check";

/// Since when the check has its version.
pub(super) const CHECK_SINCE: &str = "since";

/// Why a store could not be opened for sealed use.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another master key sealed this store's secrets. Give that one, or restore the key file.
    #[error("the master key does not fit this store: its secrets were sealed with another one")]
    WrongKey(#[source] SealError),
    /// The check could not be made.
    #[error("the master key could not be checked")]
    Sealing(#[source] SealError),
    /// The store below did not answer.
    #[error("the store could not be asked which master key it needs")]
    Store(#[source] StoreError),
}

/// Wraps a store so that no value of a Secret reaches it unsealed: not its objects and not its change log.
#[derive(Debug)]
pub struct SealedStore<S> {
    pub(super) inner: S,
    pub(super) sealer: Sealer,
    /// Held while values are brought under another key.
    pub(super) rotating: tokio::sync::Mutex<()>,
}

impl<S: Store> SealedStore<S> {
    /// Wraps `inner` after making sure that the sealer's keys are the ones that the store was sealed with.
    pub async fn open(inner: S, sealer: Sealer) -> Result<Self, OpenError> {
        let store = Self {
            inner,
            sealer,
            rotating: tokio::sync::Mutex::default(),
        };
        store.check_key().await?;
        Ok(store)
    }

    async fn check_key(&self) -> Result<(), OpenError> {
        let key = check_key();
        if let Some(stored) = self.inner.get(&key).await.map_err(OpenError::Store)? {
            return self.open_check(&stored).map_err(OpenError::WrongKey);
        }
        let sealed = self
            .sealer
            .seal(CHECK_NAME.as_bytes(), place(&key, CHECK_FIELD))
            .map_err(OpenError::Sealing)?;
        let write = Write {
            key: key.clone(),
            expect: Expect::Absent,
            effect: Effect::put(json!({ CHECK_FIELD: sealed })),
        };
        match self.inner.write(write).await {
            Ok(_) => Ok(()),
            // Another process was first, perhaps with another key.
            Err(StoreError::AlreadyExists) => {
                match self.inner.get(&key).await.map_err(OpenError::Store)? {
                    Some(stored) => self.open_check(&stored).map_err(OpenError::WrongKey),
                    None => Err(OpenError::Store(StoreError::NotFound)),
                }
            }
            Err(error) => Err(OpenError::Store(error)),
        }
    }

    /// The version that seals: the check's. It is looked up for every write of a secret, so that all servers on one store
    /// change over together, whatever newer keys some of them have already.
    pub(super) async fn version_in_use(&self) -> Result<u32, StoreError> {
        let stored = self.inner.get(&check_key()).await?;
        let version = stored.and_then(|it| version_of(it.object[CHECK_FIELD].as_str()?));
        version.ok_or_else(|| StoreError::unavailable(SealError::NotSealed))
    }

    pub(super) fn open_check(&self, stored: &Stored) -> Result<(), SealError> {
        let sealed = stored.object[CHECK_FIELD].as_str().unwrap_or_default();
        self.sealer
            .open(sealed, place(&stored.key, CHECK_FIELD))
            .map(drop)
    }

    /// Seals what is to be sealed in it. Documents of other resources stay as they are, unread.
    async fn seal(&self, key: &Key, effect: &mut Effect) -> Result<(), StoreError> {
        if !SEALED.contains(&key.resource.as_str()) {
            return Ok(());
        }
        let version = self.version_in_use().await?;
        let (Effect::Put(document) | Effect::Delete(document)) = effect;
        let mut object = document.to_value();
        let sealed = each_secret(key, &mut object, |field, value| {
            let plain = zeroize::Zeroizing::new(value.to_string());
            let sealed = self
                .sealer
                .seal_with(version, plain.as_bytes(), place(key, field))?;
            Ok(Value::String(sealed))
        });
        sealed.map_err(StoreError::unavailable)?;
        *document = Document::from(object);
        Ok(())
    }

    /// Opens what is sealed in it. Documents of other resources stay as they are, unread.
    fn unseal(&self, key: &Key, document: &mut Document) -> Result<(), StoreError> {
        if !SEALED.contains(&key.resource.as_str()) {
            return Ok(());
        }
        let mut object = document.to_value();
        let opened = each_secret(key, &mut object, |field, value| {
            let sealed = value.as_str().ok_or(SealError::NotSealed)?;
            let plain = self.sealer.open(sealed, place(key, field))?;
            // It was JSON when it was sealed, and an altered text does not open.
            serde_json::from_slice(&plain).map_err(|_| SealError::Refused)
        });
        opened.map_err(StoreError::unavailable)?;
        *document = Document::from(object);
        Ok(())
    }

    fn unseal_changes(&self, changes: &mut [Change]) -> Result<(), StoreError> {
        for change in changes {
            self.unseal(&change.key, &mut change.object)?;
            if let Some(previous) = &mut change.previous {
                self.unseal(&change.key, previous)?;
            }
        }
        Ok(())
    }
}

/// The object by whose opening a master key is known to fit.
pub(super) fn check_key() -> Key {
    Key::new(CHECK_RESOURCE, "", CHECK_NAME)
}

pub(super) fn place<'a>(key: &'a Key, field: &'a str) -> Place<'a> {
    Place {
        resource: &key.resource,
        namespace: &key.namespace,
        name: &key.name,
        field,
    }
}

/// Replaces every sealed text of a stored document, the check's too.
pub(super) fn each_sealed(
    key: &Key,
    document: &mut Value,
    mut replace: impl FnMut(&str, &Value) -> Result<Value, SealError>,
) -> Result<(), SealError> {
    if key.resource == CHECK_RESOURCE {
        document[CHECK_FIELD] = replace(CHECK_FIELD, &document[CHECK_FIELD])?;
        return Ok(());
    }
    each_secret(key, document, replace)
}

/// Replaces every secret value of the object by what `replace` makes of its field's path and itself.
fn each_secret(
    key: &Key,
    object: &mut Value,
    mut replace: impl FnMut(&str, &Value) -> Result<Value, SealError>,
) -> Result<(), SealError> {
    if !SEALED.contains(&key.resource.as_str()) {
        return Ok(());
    }
    for map in SECRET_MAPS {
        let Some(values) = object.get_mut(map).and_then(Value::as_object_mut) else {
            continue;
        };
        for (name, value) in values {
            *value = replace(&format!("{map}.{name}"), value)?;
        }
    }
    if let Some(manifest) = annotations(object).and_then(|map| map.get_mut(LAST_APPLIED)) {
        let field = format!("metadata.annotations.{LAST_APPLIED}");
        *manifest = replace(&field, manifest)?;
    }
    Ok(())
}

/// A stored document as it is compared with another: without what a new master key changes in it.
pub(in crate::store) fn comparable(key: &Key, mut document: Value) -> Value {
    // It fails only when the closure does.
    let _ = each_sealed(key, &mut document, |_, value| {
        Ok(value
            .as_str()
            .map_or_else(|| value.clone(), |sealed| json!(body_of(sealed))))
    });
    if key.resource == CHECK_RESOURCE
        && let Some(fields) = document.as_object_mut()
    {
        fields.remove(CHECK_SINCE);
    }
    document
}

/// Whether objects like this one hold sealed values.
pub(in crate::store) fn has_secrets(key: &Key) -> bool {
    SEALED.contains(&key.resource.as_str())
}

/// The fields of a stored document that are to be sealed, each with whether it opens.
pub(in crate::store) fn sealed_values(
    sealer: &Sealer,
    key: &Key,
    mut document: Value,
) -> Vec<(String, Result<(), SealError>)> {
    let mut tried = Vec::new();
    let mut try_open = |field: &str, value: &Value| {
        let opened = value
            .as_str()
            .ok_or(SealError::NotSealed)
            .and_then(|sealed| sealer.open(sealed, place(key, field)).map(drop));
        tried.push((field.to_owned(), opened));
    };
    // It fails only when the closure does, which goes on instead.
    let _ = each_sealed(key, &mut document, |field, value| {
        try_open(field, value);
        Ok(Value::Null)
    });
    tried
}

fn annotations(object: &mut Value) -> Option<&mut Map<String, Value>> {
    object
        .get_mut("metadata")?
        .get_mut("annotations")?
        .as_object_mut()
}

#[async_trait]
impl<S: Store> Store for SealedStore<S> {
    async fn get(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        let mut found = self.inner.get(key).await?;
        if let Some(stored) = &mut found {
            self.unseal(key, &mut stored.object)?;
        }
        Ok(found)
    }

    async fn list(&self, query: &ListQuery) -> Result<Page, StoreError> {
        let mut page = self.inner.list(query).await?;
        for stored in &mut page.items {
            self.unseal(&stored.key, &mut stored.object)?;
        }
        Ok(page)
    }

    async fn write(&self, mut write: Write) -> Result<u64, StoreError> {
        self.seal(&write.key, &mut write.effect).await?;
        self.inner.write(write).await
    }

    /// Entries hold no secret, by what they are; they are stored as they come.
    async fn write_audited(&self, mut write: Write, entry: AuditEntry) -> Result<u64, StoreError> {
        self.seal(&write.key, &mut write.effect).await?;
        self.inner.write_audited(write, entry).await
    }

    async fn record(&self, entries: Vec<AuditEntry>) -> Result<(), StoreError> {
        self.inner.record(entries).await
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<Recorded>, StoreError> {
        self.inner.audit(query).await
    }

    async fn changes(
        &self,
        resource: &str,
        namespace: Option<&str>,
        after: u64,
        limit: usize,
    ) -> Result<(Vec<Change>, u64), StoreError> {
        let (mut changes, through) = self
            .inner
            .changes(resource, namespace, after, limit)
            .await?;
        self.unseal_changes(&mut changes)?;
        Ok((changes, through))
    }

    async fn log(&self, after: u64, limit: usize) -> Result<(Vec<Change>, u64), StoreError> {
        let (mut changes, through) = self.inner.log(after, limit).await?;
        self.unseal_changes(&mut changes)?;
        Ok((changes, through))
    }

    fn revision(&self) -> watch::Receiver<u64> {
        self.inner.revision()
    }

    async fn compact(&self, keep_from: u64) -> Result<(), StoreError> {
        self.inner.compact(keep_from).await
    }

    /// Of what nobody above can see, the stored texts: these are handed down as they are.
    async fn rewrite(&self, rewrites: Vec<Rewrite>) -> Result<u64, StoreError> {
        self.inner.rewrite(rewrites).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::store::memory::MemoryStore;
    use crate::store::seal::MasterKeys;
    use crate::store::sqlite::SqliteStore;
    use crate::store::{ChangeKind, conformance};

    fn sealer(byte: &str) -> Sealer {
        Sealer::new(MasterKeys::parse(&byte.repeat(32)).unwrap())
    }

    async fn sealed_memory() -> (SealedStore<MemoryStore>, ()) {
        let store = SealedStore::open(MemoryStore::new(), sealer("11")).await;
        (store.unwrap(), ())
    }

    conformance::suite!(async || Some(sealed_memory().await));

    const CANARY: &str = "canary-7f3a-in-plain-sight";

    fn secret_key() -> Key {
        Key::new("secrets", "default", "db")
    }

    /// A Secret that carries `value` wherever a client may put it.
    fn secret(value: &str) -> Value {
        let encoded = STANDARD.encode(value);
        let manifest = json!({"kind": "Secret", "data": {"password": encoded}}).to_string();
        json!({
            "kind": "Secret",
            "metadata": {"name": "db", "annotations": {LAST_APPLIED: manifest, "team": "data"}},
            "type": "Opaque",
            "data": {"password": encoded, "empty": "", "null": null},
            "stringData": {"plain": value},
        })
    }

    fn write(key: Key, expect: Expect, effect: Effect) -> Write {
        Write {
            key,
            expect,
            effect,
        }
    }

    /// Create, update and delete one Secret with the canary in it.
    async fn live_a_life(store: &dyn Store) -> u64 {
        let key = secret_key();
        let put = Effect::put(secret(CANARY));
        let first = store
            .write(write(key.clone(), Expect::Absent, put.clone()))
            .await
            .unwrap();
        let second = store
            .write(write(key.clone(), Expect::Revision(first), put))
            .await
            .unwrap();
        let last = Effect::delete(secret(CANARY));
        store
            .write(write(key, Expect::Revision(second), last))
            .await
            .unwrap();
        first
    }

    #[tokio::test]
    async fn secrets_come_back_opened_from_objects_and_from_the_log() {
        let (store, ()) = sealed_memory().await;
        let first = live_a_life(&store).await;
        let (changes, _) = store.changes("secrets", None, first - 1, 10).await.unwrap();
        let expected = secret(CANARY);
        for change in &changes {
            assert_eq!(change.object, expected);
            assert_eq!(
                change.previous,
                (change.kind != ChangeKind::Created).then(|| expected.clone().into())
            );
        }
        assert_eq!(changes.len(), 3);
        let put = Effect::put(expected.clone());
        store
            .write(write(secret_key(), Expect::Absent, put))
            .await
            .unwrap();
        let query = ListQuery {
            resource: "secrets".to_owned(),
            namespace: None,
            after: None,
            limit: None,
        };
        let page = store.list(&query).await.unwrap();
        assert_eq!(page.items[0].object, expected);
        let stored = store.get(&secret_key()).await.unwrap().unwrap();
        assert_eq!(stored.object, expected);
    }

    #[tokio::test]
    async fn no_secret_value_is_in_the_database_or_its_log_in_any_encoding() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mirage.db");
        let sqlite = SqliteStore::open(&path).await.unwrap();
        let store = SealedStore::open(sqlite, sealer("11")).await.unwrap();
        live_a_life(&store).await;
        let put = Effect::put(secret(CANARY));
        store
            .write(write(secret_key(), Expect::Absent, put))
            .await
            .unwrap();
        let shown = Key::new("configmaps", "default", "shown");
        let put = Effect::put(json!({"data": {"x": "this-one-may-be-seen"}}));
        store
            .write(write(shown, Expect::Absent, put))
            .await
            .unwrap();

        let mut bytes = Vec::new();
        for entry in std::fs::read_dir(dir.path()).unwrap() {
            bytes.extend(std::fs::read(entry.unwrap().path()).unwrap());
        }
        let has = |needle: &str| {
            bytes
                .windows(needle.len())
                .any(|window| window == needle.as_bytes())
        };
        assert!(
            has("this-one-may-be-seen"),
            "the search finds what is there"
        );
        assert!(has("mirage:sealed:v1:"));
        for needle in [
            CANARY.to_owned(),
            STANDARD.encode(CANARY),
            hex::encode(CANARY),
            // Without its last characters, which depend on what stands behind the value.
            STANDARD.encode(STANDARD.encode(CANARY))[..40].to_owned(),
        ] {
            assert!(!has(&needle), "{needle}");
        }
    }

    #[tokio::test]
    async fn a_sealed_value_that_is_moved_to_another_secret_is_not_served() {
        let inner = Arc::new(MemoryStore::new());
        let store = SealedStore::open(Arc::clone(&inner), sealer("11"))
            .await
            .unwrap();
        let put = Effect::put(secret(CANARY));
        store
            .write(write(secret_key(), Expect::Absent, put))
            .await
            .unwrap();
        let sealed = inner.get(&secret_key()).await.unwrap().unwrap();
        let sealed = sealed.object.into_value();
        let thief = Key::new("secrets", "mine", "db");
        inner
            .write(write(thief.clone(), Expect::Absent, Effect::put(sealed)))
            .await
            .unwrap();
        assert!(store.get(&thief).await.is_err());
    }

    #[tokio::test]
    async fn a_value_that_looks_sealed_is_sealed_all_the_same() {
        let (store, ()) = sealed_memory().await;
        let lookalike = secret("mirage:sealed:v1:1:AAAA:AAAA");
        let put = Effect::put(lookalike.clone());
        store
            .write(write(secret_key(), Expect::Absent, put))
            .await
            .unwrap();
        let stored = store.get(&secret_key()).await.unwrap().unwrap();
        assert_eq!(stored.object, lookalike);
    }

    #[tokio::test]
    async fn a_key_that_mirage_keeps_for_itself_is_sealed_and_read_again_by_the_next_process() {
        let inner = Arc::new(MemoryStore::new());
        let mut keys = Vec::new();
        for _ in 0..2 {
            let store = SealedStore::open(Arc::clone(&inner), sealer("11"))
                .await
                .unwrap();
            for resource in [AUDIT_KEYS, WEBHOOK_KEYS, VARIABLE_KEYS] {
                let key = crate::store::kept_key::ensure(&store, resource, "fingerprints").await;
                keys.push(key.unwrap());
            }
        }
        assert!(keys[..3] == keys[3..] && keys[0] != keys[1] && keys[1] != keys[2]);
        let stored = inner.get(&Key::new(AUDIT_KEYS, "", "fingerprints")).await;
        let stored = stored.unwrap().unwrap().object;
        assert!(!stored.text().contains(&STANDARD.encode(*keys[0])));
    }

    #[tokio::test]
    async fn a_store_is_opened_again_with_its_own_key_and_with_no_other() {
        let inner = Arc::new(MemoryStore::new());
        for _ in 0..2 {
            SealedStore::open(Arc::clone(&inner), sealer("11"))
                .await
                .unwrap();
        }
        let other = SealedStore::open(Arc::clone(&inner), sealer("22")).await;
        assert!(matches!(other, Err(OpenError::WrongKey(_))));
    }
}
