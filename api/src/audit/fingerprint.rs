//! What stands in the place of a secret: enough to see that it changed or came back, and nothing of what it is.

use std::fmt;

use ring::hmac;
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use zeroize::Zeroizing;

use crate::store::seal::AUDIT_KEYS;
use crate::store::{Store, StoreError, kept_key};

const NAME: &str = "fingerprints";

/// The key of fingerprints. It is an object in the store, sealed like a secret, so that all servers on one database have
/// the same and no fingerprint can be checked against guesses by who has only the database.
pub(super) struct FingerprintKey(hmac::Key);

impl FingerprintKey {
    pub(super) fn new(bytes: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// HMAC-SHA-256 over place and value, cut to 64 bits: two values of one place differ in it, and a place is too small
    /// for two to meet by chance. With the place in it, equal passwords of two objects do not show as equal.
    pub(super) fn fingerprint(&self, place: &str, value: &Value) -> Value {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(&(place.len() as u64).to_be_bytes());
        context.update(place.as_bytes());
        context.update(Zeroizing::new(value.to_string()).as_bytes());
        let digest = hex::encode(&context.sign().as_ref()[..8]);
        json!(format!("fingerprint:{digest}"))
    }
}

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FingerprintKey([hidden])")
    }
}

/// The key once somebody has asked for it.
#[derive(Debug, Default)]
pub(super) struct KeptKey(OnceCell<FingerprintKey>);

impl KeptKey {
    /// The store's key; the first server that ever asks makes it.
    pub(super) async fn of(&self, store: &dyn Store) -> Result<&FingerprintKey, StoreError> {
        let made = async || {
            let bytes = kept_key::ensure(store, AUDIT_KEYS, NAME).await?;
            Ok(FingerprintKey::new(&*bytes))
        };
        self.0.get_or_try_init(made).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::MemoryStore;

    #[test]
    fn a_fingerprint_depends_on_key_place_and_value_and_on_nothing_else() {
        let key = FingerprintKey::new(&[1; 32]);
        let known = key.fingerprint("a", &json!("x"));
        assert_eq!(key.fingerprint("a", &json!("x")), known);
        for other in [
            key.fingerprint("a", &json!("y")),
            key.fingerprint("b", &json!("x")),
            FingerprintKey::new(&[2; 32]).fingerprint("a", &json!("x")),
        ] {
            assert_ne!(other, known);
        }
    }

    #[tokio::test]
    async fn all_servers_on_one_store_have_the_same_key() {
        let store = MemoryStore::new();
        let (one, two) = (KeptKey::default(), KeptKey::default());
        let one = one.of(&store).await.unwrap().fingerprint("a", &json!("x"));
        let two = two.of(&store).await.unwrap().fingerprint("a", &json!("x"));
        assert_eq!(one, two);
    }
}
