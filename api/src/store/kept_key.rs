//! Keys that Mirage makes for itself: each is an object in the store, sealed like a secret, so that all servers on one
//! database have the same and who has only the database has none.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::json;
use zeroize::Zeroizing;

use super::{Effect, Expect, Key, Store, StoreError, Write};

const LENGTH: usize = 32;

/// A key: 256 random bits.
pub(crate) type KeptKey = Zeroizing<[u8; LENGTH]>;

/// The store's key of this place; the first server that ever asks makes it.
///
/// # Errors
/// When the store does not answer, or what it holds there is no key.
pub(crate) async fn ensure(
    store: &dyn Store,
    resource: &str,
    name: &str,
) -> Result<KeptKey, StoreError> {
    ensure_or(store, resource, name, None).await
}

/// As [`ensure`]; where there is none yet, `first` becomes it.
///
/// # Errors
/// As [`ensure`].
pub(crate) async fn ensure_or(
    store: &dyn Store,
    resource: &str,
    name: &str,
    first: Option<KeptKey>,
) -> Result<KeptKey, StoreError> {
    let key = Key::new(resource, "", name);
    if let Some(found) = find(store, &key).await? {
        return Ok(found);
    }
    let bytes = first.map_or_else(random, Ok)?;
    let write = Write {
        key: key.clone(),
        expect: Expect::Absent,
        effect: Effect::put(json!({"data": {"key": STANDARD.encode(*bytes)}})),
    };
    match store.write(write).await {
        Ok(_) => Ok(bytes),
        // Another server was first.
        Err(StoreError::AlreadyExists) => find(store, &key).await?.ok_or(StoreError::NotFound),
        Err(error) => Err(error),
    }
}

fn random() -> Result<KeptKey, StoreError> {
    let mut bytes = Zeroizing::new([0; LENGTH]);
    SystemRandom::new()
        .fill(&mut *bytes)
        .map_err(|_| StoreError::unavailable("no random numbers to make a key from"))?;
    Ok(bytes)
}

async fn find(store: &dyn Store, key: &Key) -> Result<Option<KeptKey>, StoreError> {
    let Some(stored) = store.get(key).await? else {
        return Ok(None);
    };
    let text = stored.object["data"]["key"].as_str().unwrap_or_default();
    let bytes = Zeroizing::new(STANDARD.decode(text).unwrap_or_default());
    match <[u8; LENGTH]>::try_from(bytes.as_slice()) {
        Ok(bytes) => Ok(Some(Zeroizing::new(bytes))),
        Err(_) => Err(StoreError::unavailable(format!(
            "the stored key {} of {} is not readable",
            key.name, key.resource
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::MemoryStore;

    #[tokio::test]
    async fn a_key_that_is_brought_along_counts_only_where_there_is_none() {
        let store = MemoryStore::new();
        let [first, second] = [1, 2].map(|byte| Zeroizing::new([byte; LENGTH]));
        for brought in [Some(first.clone()), Some(second), None] {
            let kept = ensure_or(&store, "keys", "own", brought).await.unwrap();
            assert_eq!(kept, first);
        }
    }
}
