//! Failures, in the only shape Kubernetes clients understand: the `Status` object.
//!
//! Clients branch on `reason` and `code`, and print `message` and `details.causes` to people; so every way in which a
//! request can fail has a constructor here that fills all four alike.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};

use crate::kinds::Kind;
use crate::store::StoreError;

/// Why a request failed; the name is the wire's `reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[allow(missing_docs, reason = "the names are Kubernetes' own vocabulary")]
pub enum Reason {
    BadRequest,
    Unauthorized,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    NotAcceptable,
    AlreadyExists,
    Conflict,
    Expired,
    RequestEntityTooLarge,
    UnsupportedMediaType,
    Invalid,
    TooManyRequests,
    InternalError,
    ServiceUnavailable,
    Timeout,
}

impl Reason {
    /// The HTTP status that goes with the reason.
    pub fn code(self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::AlreadyExists | Self::Conflict => StatusCode::CONFLICT,
            Self::Expired => StatusCode::GONE,
            Self::RequestEntityTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Self::InternalError => StatusCode::INTERNAL_SERVER_ERROR,
            Self::ServiceUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Timeout => StatusCode::GATEWAY_TIMEOUT,
        }
    }
}

/// What is wrong with one field; the name is the wire's cause `reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[allow(missing_docs, reason = "the names are Kubernetes' own vocabulary")]
pub enum CauseReason {
    FieldValueInvalid,
    FieldValueRequired,
    FieldValueNotSupported,
    FieldValueTypeInvalid,
    FieldValueDuplicate,
    FieldValueForbidden,
    FieldValueTooLong,
    FieldManagerConflict,
    NamespaceTerminating,
    ResourceVersionTooLarge,
}

/// One fault in one field of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// `spec.services.api.dependsOn[0]`
    pub path: String,
    /// What sort of fault it is.
    pub reason: CauseReason,
    /// For people, without the path.
    pub message: String,
}

impl Fault {
    /// A fault at `path`.
    pub fn new(path: impl Into<String>, reason: CauseReason, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            reason,
            message: message.into(),
        }
    }
}

/// What a failure is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Details {
    name: String,
    group: String,
    /// The plural for "not found" and conflicts, the Kind for invalid objects: that is how clients expect it.
    kind: String,
    uid: String,
    causes: Vec<Fault>,
    retry_after_seconds: u32,
}

/// A failed request.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct Status {
    reason: Reason,
    message: String,
    details: Option<Box<Details>>,
    continue_token: Option<String>,
}

impl Status {
    /// A failure without details.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
            details: None,
            continue_token: None,
        }
    }

    /// 400.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(Reason::BadRequest, message)
    }

    /// 404 for a path that names nothing we serve.
    pub fn unknown_path() -> Self {
        Self::new(
            Reason::NotFound,
            "the server could not find the requested resource",
        )
    }

    /// 405.
    pub fn method_not_allowed() -> Self {
        Self::new(
            Reason::MethodNotAllowed,
            "the server does not allow this method on the requested resource",
        )
    }

    /// 500. The cause is logged where this is built; clients learn only that it was our fault.
    pub fn internal(message: impl std::fmt::Display) -> Self {
        Self::new(
            Reason::InternalError,
            format!("Internal error occurred: {message}"),
        )
    }

    /// 404 for an object.
    pub fn not_found(kind: &Kind, name: &str) -> Self {
        Self::new(
            Reason::NotFound,
            format!("{} \"{name}\" not found", kind.qualified_plural()),
        )
        .about(&kind.group, &kind.plural, name)
    }

    /// 409 on create.
    pub fn already_exists(kind: &Kind, name: &str) -> Self {
        Self::new(
            Reason::AlreadyExists,
            format!("{} \"{name}\" already exists", kind.qualified_plural()),
        )
        .about(&kind.group, &kind.plural, name)
    }

    /// 409 on a write against an old version.
    pub fn conflict(kind: &Kind, name: &str, why: impl std::fmt::Display) -> Self {
        Self::new(
            Reason::Conflict,
            format!(
                "Operation cannot be fulfilled on {} \"{name}\": {why}",
                kind.qualified_plural()
            ),
        )
        .about(&kind.group, &kind.plural, name)
    }

    /// 409 because someone else wrote first.
    pub fn modified(kind: &Kind, name: &str) -> Self {
        Self::conflict(
            kind,
            name,
            "the object has been modified; please apply your changes to the latest version and try again",
        )
    }

    /// 422 with a cause per fault.
    pub fn invalid(group: &str, kind: &str, name: &str, faults: Vec<Fault>) -> Self {
        let subject = if group.is_empty() {
            kind.to_owned()
        } else {
            format!("{kind}.{group}")
        };
        let lines: Vec<String> = faults
            .iter()
            .map(|fault| match fault.path.as_str() {
                "" => fault.message.clone(),
                path => format!("{path}: {}", fault.message),
            })
            .collect();
        let text = match lines.as_slice() {
            [only] => only.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        Self::new(
            Reason::Invalid,
            format!("{subject} \"{name}\" is invalid: {text}"),
        )
        .about(group, kind, name)
        .with_causes(faults)
    }

    /// 403.
    pub fn forbidden(group: &str, plural: &str, name: &str, why: impl std::fmt::Display) -> Self {
        let resource = if group.is_empty() {
            plural.to_owned()
        } else {
            format!("{plural}.{group}")
        };
        let subject = if name.is_empty() {
            resource
        } else {
            format!("{resource} \"{name}\"")
        };
        Self::new(Reason::Forbidden, format!("{subject} is forbidden: {why}"))
            .about(group, plural, name)
    }

    /// 410 for a version that the change log no longer reaches back to.
    pub fn expired(wanted: u64, floor: u64) -> Self {
        Self::new(
            Reason::Expired,
            format!("too old resource version: {wanted} ({floor})"),
        )
    }

    /// Names the object the failure is about.
    #[must_use]
    pub fn about(mut self, group: &str, kind: &str, name: &str) -> Self {
        let details = self.details.get_or_insert_default();
        details.group = group.to_owned();
        details.kind = kind.to_owned();
        details.name = name.to_owned();
        self
    }

    /// Adds one cause per fault.
    #[must_use]
    pub fn with_causes(mut self, causes: Vec<Fault>) -> Self {
        self.details.get_or_insert_default().causes = causes;
        self
    }

    /// Tells the client when to come back, in the body and as `Retry-After`.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.details.get_or_insert_default().retry_after_seconds = seconds;
        self
    }

    /// Gives a fresh token for a list whose own token expired.
    #[must_use]
    pub fn with_continue(mut self, token: String) -> Self {
        self.continue_token = Some(token);
        self
    }

    /// What a failed store operation on one object means to the client.
    pub fn from_store(kind: &Kind, name: &str, error: StoreError) -> Self {
        match error {
            StoreError::AlreadyExists => Self::already_exists(kind, name),
            StoreError::NotFound => Self::not_found(kind, name),
            StoreError::Conflict { .. } => Self::modified(kind, name),
            StoreError::Compacted { floor } => Self::expired(0, floor),
            error @ StoreError::Unavailable(..) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the store did not answer"
                );
                Self::new(
                    Reason::ServiceUnavailable,
                    "the store is unavailable; nothing is lost, try again shortly",
                )
                .retry_after(1)
            }
        }
    }

    /// Why it failed.
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// Kind and name of the object that it is about, if it is about one.
    pub(crate) fn subject(&self) -> Option<(&str, &str)> {
        let details = self.details.as_ref()?;
        (!details.name.is_empty()).then_some((&details.kind, &details.name))
    }

    /// The object as it goes over the wire, also inside watch streams.
    pub fn to_json(&self) -> Value {
        let mut metadata = Map::new();
        if let Some(token) = &self.continue_token {
            metadata.insert("continue".into(), json!(token));
        }
        let mut body = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": metadata, "status": "Failure",
            "message": self.message, "reason": <&str>::from(self.reason), "code": self.reason.code().as_u16(),
        });
        if let Some(details) = &self.details {
            body["details"] = details.to_json();
        }
        body
    }
}

impl Details {
    fn to_json(&self) -> Value {
        let mut out = Map::new();
        for (field, value) in [
            ("name", &self.name),
            ("group", &self.group),
            ("kind", &self.kind),
            ("uid", &self.uid),
        ] {
            if !value.is_empty() {
                out.insert(field.into(), json!(value));
            }
        }
        if !self.causes.is_empty() {
            let causes = self.causes.iter().map(|cause| {
                json!({"reason": <&str>::from(cause.reason), "message": cause.message, "field": cause.path})
            });
            out.insert("causes".into(), causes.collect());
        }
        if self.retry_after_seconds > 0 {
            out.insert("retryAfterSeconds".into(), json!(self.retry_after_seconds));
        }
        Value::Object(out)
    }
}

impl IntoResponse for Status {
    fn into_response(self) -> Response {
        let retry_after = self
            .details
            .as_ref()
            .map_or(0, |details| details.retry_after_seconds);
        let mut response = (self.reason.code(), self.to_json().to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        if retry_after > 0 {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(retry_after));
        }
        // For the record of refusals, which sees answers and not why they are what they are.
        response.extensions_mut().insert(self);
        response
    }
}
