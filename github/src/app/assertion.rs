//! What an app shows for itself: a JSON Web Token, signed with its key (RS256).
//!
//! Source: "Generating a JSON Web Token (JWT) for a GitHub App": issued a minute ago, since clocks differ, and gone in
//! less than ten.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use ring::{rand::SystemRandom, rsa, signature::RSA_PKCS1_SHA256};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::{
    error::{Error, Failure},
    id::AppId,
};

const ISSUED_BEFORE_SECONDS: i64 = 60;
const LASTS_SECONDS: i64 = 9 * 60;

/// An app's private key.
pub(super) struct Key(rsa::KeyPair);

impl Key {
    /// Takes PEM: PKCS#1 as GitHub gives it out, or PKCS#8.
    pub(super) fn from_pem(pem: &SecretString) -> Result<Self, Error> {
        let der = PrivateKeyDer::from_pem_slice(pem.expose_secret().as_bytes()).map_err(|_| {
            unusable("it holds no block BEGIN RSA PRIVATE KEY or BEGIN PRIVATE KEY")
        })?;
        let pair = match &der {
            PrivateKeyDer::Pkcs1(der) => rsa::KeyPair::from_der(der.secret_pkcs1_der()),
            PrivateKeyDer::Pkcs8(der) => rsa::KeyPair::from_pkcs8(der.secret_pkcs8_der()),
            _ => return Err(unusable("it is not an RSA key")),
        };
        pair.map(Self)
            .map_err(|rejected| unusable(&format!("it is no usable RSA key ({rejected})")))
    }

    /// An assertion that `app` is who asks.
    pub(super) fn assertion(&self, app: AppId, now: Timestamp) -> Result<SecretString, Error> {
        let issued = now.as_second() - ISSUED_BEFORE_SECONDS;
        let claims = json!({
            "iat": issued,
            "exp": now.as_second() + LASTS_SECONDS,
            "iss": app.get().to_string(),
        });
        let part = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = format!(
            "{}.{}",
            part(json!({ "alg": "RS256", "typ": "JWT" })),
            part(claims)
        );
        let mut signature = vec![0; self.0.public().modulus_len()];
        self.0
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                signed.as_bytes(),
                &mut signature,
            )
            .map_err(|_| unusable("nothing can be signed with it"))?;
        Ok(SecretString::from(format!(
            "{signed}.{}",
            URL_SAFE_NO_PAD.encode(signature)
        )))
    }
}

fn unusable(why: &str) -> Error {
    Error::Unauthorized(Failure {
        operation: "prove the app with its private key".to_owned(),
        message: format!("the key cannot be used: {why}"),
        status: None,
        request_id: None,
    })
}

#[cfg(test)]
mod tests {
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    use super::*;

    const PKCS1: &str = include_str!("../../tests/fixtures/app-key-pkcs1.pem");
    const PKCS8: &str = include_str!("../../tests/fixtures/app-key-pkcs8.pem");

    fn key(pem: &str) -> Result<Key, Error> {
        Key::from_pem(&SecretString::from(pem))
    }

    #[test]
    fn both_wrappings_of_a_key_prove_the_same_app() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let assertions = [PKCS1, PKCS8].map(|pem| {
            let key = key(pem).unwrap();
            let assertion = key.assertion(AppId::new(77), now).unwrap();
            let text = assertion.expose_secret().to_owned();
            let (signed, signature) = text.rsplit_once('.').unwrap();
            UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.0.public())
                .verify(
                    signed.as_bytes(),
                    &URL_SAFE_NO_PAD.decode(signature).unwrap(),
                )
                .unwrap();
            text
        });
        assert_eq!(assertions[0], assertions[1]);
        let claims = assertions[0].split('.').nth(1).unwrap();
        let claims: serde_json::Value =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
        assert_eq!(
            claims,
            json!({ "iat": 1_799_999_940, "exp": 1_800_000_540, "iss": "77" })
        );
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_shown() {
        for pem in [
            "",
            "canary",
            "-----BEGIN PRIVATE KEY-----\nY2FuYXJ5\n-----END PRIVATE KEY-----\n",
        ] {
            let Err(error) = key(pem) else {
                panic!("{pem} is a key");
            };
            assert!(matches!(error, Error::Unauthorized(_)));
            assert!(!error.to_string().contains("canary"), "{error}");
        }
    }
}
