//! GitHub's signature: HMAC-SHA-256 over the body as it came (source: "Validating webhook deliveries").

use http::HeaderMap;
use ring::hmac;

/// Where it stands. The older `X-Hub-Signature` is SHA-1 and not looked at.
pub(super) const HEADER: &str = "x-hub-signature-256";

/// A signature as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signature(Vec<u8>);

impl Signature {
    /// The signature of a request; none when there is none, or it has another form.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut all = headers.get_all(HEADER).iter();
        let (Some(value), None) = (all.next(), all.next()) else {
            return None;
        };
        let bytes = hex::decode(value.to_str().ok()?.strip_prefix("sha256=")?).ok()?;
        (bytes.len() == 32).then_some(Self(bytes))
    }

    /// Whether it was made with this secret. Takes the same time whatever is wrong with it.
    pub(super) fn is_by(&self, secret: &[u8], body: &[u8]) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        // With an empty secret anybody could sign.
        hmac::verify(&key, body, &self.0).is_ok() && !secret.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(HEADER, value.parse().unwrap());
        }
        headers
    }

    /// The example of GitHub's documentation.
    const DOCUMENTED: &str =
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    #[test]
    fn the_documented_example_verifies_and_nothing_near_it() {
        let signature = Signature::of(&headers(&[DOCUMENTED])).unwrap();
        let (secret, body) = (
            b"It's a Secret to Everybody".as_slice(),
            b"Hello, World!".as_slice(),
        );
        assert!(signature.is_by(secret, body));
        assert!(!signature.is_by(secret, b"Hello, World"));
        assert!(!signature.is_by(b"another", body));
        assert!(!signature.is_by(b"", body));
    }

    #[test]
    fn an_empty_secret_signs_nothing() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"");
        let made = format!("sha256={}", hex::encode(hmac::sign(&key, b"x")));
        assert!(!Signature::of(&headers(&[&made])).unwrap().is_by(b"", b"x"));
    }

    #[test]
    fn other_forms_are_no_signature() {
        let short = &DOCUMENTED[..DOCUMENTED.len() - 2];
        for values in [
            &[][..],
            &[""],
            &["sha256="],
            &[short],
            &[&DOCUMENTED.replace("sha256", "sha1")],
            &[&DOCUMENTED.replace('7', "x")],
            &[DOCUMENTED, DOCUMENTED],
        ] {
            assert_eq!(Signature::of(&headers(values)), None, "{values:?}");
        }
    }
}
