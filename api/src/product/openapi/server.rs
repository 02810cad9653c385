//! What is asked of the server itself: its master keys, and sessions of browsers.

use schemars::JsonSchema;

use super::operations::{Answer, In, Operation, Parameter, of};
use crate::store::seal::{KeyState, Retired};

/// A sign-in.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "it stands for what is sent")]
struct SignIn {
    /// A bearer token.
    token: String,
}

/// All of them.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        id: "masterKeys",
        tag: "secrets",
        method: "get",
        path: "/api/v1/secrets/keys",
        summary: "Which master keys there are, and what needs them",
        words: "Never a key. Needs the right to `get` `masterkeys`.",
        query: &[],
        body: In::Nothing,
        answer: Answer::Json(of::<KeyState>),
        is_open: false,
    },
    Operation {
        id: "rotateMasterKey",
        tag: "secrets",
        method: "post",
        path: "/api/v1/secrets/rotate-key",
        summary: "Another master key, with everything sealed anew",
        words: "A line of JSON for each step, `progress` and at last `rotated` or `error`. Goes on when nobody reads, and where a \
                rotation stopped. Needs the right to `rotate` `masterkeys`.",
        query: &[Parameter {
            name: "prepare",
            kind: "boolean",
            required: false,
            words: "Only makes the key, so that other servers can be given it first.",
        }],
        body: In::Nothing,
        answer: Answer::Text(&["application/x-ndjson"]),
        is_open: false,
    },
    Operation {
        id: "retireMasterKeys",
        tag: "secrets",
        method: "post",
        path: "/api/v1/secrets/retire-key",
        summary: "Take away the master keys that nothing needs",
        words: "Needs the right to `retire` `masterkeys`.",
        query: &[],
        body: In::Nothing,
        answer: Answer::Json(of::<Retired>),
        is_open: false,
    },
    Operation {
        id: "signIn",
        tag: "sessions",
        method: "post",
        path: "/api/v1/session",
        summary: "A session for a browser",
        words: "Answers 204 with a cookie that scripts cannot read. The session ends with the token that was shown.",
        query: &[],
        body: In::Json(of::<SignIn>),
        answer: Answer::Text(&[]),
        is_open: true,
    },
    Operation {
        id: "signOut",
        tag: "sessions",
        method: "delete",
        path: "/api/v1/session",
        summary: "The end of a session",
        words: "Answers 204.",
        query: &[],
        body: In::Nothing,
        answer: Answer::Text(&[]),
        is_open: false,
    },
];
