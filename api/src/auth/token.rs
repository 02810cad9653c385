//! The token itself.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Lets secret scanners and people recognise one of our tokens where it does not belong.
const PREFIX: &str = "mir_";

const RANDOM_BYTES: usize = 32;

/// Characters of a hash in hex by which its record is found: enough to be unique, of no use for making the token.
pub(super) const ID_LENGTH: usize = 20;

/// A bearer token in plain text. Neither `Debug` nor anything else but [`Token::reveal`] shows it.
#[derive(Clone)]
pub struct Token(Zeroizing<String>);

impl Token {
    /// A new one; `None` when the operating system gives no random numbers.
    pub(crate) fn generate() -> Option<Self> {
        let mut random = Zeroizing::new([0; RANDOM_BYTES]);
        SystemRandom::new().fill(&mut *random).ok()?;
        let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(*random));
        Some(Self(Zeroizing::new(format!("{PREFIX}{}", *text))))
    }

    /// What someone presented, if it has the form of a token.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let random = Zeroizing::new(URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?);
        (random.len() == RANDOM_BYTES).then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// The text, for the one place where it goes to its owner.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored in its place.
    ///
    /// One round of SHA-256 is enough here: slow hashes protect what people choose, and nobody guesses 256 random bits.
    /// A slow one would only cost every request its time.
    pub(super) fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// The stored form of a token.
pub(super) struct TokenHash([u8; 32]);

impl TokenHash {
    /// Under which name the token's record is found: enough of the hash to be unique, of no use for making the token.
    pub(super) fn id(&self) -> String {
        hex::encode(&self.0[..ID_LENGTH / 2])
    }

    pub(super) fn to_hex(&self) -> String {
        hex::encode(self.0)
    }

    /// Takes the same time wherever the two differ.
    pub(super) fn is(&self, stored: &str) -> bool {
        use subtle::ConstantTimeEq;
        self.to_hex().as_bytes().ct_eq(stored.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_token_reads_back_and_no_two_are_alike() {
        let (one, other) = (Token::generate().unwrap(), Token::generate().unwrap());
        assert_eq!(one.reveal().len(), "mir_".len() + 43);
        let again = Token::parse(one.reveal()).unwrap();
        assert_eq!(again.hash().to_hex(), one.hash().to_hex());
        assert!(again.hash().is(&one.hash().to_hex()));
        assert!(!other.hash().is(&one.hash().to_hex()));
        assert_ne!(one.hash().id(), other.hash().id());
    }

    #[test]
    fn what_has_not_the_form_of_a_token_is_not_looked_up() {
        let token = Token::generate().unwrap();
        let rows = [
            "",
            "mir_",
            "mir_abc",
            &token.reveal()[4..],
            &token.reveal().to_uppercase(),
        ];
        for text in rows {
            assert!(Token::parse(text).is_none(), "{text}");
        }
        assert!(Token::parse(&format!("{}A", token.reveal())).is_none());
    }

    #[test]
    fn debug_does_not_show_it() {
        let token = Token::generate().unwrap();
        assert_eq!(format!("{token:?}"), "Token(..)");
    }
}
