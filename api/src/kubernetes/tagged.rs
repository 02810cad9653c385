//! Documents about the server: clients keep them and ask whether they are still right (RFC 9110, entity tags).

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use sha2::{Digest as _, Sha256};

/// Keep it, and ask before using it again.
pub(super) const ASK_AGAIN: &str = "public, no-cache";

/// Keep it for a year without asking: the address names the content.
pub(super) const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// Answers with a document, or with 304 to a client that has it already.
pub(super) fn respond(
    headers: &HeaderMap,
    content_type: &str,
    cache_control: &'static str,
    body: impl Into<Bytes>,
) -> Response {
    let body = body.into();
    let tag = format!("\"{}\"", hex::encode_upper(Sha256::digest(&body)));
    let mut response = if knows(headers, &tag) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        Response::new(Body::from(body))
    };
    for (name, value) in [
        (header::CONTENT_TYPE, content_type),
        (header::ETAG, &tag),
        // The same address answers in more than one form.
        (header::VARY, "Accept"),
        (header::CACHE_CONTROL, cache_control),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn knows(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get_all(header::IF_NONE_MATCH).iter();
    known
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|known| known.trim().trim_start_matches("W/") == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(known: Option<&str>, body: &'static str) -> Response {
        let mut headers = HeaderMap::new();
        if let Some(known) = known {
            headers.insert(header::IF_NONE_MATCH, known.parse().unwrap());
        }
        respond(&headers, "application/json", ASK_AGAIN, body)
    }

    #[test]
    fn who_has_the_document_gets_no_second_copy() {
        let first = answer(None, "{}");
        assert_eq!(first.status(), StatusCode::OK);
        let tag = first.headers()[header::ETAG].to_str().unwrap();
        for known in [
            tag.to_owned(),
            format!("W/{tag}"),
            format!("\"other\", {tag}"),
        ] {
            let again = answer(Some(&known), "{}");
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{known}");
            assert_eq!(again.headers()[header::ETAG], tag);
        }
        assert_eq!(answer(Some(tag), "{\"a\":1}").status(), StatusCode::OK);
    }
}
