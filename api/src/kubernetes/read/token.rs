//! Where a list goes on: the token that clients hand back for the next page, opaque to them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::error::{Reason, Status};
use crate::kubernetes::call::Call;

/// A place in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Token {
    /// The first page's version, repeated on all: a watch from there replays whatever changed between the pages.
    /// 0 once that version is lost.
    pub(super) version: u64,
    /// Whether the pages show the objects as they were at that version, because the client asked for `Exact`.
    #[serde(default)]
    pub(super) is_exact: bool,
    /// The last object that was looked at.
    pub(super) after: (String, String),
    /// Which list it is a place in: another one may not have this place, and its pages would not fit these.
    list: String,
}

impl Token {
    /// The place behind `after` in the list that the call asks for.
    pub(super) fn behind(
        after: (String, String),
        version: u64,
        is_exact: bool,
        call: &Call,
    ) -> Self {
        Self {
            version,
            is_exact,
            after,
            list: fingerprint(call),
        }
    }

    /// The token of the query, if it carries one.
    ///
    /// # Errors
    /// 400 for what is no token, and for one of another list.
    pub(super) fn of(call: &Call) -> Result<Option<Self>, Status> {
        let Some(text) = call.query.get("continue") else {
            return Ok(None);
        };
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        let token: Self = bytes
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .ok_or_else(|| Status::bad_request("continue key is not valid"))?;
        if token.list != fingerprint(call) {
            return Err(Status::bad_request(
                "continue key is not valid: it belongs to a list of another resource, namespace or selector; \
                 begin this list without one",
            ));
        }
        Ok(Some(token))
    }

    pub(super) fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(json!(self).to_string())
    }

    /// 410 because the version is lost, with a token to go on without it.
    pub(super) fn expired(self) -> Status {
        let fresh = Self {
            version: 0,
            is_exact: false,
            ..self
        };
        let message = "The provided continue parameter is too old to display a consistent list result. You can \
            start a new list without the continue parameter, or use the continue token in this response to go on \
            with a list that may be inconsistent.";
        Status::new(Reason::Expired, message).with_continue(fresh.encode())
    }
}

fn fingerprint(call: &Call) -> String {
    let text = |key: &str| call.query.get(key).unwrap_or_default();
    let parts = [
        &*call.kind.resource(),
        call.namespace(),
        text("labelSelector"),
        text("fieldSelector"),
    ];
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
        // No name and no selector holds one.
        hash.update([0]);
    }
    URL_SAFE_NO_PAD.encode(&hash.finalize()[..9])
}
