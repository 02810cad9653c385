//! Requests to what Mirage offers beyond Kubernetes' protocol.

use serde::{Serialize, de::DeserializeOwned};

use crate::cli::{connection::Connection, failure::Failure};

/// A path whose segments come from people.
pub(super) fn path(segments: &[&str]) -> String {
    let encoded = segments.iter().map(|segment| {
        let text: String = url::form_urlencoded::byte_serialize(segment.as_bytes()).collect();
        // A plus means itself in a path.
        text.replace('+', "%20")
    });
    let all: Vec<String> = encoded.collect();
    format!("/api/v1/{}", all.join("/"))
}

/// A query of what was given.
pub(super) fn query(pairs: &[(&str, Option<&str>)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    match query.finish() {
        text if text.is_empty() => text,
        text => format!("?{text}"),
    }
}

/// Asks.
pub(super) async fn get<T: DeserializeOwned>(
    connection: &Connection,
    path: &str,
) -> Result<T, Failure> {
    let request = http::Request::get(path)
        .body(Vec::new())
        .map_err(|error| connection.failed(kube::Error::HttpError(error)))?;
    let answer = connection.client.request(request).await;
    answer.map_err(|error| connection.failed(error))
}

/// Asks for a text.
pub(super) async fn text(connection: &Connection, path: &str) -> Result<String, Failure> {
    let request = http::Request::get(path)
        .body(Vec::new())
        .map_err(|error| connection.failed(kube::Error::HttpError(error)))?;
    let answer = connection.client.request_text(request).await;
    answer.map_err(|error| connection.failed(error))
}

/// Asks for something to be done.
pub(super) async fn post<T: DeserializeOwned>(
    connection: &Connection,
    path: &str,
    body: &impl Serialize,
) -> Result<T, Failure> {
    let request = http::Request::post(path)
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(serde_json::to_vec(body).map_err(Failure::Answer)?)
        .map_err(|error| connection.failed(kube::Error::HttpError(error)))?;
    let answer = connection.client.request(request).await;
    answer.map_err(|error| connection.failed(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_blanks_and_slashes_stay_one_segment() {
        assert_eq!(
            path(&["railway", "My shop", "a/b"]),
            "/api/v1/railway/My%20shop/a%2Fb"
        );
        assert_eq!(query(&[("a", None), ("b", Some("x y"))]), "?b=x+y");
        assert_eq!(query(&[("a", None)]), "");
    }
}
