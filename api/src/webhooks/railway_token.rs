//! The secret in the address of Railway's webhooks.
//!
//! Railway signs nothing, so the address is the secret: `MAC || namespace/name`, in base64 for addresses, where the MAC
//! is HMAC-SHA-256 over the environment's uid, namespace and name under a key that stays in the store. Nothing is stored
//! for each environment, and an environment that was made anew under the same name has another address.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use subtle::ConstantTimeEq as _;
use tokio::sync::OnceCell;

use crate::store::seal::WEBHOOK_KEYS;
use crate::store::{Store, StoreError, kept_key};

const NAME: &str = "railway";

/// 128 bits: nobody guesses them, and addresses stay short.
const MAC_LENGTH: usize = 16;

/// No name of ours is longer, with its namespace.
const LONGEST: usize = 512;

/// An environment, as a token names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) namespace: String,
    pub(super) name: String,
    mac: [u8; MAC_LENGTH],
}

impl Named {
    /// What a token names, not yet proven.
    pub(super) fn parse(token: &str) -> Option<Self> {
        if token.len() > LONGEST {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (mac, name) = bytes.split_at_checked(MAC_LENGTH)?;
        let (namespace, name) = std::str::from_utf8(name).ok()?.split_once('/')?;
        Some(Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            mac: mac.try_into().ok()?,
        })
    }
}

/// Makes and checks tokens.
#[derive(Debug, Default)]
pub(super) struct Signer(OnceCell<hmac::Key>);

impl Signer {
    async fn key(&self, store: &dyn Store) -> Result<&hmac::Key, StoreError> {
        let made = async || {
            let bytes = kept_key::ensure(store, WEBHOOK_KEYS, NAME).await?;
            Ok(hmac::Key::new(hmac::HMAC_SHA256, &*bytes))
        };
        self.0.get_or_try_init(made).await
    }

    /// The token of an environment.
    pub(super) async fn token(
        &self,
        store: &dyn Store,
        namespace: &str,
        name: &str,
        uid: &str,
    ) -> Result<String, StoreError> {
        let mut bytes = mac(self.key(store).await?, namespace, name, uid).to_vec();
        bytes.extend_from_slice(format!("{namespace}/{name}").as_bytes());
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Whether the token is that of the environment with this uid. Takes the same time whatever is wrong with it.
    pub(super) async fn is_of(
        &self,
        store: &dyn Store,
        named: &Named,
        uid: &str,
    ) -> Result<bool, StoreError> {
        let expected = mac(self.key(store).await?, &named.namespace, &named.name, uid);
        Ok(named.mac.ct_eq(&expected).into())
    }
}

fn mac(key: &hmac::Key, namespace: &str, name: &str, uid: &str) -> [u8; MAC_LENGTH] {
    let mut context = hmac::Context::with_key(key);
    for part in [uid, namespace, name] {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    let mut mac = [0; MAC_LENGTH];
    mac.copy_from_slice(&context.sign().as_ref()[..MAC_LENGTH]);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::MemoryStore;

    #[tokio::test]
    async fn a_token_is_of_one_environment_and_all_servers_know_it() {
        let store = MemoryStore::new();
        let (one, two) = (Signer::default(), Signer::default());
        let token = one.token(&store, "default", "shop", "uid-1").await.unwrap();
        let named = Named::parse(&token).unwrap();
        assert_eq!(
            (named.namespace.as_str(), named.name.as_str()),
            ("default", "shop")
        );
        assert!(two.is_of(&store, &named, "uid-1").await.unwrap());
        assert!(
            !two.is_of(&store, &named, "uid-2").await.unwrap(),
            "it was made anew"
        );
        let other = Named {
            name: "shop2".to_owned(),
            ..named
        };
        assert!(!two.is_of(&store, &other, "uid-1").await.unwrap());
    }

    #[test]
    fn what_is_no_token_names_nothing() {
        let no_slash = URL_SAFE_NO_PAD.encode([b'a'; 40]);
        for token in ["", "a", "!!!!", "AAAA", &no_slash, &"A".repeat(10_000)] {
            assert_eq!(Named::parse(token), None, "{token}");
        }
    }
}
