//! Ids and name suffixes, from the system's randomness or from a seed.

use std::sync::{Arc, Mutex, PoisonError};

use rand::rngs::StdRng;
use rand::{Rng as _, RngExt as _, SeedableRng as _};
use uuid::Uuid;

/// Kubernetes' alphabet for generated names: no vowels, so that no words arise, and no look-alikes.
const SUFFIX_ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// Makes `metadata.uid`s and the ends of generated names. Clones share one source.
#[derive(Debug, Clone)]
pub struct Ids(Arc<Mutex<Sources>>);

/// Objects and requests have a source each, so that an object's id does not depend on how often somebody looked.
#[derive(Debug)]
struct Sources {
    objects: StdRng,
    requests: StdRng,
}

impl Ids {
    /// Never the same twice.
    pub fn random() -> Self {
        Self::from_sources(
            StdRng::from_rng(&mut rand::rng()),
            StdRng::from_rng(&mut rand::rng()),
        )
    }

    /// The same from the same seed, so that a simulated history replays.
    pub fn seeded(seed: u64) -> Self {
        Self::from_sources(StdRng::seed_from_u64(seed), StdRng::seed_from_u64(!seed))
    }

    fn from_sources(objects: StdRng, requests: StdRng) -> Self {
        Self(Arc::new(Mutex::new(Sources { objects, requests })))
    }

    /// A version 4 UUID for an object.
    pub fn uid(&self) -> Uuid {
        self.with(|sources| uuid_from(&mut sources.objects))
    }

    /// A version 4 UUID for a request.
    pub fn request_id(&self) -> Uuid {
        self.with(|sources| uuid_from(&mut sources.requests))
    }

    /// Five characters for the end of a generated name.
    pub fn suffix(&self) -> String {
        self.with(|sources| {
            let mut letter =
                || SUFFIX_ALPHABET[sources.objects.random_range(0..SUFFIX_ALPHABET.len())];
            (0..5).map(|_| char::from(letter())).collect()
        })
    }

    fn with<T>(&self, make: impl FnOnce(&mut Sources) -> T) -> T {
        // A generator is in order whatever happened to the thread that used it last.
        make(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn uuid_from(source: &mut StdRng) -> Uuid {
    let mut bytes = [0; 16];
    source.fill_bytes(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_ids_again_however_many_requests_there_were() {
        let (one, two) = (Ids::seeded(7), Ids::seeded(7));
        two.request_id();
        assert_eq!((one.uid(), one.suffix()), (two.uid(), two.suffix()));
        assert_ne!(one.uid(), one.uid());
        assert_eq!(one.uid().get_version_num(), 4);
    }
}
