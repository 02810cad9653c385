//! What Vault's answers mean. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;

use crate::{Error, Place, StoredSecret};

/// An answer, as far as it is looked at.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The header `Retry-After`, in seconds.
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: bytes::Bytes,
}

/// A token that was given or looked up.
#[derive(Clone)]
pub(crate) struct Grant {
    pub(crate) token: SecretString,
    /// How long it is good; `None` for ever.
    pub(crate) lease: Option<Duration>,
    pub(crate) is_renewable: bool,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    errors: Vec<String>,
    data: Option<Versioned>,
}

#[derive(Deserialize)]
struct Read {
    data: Versioned,
}

#[derive(Deserialize)]
struct Versioned {
    data: Option<BTreeMap<String, Value>>,
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    version: u64,
    #[serde(default)]
    deletion_time: String,
    #[serde(default)]
    destroyed: bool,
}

#[derive(Deserialize)]
struct Login {
    auth: LoginAuth,
}

#[derive(Deserialize)]
struct LoginAuth {
    client_token: String,
    lease_duration: u64,
    #[serde(default)]
    renewable: bool,
}

#[derive(Deserialize)]
struct LookUp {
    data: LookUpData,
}

#[derive(Deserialize)]
struct LookUpData {
    ttl: u64,
    #[serde(default)]
    renewable: bool,
}

/// What a read came to.
pub(crate) fn read(answer: &Answer, place: &Place) -> Result<StoredSecret, Error> {
    let malformed = |what| Error::Malformed {
        place: place.to_string(),
        what,
    };
    match answer.status {
        200 => {
            let read: Read = serde_json::from_slice(&answer.body)
                // A KV engine of version 1 has no second `data`; its answer parses and shows no metadata.
                .map_err(|_| malformed("no data"))?;
            let metadata = read
                .data
                .metadata
                .ok_or_else(|| malformed("no metadata; is it a KV engine of version 1?"))?;
            let fields = read.data.data.ok_or_else(|| malformed("no fields"))?;
            Ok(StoredSecret {
                fields: fields.into_iter().map(field).collect(),
                version: metadata.version,
            })
        }
        403 => Err(Error::Forbidden {
            place: place.to_string(),
            policy_path: format!("{}/data/{}", place.mount, place.path),
        }),
        404 => Err(gone(answer, place)),
        _ => Err(trouble(answer)),
    }
}

fn field((name, value): (String, Value)) -> (String, SecretString) {
    let text = match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    (name, text.into())
}

/// A version that was deleted is 404 too, with its metadata beside `"data": null`.
fn gone(answer: &Answer, place: &Place) -> Error {
    let refusal: Option<Refusal> = serde_json::from_slice(&answer.body).ok();
    let metadata = refusal
        .and_then(|refusal| refusal.data)
        .and_then(|data| data.metadata);
    let place = place.to_string();
    match metadata {
        Some(Metadata {
            version,
            destroyed: true,
            ..
        }) => Error::Destroyed { place, version },
        Some(Metadata {
            version,
            deletion_time: at,
            ..
        }) if !at.is_empty() => Error::Deleted { place, version, at },
        _ => Error::NotFound { place },
    }
}

/// What a login or a renewal came to.
pub(crate) fn login(answer: &Answer) -> Result<Grant, Error> {
    match answer.status {
        200 => {
            let login: Login =
                serde_json::from_slice(&answer.body).map_err(|_| not_a_login("no token"))?;
            Ok(Grant {
                token: login.auth.client_token.into(),
                lease: lease(login.auth.lease_duration),
                is_renewable: login.auth.renewable,
            })
        }
        // "invalid role or secret ID" is 400 in Vault.
        400 | 403 | 404 => Err(Error::LoginRefused),
        _ => Err(trouble(answer)),
    }
}

/// What is known of a token that somebody made.
pub(crate) fn look_up(answer: &Answer, token: SecretString) -> Result<Grant, Error> {
    match answer.status {
        200 => {
            let found: LookUp =
                serde_json::from_slice(&answer.body).map_err(|_| not_a_login("no ttl"))?;
            Ok(Grant {
                token,
                lease: lease(found.data.ttl),
                is_renewable: found.data.renewable,
            })
        }
        400 | 403 => Err(Error::LoginRefused),
        _ => Err(trouble(answer)),
    }
}

fn not_a_login(what: &'static str) -> Error {
    Error::Malformed {
        place: "the login".to_owned(),
        what,
    }
}

fn lease(seconds: u64) -> Option<Duration> {
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

/// Statuses that say nothing of what was asked for (Vault's API documentation: HTTP status codes).
fn trouble(answer: &Answer) -> Error {
    let is_sealed = || {
        let refusal: Option<Refusal> = serde_json::from_slice(&answer.body).ok();
        refusal.is_none_or(|refusal| {
            refusal.errors.is_empty() || refusal.errors.iter().any(|it| it.contains("sealed"))
        })
    };
    match answer.status {
        429 => Error::RateLimited {
            wait: answer.retry_after,
        },
        503 if is_sealed() => Error::Sealed,
        status => Error::Unavailable { status },
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status,
            retry_after: Some(Duration::from_secs(3)),
            body: bytes::Bytes::copy_from_slice(body.as_bytes()),
        }
    }

    fn place() -> Place {
        Place {
            mount: "secret".to_owned(),
            path: "shop/db".to_owned(),
            version: None,
        }
    }

    #[test]
    fn each_answer_has_its_class() {
        let deleted = r#"{"data":{"data":null,"metadata":{"version":2,"deletion_time":"2026-01-01T00:00:00Z","destroyed":false}}}"#;
        let destroyed = r#"{"data":{"data":null,"metadata":{"version":2,"deletion_time":"","destroyed":true}}}"#;
        let rows = [
            (503, r#"{"errors":["Vault is sealed"]}"#, "Sealed"),
            (503, "", "Sealed"),
            (503, r#"{"errors":["service is starting"]}"#, "Unavailable"),
            (500, "<html>", "Unavailable"),
            (307, "", "Unavailable"),
            (
                403,
                r#"{"errors":["1 error occurred: permission denied"]}"#,
                "Forbidden",
            ),
            (404, r#"{"errors":[]}"#, "NotFound"),
            (404, deleted, "Deleted"),
            (404, destroyed, "Destroyed"),
            (
                429,
                r#"{"errors":["request path \"x\": rate limit quota exceeded"]}"#,
                "RateLimited",
            ),
            (200, r#"{"data":{"user":"x"}}"#, "Malformed"),
            (200, "<html>", "Malformed"),
        ];
        for (status, body, expected) in rows {
            let error = read(&answer(status, body), &place()).unwrap_err();
            assert_eq!(<&str>::from(&error), expected, "{status} {body}");
        }
    }

    #[test]
    fn fields_are_text_and_what_is_none_is_its_json() {
        let body = r#"{"data":{"data":{"a":"x","n":5432,"o":{"k":true}},"metadata":{"version":4,"deletion_time":"","destroyed":false}}}"#;
        let secret = read(&answer(200, body), &place()).unwrap();
        let fields: Vec<_> = secret
            .fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.expose_secret()))
            .collect();
        assert_eq!(fields, [("a", "x"), ("n", "5432"), ("o", "{\"k\":true}")]);
        assert_eq!(secret.version, 4);
        assert!(!format!("{secret:?}").contains("5432"));
    }

    #[test]
    fn a_login_gives_a_token_for_a_while() {
        let body = r#"{"auth":{"client_token":"hvs.x","lease_duration":60,"renewable":true}}"#;
        let grant = login(&answer(200, body)).unwrap();
        assert_eq!(grant.lease, Some(Duration::from_secs(60)));
        assert!(grant.is_renewable);
        let wrong = login(&answer(400, r#"{"errors":["invalid role or secret ID"]}"#));
        assert!(matches!(wrong, Err(Error::LoginRefused)));
        let root = look_up(&answer(200, r#"{"data":{"ttl":0}}"#), "root".into()).unwrap();
        assert_eq!(root.lease, None);
    }
}
