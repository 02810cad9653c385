//! From an answer, or the lack of one, to what the caller may do about it. Pure.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use octocrab::GitHubError;

use super::limits::refusal;
use crate::{
    error::{Error, Failure},
    transport::TransportError,
};

/// What was asked, as far as its failure depends on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) operation: &'a str,
    /// Whether it would have changed something.
    pub(super) writes: bool,
    /// The right it needs, as GitHub's settings call it.
    pub(super) needs: &'static str,
}

impl Asked<'_> {
    /// A failure without an answer from GitHub.
    pub(super) fn failure(&self, message: impl Into<String>) -> Failure {
        Failure {
            operation: self.operation.to_owned(),
            message: message.into(),
            status: None,
            request_id: None,
        }
    }

    pub(super) fn rate_limited(&self, failure: Failure, wait: Duration, now: Timestamp) -> Error {
        Error::RateLimited {
            failure,
            until: now.checked_add(wait).unwrap_or(now),
            wait,
        }
    }

    /// An answer that is not what this API answers. A write has happened all the same.
    pub(super) fn unreadable(&self, message: impl Into<String>) -> Error {
        let failure = self.failure(message);
        if self.writes {
            Error::Ambiguous(failure)
        } else {
            Error::Unreadable(failure)
        }
    }
}

/// No answer came.
pub(super) fn unanswered(asked: Asked<'_>, error: &TransportError) -> Error {
    let failure = asked.failure(error.to_string());
    match error {
        TransportError::NoAnswer(_) if asked.writes => Error::Ambiguous(failure),
        TransportError::NoAnswer(_) | TransportError::NotSent(_) => Error::Transient(failure),
    }
}

/// GitHub answered with an error.
pub(super) fn refused(asked: Asked<'_>, error: &GitHubError, now: Timestamp) -> Error {
    let nothing = HeaderMap::new();
    let headers = error.headers.as_ref().unwrap_or(&nothing);
    let status = error.status_code;
    let failure = Failure {
        operation: asked.operation.to_owned(),
        message: message(error),
        status: Some(status.as_u16()),
        request_id: header(headers, "x-github-request-id"),
    };
    if let Some(wait) = refusal(status, headers, &error.message, now) {
        return asked.rate_limited(failure, wait, now);
    }
    match status {
        StatusCode::UNAUTHORIZED => Error::Unauthorized(failure),
        StatusCode::FORBIDDEN => Error::Forbidden {
            needs: needed(headers).unwrap_or_else(|| asked.needs.to_owned()),
            failure,
        },
        StatusCode::NOT_FOUND | StatusCode::GONE => Error::NotFound(failure),
        // GitHub answers 502 and 504 to what it gave up on, which may be done all the same.
        status if status.is_server_error() && asked.writes => Error::Ambiguous(failure),
        status if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT => {
            Error::Transient(failure)
        }
        status if status.is_client_error() => Error::Invalid(failure),
        _ => Error::Unreadable(failure),
    }
}

/// GitHub's message with what it says of single fields.
fn message(error: &GitHubError) -> String {
    // A proxy's error page is no message.
    const LONGEST: usize = 300;
    let mut text = error.message.clone();
    for detail in error.errors.iter().flatten() {
        let said = detail["message"].as_str().map(str::to_owned).or_else(|| {
            let (field, code) = (detail["field"].as_str()?, detail["code"].as_str()?);
            Some(format!("{field}: {code}"))
        });
        if let Some(said) = said {
            text = format!("{text}; {said}");
        }
    }
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// The rights that GitHub would have accepted: `pull_requests=write; issues=write`, where the credential is fine-grained.
fn needed(headers: &HeaderMap) -> Option<String> {
    header(headers, "x-accepted-github-permissions").filter(|rights| !rights.is_empty())
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}
