//! One seeded stream of chance.
//!
//! SplitMix64 rather than a larger generator, because its whole state is one number: it can be kept in the state file,
//! so that a restarted simulator goes on with the same history.

use serde::{Deserialize, Serialize};

use crate::timing::Span;

/// The generator's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A UUIDv4, as Railway's own ids are.
    pub(crate) fn uuid(&mut self) -> String {
        let high = u128::from(self.next());
        let bits = (high << 64) | u128::from(self.next());
        uuid::Builder::from_random_bytes(bits.to_be_bytes())
            .into_uuid()
            .to_string()
    }

    /// Evenly in `low..=high`.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        if high <= low {
            return low;
        }
        low + self.next() % (high - low + 1)
    }

    /// Milliseconds within a span.
    pub(crate) fn span(&mut self, span: Span) -> i64 {
        i64::try_from(self.between(span.min_ms, span.max_ms)).unwrap_or(i64::MAX)
    }

    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        // 53 bits, the precision of a double.
        let unit = (self.next() >> 11) as f64 / (1u64 << 53) as f64;
        unit < probability
    }

    /// Letters and digits, for generated names and secrets.
    pub(crate) fn text(&mut self, length: usize, alphabet: &str) -> String {
        let letters: Vec<char> = alphabet.chars().collect();
        (0..length)
            .map(|_| letters[self.between(0, letters.len() as u64 - 1) as usize])
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_ids() {
        let mut one = Random::seeded(7);
        let mut two = Random::seeded(7);
        assert_eq!(one.uuid(), two.uuid());
        assert_ne!(one.uuid(), one.uuid());
    }

    #[test]
    fn ids_are_version_four() {
        let id = Random::seeded(1).uuid();
        assert_eq!(
            uuid::Uuid::parse_str(&id).unwrap().get_version_num(),
            4,
            "{id}"
        );
    }

    #[test]
    fn spans_stay_within_their_bounds() {
        let mut random = Random::seeded(3);
        for _ in 0..200 {
            let drawn = random.span(Span::millis(5, 9));
            assert!((5..=9).contains(&drawn));
        }
        assert_eq!(random.span(Span::ZERO), 0);
    }
}
