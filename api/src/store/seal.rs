//! Secrets at rest: what people put into a Secret reaches the disk only in sealed form.
//!
//! # Envelope
//! Every value has a data key of its own, made for it and used once; the value is sealed with the data key and the data
//! key with the master key, both with AES-256-GCM. The sealed text says which version of the master key it needs, so
//! that a new master key can be taken into use while old values are still there ([`KeyRotation`]).
//!
//! # Binding
//! The value is sealed together with its [`Place`]. Someone who can write to the database but has no key cannot make
//! Mirage show one secret under another's name; they can still bring back an older value of the same place.
//!
//! # Caveats
//! Nonces of the wrapping are random, 96 bits: fine for 2^32 values per master key version (NIST SP 800-38D §8.3).

mod key_ring;
mod key_source;
mod master_key;
mod rotation;
mod sealed_store;

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use key_ring::KeyRing;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use key_source::KeySource;
pub use master_key::{KEY_FILE, KeyError, MasterKeys};
pub use rotation::{KeyRotation, KeyState, Progress, Retired, RotateError, Rotated};
pub(crate) use sealed_store::{AUDIT_KEYS, VARIABLE_KEYS, WEBHOOK_KEYS};
pub use sealed_store::{OpenError, SealedStore};
pub(in crate::store) use sealed_store::{comparable, has_secrets, sealed_values};

/// What every sealed text begins with.
const PREFIX: &str = "mirage:sealed:v1:";

/// AES-256 and everything that goes with it: 256 bits.
const KEY_LEN: usize = 32;

/// Why a value could not be sealed or opened. None of them carries any part of the value.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The text was not made by [`Sealer::seal`].
    #[error("this is no sealed value")]
    NotSealed,
    /// The value needs a master key that was not given; give it together with the others.
    #[error(
        "the value was sealed with version {version} of the master key, which is not at hand: copy the key file of the server that has it, or add that version to MIRAGE_MASTER_KEY"
    )]
    UnknownKey {
        /// The version that is needed.
        version: u32,
    },
    /// It was sealed with another key or for another place, or altered since.
    #[error(
        "the value does not open here: another master key sealed it, or it was moved or altered"
    )]
    Refused,
    /// The operating system gave no random numbers.
    #[error("no random numbers to seal with")]
    NoRandomness,
}

/// Where a sealed value belongs. It opens nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The object's resource, `secrets`.
    pub resource: &'a str,
    /// The object's namespace.
    pub namespace: &'a str,
    /// The object's name.
    pub name: &'a str,
    /// The path of the field inside the object, `data.password`.
    pub field: &'a str,
}

impl Place<'_> {
    /// Each part with its length before it, so that no two places have the same bytes.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for part in [self.resource, self.namespace, self.name, self.field] {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes
    }
}

/// Seals and opens values.
#[derive(Debug)]
pub struct Sealer {
    keys: KeyRing,
    random: SystemRandom,
}

impl Sealer {
    /// Seals with the newest of `keys` and opens with all of them.
    pub fn new(keys: MasterKeys) -> Self {
        Self::of(KeyRing::new(keys, KeySource::Given))
    }

    /// The keys that the environment gives, else those of the data folder's file, which is made if it is missing, and read
    /// again when a value needs a key that was not in it.
    ///
    /// # Errors
    /// As [`MasterKeys::load`].
    pub fn load(from_environment: Option<&str>, data_dir: &Path) -> Result<Self, KeyError> {
        let keys = MasterKeys::load(from_environment, data_dir)?;
        let source = match from_environment {
            Some(_) => KeySource::Given,
            None => KeySource::File(data_dir.join(KEY_FILE)),
        };
        Ok(Self::of(KeyRing::new(keys, source)))
    }

    fn of(keys: KeyRing) -> Self {
        Self {
            keys,
            random: SystemRandom::new(),
        }
    }

    /// Seals a value for one place, with the newest key. The same value gives another text each time.
    pub fn seal(&self, plain: &[u8], place: Place<'_>) -> Result<String, SealError> {
        self.seal_with(self.keys.now().newest(), plain, place)
    }

    /// As [`Sealer::seal`], with this version of the master key.
    fn seal_with(&self, version: u32, plain: &[u8], place: Place<'_>) -> Result<String, SealError> {
        let keys = self.keys.with(version)?;
        let master = keys.get(version).ok_or(SealError::UnknownKey { version })?;
        let mut data_key = Zeroizing::new([0; KEY_LEN]);
        self.random
            .fill(&mut *data_key)
            .map_err(|_| SealError::NoRandomness)?;
        let wrapped = self.encrypt(master, &*data_key, &wrapping_context(version))?;
        let sealed = self.encrypt(&aes(&data_key), plain, &place.bytes())?;
        Ok(format!(
            "{PREFIX}{version}:{}:{}",
            URL_SAFE_NO_PAD.encode(wrapped),
            URL_SAFE_NO_PAD.encode(sealed)
        ))
    }

    /// Opens a text that was sealed for this place.
    pub fn open(&self, sealed: &str, place: Place<'_>) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (version, wrapped, sealed) = parse(sealed).ok_or(SealError::NotSealed)?;
        let keys = self.keys.with(version)?;
        let master = keys.get(version).ok_or(SealError::UnknownKey { version })?;
        let data_key = decrypt(master, wrapped, &wrapping_context(version))?;
        let data_key: &[u8; KEY_LEN] = data_key
            .as_slice()
            .try_into()
            .map_err(|_| SealError::Refused)?;
        decrypt(&aes(data_key), sealed, &place.bytes())
    }

    /// The same value with the same data key, which is wrapped with this version of the master key. A text that does not
    /// open in its place is refused.
    fn rewrap(&self, sealed: &str, version: u32, place: Place<'_>) -> Result<String, SealError> {
        self.open(sealed, place)?;
        let (before, wrapped, _) = parse(sealed).ok_or(SealError::NotSealed)?;
        let keys = self.keys.with(version)?;
        let key_of = |version| keys.get(version).ok_or(SealError::UnknownKey { version });
        let data_key = decrypt(key_of(before)?, wrapped, &wrapping_context(before))?;
        let wrapped = self.encrypt(key_of(version)?, &data_key, &wrapping_context(version))?;
        let wrapped = URL_SAFE_NO_PAD.encode(wrapped);
        Ok(format!("{PREFIX}{version}:{wrapped}:{}", body_of(sealed)))
    }

    /// Nonce, ciphertext and tag in one piece.
    fn encrypt(
        &self,
        key: &LessSafeKey,
        plain: &[u8],
        context: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE_LEN];
        self.random
            .fill(&mut nonce)
            .map_err(|_| SealError::NoRandomness)?;
        // Sealed in place and beyond this point no secret: room for the tag first, so that growing copies no plaintext.
        let mut sealed = Vec::with_capacity(NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let tag = key
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(context),
                &mut sealed[NONCE_LEN..],
            )
            // Only for a value of more than 64 GiB.
            .map_err(|_| SealError::Refused)?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }
}

/// Which version of the master key a sealed text needs.
fn version_of(sealed: &str) -> Option<u32> {
    sealed.strip_prefix(PREFIX)?.split(':').next()?.parse().ok()
}

/// The part of a sealed text that stays as it is under every master key: equal bodies are equal values.
fn body_of(sealed: &str) -> &str {
    sealed.rsplit(':').next().unwrap_or_default()
}

/// Keeps a wrapped data key from being passed off as wrapped by another version.
fn wrapping_context(version: u32) -> Vec<u8> {
    format!("mirage data key, master key version {version}").into_bytes()
}

fn aes(key: &[u8; KEY_LEN]) -> LessSafeKey {
    let key = UnboundKey::new(&AES_256_GCM, key).expect("the key has the algorithm's length");
    LessSafeKey::new(key)
}

fn parse(sealed: &str) -> Option<(u32, Vec<u8>, Vec<u8>)> {
    let mut parts = sealed.strip_prefix(PREFIX)?.split(':');
    let version = parts.next()?.parse().ok()?;
    let wrapped = URL_SAFE_NO_PAD.decode(parts.next()?).ok()?;
    let sealed = URL_SAFE_NO_PAD.decode(parts.next()?).ok()?;
    parts.next().is_none().then_some((version, wrapped, sealed))
}

fn decrypt(
    key: &LessSafeKey,
    mut sealed: Vec<u8>,
    context: &[u8],
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let (nonce, rest) = sealed
        .split_first_chunk_mut::<NONCE_LEN>()
        .ok_or(SealError::NotSealed)?;
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let length = key
        .open_in_place(nonce, Aad::from(context), rest)
        .map_err(|_| SealError::Refused)?
        .len();
    let mut plain = Zeroizing::new(sealed);
    plain.drain(..NONCE_LEN);
    plain.truncate(length);
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PLACE: Place<'static> = Place {
        resource: "secrets",
        namespace: "default",
        name: "db",
        field: "data.password",
    };

    fn sealer(keys: &str) -> Sealer {
        Sealer::new(MasterKeys::parse(keys).unwrap())
    }

    fn first() -> Sealer {
        sealer(&format!("1:{}", "11".repeat(32)))
    }

    #[test]
    fn a_sealed_value_opens_only_where_it_was_sealed() {
        let sealed = first().seal(b"hunter2", PLACE).unwrap();
        assert_eq!(&**first().open(&sealed, PLACE).unwrap(), b"hunter2");
        let elsewhere = [
            Place {
                resource: "configmaps",
                ..PLACE
            },
            Place {
                namespace: "other",
                ..PLACE
            },
            Place {
                name: "cache",
                ..PLACE
            },
            Place {
                field: "data.user",
                ..PLACE
            },
            // The same letters, otherwise divided.
            Place {
                namespace: "defaultd",
                name: "b",
                ..PLACE
            },
        ];
        for place in elsewhere {
            let refused = first().open(&sealed, place);
            assert!(matches!(refused, Err(SealError::Refused)), "{place:?}");
        }
    }

    #[test]
    fn another_key_does_not_open_it_and_a_missing_version_is_named() {
        let sealed = first().seal(b"hunter2", PLACE).unwrap();
        let other = sealer(&format!("1:{}", "22".repeat(32)));
        assert!(matches!(
            other.open(&sealed, PLACE),
            Err(SealError::Refused)
        ));
        let newer = sealer(&format!("2:{}", "22".repeat(32)));
        assert!(matches!(
            newer.open(&sealed, PLACE),
            Err(SealError::UnknownKey { version: 1 })
        ));
    }

    #[test]
    fn a_new_master_key_seals_and_the_old_one_still_opens() {
        let old = first().seal(b"hunter2", PLACE).unwrap();
        let both = sealer(&format!("1:{} 2:{}", "11".repeat(32), "22".repeat(32)));
        assert_eq!(&**both.open(&old, PLACE).unwrap(), b"hunter2");
        let new = both.seal(b"hunter3", PLACE).unwrap();
        assert!(new.starts_with("mirage:sealed:v1:2:"));
        // Claiming the other version does not help.
        let claimed = new.replacen("v1:2:", "v1:1:", 1);
        assert!(matches!(
            both.open(&claimed, PLACE),
            Err(SealError::Refused)
        ));
    }

    #[test]
    fn a_text_comes_under_another_key_without_its_value_being_sealed_anew() {
        let old = first().seal(b"hunter2", PLACE).unwrap();
        let both = sealer(&format!("1:{} 2:{}", "11".repeat(32), "22".repeat(32)));
        let new = both.rewrap(&old, 2, PLACE).unwrap();
        assert_eq!((version_of(&new), body_of(&new)), (Some(2), body_of(&old)));
        let only_new = sealer(&format!("2:{}", "22".repeat(32)));
        assert_eq!(&**only_new.open(&new, PLACE).unwrap(), b"hunter2");
        let elsewhere = Place {
            name: "cache",
            ..PLACE
        };
        let moved = both.rewrap(&old, 2, elsewhere);
        assert!(matches!(moved, Err(SealError::Refused)));
    }

    #[test]
    fn equal_values_look_different() {
        let sealer = first();
        assert_ne!(
            sealer.seal(b"hunter2", PLACE).unwrap(),
            sealer.seal(b"hunter2", PLACE).unwrap()
        );
    }

    #[test]
    fn what_was_never_sealed_is_told_apart_from_what_was_altered() {
        let texts = [
            "",
            "hunter2",
            "mirage:sealed:v1:",
            "mirage:sealed:v1:1:a",
            "mirage:sealed:v1:1:!:!",
        ];
        for text in texts {
            let refused = first().open(text, PLACE);
            assert!(matches!(refused, Err(SealError::NotSealed)), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_value_comes_back_and_no_altered_byte_goes_unnoticed(
            plain in proptest::collection::vec(any::<u8>(), 0..200),
            position in any::<proptest::sample::Index>(),
        ) {
            let sealed = first().seal(&plain, PLACE).unwrap();
            prop_assert_eq!(&**first().open(&sealed, PLACE).unwrap(), &plain);
            let mut altered = sealed.clone().into_bytes();
            let position = position.index(altered.len());
            altered[position] = if altered[position] == b'A' { b'B' } else { b'A' };
            // The last character of a piece may hold unused bits; base64 refuses them when set.
            let altered = String::from_utf8(altered).unwrap();
            prop_assert!(first().open(&altered, PLACE).is_err());
        }
    }
}
