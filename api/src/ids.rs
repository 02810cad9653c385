//! Ids and name suffixes, from the system's randomness or from a seed.

use std::sync::{Arc, Mutex, PoisonError};

use rand::rngs::StdRng;
use rand::{Rng as _, RngExt as _, SeedableRng as _};
use uuid::Uuid;

/// Kubernetes' alphabet for generated names: no vowels, so that no words arise, and no look-alikes.
const SUFFIX_ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// Makes `metadata.uid`s and the ends of generated names. Clones share one source.
#[derive(Debug, Clone)]
pub struct Ids(Arc<Mutex<StdRng>>);

impl Ids {
    /// Never the same twice.
    pub fn random() -> Self {
        Self(Arc::new(Mutex::new(StdRng::from_rng(&mut rand::rng()))))
    }

    /// The same from the same seed, so that a simulated history replays.
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    /// A version 4 UUID.
    pub fn uid(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.with(|rng| rng.fill_bytes(&mut bytes));
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    /// Five characters for the end of a generated name.
    pub fn suffix(&self) -> String {
        self.with(|rng| {
            (0..5)
                .map(|_| char::from(SUFFIX_ALPHABET[rng.random_range(0..SUFFIX_ALPHABET.len())]))
                .collect()
        })
    }

    fn with<T>(&self, make: impl FnOnce(&mut StdRng) -> T) -> T {
        // A generator is in order whatever happened to the thread that used it last.
        make(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_ids_again() {
        let (one, two) = (Ids::seeded(7), Ids::seeded(7));
        assert_eq!((one.uid(), one.suffix()), (two.uid(), two.suffix()));
        assert_ne!(one.uid(), one.uid());
        assert_eq!(one.uid().get_version_num(), 4);
    }
}
