//! Webhooks as GitHub sends them, in the test's hands until it carries them.

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::Request;
use serde_json::Value;
use sha2::Sha256;

/// A webhook on its way.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// `X-GitHub-Delivery`.
    pub id: String,
    /// `X-GitHub-Event`.
    pub event: String,
    /// The body.
    pub body: Bytes,
    /// `X-Hub-Signature-256`, when webhooks are signed.
    pub signature: Option<String>,
}

impl Delivery {
    /// A webhook of an event, signed when there is a secret.
    pub fn new(id: u64, event: &str, payload: &Value, secret: Option<&str>) -> Self {
        let body = Bytes::from(payload.to_string());
        Self {
            id: uuid::Uuid::from_u128(u128::from(id)).to_string(),
            event: event.to_owned(),
            signature: secret.map(|secret| sign(secret, &body)),
            body,
        }
    }

    /// The request that carries it.
    pub fn request<B: From<Bytes>>(&self, address: &str) -> Request<B> {
        let mut request = Request::post(address)
            .header("content-type", "application/json")
            .header("user-agent", "GitHub-Hookshot/fake")
            .header("x-github-delivery", &self.id)
            .header("x-github-event", &self.event)
            .header("x-github-hook-id", "1");
        if let Some(signature) = &self.signature {
            request = request.header("x-hub-signature-256", signature);
        }
        request
            .body(B::from(self.body.clone()))
            .expect("all of it is ours")
    }
}

/// GitHub's signature of a body.
fn sign(secret: &str, body: &[u8]) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}
