//! From an answer to a class: the text first, the code second, the HTTP status last.

use crate::{error::Class, operations::Kind};

/// What came back, reduced to what decides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer<'a> {
    /// Whether the call would have changed something.
    pub(crate) kind: Kind,
    /// HTTP status.
    pub(crate) status: u16,
    /// Text of the first error entry; none when the body was not a GraphQL answer.
    pub(crate) message: Option<&'a str>,
    /// `extensions.code` of that entry.
    pub(crate) code: Option<&'a str>,
}

/// Texts in lower case, looked for anywhere in the message; the first row that fits decides. Sources: observed answers
/// of the live API and the official CLI's own matching.
const MESSAGES: &[(&str, Class)] = &[
    ("only one environment can be created", Class::RateLimited),
    ("too quickly", Class::RateLimited),
    ("rate limit", Class::RateLimited),
    ("too many requests", Class::RateLimited),
    ("not authorized", Class::Unauthorized),
    ("project token not found", Class::Unauthorized),
    ("two factor authentication required", Class::Unauthorized),
    ("cannot redeploy yet", Class::NotYet),
    ("already in progress", Class::NotYet),
    ("failed to create service domain", Class::NotYet),
    ("failed to create custom domain", Class::NotYet),
    ("already exists", Class::Conflict),
    ("already in use", Class::Conflict),
    ("must be unique", Class::Conflict),
    ("unique constraint", Class::Conflict),
    ("commit not found", Class::Invalid),
    ("cannot query field", Class::Unsupported),
    ("unknown argument", Class::Unsupported),
    ("is not defined by type", Class::Unsupported),
    ("unknown type", Class::Unsupported),
    ("no deployment found for service", Class::NotFound),
    ("not found", Class::NotFound),
];

/// `extensions.code`, for texts that no row above knows.
const CODES: &[(&str, Class)] = &[
    ("STALE_ENVIRONMENT_BASE", Class::Stale),
    ("RATE_LIMITED", Class::RateLimited),
    ("UNAUTHENTICATED", Class::Unauthorized),
    ("FORBIDDEN", Class::Unauthorized),
    ("GRAPHQL_VALIDATION_FAILED", Class::Unsupported),
    ("GRAPHQL_PARSE_FAILED", Class::Unsupported),
    ("BAD_USER_INPUT", Class::Invalid),
];

/// The class of a failed answer.
pub(crate) fn classify(answer: Answer<'_>) -> Class {
    let unclear = match answer.kind {
        Kind::Query => Class::Transient,
        Kind::Mutation => Class::Ambiguous,
    };
    if answer.status == 429 {
        return Class::RateLimited;
    }
    // The one code that is more certain than any text: its message mentions names of the user's choice.
    if answer.code == Some("STALE_ENVIRONMENT_BASE") {
        return Class::Stale;
    }
    let Some(message) = answer.message else {
        return match answer.status {
            401 | 403 => Class::Unauthorized,
            _ => unclear,
        };
    };
    let message = message.to_lowercase();
    // Says nothing about what happened: seen for bad input, for objects too new to be used, and for deleted ones.
    if message.contains("problem processing request") {
        return unclear;
    }
    if let Some((_, class)) = MESSAGES.iter().find(|(text, _)| message.contains(text)) {
        return *class;
    }
    if let Some((_, class)) = CODES.iter().find(|(code, _)| answer.code == Some(code)) {
        return *class;
    }
    match answer.status {
        400 => Class::Invalid,
        401 | 403 => Class::Unauthorized,
        _ => unclear,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(kind: Kind, status: u16, message: &str, code: &str) -> Class {
        classify(Answer {
            kind,
            status,
            message: (!message.is_empty()).then_some(message),
            code: (!code.is_empty()).then_some(code),
        })
    }

    #[test]
    fn railways_messages_have_classes() {
        const INTERNAL: &str = "INTERNAL_SERVER_ERROR";
        for (message, code, expected) in [
            ("Not Authorized", INTERNAL, Class::Unauthorized),
            ("Project Token not found", INTERNAL, Class::Unauthorized),
            (
                "Two Factor Authentication Required",
                INTERNAL,
                Class::Unauthorized,
            ),
            ("Project not found", INTERNAL, Class::NotFound),
            ("ServiceInstance not found", INTERNAL, Class::NotFound),
            ("Deployment not found", INTERNAL, Class::NotFound),
            ("No deployment found for service", INTERNAL, Class::NotFound),
            (
                "A service named \"x\" already exists in this project",
                INTERNAL,
                Class::Conflict,
            ),
            (
                "An environment with that name already exists",
                INTERNAL,
                Class::Conflict,
            ),
            ("Domain already in use", INTERNAL, Class::Conflict),
            (
                "Whoa there pal! Only one environment can be created per user every 30s. Try again in a sec",
                INTERNAL,
                Class::RateLimited,
            ),
            (
                "You are creating projects too quickly. This workspace allows 1 project per 30 seconds.",
                INTERNAL,
                Class::RateLimited,
            ),
            ("creating volumes too quickly", INTERNAL, Class::RateLimited),
            (
                "Cannot redeploy yet, please wait for the original deployment to finish building",
                INTERNAL,
                Class::NotYet,
            ),
            (
                "Cannot delete TCP proxy: operation is already in progress",
                INTERNAL,
                Class::NotYet,
            ),
            (
                "Failed to create service domain, please try again",
                INTERNAL,
                Class::NotYet,
            ),
            ("Commit not found", INTERNAL, Class::Invalid),
            (
                "The environment has changed since the plan",
                "STALE_ENVIRONMENT_BASE",
                Class::Stale,
            ),
            (
                "Service web not found in base",
                "STALE_ENVIRONMENT_BASE",
                Class::Stale,
            ),
            ("Something else", "RATE_LIMITED", Class::RateLimited),
            ("Something else", "UNAUTHENTICATED", Class::Unauthorized),
            ("Something else", "BAD_USER_INPUT", Class::Invalid),
            (
                "Cannot query field \"configEtag\" on type \"Environment\".",
                "GRAPHQL_VALIDATION_FAILED",
                Class::Unsupported,
            ),
            (
                "type X has no field Y",
                "GRAPHQL_VALIDATION_FAILED",
                Class::Unsupported,
            ),
        ] {
            assert_eq!(
                class(Kind::Mutation, 200, message, code),
                expected,
                "{message}"
            );
            assert_eq!(
                class(Kind::Query, 200, message, code),
                expected,
                "{message}"
            );
        }
    }

    #[test]
    fn what_does_not_tell_is_harmless_for_a_query_and_ambiguous_for_a_mutation() {
        for (status, message) in [
            (200, "Problem processing request"),
            (400, "Problem processing request"),
            (200, "an unheard-of text"),
            (500, ""),
            (502, ""),
            (504, ""),
            (200, ""),
        ] {
            assert_eq!(
                class(Kind::Query, status, message, ""),
                Class::Transient,
                "{status} {message}"
            );
            assert_eq!(
                class(Kind::Mutation, status, message, ""),
                Class::Ambiguous,
                "{status} {message}"
            );
        }
    }

    #[test]
    fn the_status_decides_where_there_is_no_graphql_answer() {
        assert_eq!(class(Kind::Mutation, 429, "", ""), Class::RateLimited);
        assert_eq!(class(Kind::Mutation, 401, "", ""), Class::Unauthorized);
        assert_eq!(class(Kind::Query, 403, "", ""), Class::Unauthorized);
        assert_eq!(
            class(Kind::Mutation, 400, "the value is not allowed", ""),
            Class::Invalid
        );
    }
}
