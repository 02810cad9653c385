//! What a delivery of GitHub's says, as far as anybody listens. Pure.

use http::HeaderMap;
use serde::Deserialize;
use url::form_urlencoded;

/// A delivery. Nothing of it is believed before its signature is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Delivery {
    /// GitHub's id of it; a repetition has the same.
    pub(super) id: String,
    /// What happened: `pull_request`, `push`, `ping`.
    pub(super) event: String,
    /// `owner/name`, where it is about a repository.
    pub(super) repository: Option<String>,
    /// Whether it is about an issue that is no pull request.
    pub(super) is_about_issue: bool,
}

#[derive(Default, Deserialize)]
struct Payload {
    repository: Option<Repository>,
    issue: Option<Issue>,
}

#[derive(Deserialize)]
struct Repository {
    full_name: String,
}

#[derive(Deserialize)]
struct Issue {
    pull_request: Option<serde::de::IgnoredAny>,
}

impl Delivery {
    /// Reads a delivery; none when it lacks a header or its body is not JSON, plain or in a form.
    pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Option<Self> {
        let text = |name: &str| Some(headers.get(name)?.to_str().ok()?.to_owned());
        let is_form = text("content-type")
            .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        let payload: Payload = if is_form {
            let (_, payload) = form_urlencoded::parse(body).find(|(name, _)| name == "payload")?;
            serde_json::from_str(&payload).ok()?
        } else {
            serde_json::from_slice(body).ok()?
        };
        Some(Self {
            id: text("x-github-delivery")?,
            event: text("x-github-event")?,
            repository: payload.repository.map(|repository| repository.full_name),
            is_about_issue: payload
                .issue
                .is_some_and(|issue| issue.pull_request.is_none()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: &str, body: &str) -> Option<Delivery> {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", kind.parse().unwrap());
        headers.insert("x-github-delivery", "72d3162e".parse().unwrap());
        headers.insert("x-github-event", "pull_request".parse().unwrap());
        Delivery::read(&headers, body.as_bytes())
    }

    #[test]
    fn both_of_githubs_content_types_are_read() {
        let json = r#"{"action":"opened","repository":{"full_name":"acme/shop","id":1}}"#;
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("payload", json)
            .finish();
        let plain = read("application/json", json).unwrap();
        assert_eq!(plain.repository.as_deref(), Some("acme/shop"));
        assert_eq!(
            read("application/x-www-form-urlencoded", &form),
            Some(plain)
        );
    }

    #[test]
    fn comments_on_issues_are_told_from_those_on_pull_requests() {
        for (body, expected) in [
            (r#"{"issue":{"number":1}}"#, true),
            (
                r#"{"issue":{"number":1,"pull_request":{"url":"x"}}}"#,
                false,
            ),
            ("{}", false),
        ] {
            let delivery = read("application/json", body).unwrap();
            assert_eq!(delivery.is_about_issue, expected, "{body}");
        }
    }

    #[test]
    fn what_is_no_delivery_is_not_read() {
        for (kind, body) in [
            ("application/json", ""),
            ("application/json", "[]"),
            ("application/json", r#"{"repository":"acme/shop"}"#),
            ("application/x-www-form-urlencoded", "x=y"),
            ("application/x-www-form-urlencoded", "payload=["),
        ] {
            assert_eq!(read(kind, body), None, "{kind} {body}");
        }
        assert_eq!(Delivery::read(&HeaderMap::new(), b"{}"), None);
    }
}
