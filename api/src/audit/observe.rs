//! What is worth a record besides writes: refusals, and who was shown secrets. Every request of every router passes here.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode};

use super::origin::short;
use super::{Origin, Outcome, Record};
use crate::error::{Reason, Status};
use crate::kubernetes::call::Call;
use crate::kubernetes::request::Verb;
use crate::kubernetes::review;
use crate::server::Server;

/// Gives the request its origin, the answer its `Audit-Id`, and a refusal its record.
pub(crate) async fn observe(
    State(server): State<Arc<Server>>,
    mut request: Request,
    next: Next,
) -> Response {
    let audit_id = server.ids.request_id().to_string();
    let trusted = server.audit.trusted_proxies();
    let origin = Arc::new(Origin::of(&request, audit_id, server.now(), trusted));
    request.extensions_mut().insert(Arc::clone(&origin));
    let mut response = next.run(request).await;
    let status = response.extensions_mut().remove::<Status>();
    if let Some(record) = refusal(&origin, response.status(), status.as_ref()) {
        server.audit.recorder.refused(record);
    }
    if let Ok(id) = HeaderValue::from_str(origin.audit_id()) {
        let name = HeaderName::from_static("audit-id");
        response.headers_mut().insert(name, id);
    }
    response
}

/// The record of an answer, if it is a refusal that is kept: of anything for want of rights, and of every attempt to write.
fn refusal(origin: &Origin, code: StatusCode, status: Option<&Status>) -> Option<Record> {
    let is_for_want_of_rights = matches!(code, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    let is_failed_write = code.as_u16() >= 400
        && origin.info().is_some_and(|info| {
            // A review is created and not kept: it writes nothing.
            !matches!(info.verb, Verb::Get | Verb::List | Verb::Watch)
                && review::find(info).is_none()
        });
    if !is_for_want_of_rights && !is_failed_write {
        return None;
    }
    let mut record = origin.record(Outcome {
        code: code.as_u16(),
        reason: status.map_or_else(String::new, |it| <&str>::from(it.reason()).to_owned()),
        message: String::new(),
    });
    record.outcome.message = match status {
        Some(status) if status.reason() == Reason::Unauthorized => origin.credentials().to_owned(),
        Some(status) if may_repeat_values(&record.resource, status.reason()) => {
            "not kept, since it may repeat what was sent".to_owned()
        }
        Some(status) => short(&status.to_string()),
        None => String::new(),
    };
    // The path of a creation does not name what is created; the refusal does, unless it is about the namespace.
    if record.name.is_empty()
        && let Some((kind, name)) = status.and_then(Status::subject)
        && (kind != "namespaces" || record.resource == kind)
    {
        record.name = short(name);
    }
    Some(record)
}

/// Whether what a client is told of a request may show what it sent, and that is secret.
fn may_repeat_values(resource: &str, reason: Reason) -> bool {
    super::changes::holds_secrets(resource)
        && !matches!(
            reason,
            Reason::Forbidden | Reason::NotFound | Reason::AlreadyExists | Reason::Conflict
        )
}

/// The record of a reader of secrets, to be kept once the answer is a success. The server's own parts need them to work;
/// what they do with them is recorded as writes. A table of names shows no values.
pub(crate) fn disclosure(call: &Call) -> Option<Record> {
    let is_reading = matches!(call.info.verb, Verb::Get | Verb::List | Verb::Watch);
    if call.kind.qualified_plural() != "secrets" || !is_reading || !call.shows_whole_objects() {
        return None;
    }
    let record = call.origin.record(Outcome {
        code: StatusCode::OK.as_u16(),
        reason: String::new(),
        message: String::new(),
    });
    (!record.is_by_own_part()).then_some(record)
}
